#include "mectl/https.h"

bool https_get(const struct https_request *request, struct buf *body, struct err *err)
{
    (void)body;
    err_set(err,
            "%s: cannot be fetched, since this mectl was built without libcurl: on Debian and "
            "Ubuntu, apt-get install libcurl4-openssl-dev, then ./configure and make again",
            request->url);
    return false;
}
