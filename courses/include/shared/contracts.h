/* contracts.h - checks that a debug build makes and a graded build does not. */
#ifndef CONTRACTS_H
#define CONTRACTS_H

#include <assert.h>

#ifdef DEBUG
#define REQUIRES(condition) assert(condition)
#define ASSERT(condition) assert(condition)
#define ENSURES(condition) assert(condition)
#else
#define REQUIRES(condition) ((void)0)
#define ASSERT(condition) ((void)0)
#define ENSURES(condition) ((void)0)
#endif

#endif
