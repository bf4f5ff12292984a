#include "token/jwt.h"

#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "base/base64url.h"
#include "base/buf.h"
#include "format/strictjson.h"

enum { SESSION_MAX_BYTES = 255, SHOWN_MAX_BYTES = 64 };

/* The end of the year 9999, where RFC 3339 ends. */
static const double time_max_s = 253402300800.0;

#define INVALID "The access token is invalid"

static const struct jwt_reason reasons[JWT__MAX] = {
    [JWT_VALID] = {"valid", "the token is valid", "The access token is valid"},
    [JWT_TOO_LONG] = {"too_long", "the token is longer than token.max_bytes allows", INVALID},
    [JWT_NOT_COMPACT] = {"not_compact", "the token is not three parts with dots between them",
                         INVALID},
    [JWT_ENCRYPTED] = {"encrypted", "the token is encrypted (JWE): have the issuer sign it only",
                       INVALID},
    [JWT_NOT_BASE64URL] = {"not_base64url", "a part of the token is not canonical base64url",
                           INVALID},
    [JWT_HEADER_NOT_JSON] = {"header_not_json", "the header is not one strict JSON object",
                             INVALID},
    [JWT_HEADER_TYPE] = {"header_type", "a header parameter has the wrong type", INVALID},
    [JWT_CRITICAL] = {"critical", "the header has crit, and no extension is understood", INVALID},
    [JWT_UNENCODED] = {"unencoded", "the header has b64 (RFC 7797)", INVALID},
    [JWT_EMBEDDED_KEY] = {"embedded_key", "the header brings a key of its own along", INVALID},
    [JWT_COMPRESSED] = {"compressed", "the header has zip", INVALID},
    [JWT_NESTED] = {"nested", "cty says that the token holds another one", INVALID},
    [JWT_WRONG_TYP] = {"wrong_typ", "typ is neither JWT nor at+jwt", INVALID},
    [JWT_ALGORITHM_NONE] = {"algorithm_none", "the token is not signed (alg none)", INVALID},
    [JWT_ALGORITHM_UNKNOWN] = {"algorithm_unknown", "alg is missing, or neither HS256 nor RS256",
                               INVALID},
    [JWT_ALGORITHM_NOT_ALLOWED] = {"algorithm_not_allowed", "alg is not in token.algorithms",
                                   INVALID},
    [JWT_NO_KEY] = {"no_key", "there is no key of this algorithm and kid", INVALID},
    [JWT_BAD_SIGNATURE] = {"bad_signature", "no key verifies the signature", INVALID},
    [JWT_PAYLOAD_NOT_JSON] = {"payload_not_json", "the claims are not one strict JSON object",
                              INVALID},
    [JWT_CLAIM_TYPE] = {"claim_type", "a claim has the wrong type, or a value out of range",
                        INVALID},
    [JWT_NO_EXPIRY] = {"no_expiry", "the claim exp is missing", INVALID},
    [JWT_EXPIRED] = {"expired", "the token expired", "The access token expired"},
    [JWT_NOT_YET_VALID] = {"not_yet_valid", "the token is not valid yet: are the clocks right?",
                           "The access token is not valid yet"},
    [JWT_WRONG_ISSUER] = {"wrong_issuer", "iss is missing, or not in token.issuer", INVALID},
    [JWT_WRONG_AUDIENCE] = {"wrong_audience", "aud is missing, or names none of token.audience",
                            INVALID},
    [JWT_NO_SUBJECT] = {"no_subject", "the claim sub is missing or empty", INVALID},
    [JWT_NO_SESSION] = {"no_session", "the session claim is missing, and token.sessions = required",
                        INVALID},
    [JWT_OUT_OF_MEMORY] = {"out_of_memory", "out of memory", INVALID},
};

const struct jwt_reason *jwt_reason(enum jwt_verdict verdict)
{
    return &reasons[verdict];
}

void jwt_rules_from_settings(const struct settings *settings, struct jwt_rules *out)
{
    *out = (struct jwt_rules){
        .allowed = {[KEY_HS256] = settings->token.hs256, [KEY_RS256] = settings->token.rs256},
        .issuers = settings->token.issuer,
        .audiences = settings->token.audience,
        .leeway_s = settings->token.leeway_s,
        .max_bytes = (size_t)settings->token.max_bytes,
        .session_required = settings->token.sessions == SETTINGS_SESSIONS_REQUIRED,
    };
    if (settings->token.sessions != SETTINGS_SESSIONS_OFF)
        out->session_claim = settings->token.session_claim;
}

/* ---- what a token says, for the log and the terminal of an operator */

struct shown {
    char text[SHOWN_MAX_BYTES + sizeof("...")];
};

/* The text may be a forger's: nothing of it may steer a terminal or drown the rest of a line. */
static struct shown show(struct str text)
{
    struct shown shown = {""};
    size_t len = text.len < SHOWN_MAX_BYTES ? text.len : SHOWN_MAX_BYTES;

    for (size_t i = 0; i < len; i++)
        shown.text[i] = text.data[i] >= ' ' && text.data[i] <= '~' ? text.data[i] : '?';
    if (text.len > len)
        memcpy(shown.text + len, "...", sizeof("..."));
    return shown;
}

/* ---- the three parts */

struct parts {
    struct str header, payload, signature; /* encoded */
    struct str signed_input;               /* RFC 7515, section 5.1, step 8 */
};

static enum jwt_verdict split(struct str token, size_t max_bytes, struct parts *out)
{
    struct str rest = token;
    size_t dots = 0;

    if (token.len > max_bytes)
        return JWT_TOO_LONG;
    for (size_t i = 0; i < token.len; i++)
        dots += token.data[i] == '.';
    if (dots == 4)
        return JWT_ENCRYPTED;
    if (dots != 2)
        return JWT_NOT_COMPACT;
    out->header = str_cut(&rest, '.');
    out->payload = str_cut(&rest, '.');
    out->signature = rest;
    out->signed_input = (struct str){token.data, out->header.len + 1 + out->payload.len};
    return JWT_VALID;
}

/* The buffer has room for all that the text can hold: only memory can be short. */
static enum jwt_verdict decode(struct str encoded, const char *part, struct buf *out,
                               struct err *err)
{
    if (base64url_decode(encoded, out))
        return JWT_VALID;
    if (!buf_is_good(out))
        return JWT_OUT_OF_MEMORY;
    err_set(err, "the %s", part);
    return JWT_NOT_BASE64URL;
}

static enum jwt_verdict parse_object(struct str text, enum jwt_verdict otherwise,
                                     struct json_object **out, struct err *err)
{
    enum strictjson_result result = strictjson_parse(text, out, NULL);

    if (result == STRICTJSON_OUT_OF_MEMORY)
        return JWT_OUT_OF_MEMORY;
    if (result == STRICTJSON_OK && json_object_is_type(*out, json_type_object))
        return JWT_VALID;
    err_set(err, "it %s", result == STRICTJSON_OK ? "is no object" : strictjson_text(result));
    return otherwise;
}

/* A part's object; on failure *out may be there all the same, and is freed by the caller. */
static enum jwt_verdict decode_object(struct str encoded, const char *part,
                                      enum jwt_verdict otherwise, struct json_object **out,
                                      struct err *err)
{
    enum jwt_verdict verdict;
    struct buf text;

    *out = NULL;
    buf_init(&text, encoded.len + 8);
    verdict = decode(encoded, part, &text, err);
    if (verdict == JWT_VALID)
        verdict = parse_object(buf_str(&text), otherwise, out, err);
    buf_free_secret(&text);
    return verdict;
}

/* A member that has to be a string where it is there. */
struct string_member {
    const char *name;
    struct str *out; /* STR_NONE: it is not there */
};

static bool read_strings(struct json_object *object, const struct string_member *members,
                         size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        bool is_there;
        struct json_object *value = strictjson_member(object, members[i].name, &is_there);

        *members[i].out = is_there ? strictjson_string(value) : STR_NONE;
        if (!is_there || str_is_set(*members[i].out))
            continue;
        err_set(err, "%s is not a string", members[i].name);
        return false;
    }
    return true;
}

/* ---- the header (RFC 7515, section 4) */

struct header_rule {
    const char *parameter;
    enum jwt_verdict verdict; /* where the parameter is there */
};

/* None of these is needed by what we understand, and each has let forged tokens in somewhere. */
static const struct header_rule refused_parameters[] = {
    {"crit", JWT_CRITICAL},    {"b64", JWT_UNENCODED},    {"jwk", JWT_EMBEDDED_KEY},
    {"jku", JWT_EMBEDDED_KEY}, {"x5c", JWT_EMBEDDED_KEY}, {"x5u", JWT_EMBEDDED_KEY},
    {"zip", JWT_COMPRESSED},
};

static enum jwt_verdict judge_refused(struct json_object *header, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LENGTH(refused_parameters); i++) {
        bool is_there;

        (void)strictjson_member(header, refused_parameters[i].parameter, &is_there);
        if (!is_there)
            continue;
        err_set(err, "it is %s", refused_parameters[i].parameter);
        return refused_parameters[i].verdict;
    }
    return JWT_VALID;
}

/* RFC 7515, section 4.1.9: the prefix application/ may be left out; media types know no case. */
static bool is_jwt_type(struct str type)
{
    static const struct str names[] = {STR("JWT"), STR("at+jwt"), STR("application/jwt"),
                                       STR("application/at+jwt")};

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        if (str_equal_nocase(type, names[i]))
            return true;
    return false;
}

struct header {
    enum key_algorithm algorithm;
    struct str kid; /* borrowed from the JSON; STR_NONE: it has none */
};

static enum jwt_verdict judge_algorithm(struct str name, const struct jwt_rules *rules,
                                        enum key_algorithm *out, struct err *err)
{
    if (str_equal_nocase(name, STR("none")))
        return JWT_ALGORITHM_NONE;
    if (str_is_set(name))
        err_set(err, "alg is '%s'", show(name).text);
    if (!key_algorithm_from_name(name, out))
        return JWT_ALGORITHM_UNKNOWN;
    if (!rules->allowed[*out])
        return JWT_ALGORITHM_NOT_ALLOWED;
    err_clear(err);
    return JWT_VALID;
}

static enum jwt_verdict judge_header(struct json_object *object, const struct jwt_rules *rules,
                                     struct header *out, struct err *err)
{
    struct str algorithm, type, content;
    const struct string_member strings[] = {
        {"alg", &algorithm}, {"typ", &type}, {"cty", &content}, {"kid", &out->kid}};
    enum jwt_verdict verdict;

    if (!read_strings(object, strings, ARRAY_LENGTH(strings), err))
        return JWT_HEADER_TYPE;
    verdict = judge_refused(object, err);
    if (verdict != JWT_VALID)
        return verdict;
    if (is_jwt_type(content))
        return JWT_NESTED;
    if (str_is_set(type) && !is_jwt_type(type)) {
        err_set(err, "typ is '%s'", show(type).text);
        return JWT_WRONG_TYP;
    }
    return judge_algorithm(algorithm, rules, &out->algorithm, err);
}

/* ---- the signature */

static enum jwt_verdict try_keys(const struct header *header, const struct keyring *keyring,
                                 struct str input, struct str signature, struct err *err)
{
    const struct key *keys[KEYRING_TRIED_MAX];
    size_t count = keyring_select(keyring, header->algorithm, header->kid, keys);

    if (count == 0) {
        if (str_is_set(header->kid))
            err_set(err, "alg is %s, kid is '%s'", key_algorithm_name(header->algorithm),
                    show(header->kid).text);
        else
            err_set(err, "alg is %s, without kid", key_algorithm_name(header->algorithm));
        return JWT_NO_KEY;
    }
    for (size_t i = 0; i < count; i++)
        if (key_verify(keys[i], input, signature))
            return JWT_VALID;
    err_set(err, "%zu %s key%s tried", count, key_algorithm_name(header->algorithm),
            count == 1 ? " was" : "s were");
    return JWT_BAD_SIGNATURE;
}

static enum jwt_verdict judge_signature(const struct header *header, const struct keyring *keyring,
                                        const struct parts *parts, struct err *err)
{
    enum jwt_verdict verdict;
    struct buf signature;

    buf_init(&signature, parts->signature.len + 8);
    verdict = decode(parts->signature, "signature", &signature, err);
    if (verdict == JWT_VALID)
        verdict = try_keys(header, keyring, parts->signed_input, buf_str(&signature), err);
    buf_free(&signature);
    return verdict;
}

/* ---- the claims (RFC 7519, section 4.1): what they are */

static const int64_t time_none = -1;

struct times {
    int64_t expires_ms, not_before_ms, issued_ms; /* time_none: it is not there */
};

/* A NumericDate, with a fraction or not (RFC 7519, section 2), to the nearest millisecond. */
static bool read_time(struct json_object *payload, const char *name, int64_t *out_ms,
                      struct err *err)
{
    bool is_there;
    struct json_object *value = strictjson_member(payload, name, &is_there);
    double time_s;

    *out_ms = time_none;
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
static bool read_times(struct json_object *payload, struct times *out, struct err *err)
{
    return read_time(payload, "exp", &out->expires_ms, err) &&
           read_time(payload, "nbf", &out->not_before_ms, err) &&
           read_time(payload, "iat", &out->issued_ms, err);
}

static bool list_holds(const struct settings_list *list, struct str text)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_equal(str_from(list->items[i]), text))
            return true;
    return false;
}

/* A string or an array of strings (RFC 7519, section 4.1.3). */
static bool read_audience(struct json_object *payload, const struct settings_list *ours,
                          bool *is_ours, struct err *err)
{
    bool is_there;
    struct json_object *value = strictjson_member(payload, "aud", &is_there);
    bool is_array = json_object_is_type(value, json_type_array);
    size_t count = is_array ? json_object_array_length(value) : is_there;

    *is_ours = ours->count == 0;
    for (size_t i = 0; i < count; i++) {
        struct str item = strictjson_string(is_array ? json_object_array_get_idx(value, i) : value);

        if (!str_is_set(item)) {
            err_set(err, "aud is neither a string nor an array of strings");
            return false;
        }
        *is_ours = *is_ours || list_holds(ours, item);
    }
    return true;
}

static bool read_session(struct json_object *payload, const char *name, struct str *out,
                         struct err *err)
{
    const struct string_member member = {name, out};

    if (name == NULL)
        return true;
    if (!read_strings(payload, &member, 1, err))
        return false;
    if (!str_is_set(*out) || (out->len > 0 && out->len <= SESSION_MAX_BYTES))
        return true;
    err_set(err, "%s has %zu bytes, but must have 1 to %d", name, out->len, SESSION_MAX_BYTES);
    return false;
}

/* ---- the claims: what they say */

static enum jwt_verdict judge_times(const struct times *times, const struct jwt_rules *rules,
                                    int64_t now_ms)
{
    int64_t leeway_ms = rules->leeway_s * 1000;

    if (times->expires_ms == time_none)
        return JWT_NO_EXPIRY;
    if (now_ms >= times->expires_ms + leeway_ms)
        return JWT_EXPIRED;
    if (times->not_before_ms != time_none && now_ms < times->not_before_ms - leeway_ms)
        return JWT_NOT_YET_VALID;
    return JWT_VALID;
}

static enum jwt_verdict judge_issuer(const struct jwt_rules *rules, struct str issuer,
                                     struct err *err)
{
    if (rules->issuers.count == 0 || (str_is_set(issuer) && list_holds(&rules->issuers, issuer)))
        return JWT_VALID;
    if (str_is_set(issuer))
        err_set(err, "iss is '%s'", show(issuer).text);
    return JWT_WRONG_ISSUER;
}

static enum jwt_verdict judge_claims(const struct jwt_rules *rules, int64_t now_ms,
                                     struct jwt_claims *claims, struct err *err)
{
    struct json_object *payload = claims->payload;
    struct str id;
    const struct string_member strings[] = {
        {"iss", &claims->issuer}, {"sub", &claims->subject}, {"jti", &id}};
    struct times times;
    enum jwt_verdict verdict;
    bool is_audience;

    if (!read_strings(payload, strings, ARRAY_LENGTH(strings), err) ||
        !read_times(payload, &times, err) ||
        !read_audience(payload, &rules->audiences, &is_audience, err) ||
        !read_session(payload, rules->session_claim, &claims->session, err))
        return JWT_CLAIM_TYPE;
    claims->expires_ms = times.expires_ms;
    verdict = judge_times(&times, rules, now_ms);
    if (verdict == JWT_VALID)
        verdict = judge_issuer(rules, claims->issuer, err);
    if (verdict != JWT_VALID)
        return verdict;
    if (!is_audience)
        return JWT_WRONG_AUDIENCE;
    if (claims->subject.len == 0)
        return JWT_NO_SUBJECT;
    if (rules->session_required && !str_is_set(claims->session))
        return JWT_NO_SESSION;
    return JWT_VALID;
}

/* ---- the whole */

static enum jwt_verdict verify_signed(const struct parts *parts, const struct keyring *keyring,
                                      const struct jwt_rules *rules, struct err *err)
{
    struct json_object *object = NULL;
    struct header header;
    enum jwt_verdict verdict =
        decode_object(parts->header, "header", JWT_HEADER_NOT_JSON, &object, err);

    if (verdict == JWT_VALID)
        verdict = judge_header(object, rules, &header, err);
    if (verdict == JWT_VALID)
        verdict = judge_signature(&header, keyring, parts, err);
    json_object_put(object);
    return verdict;
}

enum jwt_verdict jwt_verify(struct str token, const struct keyring *keyring,
                            const struct jwt_rules *rules, int64_t now_ms,
                            struct jwt_claims *claims, struct err *err)
{
    struct parts parts;
    enum jwt_verdict verdict = split(token, rules->max_bytes, &parts);

    *claims = (struct jwt_claims){.payload = NULL};
    err_clear(err);
    if (verdict == JWT_VALID)
        verdict = verify_signed(&parts, keyring, rules, err);
    if (verdict == JWT_VALID)
        verdict =
            decode_object(parts.payload, "claims", JWT_PAYLOAD_NOT_JSON, &claims->payload, err);
    if (verdict == JWT_VALID)
        verdict = judge_claims(rules, now_ms, claims, err);
    if (verdict != JWT_VALID)
        jwt_claims_free(claims);
    return verdict;
}

void jwt_claims_free(struct jwt_claims *claims)
{
    json_object_put(claims->payload);
    *claims = (struct jwt_claims){.payload = NULL};
}

/* ---- minting */

static bool append_header(enum key_algorithm algorithm, struct str kid, struct buf *out)
{
    struct json_object *header = json_object_new_object();
    const char *text = NULL;
    bool good = header != NULL;

    good = good && json_object_object_add(header, "typ", json_object_new_string("JWT")) == 0 &&
           json_object_object_add(header, "alg",
                                  json_object_new_string(key_algorithm_name(algorithm))) == 0;
    if (good && str_is_set(kid))
        good = json_object_object_add(header, "kid",
                                      json_object_new_string_len(kid.data, (int)kid.len)) == 0;
    if (good)
        text = json_object_to_json_string_ext(header, JSON_C_TO_STRING_PLAIN);
    if (text != NULL)
        base64url_encode(str_from(text), out);
    json_object_put(header);
    return text != NULL && buf_is_good(out);
}

bool jwt_mint(struct signer *signer, struct str kid, struct str payload, struct buf *out)
{
    struct buf signature;
    size_t start = out->len;
    bool good = append_header(signer_algorithm(signer), kid, out);

    buf_init(&signature, KEY_RSA_MAX_BITS / 8);
    buf_append_byte(out, '.');
    base64url_encode(payload, out);
    good = good && buf_is_good(out) &&
           signer_sign(signer, (struct str){out->data + start, out->len - start}, &signature);
    buf_append_byte(out, '.');
    base64url_encode(buf_str(&signature), out);
    buf_free(&signature);
    return good && buf_is_good(out);
}
