/* plain_text.c - bytes that could steer a terminal, a page or a reader's eye are replaced. */
#include "plain_text.h"

#include <stdint.h>

/* The code point that begins at TEXT and its bytes; 0 bytes when it is not valid UTF-8 (RFC 3629). */
static size_t decode(const unsigned char *text, size_t length, uint32_t *point)
{
    size_t n = text[0] < 0x80 ? 1 : text[0] >= 0xc2 && text[0] < 0xe0 ? 2 : (text[0] & 0xf0) == 0xe0 ? 3
             : text[0] >= 0xf0 && text[0] < 0xf5 ? 4 : 0;
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };

    if (n == 0 || n > length)
        return 0;
    *point = n == 1 ? text[0] : text[0] & (0xffu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        *point = *point << 6 | (text[i] & 0x3f);
    }
    return *point < least[n] || *point > 0x10ffff || (*point >= 0xd800 && *point < 0xe000) ? 0 : n;
}

static int harmless(uint32_t c)
{
    if (c == '\n' || c == '\t')
        return 1;
    return c >= 0x20 && !(c >= 0x7f && c < 0xa0)    /* C0 and C1 controls */
        && !(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) && !(c >= 0x2060 && c <= 0x206f)
        && c != 0xfeff;                             /* invisible, or turning the line around */
}

void plain_text(char *text, size_t length)
{
    for (size_t i = 0; i < length;) {
        uint32_t point = 0;
        size_t n = decode((const unsigned char *)text + i, length - i, &point);
        if (n && harmless(point)) {
            i += n;
            continue;
        }
        for (size_t k = 0; k < (n ? n : 1); k++)
            text[i++] = '?';
    }
}
