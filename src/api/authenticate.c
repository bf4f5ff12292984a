#include "api/authenticate.h"

#include <openssl/crypto.h>

#include "api/subject.h"

/* RFC 6750, section 3: no error where no token was sent. */
static const struct str challenge = STR("Bearer realm=\"me\"");

enum { CHALLENGE_MAX_BYTES = 256 };

/* What a client reads of all that could help a forger. */
#define INVALID "The access token is invalid"

static enum problem challenge_missing(struct exchange *exchange)
{
    exchange->reason = "missing_token";
    if (str_trim(exchange->request->header[REQUEST_AUTHORIZATION]).len > 0) {
        exchange->note = STR("the scheme of Authorization is not Bearer");
        err_set(&exchange->err, "%.*s", STR_ARGS(exchange->note));
    }
    (void)response_add(exchange->response, "WWW-Authenticate", challenge);
    return PROBLEM_MISSING_TOKEN;
}

/* `description` is a text of ours without quotes and backslashes. */
static enum problem challenge_invalid(struct exchange *exchange, const char *description)
{
    struct str value;
    struct buf text;
    bool copied;

    buf_init(&text, CHALLENGE_MAX_BYTES);
    buf_append_str(&text, challenge);
    buf_append_format(&text, ", error=\"invalid_token\", error_description=\"%s\"", description);
    copied = buf_is_good(&text) && arena_copy(exchange->service->arena, buf_str(&text), &value);
    buf_free(&text);
    (void)response_add(exchange->response, "WWW-Authenticate", copied ? value : challenge);
    exchange->note = str_from(description);
    return PROBLEM_INVALID_TOKEN;
}

/*
 * The credentials of the Bearer scheme, its name in any case (RFC 9110, section 11.1). Another
 * scheme is no token; the scheme alone is an empty one.
 */
static struct str bearer_credentials(struct str header)
{
    struct str scheme, rest = str_trim(header);

    if (!str_is_set(header))
        return STR_NONE;
    scheme = str_cut(&rest, ' ');
    if (!str_equal_nocase(scheme, STR("Bearer")))
        return STR_NONE;
    return str_is_set(rest) ? str_trim(rest) : STR("");
}

/* The additional header may hold the bare token as well. */
static struct str find_token(const struct request *request)
{
    struct str token = bearer_credentials(request->header[REQUEST_AUTHORIZATION]);
    struct str other = request->header[REQUEST_TOKEN];

    if (str_is_set(token) || !str_is_set(other))
        return token;
    token = bearer_credentials(other);
    return str_is_set(token) ? token : str_trim(other);
}

/* By the keys as the files have them now. */
static enum jwt_verdict verify(struct exchange *exchange, struct str token, int64_t now_ms,
                               int64_t monotonic_us)
{
    struct service *service = exchange->service;
    struct verifier_keys keys;

    keyfiles_refresh(service->keyfiles, now_ms, monotonic_us);
    keys = (struct verifier_keys){keyfiles_keyring(service->keyfiles),
                                  keyfiles_generation(service->keyfiles)};
    return verifier_verify(service->verifier, token, &keys, now_ms, &exchange->claims,
                           &exchange->err);
}

static enum problem name_user(struct exchange *exchange)
{
    enum settings_subject subject =
        (enum settings_subject)exchange->service->settings->token.subject;
    enum subject_verdict verdict = subject_judge(exchange->claims, subject, &exchange->access);

    exchange->access.session = exchange->claims->session;
    if (verdict == SUBJECT_NAMED)
        return PROBLEM_NONE;
    exchange->reason = subject_reason(verdict)->code;
    err_set(&exchange->err, "%s", subject_reason(verdict)->detail);
    return challenge_invalid(exchange, INVALID);
}

enum problem authenticate(struct exchange *exchange, int64_t now_ms, int64_t monotonic_us)
{
    struct str token = find_token(exchange->request);
    enum jwt_verdict verdict;

    if (!str_is_set(token))
        return challenge_missing(exchange);
    verdict = verify(exchange, token, now_ms, monotonic_us);
    if (verdict == JWT_VALID) {
        exchange->token = token;
        return name_user(exchange);
    }
    exchange->reason = jwt_reason(verdict)->code;
    if (verdict == JWT_OUT_OF_MEMORY)
        return PROBLEM_INTERNAL_ERROR;
    return challenge_invalid(exchange, jwt_reason(verdict)->client);
}

enum problem authenticate_by_secret(struct exchange *exchange, struct str secret)
{
    struct str token = find_token(exchange->request);

    if (!str_is_set(token))
        return challenge_missing(exchange);
    if (token.len == secret.len && secret.len > 0 &&
        CRYPTO_memcmp(token.data, secret.data, secret.len) == 0)
        return PROBLEM_NONE;
    return challenge_invalid(exchange, INVALID);
}

/* What is known of a user who is not there, where users are added by their tokens. */
static enum problem refuse_unknown(struct exchange *exchange, const char *description)
{
    if (exchange->is_provisioned) {
        err_set(&exchange->err, "the user who was just added cannot be read yet");
        return PROBLEM_SERVICE_UNAVAILABLE;
    }
    if (exchange->service->provisioning != NULL)
        err_set(&exchange->err, "nobody is added by a token that names a session: where the issuer "
                                "does not write the table sessions, set token.sessions = off");
    return challenge_invalid(exchange, description);
}

enum problem authenticate_access(struct exchange *exchange, enum access access)
{
    static const char *const descriptions[ACCESS__MAX] = {
        [ACCESS_USER_UNKNOWN] = INVALID,
        [ACCESS_USER_DELETED] = INVALID,
        [ACCESS_SESSION_UNKNOWN] = "The access token was revoked",
        [ACCESS_SESSION_REVOKED] = "The access token was revoked",
        [ACCESS_SESSION_EXPIRED] = "The session expired",
    };

    if (access == ACCESS_GRANTED)
        return PROBLEM_NONE;
    exchange->reason = access_name(access);
    if (access == ACCESS_USER_BANNED)
        return PROBLEM_USER_BANNED;
    if (access == ACCESS_USER_UNKNOWN)
        return refuse_unknown(exchange, descriptions[access]);
    if (access == ACCESS_SESSION_UNKNOWN)
        err_set(&exchange->err, "the table sessions has none of this id and user: where the issuer "
                                "does not write it, set token.sessions = off");
    return challenge_invalid(exchange, descriptions[access]);
}
