#include "mectl/https.h"

#include <curl/curl.h>

enum { REDIRECTS_MAX = 3 };

static const struct {
    CURLcode code;
    const char *advice;
} advices[] = {
    {CURLE_COULDNT_CONNECT, "see that the issuer runs and that no firewall is in between"},
    {CURLE_COULDNT_RESOLVE_HOST, "see that the name is right and that this machine resolves it"},
    {CURLE_OPERATION_TIMEDOUT, "try again, or raise keys.timeout_s"},
    {CURLE_PEER_FAILED_VERIFICATION,
     "see that the address is right; a CA that this system does not know is named with --ca or "
     "keys.ca"},
    {CURLE_SSL_CACERT_BADFILE, "see that --ca or keys.ca names a file of PEM certificates"},
    {CURLE_TOO_MANY_REDIRECTS, "name the address that the issuer documents"},
    {CURLE_UNSUPPORTED_PROTOCOL, "it leads to an address that is not https: ask for another one"},
};

static const char *advice_for(CURLcode code)
{
    for (size_t i = 0; i < ARRAY_LENGTH(advices); i++)
        if (advices[i].code == code)
            return advices[i].advice;
    return "try again later";
}

static size_t receive(char *data, size_t size, size_t count, void *context)
{
    struct buf *body = context;

    buf_append(body, data, size * count);
    return buf_is_good(body) ? size * count : 0;
}

/* ---- one transfer */

struct transfer {
    CURL *curl;
    struct curl_slist *headers;
    char complaint[CURL_ERROR_SIZE];
};

static bool set_text(struct transfer *transfer, CURLoption option, const char *text)
{
    return curl_easy_setopt(transfer->curl, option, text) == CURLE_OK;
}

static bool set_number(struct transfer *transfer, CURLoption option, long number)
{
    return curl_easy_setopt(transfer->curl, option, number) == CURLE_OK;
}

/* All of it said, although much is a default: what depends on it are the keys that we trust. */
static bool set_security(struct transfer *transfer, const char *ca)
{
    return set_text(transfer, CURLOPT_PROTOCOLS_STR, "https") &&
           set_text(transfer, CURLOPT_REDIR_PROTOCOLS_STR, "https") &&
           set_number(transfer, CURLOPT_FOLLOWLOCATION, 1) &&
           set_number(transfer, CURLOPT_MAXREDIRS, REDIRECTS_MAX) &&
           set_number(transfer, CURLOPT_SSL_VERIFYPEER, 1) &&
           set_number(transfer, CURLOPT_SSL_VERIFYHOST, 2) &&
           set_number(transfer, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) &&
           set_number(transfer, CURLOPT_NETRC, CURL_NETRC_IGNORED) &&
           (ca == NULL ||
            (set_text(transfer, CURLOPT_CAINFO, ca) && set_text(transfer, CURLOPT_CAPATH, NULL)));
}

static bool set_request(struct transfer *transfer, const struct https_request *request,
                        struct buf *body)
{
    struct buf accept;

    buf_init(&accept, 256);
    buf_append_format(&accept, "Accept: %s", request->accept);
    buf_append_byte(&accept, '\0');
    if (buf_is_good(&accept))
        transfer->headers = curl_slist_append(NULL, accept.data);
    buf_free(&accept);
    return transfer->headers != NULL &&
           curl_easy_setopt(transfer->curl, CURLOPT_HTTPHEADER, transfer->headers) == CURLE_OK &&
           set_text(transfer, CURLOPT_URL, request->url) &&
           set_text(transfer, CURLOPT_USERAGENT, "mectl") &&
           set_number(transfer, CURLOPT_NOSIGNAL, 1) &&
           set_number(transfer, CURLOPT_TIMEOUT, (long)request->timeout_s) &&
           curl_easy_setopt(transfer->curl, CURLOPT_ERRORBUFFER, transfer->complaint) == CURLE_OK &&
           curl_easy_setopt(transfer->curl, CURLOPT_WRITEFUNCTION, receive) == CURLE_OK &&
           curl_easy_setopt(transfer->curl, CURLOPT_WRITEDATA, body) == CURLE_OK;
}

static bool judge(struct transfer *transfer, const struct https_request *request, CURLcode code,
                  const struct buf *body, struct err *err)
{
    long status = 0;

    if (!buf_is_good(body))
        err_set(err,
                "%s: its answer is larger than the %zu bytes that are read: see that the "
                "address is right",
                request->url, body->max);
    else if (code != CURLE_OK)
        err_set(err, "%s: %s: %s", request->url,
                transfer->complaint[0] == '\0' ? curl_easy_strerror(code) : transfer->complaint,
                advice_for(code));
    else if (curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK ||
             status != 200)
        err_set(err, "%s: it answers with status %ld: see that the address is right", request->url,
                status);
    else
        return true;
    return false;
}

static bool get(struct transfer *transfer, const struct https_request *request, struct buf *body,
                struct err *err)
{
    if (transfer->curl == NULL || !set_security(transfer, request->ca) ||
        !set_request(transfer, request, body)) {
        err_set(err, "%s: libcurl cannot do what is asked of it, HTTPS: use one that can",
                request->url);
        return false;
    }
    return judge(transfer, request, curl_easy_perform(transfer->curl), body, err);
}

bool https_get(const struct https_request *request, struct buf *body, struct err *err)
{
    struct transfer transfer = {.curl = NULL};
    bool good;

    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        err_set(err, "%s: libcurl cannot be used", request->url);
        return false;
    }
    transfer.curl = curl_easy_init();
    good = get(&transfer, request, body, err);
    curl_easy_cleanup(transfer.curl);
    curl_slist_free_all(transfer.headers);
    curl_global_cleanup();
    return good;
}
