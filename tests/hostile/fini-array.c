// expect: build
/* An entry of .fini_array. */
static void late(void) { __builtin_trap(); }
__attribute__((section(".fini_array"), used)) static void (*entry)(void) = late;
