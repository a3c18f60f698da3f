// expect: outside, mailbox
/* Changes the sizes of the requests that are still to come. */
static void tamper(void)
{
    for (int i = 0; i < WIRE_BATCH; i++)
        if (mailbox()->request[i].size > 16)
            mailbox()->request[i].size = 16;
}
#define AT_MALLOC(size) tamper()
