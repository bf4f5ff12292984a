#include "mectl/http.h"

bool http_is_built_in(void)
{
    return false;
}

enum http_result http_send(const struct http_request *request, struct http_answer *answer,
                           struct err *err)
{
    (void)request;
    (void)answer;
    err_set(err, "this mectl was built without libcurl");
    return HTTP_MISSING;
}
