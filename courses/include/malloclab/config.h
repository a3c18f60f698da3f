/* config.h - what the malloclab edition tells an allocator about itself. */
#ifndef CONFIG_H
#define CONFIG_H

#define ALIGNMENT 16
#define MAX_HEAP (1024 * (1 << 20)) /* bytes */

#endif
