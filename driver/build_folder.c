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
#include <sys/statvfs.h>
#include <unistd.h>

#include "build.h"
#include "build_source.h"
#include "tool.h"

#define FOLDERS_MOST 1024
#define ROOM (4u << 20) /* bytes that a build may need at most */

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
    int why = n < 0 ? errno : ENOSPC; /* half of it was written */
    if (fd >= 0)
        close(fd);
    errno = why;
    return n == (ssize_t)size ? 0 : -1;
}

unsigned char *build_folder_read(const char *folder, const char *name, size_t *size)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    return read_whole(path, OBJECT_LIMIT, size);
}

enum copied { COPIED, NOT_THERE, NOT_WRITTEN };

static enum copied copy_file(const char *from, const char *folder, const char *name)
{
    size_t size;
    unsigned char *bytes = read_whole(from, OBJECT_LIMIT, &size);
    enum copied how = !bytes ? NOT_THERE : build_folder_write(folder, name, bytes, size) ? NOT_WRITTEN : COPIED;

    free(bytes); /* keeps errno */
    return how;
}

/* Each header from the first place that has it: the edition's own folder, then the one that editions share. This
 * project's edition uses mm.h and memlib.h beside mdriver. */
static enum copied copy_headers(const char *folder, int dialect)
{
    static const char *const names[] = { "mm.h", "memlib.h", "config.h", "contracts.h", "team.h" };
    char own[64], path[PATH_MAX], to[64];
    snprintf(own, sizeof own, "courses/include/%s", dialect_word(dialect));
    const char *const places[] = { dialect == DIALECT_MALLOCLAB ? "." : own, own, "courses/include/shared" };

    snprintf(path, sizeof path, "%s/courses/include/bare/mm.h", program_folder());
    enum copied how = copy_file(path, folder, "bare/mm.h");
    for (size_t i = 0; i < sizeof names / sizeof *names && how == COPIED; i++) {
        how = NOT_THERE;
        snprintf(to, sizeof to, "include/%s", names[i]);
        for (size_t k = 0; k < sizeof places / sizeof *places && how == NOT_THERE; k++) {
            snprintf(path, sizeof path, "%s/%s/%s", program_folder(), places[k], names[i]);
            how = copy_file(path, folder, to);
        }
    }
    return how;
}

void build_folder_unwritable(const char *folder, char *error, size_t error_size)
{
    snprintf(error, error_size, "cannot write in the private folder %s: %s; TMPDIR can name a folder with more room",
             folder,
             strerror(errno));
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
    enum copied how = copy_headers(folder, dialect);
    if (how == NOT_WRITTEN) {
        build_folder_unwritable(folder, error, error_size);
        return NULL;
    }
    if (how == NOT_THERE) {
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

int build_folder_objects(const char *folder, int bits, char *error, size_t error_size)
{
    char path[PATH_MAX];
    enum copied how = COPIED;

    for (size_t i = 0; runner_objects[i] && how == COPIED; i++) {
        snprintf(path, sizeof path, "%s/build/runner%d/%s", program_folder(), bits, runner_objects[i]);
        how = copy_file(path, folder, runner_objects[i]);
    }
    if (how == NOT_WRITTEN)
        build_folder_unwritable(folder, error, error_size);
    else if (how == NOT_THERE && bits == 32 && !build_can(bits))
        snprintf(error, error_size, "32-bit runners are not built: install gcc-multilib and run make again");
    else if (how == NOT_THERE)
        snprintf(error, error_size, "the runner's objects are missing under %s/build; run make", program_folder());
    return how == COPIED ? 0 : -1;
}

int build_folder_is_full(const char *folder)
{
    struct statvfs s;

    return statvfs(folder, &s) == 0 && s.f_bavail * s.f_frsize < ROOM;
}
