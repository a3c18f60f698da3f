// expect: forbidden
/* A second thread, with a stack full of metadata and time that nobody measures. */
#include <pthread.h>

static void *work(void *p) { return p; }
static pthread_t thread;
#define AT_INIT() pthread_create(&thread, 0, work, 0)
