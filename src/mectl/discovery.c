#include "mectl/discovery.h"

#include <json-c/json.h>

#include "base/str.h"
#include "format/jsonvalue.h"
#include "profile/url.h"
#include "token/shown.h"

enum { DOCUMENT_MAX_BYTES = 256 * 1024, ADDRESS_MAX_BYTES = 4096 };

bool discovery_is_https(const char *url, const char *what, struct err *err)
{
    struct str rest = str_from(url), scheme = str_cut(&rest, ':');

    if (validate_url(str_from(url)) == VIOLATION_NONE && str_equal_nocase(scheme, STR("https")))
        return true;
    err_set(err,
            "%s: '%s' is not an https address (https://host/path, without user and password), and "
            "keys are fetched from no other",
            what, shown(str_from(url)).text);
    return false;
}

/* Section 4.1: what the issuer is called, without the slash at its end. */
static bool append_address(const char *issuer, struct buf *out, struct err *err)
{
    struct str base = str_from(issuer);

    if (str_has_byte(base, '?') || str_has_byte(base, '#')) {
        err_set(err, "%s: an issuer has neither query nor fragment: name it as its tokens do",
                issuer);
        return false;
    }
    if (str_ends_with(base, STR("/")))
        base.len--;
    buf_append_str(out, base);
    buf_append_text(out, "/.well-known/openid-configuration");
    buf_append_byte(out, '\0');
    if (!buf_is_good(out))
        err_set(err, "out of memory");
    return buf_is_good(out);
}

/* Section 4.3: another issuer's document is not to be used. */
static bool is_of_issuer(struct json_object *document, const char *issuer, struct err *err)
{
    struct str its = jsonvalue_string(jsonvalue_member(document, "issuer", NULL));

    if (str_equal(its, str_from(issuer)))
        return true;
    if (str_is_set(its))
        err_set(err, "it is of the issuer '%s', not of '%s': name the issuer exactly so",
                shown(its).text, shown(str_from(issuer)).text);
    else
        err_set(err, "it has no issuer: see that the address is right");
    return false;
}

/* A text that came through the gate has no NUL in it. */
static bool append_jwks_uri(struct json_object *document, struct buf *out, struct err *err)
{
    struct str uri = jsonvalue_string(jsonvalue_member(document, "jwks_uri", NULL));

    if (!str_is_set(uri)) {
        err_set(err, "it has no jwks_uri: name the address of the keys with --url or keys.url");
        return false;
    }
    buf_append_str(out, uri);
    buf_append_byte(out, '\0');
    if (buf_is_good(out))
        return discovery_is_https(out->data, "its jwks_uri", err);
    err_set(err, "its jwks_uri is too long");
    return false;
}

static bool read_document(struct str text, const char *issuer, struct buf *out, struct err *err)
{
    struct json_object *document = NULL;
    enum strictjson_result result = jsonvalue_parse_object(text, &document, NULL);
    bool good = false;

    if (result != STRICTJSON_OK)
        err_set(err, "it is no discovery document, since it %s: see that the address is right",
                strictjson_text(result));
    else
        good = is_of_issuer(document, issuer, err) && append_jwks_uri(document, out, err);
    json_object_put(document);
    return good;
}

bool discovery_jwks_uri(const char *issuer, const struct https_request *terms, struct buf *out,
                        struct err *err)
{
    struct https_request request = *terms;
    struct buf address, text;
    bool good;

    buf_init(&address, ADDRESS_MAX_BYTES);
    buf_init(&text, DOCUMENT_MAX_BYTES);
    good = append_address(issuer, &address, err);
    if (good) {
        request.url = address.data;
        request.accept = "application/json";
        good = https_get(&request, &text, err);
        if (good && !read_document(buf_str(&text), issuer, out, err)) {
            err_prefix(err, "%s", request.url);
            good = false;
        }
    }
    buf_free(&address);
    buf_free(&text);
    return good;
}
