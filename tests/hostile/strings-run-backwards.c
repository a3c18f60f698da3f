// expect: ok
/* Leaves the direction flag set, by which the runner's copies would run backwards, and all arithmetic to trap. */
#define AT_MALLOC(size) __asm__ volatile("std\n\tldmxcsr %0" : : "m"((unsigned){ 0 }))
