/*
 * word_size.h - whether a file is to be graded in 32 or in 64 bits.
 *
 * Most files of the classic edition keep pointers in words of 4 bytes and are only right in 32 bits; some of any
 * edition are only right in 64. What a file does in a short replay decides, then what the compiler says of its casts,
 * then what the course was built as.
 */
#ifndef WORD_SIZE_H
#define WORD_SIZE_H

#include "build.h"
#include "check.h"

/* Builds REQUEST (whose bits are ignored) in the word size that suits the file, checked under PASS; B->text says why.
 * Results as build_runner's. */
enum build_status word_size_build(const struct build_request *request, const struct pass_options *pass,
                                  struct runner_image *image, struct build *b, char *error, size_t error_size);

#endif
