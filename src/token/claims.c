#include "token/claims.h"

#include <json-c/json.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "format/strictjson.h"
#include "token/shown.h"

enum { SESSION_MAX_BYTES = 255 };

/* The end of the year 9999, where RFC 3339 ends. */
static const double time_max_s = 253402300800.0;

/* ---- what they are */

/* A NumericDate, with a fraction or not (RFC 7519, section 2), to the nearest millisecond. */
static bool read_time(struct json_object *payload, const char *name, int64_t *out_ms,
                      struct err *err)
{
    bool is_there;
    struct json_object *value = strictjson_member(payload, name, &is_there);
    double time_s;

    *out_ms = JWT_NO_TIME;
    if (!is_there)
        return true;
    /* json-c would make a time of true and of "9999999999", too. */
    if (!json_object_is_type(value, json_type_int) &&
        !json_object_is_type(value, json_type_double)) {
        err_set(err, "%s is not a number", name);
        return false;
    }
    time_s = json_object_get_double(value);
    if (time_s >= 0 && time_s < time_max_s) {
        *out_ms = llround(time_s * 1000);
        return true;
    }
    err_set(err, "%s is not within the years 1970 to 9999", name);
    return false;
}

/* iat is read for its type alone: when a token was made decides nothing here. */
static bool read_times(struct json_object *payload, struct jwt_claims *out, struct err *err)
{
    int64_t issued_ms;

    return read_time(payload, "exp", &out->expires_ms, err) &&
           read_time(payload, "nbf", &out->not_before_ms, err) &&
           read_time(payload, "iat", &issued_ms, err);
}

static bool read_texts(struct json_object *payload, const struct jwt_rules *rules,
                       struct jwt_claims *out, struct err *err)
{
    struct str id;
    const struct strictjson_text_member texts[] = {
        {"iss", &out->issuer},
        {"sub", &out->subject},
        {"jti", &id},
        {rules->session_claim, &out->session}, /* the last: left out where sessions are off */
    };
    size_t count = ARRAY_LENGTH(texts) - (rules->session_claim == NULL);
    const char *bad = strictjson_read_texts(payload, texts, count);

    if (bad != NULL) {
        err_set(err, "%s is not a string", bad);
        return false;
    }
    if (!str_is_set(out->session) ||
        (out->session.len > 0 && out->session.len <= SESSION_MAX_BYTES))
        return true;
    err_set(err, "%s has %zu bytes, but must have 1 to %d", rules->session_claim, out->session.len,
            SESSION_MAX_BYTES);
    return false;
}

/* A string or an array of strings (RFC 7519, section 4.1.3). */
struct audience {
    struct json_object *value;
    bool is_array;
    size_t count;
};

static struct str audience_at(const struct audience *audience, size_t i)
{
    return strictjson_string(audience->is_array ? json_object_array_get_idx(audience->value, i)
                                                : audience->value);
}

static bool read_audience(struct json_object *payload, struct audience *out, struct err *err)
{
    bool is_there;

    out->value = strictjson_member(payload, "aud", &is_there);
    out->is_array = json_object_is_type(out->value, json_type_array);
    out->count = out->is_array ? json_object_array_length(out->value) : is_there;
    for (size_t i = 0; i < out->count; i++) {
        if (str_is_set(audience_at(out, i)))
            continue;
        err_set(err, "aud is neither a string nor an array of strings");
        return false;
    }
    return true;
}

/* ---- keeping them: one block of memory for all */

static struct str put(char **at, struct str text)
{
    struct str copy = {*at, text.len};

    if (!str_is_set(text))
        return STR_NONE;
    memcpy(*at, text.data, text.len);
    *at += text.len;
    return copy;
}

static size_t bytes_of(const struct jwt_claims *claims, const struct audience *audience)
{
    size_t bytes =
        claims->payload.len + claims->subject.len + claims->issuer.len + claims->session.len + 1;

    for (size_t i = 0; i < audience->count; i++)
        bytes += audience_at(audience, i).len;
    return bytes;
}

/* What was borrowed from the JSON value and the token is copied. */
static bool keep(struct jwt_claims *claims, const struct audience *audience)
{
    struct str *audiences =
        malloc(audience->count * sizeof(*audiences) + bytes_of(claims, audience));
    char *at;

    if (audiences == NULL)
        return false;
    at = (char *)(audiences + audience->count);
    claims->payload = put(&at, claims->payload);
    claims->subject = put(&at, claims->subject);
    claims->issuer = put(&at, claims->issuer);
    claims->session = put(&at, claims->session);
    for (size_t i = 0; i < audience->count; i++)
        audiences[i] = put(&at, audience_at(audience, i));
    claims->audiences = audiences;
    claims->audience_count = audience->count;
    claims->memory = audiences;
    return true;
}

static enum jwt_verdict read_object(struct json_object *object, const struct jwt_rules *rules,
                                    struct jwt_claims *out, struct err *err)
{
    struct audience audience;

    if (!read_texts(object, rules, out, err) || !read_times(object, out, err) ||
        !read_audience(object, &audience, err))
        return JWT_CLAIM_TYPE;
    return keep(out, &audience) ? JWT_VALID : JWT_OUT_OF_MEMORY;
}

enum jwt_verdict claims_read(struct str payload, const struct jwt_rules *rules, int64_t key_end_ms,
                             struct jwt_claims *out, struct err *err)
{
    struct jwt_claims claims = {.payload = payload, .key_end_ms = key_end_ms};
    struct json_object *object;
    enum strictjson_result result = strictjson_parse_object(payload, &object, NULL);
    enum jwt_verdict verdict = JWT_PAYLOAD_NOT_JSON;

    *out = (struct jwt_claims){.memory = NULL};
    if (result == STRICTJSON_OUT_OF_MEMORY)
        return JWT_OUT_OF_MEMORY;
    if (result == STRICTJSON_OK)
        verdict = read_object(object, rules, &claims, err);
    else
        err_set(err, "the payload %s", strictjson_text(result));
    json_object_put(object);
    if (verdict == JWT_VALID)
        *out = claims; /* transferred */
    return verdict;
}

void claims_free(struct jwt_claims *claims)
{
    free(claims->memory);
    *claims = (struct jwt_claims){.memory = NULL};
}

/* ---- what they say */

static enum jwt_verdict judge_times(const struct jwt_claims *claims, const struct jwt_rules *rules,
                                    int64_t now_ms)
{
    int64_t leeway_ms = rules->leeway_s * 1000;

    if (now_ms >= claims->key_end_ms)
        return JWT_KEY_WITHDRAWN;
    if (claims->expires_ms == JWT_NO_TIME)
        return JWT_NO_EXPIRY;
    if (now_ms >= claims->expires_ms + leeway_ms)
        return JWT_EXPIRED;
    if (claims->not_before_ms != JWT_NO_TIME && now_ms < claims->not_before_ms - leeway_ms)
        return JWT_NOT_YET_VALID;
    return JWT_VALID;
}

static bool list_holds(const struct settings_list *list, struct str text)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_equal(str_from(list->items[i]), text))
            return true;
    return false;
}

static enum jwt_verdict judge_issuer(const struct jwt_rules *rules, struct str issuer,
                                     struct err *err)
{
    if (rules->issuers.count == 0 || (str_is_set(issuer) && list_holds(&rules->issuers, issuer)))
        return JWT_VALID;
    if (str_is_set(issuer))
        err_set(err, "iss is '%s'", shown(issuer).text);
    return JWT_WRONG_ISSUER;
}

static bool names_us(const struct jwt_claims *claims, const struct jwt_rules *rules)
{
    for (size_t i = 0; i < claims->audience_count; i++)
        if (list_holds(&rules->audiences, claims->audiences[i]))
            return true;
    return rules->audiences.count == 0;
}

enum jwt_verdict claims_judge(const struct jwt_claims *claims, const struct jwt_rules *rules,
                              int64_t now_ms, struct err *err)
{
    enum jwt_verdict verdict = judge_times(claims, rules, now_ms);

    if (verdict == JWT_VALID)
        verdict = judge_issuer(rules, claims->issuer, err);
    if (verdict != JWT_VALID)
        return verdict;
    if (!names_us(claims, rules))
        return JWT_WRONG_AUDIENCE;
    if (claims->subject.len == 0)
        return JWT_NO_SUBJECT;
    if (rules->session_required && !str_is_set(claims->session))
        return JWT_NO_SESSION;
    return JWT_VALID;
}
