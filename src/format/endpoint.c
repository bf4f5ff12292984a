#include "format/endpoint.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

static bool parse_port(struct str text, uint16_t *out)
{
    int64_t port;
    if (!str_to_number(text, UINT16_MAX, &port) || port == 0)
        return false;
    *out = (uint16_t)port;
    return true;
}

/* The part behind the host: nothing, or a colon and a port. */
static bool parse_tail(struct str tail, uint16_t *port)
{
    if (tail.len == 0)
        return true;
    return tail.data[0] == ':' && parse_port((struct str){tail.data + 1, tail.len - 1}, port);
}

/* Cuts the host off the front of *rest: bracketed, all of it where there are several colons, or up
 * to the one. */
static bool cut_host(struct str *rest, struct str *host)
{
    const char *begin = rest->data, *end = rest->data + rest->len;
    const char *colon = memchr(begin, ':', rest->len);
    const char *stop = colon != NULL ? colon : end;
    bool bracketed = *begin == '[';
    if (bracketed)
        stop = memchr(begin, ']', rest->len);
    else if (colon != NULL && memchr(colon + 1, ':', (size_t)(end - colon - 1)) != NULL)
        stop = end;
    if (stop == NULL)
        return false;
    *host = bracketed ? (struct str){begin + 1, (size_t)(stop - begin - 1)}
                      : (struct str){begin, (size_t)(stop - begin)};
    stop += bracketed;
    *rest = (struct str){stop, (size_t)(end - stop)};
    return true;
}

bool endpoint_parse(const char *item, struct endpoint *out, struct err *err)
{
    struct str rest = str_from(item), host = rest;
    *out = (struct endpoint){.port = ENDPOINT_DEFAULT_PORT};
    if (rest.len == 0) {
        err_set(err, "an empty host: name a host, or the path of the server's socket");
        return false;
    }
    out->is_socket = item[0] == '/';
    if (!out->is_socket && (!cut_host(&rest, &host) || !parse_tail(rest, &out->port))) {
        err_set(err, "\"%s\" is not a host: write name, name:port, [IPv6]:port or /path/of/socket",
                item);
        return false;
    }
    if (host.len == 0 || host.len > ENDPOINT_TEXT_MAX_BYTES) {
        err_set(err, "\"%s\": the host is empty or longer than %d bytes", item,
                ENDPOINT_TEXT_MAX_BYTES);
        return false;
    }
    memcpy(out->name, host.data, host.len); /* the NUL is there: *out was zeroed */
    return true;
}

static bool is_of_digits_and_dots(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] != '.' && (text.data[i] < '0' || text.data[i] > '9'))
            return false;
    return true;
}

bool endpoint_is_loopback(struct str name)
{
    return str_equal_nocase(name, STR("localhost")) || str_equal(name, STR("::1")) ||
           (str_starts_with(name, STR("127.")) && is_of_digits_and_dots(name));
}
