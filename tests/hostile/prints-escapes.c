// expect: ok, prints
/* Prints sequences that clear the screen, set the title and turn lines around. */
#include <stdio.h>

#define AT_INIT() printf("\033[2J\033]0;owned\007\xe2\x80\xae\x9b" "2J\xff\rindex 100\n")
