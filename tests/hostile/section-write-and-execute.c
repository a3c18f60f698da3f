// expect: build
/* Memory that is written and executed. */
__asm__(".section depot,\"awx\",@progbits\ndepot: .zero 16\n\t.text");
extern char depot[];
#define AT_INIT() (depot[0] = 1)
