// expect: build
/* Eight GiB of static data. */
static volatile char big[8ULL << 30];
#define AT_INIT() (big[1ULL << 32] = 1)
