/*
 * tool.h - runs a tool on hostile input: limited, and walled off.
 *
 * Compiler, linker and objcopy all read what a student wrote. They see the
 * system's /usr, one folder of ours and nothing else: no network, no other
 * files, no privileges (bubblewrap).
 */
#ifndef TOOL_H
#define TOOL_H

#include <stddef.h>

struct tool {
    const char *folder;   /* absolute; the working directory, and all it may write */
    int trusted;          /* the input is ours: limits only */
    const char *stdout_name; /* file in the folder that gets standard output, or NULL */
};

/* How a tool ended: its exit status, or one of these. */
enum { TOOL_KILLED = -1, TOOL_LATE = -2, TOOL_BROKEN = -3 };

/* Runs ARGV (ARGV[0] absolute) to its end. Returns its exit status (0 is
 * success), TOOL_KILLED (a signal, such as a limit's), TOOL_LATE (out of time),
 * or TOOL_BROKEN: our own trouble, with a sentence in the log. *LOG becomes
 * what it wrote to standard error, malloc'd and capped at 64 KiB. */
int tool_run(const struct tool *t, const char *const argv[], char **log);

/* Whether the wall stands on this machine: 0, or -1 with a sentence. Asked
 * once; the answer is kept. */
int tool_sandbox_works(char *error, size_t error_size);

/* No wall: for machines without user namespaces; results are then untrusted. */
void tool_without_sandbox(void);

/* A new private folder under $TMPDIR, or under /tmp when that user cannot reach it, malloc'd; owned by the user that
 * the tools run as. NULL with errno. */
char *tool_folder(void);

/* Removes a folder made by tool_folder, with what is in it. */
void tool_folder_remove(const char *folder);

#endif
