// expect: ok
/* Functions with the names of the runner's own. */
void yield_turn(unsigned event) { (void)event; }
unsigned long replay(void) { return 1000000; }
void replay_timed(void) {}
void stop_self(void) {}
int check_after(void) { return 1; }
void mem_attach(const void *host) { (void)host; }
