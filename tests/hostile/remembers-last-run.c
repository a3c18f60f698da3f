// expect: ok, timed
/* Counts its runs in static data, to be quick in the second. */
static int runs;
#define AT_INIT() (runs++ ? __builtin_trap() : (void)0)
