/* config.h - what the classic edition tells an allocator about itself. */
#ifndef CONFIG_H
#define CONFIG_H

#define ALIGNMENT 8
#define MAX_HEAP (20 * (1 << 20)) /* bytes */

#endif
