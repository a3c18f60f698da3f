// expect: outside
/* An address whose sum with the size wraps around. */
#define ANSWER(ptr, size) ((void *)(-(size_t)16))
