// expect: build
/* Takes a file of the machine into its object. */
__asm__(".incbin \"/etc/passwd\"");
