// expect: build
/* Metadata in thread-local storage. */
static _Thread_local volatile char table[16000];
#define AT_INIT() (table[1] = 1)
