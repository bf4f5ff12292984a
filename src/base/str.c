#include "base/str.h"

#include <string.h>

struct str str_from(const char *text)
{
    if (text == NULL)
        return STR_NONE;
    return (struct str){text, strlen(text)};
}

bool str_is_set(struct str s)
{
    return s.data != NULL;
}

bool str_equal(struct str a, struct str b)
{
    if (str_is_set(a) != str_is_set(b))
        return false;
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool str_equal_nocase(struct str a, struct str b)
{
    if (str_is_set(a) != str_is_set(b) || a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.data[i]) != lower(b.data[i]))
            return false;
    return true;
}

int str_compare(struct str a, struct str b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);

    if (order != 0)
        return order;
    return (a.len > b.len) - (a.len < b.len);
}

bool str_starts_with(struct str s, struct str prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.data, prefix.data, prefix.len) == 0);
}

bool str_ends_with(struct str s, struct str suffix)
{
    if (s.len < suffix.len)
        return false;
    return suffix.len == 0 || memcmp(s.data + s.len - suffix.len, suffix.data, suffix.len) == 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

struct str str_trim(struct str s)
{
    while (s.len > 0 && is_blank(s.data[0])) {
        s.data++;
        s.len--;
    }
    while (s.len > 0 && is_blank(s.data[s.len - 1]))
        s.len--;
    return s;
}

struct str str_cut(struct str *rest, char separator)
{
    struct str part = *rest;
    const char *at = part.len == 0 ? NULL : memchr(part.data, separator, part.len);

    if (at == NULL) {
        *rest = STR_NONE;
        return part;
    }
    part.len = (size_t)(at - part.data);
    rest->data += part.len + 1;
    rest->len -= part.len + 1;
    return part;
}

bool str_has_byte(struct str s, char byte)
{
    return s.len > 0 && memchr(s.data, byte, s.len) != NULL;
}

bool str_to_number(struct str s, int64_t max, int64_t *out)
{
    int64_t value = 0;

    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        int digit = s.data[i] - '0';

        if (digit < 0 || digit > 9 || value > max / 10 || value * 10 > max - digit)
            return false;
        value = value * 10 + digit;
    }
    *out = value;
    return true;
}
