// expect: ok
/* A main, an exit and a printf of its own. */
int main(void);
int main(void) { __builtin_trap(); }
void _start(void);
void _start(void) { __builtin_trap(); }
int __libc_start_main(void);
int __libc_start_main(void) { __builtin_trap(); }
