/* locate.c - addr2line on a runner, behind the wall: it reads what a student's compiler wrote. */
#define _GNU_SOURCE
#include "locate.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "build_source.h"
#include "report.h"
#include "tool.h"

#define ANSWER "where"
#define MOST 4096 /* bytes of an answer */

void locate(const struct runner_image *image, uint64_t pc, char *out, size_t size)
{
    char folder[PATH_MAX], address[32], path[PATH_MAX + sizeof ANSWER];
    const char *slash = image->exec_path ? strrchr(image->exec_path, '/') : NULL;
    size_t length;
    char *log = NULL;

    out[0] = '\0';
    if (!pc || !slash)
        return;
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - image->exec_path), image->exec_path);
    snprintf(address, sizeof address, "0x%llx", (unsigned long long)pc);
    const char *const argv[] = { "/usr/bin/addr2line", "-f", "-s", "-e", slash + 1, address, NULL };
    const struct tool t = { .folder = folder, .stdout_name = ANSWER };
    int rc = tool_run(&t, argv, &log);
    free(log);
    snprintf(path, sizeof path, "%s/" ANSWER, folder);
    char *text = rc == 0 ? (char *)read_whole(path, MOST, &length) : NULL;
    char *place = text ? strchr(text, '\n') : NULL;
    if (place) {
        *place++ = '\0';
        place[strcspn(place, " \n")] = '\0'; /* what follows is "(discriminator 2)" */
        const char *colon = strrchr(place, ':');
        int copy = strncmp(place, "mm.c:", 5) == 0; /* its name says nothing */
        int ours = strncmp(place, "runner.c:", 9) == 0; /* the loop that calls it: who was called last left no trace */
        if (!ours && colon && colon[1] >= '1' && colon[1] <= '9')
            snprintf(out, size, "%.60s (%.60s%.20s)", text, copy ? image->name : "", copy ? place + 4 : place);
    }
    free(text);
}
