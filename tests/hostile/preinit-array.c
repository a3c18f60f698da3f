// expect: build
/* Code that runs even before the constructors. */
static void early(void) { __builtin_trap(); }
__attribute__((section(".preinit_array"), used)) static void (*entry)(void) = early;
