#include "mectl/http.h"

#include <curl/curl.h>

static const struct {
    CURLcode code;
    enum http_result result;
} results[] = {
    {CURLE_OK, HTTP_ANSWERED},
    {CURLE_COULDNT_RESOLVE_HOST, HTTP_UNRESOLVED},
    {CURLE_COULDNT_CONNECT, HTTP_UNREACHED},
    {CURLE_OPERATION_TIMEDOUT, HTTP_TIMED_OUT},
    {CURLE_PEER_FAILED_VERIFICATION, HTTP_UNTRUSTED},
    {CURLE_SSL_CACERT_BADFILE, HTTP_BAD_CA},
    {CURLE_TOO_MANY_REDIRECTS, HTTP_REDIRECTED},
    {CURLE_UNSUPPORTED_PROTOCOL, HTTP_WRONG_PROTOCOL},
};

static enum http_result result_of(CURLcode code)
{
    for (size_t i = 0; i < ARRAY_LENGTH(results); i++)
        if (results[i].code == code)
            return results[i].result;
    return HTTP_FAILED;
}

static size_t receive_body(char *data, size_t size, size_t count, void *context)
{
    struct buf *body = context;

    buf_append(body, data, size * count);
    return buf_is_good(body) ? size * count : 0;
}

/* Of several answers, as with a redirect, the last one counts. */
static size_t receive_head(char *data, size_t size, size_t count, void *context)
{
    struct buf *head = context;
    struct str line = {data, size * count};

    if (str_starts_with(line, STR("HTTP/")))
        buf_reset(head);
    buf_append_str(head, line);
    return line.len;
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
static bool set_security(struct transfer *transfer, const struct http_request *request)
{
    const char *protocols = request->only_https ? "https" : "http,https";

    return set_text(transfer, CURLOPT_PROTOCOLS_STR, protocols) &&
           set_text(transfer, CURLOPT_REDIR_PROTOCOLS_STR, protocols) &&
           set_number(transfer, CURLOPT_FOLLOWLOCATION, request->redirects_max > 0) &&
           set_number(transfer, CURLOPT_MAXREDIRS, request->redirects_max) &&
           set_number(transfer, CURLOPT_SSL_VERIFYPEER, 1) &&
           set_number(transfer, CURLOPT_SSL_VERIFYHOST, 2) &&
           set_number(transfer, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2) &&
           set_number(transfer, CURLOPT_NETRC, CURL_NETRC_IGNORED) &&
           (request->ca == NULL || (set_text(transfer, CURLOPT_CAINFO, request->ca) &&
                                    set_text(transfer, CURLOPT_CAPATH, NULL)));
}

static bool add_header(struct transfer *transfer, const struct http_header *header)
{
    struct curl_slist *longer = NULL;
    struct buf line;

    buf_init(&line, HTTP_HEAD_MAX_BYTES);
    buf_append_format(&line, "%s: %s", header->name, header->value);
    buf_append_byte(&line, '\0');
    if (buf_is_good(&line))
        longer = curl_slist_append(transfer->headers, line.data);
    buf_free_secret(&line); /* it may be a token */
    if (longer == NULL)
        return false;
    transfer->headers = longer;
    return true;
}

static bool set_headers(struct transfer *transfer, const struct http_request *request)
{
    for (size_t i = 0; i < HTTP_HEADERS_MAX && request->headers[i].name != NULL; i++)
        if (request->headers[i].value != NULL && !add_header(transfer, &request->headers[i]))
            return false;
    return curl_easy_setopt(transfer->curl, CURLOPT_HTTPHEADER, transfer->headers) == CURLE_OK;
}

static bool set_body(struct transfer *transfer, struct str body)
{
    return !str_is_set(body) ||
           (set_number(transfer, CURLOPT_POSTFIELDSIZE, (long)body.len) &&
            curl_easy_setopt(transfer->curl, CURLOPT_POSTFIELDS, body.data) == CURLE_OK);
}

static bool set_request(struct transfer *transfer, const struct http_request *request)
{
    return set_headers(transfer, request) && set_body(transfer, request->body) &&
           (request->method == NULL ||
            set_text(transfer, CURLOPT_CUSTOMREQUEST, request->method)) &&
           set_text(transfer, CURLOPT_URL, request->url) &&
           set_text(transfer, CURLOPT_USERAGENT, "mectl") &&
           set_number(transfer, CURLOPT_NOSIGNAL, 1) &&
           set_number(transfer, CURLOPT_TIMEOUT, (long)request->timeout_s) &&
           curl_easy_setopt(transfer->curl, CURLOPT_ERRORBUFFER, transfer->complaint) == CURLE_OK;
}

static bool set_answer(struct transfer *transfer, struct http_answer *answer)
{
    return curl_easy_setopt(transfer->curl, CURLOPT_WRITEFUNCTION, receive_body) == CURLE_OK &&
           curl_easy_setopt(transfer->curl, CURLOPT_WRITEDATA, &answer->body) == CURLE_OK &&
           curl_easy_setopt(transfer->curl, CURLOPT_HEADERFUNCTION, receive_head) == CURLE_OK &&
           curl_easy_setopt(transfer->curl, CURLOPT_HEADERDATA, &answer->head) == CURLE_OK;
}

static enum http_result perform(struct transfer *transfer, struct http_answer *answer,
                                struct err *err)
{
    CURLcode code = curl_easy_perform(transfer->curl);
    long status = 0;

    (void)curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &status);
    answer->status = status;
    if (!buf_is_good(&answer->body)) {
        err_set(err, "its answer is larger than the %zu bytes that are read", answer->body.max);
        return HTTP_TOO_LARGE;
    }
    if (code != CURLE_OK)
        err_set(err, "%s",
                transfer->complaint[0] == '\0' ? curl_easy_strerror(code) : transfer->complaint);
    return result_of(code);
}

bool http_is_built_in(void)
{
    return true;
}

enum http_result http_send(const struct http_request *request, struct http_answer *answer,
                           struct err *err)
{
    struct transfer transfer = {.curl = NULL};
    enum http_result result = HTTP_FAILED;

    err_set(err, "libcurl cannot do what is asked of it: use one that can");
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return HTTP_FAILED;
    transfer.curl = curl_easy_init();
    if (transfer.curl != NULL && set_security(&transfer, request) &&
        set_request(&transfer, request) && set_answer(&transfer, answer))
        result = perform(&transfer, answer, err);
    curl_easy_cleanup(transfer.curl);
    curl_slist_free_all(transfer.headers);
    curl_global_cleanup();
    return result;
}
