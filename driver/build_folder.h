/* build_folder.h - the private folder of one build: the source, the edition's headers, the runner's objects. */
#ifndef BUILD_FOLDER_H
#define BUILD_FOLDER_H

#include <stddef.h>

/* The objects that a submission is linked with, by name; NULL-terminated. */
extern const char *const runner_objects[];

/* Most bytes of an object or executable that is read. */
#define OBJECT_LIMIT ((size_t)64 << 20)

/* A new folder with include/ (the headers of DIALECT's edition and team.h) and bare/ (an mm.h that declares nothing).
 * It stays until build_cleanup (build.h). NULL with a sentence in ERROR. */
const char *build_folder_new(int dialect, char *error, size_t error_size);

/* Copies the runner's objects for BITS into FOLDER. 0, or -1 with a sentence in ERROR. */
int build_folder_objects(const char *folder, int bits, char *error, size_t error_size);

/* Writes a new file into FOLDER. 0, or -1 with errno. */
int build_folder_write(const char *folder, const char *name, const void *bytes, size_t size);

/* The sentence for it, by errno. */
void build_folder_unwritable(const char *folder, char *error, size_t error_size);

/* Whether the disk has less room left than a build may need. */
int build_folder_is_full(const char *folder);

/* Reads a file of FOLDER; NULL with errno. */
unsigned char *build_folder_read(const char *folder, const char *name, size_t *size);

#endif
