#include "base/uuid.h"

#include <string.h>

#include "base/random.h"

/* Where the two digits of each byte are; the hyphens are between them. */
static const unsigned char places[UUID_BYTES] = {0,  2,  4,  6,  9,  11, 14, 16,
                                                 19, 21, 24, 26, 28, 30, 32, 34};
static const unsigned char hyphens[] = {8, 13, 18, 23};

/* One more than what each digit stands for; 0: it is none. */
static const unsigned char value_plus_one[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

enum { NOT_A_DIGIT = 0xF0 }; /* the bits that no digit has */

static unsigned value_of(char c)
{
    return (unsigned char)(value_plus_one[(unsigned char)c] - 1);
}

/* What is no digit is looked at once, at the end. */
bool uuid_parse(struct str text, struct uuid *out)
{
    struct uuid uuid;
    unsigned seen = 0;

    if (text.len != UUID_TEXT_LEN)
        return false;
    for (size_t i = 0; i < ARRAY_LENGTH(hyphens); i++)
        if (text.data[hyphens[i]] != '-')
            return false;
    for (size_t i = 0; i < UUID_BYTES; i++) {
        unsigned high = value_of(text.data[places[i]]), low = value_of(text.data[places[i] + 1]);

        seen |= high | low;
        uuid.bytes[i] = (unsigned char)(high << 4 | low);
    }
    if ((seen & NOT_A_DIGIT) != 0)
        return false;
    *out = uuid;
    return true;
}

void uuid_format(const struct uuid *uuid, char out[UUID_TEXT_LEN + 1])
{
    static const char hex[] = "0123456789abcdef";

    for (size_t i = 0; i < UUID_BYTES; i++) {
        out[places[i]] = hex[uuid->bytes[i] >> 4];
        out[places[i] + 1] = hex[uuid->bytes[i] & 0xF];
    }
    for (size_t i = 0; i < ARRAY_LENGTH(hyphens); i++)
        out[hyphens[i]] = '-';
    out[UUID_TEXT_LEN] = '\0';
}

void uuid_stamp(struct uuid *uuid, int64_t now_ms)
{
    for (int i = 0; i < 6; i++)
        uuid->bytes[i] = (unsigned char)(now_ms >> (40 - 8 * i));
    uuid->bytes[6] = (unsigned char)((uuid->bytes[6] & 0x0F) | 0x70);
    uuid->bytes[8] = (unsigned char)((uuid->bytes[8] & 0x3F) | 0x80);
}

bool uuid_new(int64_t now_ms, struct uuid *out)
{
    if (!random_bytes(out->bytes, sizeof(out->bytes)))
        return false;
    uuid_stamp(out, now_ms);
    return true;
}

bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return uuid_compare(a, b) == 0;
}

int uuid_compare(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->bytes, b->bytes, UUID_BYTES);
}
