/* runner_image.h - a built runner: the executable that holds one allocator. */
#ifndef RUNNER_IMAGE_H
#define RUNNER_IMAGE_H

#include <stdint.h>

struct runner_image {
    char name[64];         /* shown in tables: "explicit", "mm.c" */
    char *path;            /* the source as given */
    char sha256[65];       /* of the source file */
    int exec_fd;           /* the executable, open for reading (close-on-exec), or -1 */
    char *exec_path;       /* where it is on disk, for addr2line and valgrind */
    int bits;              /* 32 or 64 */
    uint64_t static_bytes; /* writable data of the allocator's own object: .data, .bss, custom sections */
    uint64_t writable_bytes; /* writable segments of the whole executable */
    int has_gc;            /* defines mm_gc_roots: a collector */
    int has_checkheap;     /* defines mm_checkheap */
    int shipped;           /* one of ours */
    uint32_t conventions;  /* enum wire_flags: how its entry points are called */
    unsigned trusted;      /* a peer such as libc: not confined, memory measured from outside */
    char *preload;         /* a peer's library, put before libc's own allocator, or NULL */
    char *build_log;       /* what the compiler said, or NULL */
    char *link_log;        /* what the linker said, where it failed, or NULL */
    char *flags_used;      /* the compiler flags that worked */
};

#endif
