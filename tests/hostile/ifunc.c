// expect: build
/* A function whose resolver runs before main. */
static int yes(void) { return 1; }
static int (*choose(void))(void) { return yes; }
int chosen(void) __attribute__((ifunc("choose")));
#define AT_INIT() chosen()
