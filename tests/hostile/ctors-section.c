// expect: build
/* The constructors of an older kind of program. */
static void early(void) { __builtin_trap(); }
__attribute__((section(".ctors"), used)) static void (*entry)(void) = early;
