/* output_file.c - looks before a run, renames after it. */
#define _GNU_SOURCE
#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder in which PATH's last component stands. -1 when it is too long. */
static int folder_of(const char *path, char *out)
{
    const char *slash = strrchr(path, '/');
    size_t length = !slash ? 0 : slash == path ? 1 : (size_t)(slash - path);

    if (length >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(out, slash ? path : ".", slash ? length : 1);
    out[slash ? length : 1] = '\0';
    return 0;
}

/* What is open already as standard output or error is not opened again: /dev/stdout, where the output is a file. */
static int open_already(const struct stat *st)
{
    struct stat own;

    for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
        if (fstat(fd, &own) == 0 && own.st_dev == st->st_dev && own.st_ino == st->st_ino)
            return fd;
    return -1;
}

/* Opens a new file in FOLDER, of which PART becomes the name. -1 with errno. */
static int open_part(const char *folder, char *part, mode_t mode)
{
    if (snprintf(part, PATH_MAX, "%s/mdriver-%ld.part", folder, (long)getpid()) >= PATH_MAX) {
        errno = ENAMETOOLONG;
        return -1;
    }
    unlink(part); /* of a process of the same number that was killed */
    return open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
}

/* Only trying tells: permission does not matter to root, and not only permission matters. -1 with errno. */
static int try_folder(const char *folder)
{
    char part[PATH_MAX];
    int fd = open_part(folder, part, 0600);

    if (fd < 0)
        return -1;
    close(fd);
    return unlink(part);
}

/* ---- before ---- */

__attribute__((format(printf, 3, 4)))
static int refuse(char *error, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(error, size, format, args);
    va_end(args);
    return -1;
}

/* Whether something can be put beside PATH's place. */
static int check_folder_of(const char *option, const char *path, char *error, size_t size)
{
    char folder[PATH_MAX];
    struct stat st;

    if (folder_of(path, folder))
        return refuse(error, size, "%s %s: %s", option, path, strerror(errno));
    if (stat(folder, &st) && errno == ENOENT)
        return refuse(error, size, "%s %s: there is no folder %s; make it first, or name another", option, path,
                      folder);
    if (stat(folder, &st) || !S_ISDIR(st.st_mode))
        return refuse(error, size, "%s %s: %s is no folder; name another", option, path, folder);
    if (try_folder(folder))
        return refuse(error, size, "%s %s: cannot write in the folder %s: %s; name another", option, path, folder,
                      strerror(errno));
    return 0;
}

int output_file_check(const char *option, const char *path, char *error, size_t size)
{
    char real[PATH_MAX];
    struct stat st;

    if (!path[0])
        return refuse(error, size, "%s: the name of the file is empty", option);
    if (stat(path, &st)) {
        if (errno != ENOENT && errno != ENOTDIR)
            return refuse(error, size, "%s %s: cannot write it: %s", option, path, strerror(errno));
        if (path[strlen(path) - 1] == '/')
            return refuse(error, size, "%s %s: that is the name of a folder; name a file", option, path);
        return check_folder_of(option, path, error, size);
    }
    if (S_ISDIR(st.st_mode))
        return refuse(error, size, "%s %s: that is a folder; name a file in it", option, path);
    if (open_already(&st) >= 0)
        return 0;
    if (S_ISSOCK(st.st_mode) || faccessat(AT_FDCWD, path, W_OK, AT_EACCESS))
        return refuse(error, size, "%s %s: cannot write it: %s", option, path,
                      strerror(S_ISSOCK(st.st_mode) ? ENXIO : errno));
    if (!S_ISREG(st.st_mode))
        return 0;
    if (!realpath(path, real))
        return refuse(error, size, "%s %s: cannot write it: %s", option, path, strerror(errno));
    return check_folder_of(option, real, error, size);
}

int output_folder_check(const char *option, const char *path, char *error, size_t size)
{
    char bare[PATH_MAX];
    struct stat st;
    size_t n = strlen(path);

    if (n == 0 || n >= sizeof bare)
        return refuse(error, size, "%s: the name of the folder is %s", option, n ? "too long" : "empty");
    memcpy(bare, path, n + 1);
    while (n > 1 && bare[n - 1] == '/')
        bare[--n] = '\0';
    if (stat(bare, &st)) {
        if (errno != ENOENT && errno != ENOTDIR)
            return refuse(error, size, "%s %s: cannot write there: %s", option, path, strerror(errno));
        return check_folder_of(option, bare, error, size);
    }
    if (!S_ISDIR(st.st_mode))
        return refuse(error, size, "%s %s: that is a file; of several traces or allocators there is a file each, so "
                      "name a folder", option, path);
    if (try_folder(bare))
        return refuse(error, size, "%s %s: cannot write in that folder: %s; name another", option, path,
                      strerror(errno));
    return 0;
}

/* ---- after ---- */

int output_file_open(struct output_file *f, const char *path)
{
    struct stat st;
    char folder[PATH_MAX];
    int there = stat(path, &st) == 0, fd;
    mode_t mode = there ? st.st_mode & 0777 : 0666;

    *f = (struct output_file){ .stream = NULL };
    if (there && (fd = open_already(&st)) >= 0) {
        fflush(stdout);
        fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    } else if (there && !S_ISREG(st.st_mode)) {
        fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    } else {
        if (!there ? snprintf(f->target, sizeof f->target, "%s", path) >= PATH_MAX : !realpath(path, f->target)) {
            errno = there ? errno : ENAMETOOLONG;
            return -1;
        }
        fd = folder_of(f->target, folder) ? -1 : open_part(folder, f->part, mode);
        if (fd >= 0 && there)
            (void)!fchmod(fd, mode); /* whatever the umask */
    }
    f->stream = fd < 0 ? NULL : fdopen(fd, "w");
    if (fd >= 0 && !f->stream)
        close(fd);
    return f->stream ? 0 : -1;
}

int output_file_close(struct output_file *f)
{
    int failed = ferror(f->stream);

    errno = 0;
    if (fclose(f->stream) || failed || (f->part[0] && rename(f->part, f->target)))
        failed = 1;
    int why = errno ? errno : EIO; /* what failed earlier has left no number */
    if (f->part[0] && failed)
        unlink(f->part);
    errno = why;
    return failed ? -1 : 0;
}
