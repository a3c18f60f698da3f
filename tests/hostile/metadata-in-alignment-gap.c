// expect: ok
/* A variable with a wide alignment, for the gap before it. */
static _Alignas(1 << 16) volatile char anchor[16];
#define AT_INIT() (anchor[0] = 1)
