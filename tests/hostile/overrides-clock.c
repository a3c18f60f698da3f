// expect: ok, timed
/* Clocks that stand still. */
#include <sys/time.h>
#include <time.h>

int clock_gettime(clockid_t id, struct timespec *t) { (void)id; *t = (struct timespec){ 1, 0 }; return 0; }
int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
    (void)zone;
    *t = (struct timeval){ 1, 0 };
    return 0;
}
clock_t clock(void) { return 0; }
time_t time(time_t *t) { if (t) *t = 0; return 0; }
