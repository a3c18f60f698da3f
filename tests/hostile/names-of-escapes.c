// expect: crash, prints
/* The function that crashes, its file and a macro of it have names that clear the screen. */
static void die(void) __asm__("\"x\033[2J\033]0;owned\007<script>alert(1)</script>\"");
#line 7 "evil\033[2J\033]0;x\007<script>alert(1)</script>.c"
static __attribute__((noinline)) void die(void) { *(volatile int *)16 = 1; }
#define AT_MALLOC(size) die()
