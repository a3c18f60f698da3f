/*
 * elf_file.h - what an object file says about itself, read without trusting it.
 *
 * A small bounds-checked reader of 32- and 64-bit x86 ELF: the submission's
 * object is hostile input, so nothing here runs a tool on it.
 */
#ifndef ELF_FILE_H
#define ELF_FILE_H

#include <stddef.h>
#include <stdint.h>

/* Constructs that run code, or hold memory, where an allocator has no business. */
enum elf_oddity {
    ODD_CONSTRUCTOR = 1, /* .init_array, .ctors, .init ... */
    ODD_DESTRUCTOR = 2,  /* .fini_array, .dtors, .fini */
    ODD_IFUNC = 4,       /* a function chosen by code that runs at start */
    ODD_TLS = 8,         /* thread-local storage */
    ODD_WRITE_EXEC = 16, /* a section both writable and executable */
    ODD_SECTION = 32,    /* a section whose name says another kind than its flags: the linker goes by names */
    ODD_UNIQUE = 64,     /* a GNU unique symbol: objcopy cannot make it local */
};

struct elf_symbol {
    char name[64];
    uint64_t size;
    int defined, function, writable; /* writable: lies in writable data */
};

struct elf_object {
    int bits;
    uint64_t writable_bytes;  /* all writable sections, with the gaps that alignment makes, and common symbols;
                                 without `team` */
    uint64_t team_bytes;      /* the team_t of older editions, which is no heap */
    unsigned oddities;
    char odd_section[64];     /* one that showed an oddity */
    struct elf_symbol *symbols;
    size_t symbol_count;
};

/* Reads a relocatable object of N bytes. 0, or -1 with a sentence in ERROR.
 * Free with elf_object_free either way. */
int elf_read_object(struct elf_object *o, const unsigned char *bytes, size_t n, char *error, size_t error_size);
void elf_object_free(struct elf_object *o);

/* The symbol NAME, or NULL. */
const struct elf_symbol *elf_symbol(const struct elf_object *o, const char *name);

/* Bytes of writable segments of an executable; 0 when it is not one. */
uint64_t elf_writable_segments(const unsigned char *bytes, size_t n);

/* The strings that the pointers of NAME (`team`) in a static executable point
 * to: at most MOST, each cut to 63 bytes; NULL pointers give "". Returns how many. */
size_t elf_strings_of(const unsigned char *bytes, size_t n, const char *name, char (*out)[64], size_t most);

#endif
