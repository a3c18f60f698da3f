// expect: build
/* Has the compiler show a file of the machine. */
#include "/etc/passwd"
