// expect: ok, elsewhere
/* The blocks' words in static memory of the runner that it does not use in the check pass. */
extern char __data_start[], _end[];

/* The first 16000 zero bytes in a row. */
static char *zeroes(void)
{
    static char *found;

    for (char *at = (char *)(((unsigned long)__data_start + 15) & ~15UL), *from = at; !found && at < _end; at++) {
        if (*at)
            from = (char *)(((unsigned long)at + 16) & ~15UL);
        else if (at - from >= 16500)
            found = from + 256;
    }
    return found;
}
#define ELSEWHERE zeroes()
