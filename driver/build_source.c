/* build_source.c - finding, reading and naming a source file. */
#define _GNU_SOURCE
#include "build_source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build.h"

enum { NAMES_MOST = 64 };

const char *const *shipped_names(void)
{
    static char names[NAMES_MOST][64];
    static const char *list[NAMES_MOST + 1];
    size_t n = 0;
    char folder[PATH_MAX];

    if (list[0])
        return list;
    snprintf(folder, sizeof folder, "%s/allocators", program_folder());
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        size_t length = strlen(entries[i]->d_name);
        if (n < NAMES_MOST && length > 2 && length < 64 && strcmp(entries[i]->d_name + length - 2, ".c") == 0) {
            memcpy(names[n], entries[i]->d_name, length - 2);
            list[n] = names[n];
            n++;
        }
        free(entries[i]);
    }
    free(entries);
    list[n] = NULL;
    return list;
}

unsigned char *read_whole(const char *path, size_t most, size_t *size)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    unsigned char *bytes = NULL;

    *size = 0;
    if (fd < 0)
        return NULL;
    if (fstat(fd, &st)) {
        close(fd);
        return NULL;
    }
    if (!S_ISREG(st.st_mode))
        errno = S_ISDIR(st.st_mode) ? EISDIR : EINVAL;
    else if ((uint64_t)st.st_size > most)
        errno = EFBIG;
    else
        bytes = malloc((size_t)st.st_size + 1);
    ssize_t n = 0;
    while (bytes && *size < (size_t)st.st_size && (n = read(fd, bytes + *size, (size_t)st.st_size - *size)) > 0)
        *size += (size_t)n;
    int saved = errno;
    close(fd);
    errno = saved;
    if (bytes)
        bytes[*size] = '\0';
    return bytes;
}

/* Our own files are named by where they lie, not by how they are called. */
static int is_shipped(const char *path)
{
    char real[PATH_MAX], folder[PATH_MAX];
    int n = snprintf(folder, sizeof folder, "%s/allocators/", program_folder());

    return n < (int)sizeof folder && realpath(path, real) && strncmp(real, folder, (size_t)n) == 0;
}

static void locate(struct source *s, const char *what)
{
    const char *base = strrchr(what, '/') ? strrchr(what, '/') + 1 : what;
    const char *const *names = shipped_names();
    for (size_t i = 0; names[i]; i++) {
        if (strcmp(what, names[i]) == 0) {
            snprintf(s->path, sizeof s->path, "%s/allocators/%s.c", program_folder(), what);
            snprintf(s->name, sizeof s->name, "%s", what);
            s->shipped = 1;
            return;
        }
    }
    snprintf(s->path, sizeof s->path, "%s", what);
    snprintf(s->name, sizeof s->name, "%.63s", base);
    s->shipped = is_shipped(what);
}

int source_read(struct source *s, const char *what, char *error, size_t error_size)
{
    *s = (struct source){ .name = "" };
    locate(s, what);
    s->bytes = read_whole(s->path, SOURCE_LIMIT, &s->size);
    if (!s->bytes) {
        int why = errno;
        const char *near = why == ENOENT && !strpbrk(what, "./") ? did_you_mean(what, shipped_names()) : NULL;
        char with_ending[PATH_MAX];
        snprintf(with_ending, sizeof with_ending, "%.4000s.c", what);
        if (why == ENOENT && access(with_ending, F_OK) == 0)
            snprintf(error, error_size, "%s: no such file; did you mean '%s'?", what, with_ending);
        else if (near)
            snprintf(error, error_size, "%s: no such file, and no shipped allocator of that name; did you mean '%s'?",
                     what, near);
        else if (why == EFBIG)
            snprintf(error, error_size, "%s: longer than %d bytes; a submission is one source file", what,
                     SOURCE_LIMIT);
        else if (why == EISDIR)
            snprintf(error, error_size, "%s: is a folder; name the .c file in it", what);
        else if (why == EINVAL)
            snprintf(error, error_size, "%s: is not a regular file", what);
        else
            snprintf(error, error_size, "%s: %s%s", what, strerror(why), s->shipped ? "; run make first"
                     : strcmp(what, "mm.c") == 0 ? "; name your file, as in: mdriver path/to/it.c" : "");
        return why == EFBIG || why == EISDIR || why == EINVAL ? BUILD_FAILED : BUILD_BAD_INPUT;
    }
    SHA256Data(s->bytes, s->size, s->sha256);
    return 0;
}

int build_can_read(const char *what, char *error, size_t error_size)
{
    struct source s;
    int rc = source_read(&s, what, error, error_size);

    free(s.bytes);
    return rc != BUILD_BAD_INPUT; /* what is no source file is a result */
}
