// expect: build, prints
/* Has the compiler print sequences that clear the screen. */
#error "[2J]0;owned"
