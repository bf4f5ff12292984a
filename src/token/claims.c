#include "token/claims.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "format/jsonnumber.h"
#include "format/strictjson.h"
#include "token/shown.h"

enum { SESSION_MAX_BYTES = 255, AUDIENCES_SHOWN_MAX = 4, AUDIENCES_SHOWN_BYTES = 400 };

/* The last millisecond of the year 9999, where RFC 3339 ends. */
static const int64_t time_max_ms = INT64_C(253402300799999);

/* ---- what they are */

/* The claims on their way out of the payload. */
struct reading {
    struct jwt_claims claims;         /* borrowed from the payload and `room` */
    struct strictjson_value audience; /* a string or an array of strings */
    size_t audience_bytes;
    struct str session_claim; /* STR_NONE: sessions are off */
    struct buf room;          /* what escapes were resolved into */
    struct err fault;         /* of a type; empty: none */
};

static bool say_fault(struct reading *reading, struct str name, const char *what)
{
    if (reading->fault.text[0] == '\0')
        err_set(&reading->fault, "%.*s %s", STR_ARGS(name), what);
    return true;
}

static bool read_text(struct reading *reading, struct str name,
                      const struct strictjson_value *value, struct str *out)
{
    if (value->kind != STRICTJSON_STRING)
        return say_fault(reading, name, "is not a string");
    return strictjson_resolve(value->text, &reading->room, out);
}

static bool read_issuer(struct reading *reading, struct str name,
                        const struct strictjson_value *value)
{
    return read_text(reading, name, value, &reading->claims.issuer);
}

static bool read_subject(struct reading *reading, struct str name,
                         const struct strictjson_value *value)
{
    return read_text(reading, name, value, &reading->claims.subject);
}

/* Read for its type alone. */
static bool read_id(struct reading *reading, struct str name, const struct strictjson_value *value)
{
    struct str id;

    return read_text(reading, name, value, &id);
}

/* A NumericDate, with a fraction or not (RFC 7519, section 2), to the nearest millisecond. */
static bool read_time(struct reading *reading, struct str name,
                      const struct strictjson_value *value, int64_t *out_ms)
{
    if (value->kind != STRICTJSON_NUMBER)
        return say_fault(reading, name, "is not a number");
    return jsonnumber_thousandths(value->text, time_max_ms, out_ms) ||
           say_fault(reading, name, "is not within the years 1970 to 9999");
}

static bool read_expiry(struct reading *reading, struct str name,
                        const struct strictjson_value *value)
{
    return read_time(reading, name, value, &reading->claims.expires_ms);
}

static bool read_not_before(struct reading *reading, struct str name,
                            const struct strictjson_value *value)
{
    return read_time(reading, name, value, &reading->claims.not_before_ms);
}

/* For its type alone: when a token was made decides nothing here. */
static bool read_issued_at(struct reading *reading, struct str name,
                           const struct strictjson_value *value)
{
    int64_t issued_ms;

    return read_time(reading, name, value, &issued_ms);
}

/* What is done with each audience. */
static bool count_audience(void *context, struct str name, const struct strictjson_value *value)
{
    struct reading *reading = context;

    (void)name;
    if (value->kind != STRICTJSON_STRING)
        return say_fault(reading, STR("aud"), "is neither a string nor an array of strings");
    reading->claims.audience_count++;
    reading->audience_bytes += value->text.len;
    return true;
}

/* A string or an array of strings (RFC 7519, section 4.1.3). */
static bool each_audience(const struct strictjson_value *audience,
                          const struct strictjson_visitor *visitor)
{
    if (audience->kind != STRICTJSON_ARRAY)
        return visitor->item(visitor->context, STR_NONE, audience);
    return strictjson_scan(audience->text, visitor, NULL, NULL) == STRICTJSON_OK;
}

static bool read_audience(struct reading *reading, struct str name,
                          const struct strictjson_value *value)
{
    const struct strictjson_visitor visitor = {.item = count_audience, .context = reading};

    (void)name;
    reading->audience = *value;
    return each_audience(value, &visitor);
}

static bool read_session(struct reading *reading, struct str name,
                         const struct strictjson_value *value)
{
    struct str *session = &reading->claims.session;

    if (!read_text(reading, name, value, session))
        return false;
    if (!str_is_set(*session) || (session->len > 0 && session->len <= SESSION_MAX_BYTES))
        return true;
    return say_fault(reading, name, "is empty, or longer than a session's id may be");
}

static const struct claim {
    struct str name;
    bool (*read)(struct reading *reading, struct str name, const struct strictjson_value *value);
} claim_table[] = {
    {STR("iss"), read_issuer},     {STR("sub"), read_subject},   {STR("aud"), read_audience},
    {STR("exp"), read_expiry},     {STR("iat"), read_issued_at}, {STR("jti"), read_id},
    {STR("nbf"), read_not_before},
};

/* The session claim may be one of the table as well. */
static bool read_claim(void *context, struct str name, const struct strictjson_value *value)
{
    struct reading *reading = context;

    for (size_t i = 0; i < ARRAY_LENGTH(claim_table); i++)
        if (str_equal(name, claim_table[i].name) && !claim_table[i].read(reading, name, value))
            return false;
    return !str_equal(name, reading->session_claim) || read_session(reading, name, value);
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

/* Where the audiences go. */
struct keeping {
    struct reading *reading;
    struct str *next;
    char *at;
};

static bool put_audience(void *context, struct str name, const struct strictjson_value *value)
{
    struct keeping *keeping = context;
    struct str text;

    (void)name;
    if (!strictjson_resolve(value->text, &keeping->reading->room, &text))
        return false;
    *keeping->next++ = put(&keeping->at, text);
    return true;
}

/* What was borrowed is copied. */
static bool keep(struct reading *reading)
{
    struct jwt_claims *claims = &reading->claims;
    size_t texts = claims->payload.len + claims->subject.len + claims->issuer.len +
                   claims->session.len + reading->audience_bytes + 1;
    struct str *audiences = malloc(claims->audience_count * sizeof(*audiences) + texts);
    struct keeping keeping = {reading, audiences, (char *)(audiences + claims->audience_count)};
    const struct strictjson_visitor visitor = {.item = put_audience, .context = &keeping};

    if (audiences == NULL)
        return false;
    claims->memory = audiences;
    claims->audiences = audiences;
    claims->payload = put(&keeping.at, claims->payload);
    claims->subject = put(&keeping.at, claims->subject);
    claims->issuer = put(&keeping.at, claims->issuer);
    claims->session = put(&keeping.at, claims->session);
    return claims->audience_count == 0 || each_audience(&reading->audience, &visitor);
}

static enum jwt_verdict read_all(struct reading *reading, struct err *err)
{
    const struct strictjson_visitor visitor = {.item = read_claim, .context = reading};
    enum strictjson_result result = strictjson_scan_object(reading->claims.payload, &visitor, NULL);

    if (result == STRICTJSON_OUT_OF_MEMORY)
        return JWT_OUT_OF_MEMORY;
    if (result != STRICTJSON_OK) {
        err_set(err, "the payload %s", strictjson_text(result));
        return JWT_PAYLOAD_NOT_JSON;
    }
    if (reading->fault.text[0] != '\0') {
        err_set(err, "%s", reading->fault.text);
        return JWT_CLAIM_TYPE;
    }
    return keep(reading) ? JWT_VALID : JWT_OUT_OF_MEMORY;
}

enum jwt_verdict claims_read(struct str payload, const struct jwt_rules *rules, int64_t end_ms,
                             struct jwt_claims *out, struct err *err)
{
    struct reading reading = {
        .claims = {.payload = payload,
                   .expires_ms = JWT_NO_TIME,
                   .not_before_ms = JWT_NO_TIME,
                   .key_end_ms = end_ms},
        .session_claim = str_from(rules->session_claim),
    };
    enum jwt_verdict verdict;

    buf_init(&reading.room, payload.len * 2); /* the session claim may be one of the others, too */
    verdict = read_all(&reading, err);
    buf_free(&reading.room);
    if (verdict != JWT_VALID)
        claims_free(&reading.claims);
    *out = reading.claims; /* transferred */
    return verdict;
}

void claims_free(struct jwt_claims *claims)
{
    free(claims->memory);
    *claims = (struct jwt_claims){.memory = NULL};
}

/* ---- what they say */

enum jwt_verdict claims_judge_times(const struct jwt_claims *claims, const struct jwt_rules *rules,
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

static void say_audiences(const struct jwt_claims *claims, struct err *err)
{
    struct buf text;

    buf_init(&text, AUDIENCES_SHOWN_BYTES);
    for (size_t i = 0; i < claims->audience_count && i < AUDIENCES_SHOWN_MAX; i++)
        buf_append_format(&text, "%s'%s'", i == 0 ? "" : ", ", shown(claims->audiences[i]).text);
    if (claims->audience_count > AUDIENCES_SHOWN_MAX)
        buf_append_text(&text, " and more");
    if (text.len > 0)
        err_set(err, "aud is %.*s", STR_ARGS(buf_str(&text)));
    buf_free(&text);
}

enum jwt_verdict claims_judge_names(const struct jwt_claims *claims, const struct jwt_rules *rules,
                                    struct err *err)
{
    enum jwt_verdict verdict = judge_issuer(rules, claims->issuer, err);

    if (verdict != JWT_VALID)
        return verdict;
    if (!names_us(claims, rules)) {
        say_audiences(claims, err);
        return JWT_WRONG_AUDIENCE;
    }
    if (claims->subject.len == 0)
        return JWT_NO_SUBJECT;
    if (rules->session_required && !str_is_set(claims->session))
        return JWT_NO_SESSION;
    return JWT_VALID;
}

enum jwt_verdict claims_judge(const struct jwt_claims *claims, const struct jwt_rules *rules,
                              int64_t now_ms, struct err *err)
{
    enum jwt_verdict verdict = claims_judge_times(claims, rules, now_ms);

    return verdict == JWT_VALID ? claims_judge_names(claims, rules, err) : verdict;
}
