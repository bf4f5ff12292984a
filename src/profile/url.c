#include "profile/url.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/ascii.h"

/* RFC 3986, sections 2.2 and 2.3, without letters and digits. */
#define UNRESERVED_MARKS "-._~"
#define SUB_DELIMS "!$&'()*+,;="

enum { IPV6_GROUPS = 8, IPV6_GROUP_DIGITS_MAX = 4, IPV4_PARTS = 4, PORT_MAX = 65535 };

/* Letters, digits, the marks and well-formed percent-encoding (section 2.1). */
static bool is_of(struct str text, struct str marks)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (ascii_is_alnum(c) || str_has_byte(marks, c))
            continue;
        if (c != '%' || text.len - i < 3 || !ascii_is_hex(text.data[i + 1]) ||
            !ascii_is_hex(text.data[i + 2]))
            return false;
        i += 2;
    }
    return true;
}

static struct str without_front(struct str text, size_t len)
{
    return (struct str){text.data + len, text.len - len};
}

/* Takes the longest front of *rest that holds none of the stops. */
static struct str take_until(struct str *rest, struct str stops)
{
    struct str front = {rest->data, 0};

    while (front.len < rest->len && !str_has_byte(stops, rest->data[front.len]))
        front.len++;
    *rest = without_front(*rest, front.len);
    return front;
}

/* dec-octet of section 3.2.2: 0 to 255 without leading zeros. */
static bool is_ipv4_part(struct str part)
{
    int64_t value;

    if (part.len > 1 && part.data[0] == '0')
        return false;
    return str_to_number(part, 255, &value);
}

static bool is_ipv4(struct str text)
{
    for (int i = 0; i < IPV4_PARTS; i++)
        if (!is_ipv4_part(str_cut(&text, '.')))
            return false;
    return !str_is_set(text);
}

static bool is_ipv6_group(struct str group)
{
    if (group.len == 0 || group.len > IPV6_GROUP_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < group.len; i++)
        if (!ascii_is_hex(group.data[i]))
            return false;
    return true;
}

/*
 * How many groups of 16 bits a run between colons holds; an IPv4 address in the last place is two.
 * Negative where it is none.
 */
static int ipv6_groups(struct str run, bool may_end_in_ipv4)
{
    int count = 0;

    if (run.len == 0)
        return 0;
    while (str_is_set(run)) {
        struct str group = str_cut(&run, ':');

        if (is_ipv6_group(group))
            count++;
        else if (may_end_in_ipv4 && !str_is_set(run) && is_ipv4(group))
            count += 2;
        else
            return -1;
    }
    return count;
}

/* The offset of "::"; the length of the text where there is none. */
static size_t find_double_colon(struct str text)
{
    for (size_t i = 0; i + 1 < text.len; i++)
        if (text.data[i] == ':' && text.data[i + 1] == ':')
            return i;
    return text.len;
}

/* IPv6address of section 3.2.2: "::" stands for one group of zeros or more, and once only. */
static bool is_ipv6(struct str text)
{
    size_t gap = find_double_colon(text);
    int before, after;

    if (gap == text.len)
        return ipv6_groups(text, true) == IPV6_GROUPS;
    before = ipv6_groups((struct str){text.data, gap}, false);
    after = ipv6_groups(without_front(text, gap + 2), true);
    return before >= 0 && after >= 0 && before + after < IPV6_GROUPS;
}

static bool is_port(struct str port)
{
    int64_t value;

    return port.len == 0 || str_to_number(port, PORT_MAX, &value);
}

/* "[" IPv6address "]" [ ":" port ], without its first byte. */
static bool is_bracketed_authority(struct str text)
{
    struct str host = str_cut(&text, ']');

    if (!str_is_set(text) || !is_ipv6(host))
        return false;
    return text.len == 0 || (text.data[0] == ':' && is_port(without_front(text, 1)));
}

/* Section 3.2 without user information: its `@` is not among the characters of a host. */
static bool is_authority(struct str text)
{
    struct str host;

    if (str_starts_with(text, STR("[")))
        return is_bracketed_authority(without_front(text, 1));
    host = str_cut(&text, ':');
    return host.len > 0 && is_of(host, STR(UNRESERVED_MARKS SUB_DELIMS)) && is_port(text);
}

/* Takes "http://" or "https://" off the front. */
static bool take_scheme(struct str *rest)
{
    struct str scheme = str_cut(rest, ':');

    if (!str_equal_nocase(scheme, STR("http")) && !str_equal_nocase(scheme, STR("https")))
        return false;
    if (!str_starts_with(*rest, STR("//")))
        return false;
    *rest = without_front(*rest, 2);
    return true;
}

/* path-abempty [ "?" query ] [ "#" fragment ]: each part may hold what starts the one before. */
static bool is_path_query_fragment(struct str rest)
{
    struct str fragment = rest, query = str_cut(&fragment, '#');
    struct str path = str_cut(&query, '?');

    return is_of(path, STR(UNRESERVED_MARKS SUB_DELIMS ":@/")) &&
           is_of(query, STR(UNRESERVED_MARKS SUB_DELIMS ":@/?")) &&
           is_of(fragment, STR(UNRESERVED_MARKS SUB_DELIMS ":@/?"));
}

enum violation validate_url(struct str text)
{
    struct str rest = text, authority;

    if (text.len > AVATAR_URL_MAX_BYTES)
        return VIOLATION_TOO_LONG;
    if (text.len == 0 || !take_scheme(&rest))
        return VIOLATION_INVALID_URL;
    authority = take_until(&rest, STR("/?#"));
    if (!is_authority(authority) || !is_path_query_fragment(rest))
        return VIOLATION_INVALID_URL;
    return VIOLATION_NONE;
}
