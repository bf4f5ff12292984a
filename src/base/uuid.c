#include "base/uuid.h"

#include <string.h>

#include "base/random.h"

static bool is_hyphen_place(size_t i)
{
    return i == 8 || i == 13 || i == 18 || i == 23;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool uuid_parse(struct str text, struct uuid *out)
{
    size_t digits = 0;
    struct uuid uuid = {{0}};

    if (text.len != UUID_TEXT_LEN)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int value = hex_value(text.data[i]);

        if (is_hyphen_place(i)) {
            if (text.data[i] != '-')
                return false;
            continue;
        }
        if (value < 0)
            return false;
        uuid.bytes[digits / 2] = (unsigned char)(uuid.bytes[digits / 2] << 4 | value);
        digits++;
    }
    *out = uuid;
    return true;
}

void uuid_format(const struct uuid *uuid, char out[UUID_TEXT_LEN + 1])
{
    static const char hex[] = "0123456789abcdef";
    size_t digits = 0;

    for (size_t i = 0; i < UUID_TEXT_LEN; i++) {
        if (is_hyphen_place(i)) {
            out[i] = '-';
            continue;
        }
        out[i] = hex[uuid->bytes[digits / 2] >> (digits % 2 == 0 ? 4 : 0) & 0xF];
        digits++;
    }
    out[UUID_TEXT_LEN] = '\0';
}

bool uuid_new(int64_t now_ms, struct uuid *out)
{
    if (!random_bytes(out->bytes, sizeof(out->bytes)))
        return false;
    for (int i = 0; i < 6; i++)
        out->bytes[i] = (unsigned char)(now_ms >> (40 - 8 * i));
    out->bytes[6] = (unsigned char)((out->bytes[6] & 0x0F) | 0x70);
    out->bytes[8] = (unsigned char)((out->bytes[8] & 0x3F) | 0x80);
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
