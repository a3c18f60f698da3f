/* build_folder.c - private folders for builds: ours, removed at exit. */
#define _GNU_SOURCE
#include "build_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "build.h"
#include "build_source.h"
#include "tool.h"

#define FOLDERS_MOST 1024

const char *const runner_objects[] = { "runner.o", "memlib.o", "runner_libc.o", NULL };

static char *folders[FOLDERS_MOST];
static size_t folder_count;

void build_cleanup(void)
{
    while (folder_count) {
        char *folder = folders[--folder_count];
        tool_folder_remove(folder);
        free(folder);
    }
}

int build_folder_write(const char *folder, const char *name, const void *bytes, size_t size)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    ssize_t n = fd < 0 ? -1 : write(fd, bytes, size);
    if (fd >= 0)
        close(fd);
    return n == (ssize_t)size ? 0 : -1;
}

unsigned char *build_folder_read(const char *folder, const char *name, size_t *size)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return read_whole(path, OBJECT_LIMIT, size);
}

static int copy_file(const char *from, const char *folder, const char *name)
{
    size_t size;
    unsigned char *bytes = read_whole(from, OBJECT_LIMIT, &size);
    int rc = bytes ? build_folder_write(folder, name, bytes, size) : -1;

    free(bytes);
    return rc;
}

/* Each header from the first place that has it: the edition's own folder, then the one that editions share. This
 * project's edition uses mm.h and memlib.h beside mdriver. */
static int copy_headers(const char *folder, int dialect)
{
    static const char *const names[] = { "mm.h", "memlib.h", "config.h", "contracts.h", "team.h" };
    char own[64], path[PATH_MAX], to[64];
    snprintf(own, sizeof own, "courses/include/%s", dialect_word(dialect));
    const char *const places[] = { dialect == DIALECT_MALLOCLAB ? "." : own, own, "courses/include/shared" };
    int missing = 0;

    snprintf(path, sizeof path, "%s/courses/include/bare/mm.h", program_folder());
    missing |= copy_file(path, folder, "bare/mm.h");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        int found = 0;
        snprintf(to, sizeof to, "include/%s", names[i]);
        for (size_t k = 0; k < sizeof places / sizeof *places && !found; k++) {
            snprintf(path, sizeof path, "%s/%s/%s", program_folder(), places[k], names[i]);
            found = copy_file(path, folder, to) == 0;
        }
        missing |= !found;
    }
    return missing ? -1 : 0;
}

const char *build_folder_new(int dialect, char *error, size_t error_size)
{
    static const char *const inner[] = { "include", "bare" };
    char path[PATH_MAX];
    char *folder = folder_count < FOLDERS_MOST ? tool_folder() : NULL;

    if (!folder) {
        snprintf(error, error_size, "cannot make a private folder for the build: %s", strerror(errno));
        return NULL;
    }
    folders[folder_count++] = folder;
    for (size_t i = 0; i < 2; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, inner[i]);
        if (mkdir(path, 0755) || chmod(path, 0755)) {
            snprintf(error, error_size, "%s: %s", path, strerror(errno));
            return NULL;
        }
    }
    if (copy_headers(folder, dialect)) {
        snprintf(error, error_size, "the headers of the %s edition are missing under %s/courses/include",
                 dialect_word(dialect), program_folder());
        return NULL;
    }
    return folder;
}

int build_can(int bits)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/build/runner%d/%s", program_folder(), bits, runner_objects[0]);
    return access(path, R_OK) == 0;
}

int build_folder_objects(const char *folder, int bits)
{
    char path[PATH_MAX];
    int rc = 0;

    for (size_t i = 0; runner_objects[i]; i++) {
        snprintf(path, sizeof path, "%s/build/runner%d/%s", program_folder(), bits, runner_objects[i]);
        rc |= copy_file(path, folder, runner_objects[i]);
    }
    return rc;
}
