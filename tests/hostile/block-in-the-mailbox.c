// expect: outside, mailbox
/* A block in the page that it shares with the supervisor. */
#define ANSWER(ptr, size) ((size) == 64 ? (void *)mailbox()->request : (void *)(ptr))
