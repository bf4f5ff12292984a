#include "mectl/https.h"

#include "mectl/http.h"

enum { REDIRECTS_MAX = 3 };

static const struct {
    enum http_result result;
    const char *advice;
} advices[] = {
    {HTTP_UNREACHED, "see that the issuer runs and that no firewall is in between"},
    {HTTP_UNRESOLVED, "see that the name is right and that this machine resolves it"},
    {HTTP_TIMED_OUT, "try again, or raise keys.timeout_s"},
    {HTTP_UNTRUSTED, "see that the address is right; a CA that this system does not know is named "
                     "with --ca or keys.ca"},
    {HTTP_BAD_CA, "see that --ca or keys.ca names a file of PEM certificates"},
    {HTTP_REDIRECTED, "name the address that the issuer documents"},
    {HTTP_WRONG_PROTOCOL, "it leads to an address that is not https: ask for another one"},
    {HTTP_TOO_LARGE, "see that the address is right"},
    {HTTP_MISSING, "on Debian and Ubuntu, apt-get install libcurl4-openssl-dev, then ./configure "
                   "and make again"},
};

static const char *advice_for(enum http_result result)
{
    for (size_t i = 0; i < ARRAY_LENGTH(advices); i++)
        if (advices[i].result == result)
            return advices[i].advice;
    return "try again later";
}

static bool judge(const struct https_request *request, const struct http_answer *answer,
                  enum http_result result, struct err *err)
{
    struct err complaint = *err;

    if (result != HTTP_ANSWERED)
        err_set(err, "%s: %s: %s", request->url, complaint.text, advice_for(result));
    else if (answer->status != 200)
        err_set(err, "%s: it answers with status %lld: see that the address is right", request->url,
                (long long)answer->status);
    else
        return true;
    return false;
}

bool https_get(const struct https_request *request, struct buf *body, struct err *err)
{
    const struct http_request get = {
        .url = request->url,
        .headers = {{"Accept", request->accept}},
        .ca = request->ca,
        .timeout_s = request->timeout_s,
        .only_https = true,
        .redirects_max = REDIRECTS_MAX,
    };
    struct http_answer answer;
    bool good;

    http_answer_init(&answer, body->max - body->len);
    good = judge(request, &answer, http_send(&get, &answer, err), err);
    if (good)
        buf_append_str(body, buf_str(&answer.body));
    http_answer_free(&answer);
    return good;
}
