#include "base/base64url.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* One more than what each byte stands for; 0: it is not of the alphabet. */
static const unsigned char value_plus_one[256] = {
    ['A'] = 1,  ['B'] = 2,  ['C'] = 3,  ['D'] = 4,  ['E'] = 5,  ['F'] = 6,  ['G'] = 7,  ['H'] = 8,
    ['I'] = 9,  ['J'] = 10, ['K'] = 11, ['L'] = 12, ['M'] = 13, ['N'] = 14, ['O'] = 15, ['P'] = 16,
    ['Q'] = 17, ['R'] = 18, ['S'] = 19, ['T'] = 20, ['U'] = 21, ['V'] = 22, ['W'] = 23, ['X'] = 24,
    ['Y'] = 25, ['Z'] = 26, ['a'] = 27, ['b'] = 28, ['c'] = 29, ['d'] = 30, ['e'] = 31, ['f'] = 32,
    ['g'] = 33, ['h'] = 34, ['i'] = 35, ['j'] = 36, ['k'] = 37, ['l'] = 38, ['m'] = 39, ['n'] = 40,
    ['o'] = 41, ['p'] = 42, ['q'] = 43, ['r'] = 44, ['s'] = 45, ['t'] = 46, ['u'] = 47, ['v'] = 48,
    ['w'] = 49, ['x'] = 50, ['y'] = 51, ['z'] = 52, ['0'] = 53, ['1'] = 54, ['2'] = 55, ['3'] = 56,
    ['4'] = 57, ['5'] = 58, ['6'] = 59, ['7'] = 60, ['8'] = 61, ['9'] = 62, ['-'] = 63, ['_'] = 64,
};

enum { NOT_A_VALUE = 0xC0 }; /* the bits that no value has */

/* Above all values where the byte is not of the alphabet. */
static uint32_t value_of(char c)
{
    return (unsigned char)(value_plus_one[(unsigned char)c] - 1);
}

/* The two or three characters at the end give one or two bytes, and bits that have to be zero. */
static bool decode_rest(struct str rest, char *at)
{
    unsigned spare_bits = rest.len == 2 ? 4 : 2;
    uint32_t bits = 0, seen = 0;

    for (size_t i = 0; i < rest.len; i++) {
        seen |= value_of(rest.data[i]);
        bits = bits << 6 | value_of(rest.data[i]);
    }
    if ((seen & NOT_A_VALUE) != 0 || (bits & ((1U << spare_bits) - 1)) != 0)
        return false;
    bits >>= spare_bits;
    if (rest.len == 3)
        *at++ = (char)(bits >> 8 & 0xFF);
    *at = (char)(bits & 0xFF);
    return true;
}

/* Groups of four characters, three bytes each. What is no value is looked at once, at the end. */
static bool decode_groups(struct str text, char *at)
{
    uint32_t seen = 0;

    for (size_t i = 0; i < text.len; i += 4) {
        uint32_t a = value_of(text.data[i]), b = value_of(text.data[i + 1]);
        uint32_t c = value_of(text.data[i + 2]), d = value_of(text.data[i + 3]);

        seen |= a | b | c | d;
        *at++ = (char)(a << 2 | b >> 4);
        *at++ = (char)(b << 4 | c >> 2);
        *at++ = (char)(c << 6 | d);
    }
    return (seen & NOT_A_VALUE) == 0;
}

bool base64url_decode(struct str text, struct buf *out)
{
    size_t whole = text.len / 4 * 4, rest = text.len % 4, len = text.len / 4 * 3;
    char *start = buf_reserve(out, rest > 0 ? len + rest - 1 : len);

    if (start == NULL || rest == 1)
        return false;
    if (!decode_groups((struct str){text.data, whole}, start) ||
        (rest > 0 && !decode_rest((struct str){text.data + whole, rest}, start + len)))
        return false;
    buf_added(out, rest > 0 ? len + rest - 1 : len);
    return true;
}

void base64url_encode(struct str bytes, struct buf *out)
{
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
