/* config.h - what the autolab edition tells an allocator about itself. */
#ifndef CONFIG_H
#define CONFIG_H

#define ALIGNMENT 8
#define MAX_HEAP (100 * (1 << 20)) /* bytes */

#endif
