// expect: build
/* An entry of .init_array that the compiler knows nothing of. */
static void early(void) { __builtin_trap(); }
__attribute__((section(".init_array,\"aw\",@progbits#"), used)) static void (*const entry)(void) = early;
