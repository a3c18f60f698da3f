// expect: build
/* An object file of 8 GiB. */
char big[8ULL << 30] = { 1 };
