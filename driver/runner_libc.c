/*
 * runner_libc.c - what the C library may use as heap inside a runner.
 *
 * A submission has the simulated heap and nothing else; the C library's own
 * needs (printf with unusual conversions) are served from this small arena,
 * whose size is part of the published cap on memory outside the heap. Memory
 * handed out here lies outside the simulated heap, so returning it from
 * mm_malloc is a wrong answer.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES 16384
#define ARENA_ALIGN 16

static _Alignas(ARENA_ALIGN) unsigned char arena[ARENA_BYTES];
static size_t used;

struct header { size_t size, padding; };

void *malloc(size_t size)
{
    if (size > ARENA_BYTES || used + sizeof(struct header) + size > ARENA_BYTES) {
        errno = ENOMEM;
        return NULL;
    }
    struct header *h = (void *)(arena + used);
    h->size = size;
    used += sizeof *h + (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    if (used > ARENA_BYTES)
        used = ARENA_BYTES;
    return h + 1;
}

void free(void *ptr)
{
    if (!ptr)
        return;
    struct header *h = (struct header *)ptr - 1;
    unsigned char *end = (unsigned char *)ptr + (h->size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN;
    if (end == arena + used) /* the last one: what printf needs */
        used = (size_t)((unsigned char *)h - arena);
}

void *calloc(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return NULL;
    void *p = malloc(count * size);
    __asm__("" : "+r"(p)); /* or the compiler makes this a call of calloc */
    return p ? memset(p, 0, count * size) : NULL;
}

void *realloc(void *ptr, size_t size)
{
    if (!ptr)
        return malloc(size);
    size_t old = ((struct header *)ptr - 1)->size;
    void *p = malloc(size);
    return p ? memcpy(p, ptr, old < size ? old : size) : NULL;
}

void *memalign(size_t alignment, size_t size);
void *memalign(size_t alignment, size_t size)
{
    if (alignment <= ARENA_ALIGN)
        return malloc(size);
    errno = ENOMEM;
    return NULL;
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *p = memalign(alignment, size);

    if (p)
        *out = p;
    return p ? 0 : ENOMEM;
}

/* perror: glibc's own duplicates a descriptor, which nothing here may. */
void perror(const char *what)
{
    fprintf(stderr, "%s%s%s\n", what ? what : "", what && *what ? ": " : "", strerror(errno));
}

/* The older drivers had this global, and some files look at it. */
extern int verbose;
__attribute__((weak)) int verbose;

/* assert: glibc's own maps memory for a core dump's sake, which nothing here may. */
_Noreturn void __assert_fail(const char *assertion, const char *file, unsigned line, const char *function);
_Noreturn void __assert_fail(const char *assertion, const char *file, unsigned line, const char *function)
{
    fprintf(stderr, "%s:%u: %s: Assertion `%s' failed.\n", file, line, function, assertion);
    abort();
}
