#include "base/base64url.h"

#include <stdint.h>

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '-')
        return 62;
    return c == '_' ? 63 : -1;
}

bool base64url_decode(struct str text, struct buf *out)
{
    uint32_t bits = 0;
    unsigned count = 0; /* of bits waiting, below 8 after each step */
    char *at = buf_reserve(out, text.len / 4 * 3 + 2);
    size_t len = 0;

    if (at == NULL || text.len % 4 == 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int value = value_of(text.data[i]);

        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            at[len++] = (char)(bits >> count & 0xFF);
        }
    }
    if ((bits & ((1U << count) - 1)) != 0)
        return false;
    buf_added(out, len);
    return true;
}

void base64url_encode(struct str bytes, struct buf *out)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint32_t bits = 0;
    unsigned count = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        bits = bits << 8 | (unsigned char)bytes.data[i];
        count += 8;
        while (count >= 6) {
            count -= 6;
            buf_append_byte(out, alphabet[bits >> count & 0x3F]);
        }
    }
    if (count > 0)
        buf_append_byte(out, alphabet[bits << (6 - count) & 0x3F]);
}
