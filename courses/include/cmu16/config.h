/* config.h - what the cmu16 edition tells an allocator about itself. */
#ifndef CONFIG_H
#define CONFIG_H

#define ALIGNMENT 16
#define MAX_HEAP (100 * (1 << 20)) /* bytes */

#endif
