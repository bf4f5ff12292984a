/*
 * Where a database is: one item of database.host, taken apart. Pure.
 */
#ifndef ME_FORMAT_ENDPOINT_H
#define ME_FORMAT_ENDPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

enum { ENDPOINT_TEXT_MAX_BYTES = 255, ENDPOINT_DEFAULT_PORT = 3306 };

struct endpoint {
    bool is_socket;
    char
        name[ENDPOINT_TEXT_MAX_BYTES + 1]; /* host name, address without brackets, or socket path */
    uint16_t port;                         /* of a host */
};

/*
 * Takes "/path/of/socket", "name", "name:port", "IPv4:port", "[IPv6]" and "[IPv6]:port"; an IPv6
 * address without brackets has no port. On failure `err` says what is wrong with it.
 */
bool endpoint_parse(const char *item, struct endpoint *out, struct err *err) MUST_CHECK;

/* Whether what is sent to a host of this name, or this address without brackets, stays on this
 * machine. A name that only begins like an address of it does not. */
bool endpoint_is_loopback(struct str name);

#endif
