// expect: ok, mailbox, timed
/* Tells the runner that it has replayed often enough. */
#define AT_MALLOC(size) (mailbox()->repeat = 0)
