// expect: damaged, mailbox
/* Has the runner fill and compare payloads with bytes of its own choice. */
static void tamper(void)
{
    for (int i = 0; i < WIRE_BLOCKS; i++)
        mailbox()->key[i] = (struct wire_key){ 0, 0 };
}
#define AT_MALLOC(size) tamper()
