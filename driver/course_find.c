/* course_find.c - where courses lie, which there are, and which was meant. */
#define _GNU_SOURCE
#include "course.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- names that are nearly right ---- */

static size_t edits(const char *a, const char *b)
{
    size_t row[64], m = strlen(b);

    if (m >= 64)
        return 99;
    for (size_t j = 0; j <= m; j++)
        row[j] = j;
    for (size_t i = 0; a[i]; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < m; j++) {
            size_t best = diagonal + (a[i] != b[j]);
            diagonal = row[j + 1];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j + 1] + 1 < best)
                best = row[j + 1] + 1;
            row[j + 1] = best;
        }
    }
    return row[m];
}

const char *did_you_mean(const char *word, const char *const *candidates)
{
    const char *best = NULL;
    size_t least = strlen(word) / 2 + 1;

    for (; *candidates; candidates++) {
        size_t distance = edits(word, *candidates);
        if (strlen(word) > 1 && strncmp(word, *candidates, strlen(word)) == 0)
            distance = 1; /* only begun */
        if (distance < least) {
            least = distance;
            best = *candidates;
        }
    }
    return best;
}

/* ---- files ---- */

#ifdef PROGRAM_FOLDER /* for a program that is built elsewhere: sanitized ones */
const char *program_folder(void) { return PROGRAM_FOLDER; }
#else
const char *program_folder(void)
{
    static char folder[PATH_MAX];

    if (!folder[0]) {
        ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
        folder[n > 0 ? n : 0] = '\0';
        char *slash = strrchr(folder, '/');
        if (slash)
            *slash = '\0';
        else
            strcpy(folder, ".");
    }
    return folder;
}
#endif

/* The folders of the search path, in order; N from 0. Empty when there is no such one. */
static void search_folder(int n, char *out, size_t size)
{
    const char *own = getenv("MDRIVER_COURSES");

    if (!own || !own[0])
        n++;
    if (n == 0)
        snprintf(out, size, "%s", own);
    else
        snprintf(out, size, n == 1 ? "%s/courses" : "", program_folder());
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

char **course_list(void)
{
    size_t count = 0;
    char **names = calloc(1, sizeof *names), folder[PATH_MAX];

    for (int n = 0; search_folder(n, folder, sizeof folder), folder[0]; n++) {
        DIR *d = opendir(folder);
        for (struct dirent *e; d && (e = readdir(d)) != NULL;) {
            size_t length = strlen(e->d_name), i = 0;
            if (length <= 4 || strcmp(e->d_name + length - 4, ".cfg") != 0 || e->d_name[0] == '.')
                continue;
            e->d_name[length - 4] = '\0';
            while (i < count && strcmp(names[i], e->d_name) != 0)
                i++;
            char **more = i < count ? NULL : realloc(names, (count + 2) * sizeof *names);
            if (!more)
                continue;
            names = more;
            names[count++] = strdup(e->d_name);
            names[count] = NULL;
        }
        if (d)
            closedir(d);
    }
    qsort(names, count, sizeof *names, by_name);
    return names;
}

void course_list_free(char **names)
{
    for (char **n = names; n && *n; n++)
        free(*n);
    free(names);
}

int course_find(char *path, size_t size, const char *name, char *error, size_t error_size)
{
    size_t length = strlen(name);
    char folder[PATH_MAX];

    if (length > 4 && strcmp(name + length - 4, ".cfg") == 0) {
        snprintf(path, size, "%s", name);
        return 0;
    }
    for (int n = 0; !strchr(name, '/') && (search_folder(n, folder, sizeof folder), folder[0]); n++) {
        if (snprintf(path, size, "%s/%s.cfg", folder, name) < (int)size && access(path, F_OK) == 0)
            return 0;
    }
    char **all = course_list();
    const char *near = did_you_mean(name, (const char *const *)all);
    if (near)
        snprintf(error, error_size, "no course '%s'; did you mean '%s'?", name, near);
    else
        snprintf(error, error_size, "no course '%s'; see mdriver --courses", name);
    course_list_free(all);
    return -1;
}
