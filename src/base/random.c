#include "base/random.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

bool random_bytes(void *out, size_t len)
{
    unsigned char *at = out;

    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        at += got;
        len -= (size_t)got;
    }
    return true;
}

uint32_t random_below(uint32_t limit)
{
    uint32_t value;

    if (limit == 0 || !random_bytes(&value, sizeof(value)))
        return 0;
    return value % limit;
}
