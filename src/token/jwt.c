#include "token/jwt.h"

#include <json-c/json.h>
#include <math.h>

#include "base/base64url.h"
#include "base/buf.h"
#include "format/strictjson.h"

enum { SESSION_MAX_BYTES = 255 };

/* 9999-12-31T23:59:59Z (RFC 3339 ends there). */
static const double time_max_s = 253402300799.0;

#define INVALID "The access token is invalid"

static const struct jwt_reason reasons[JWT__MAX] = {
    [JWT_VALID] = {"valid", "the token is valid", "The access token is valid"},
    [JWT_TOO_LONG] = {"too_long", "the token is longer than token.max_bytes", INVALID},
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
    [JWT_NESTED] = {"nested", "the header has cty: a token inside the token", INVALID},
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
    [JWT_CLAIM_TYPE] = {"claim_type", "a claim has the wrong type or is out of range", INVALID},
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

static enum jwt_verdict parse_object(struct str encoded, enum jwt_verdict otherwise,
                                     struct json_object **out, struct err *err)
{
    enum strictjson_result result;
    enum jwt_verdict verdict = JWT_NOT_BASE64URL;
    struct buf text;

    *out = NULL;
    buf_init(&text, encoded.len + 8);
    if (base64url_decode(encoded, &text)) {
        result = strictjson_parse(buf_str(&text), out, NULL);
        verdict = JWT_VALID;
        if (result == STRICTJSON_OUT_OF_MEMORY)
            verdict = JWT_OUT_OF_MEMORY;
        else if (result != STRICTJSON_OK || !json_object_is_type(*out, json_type_object)) {
            err_set(err, "it %s",
                    result == STRICTJSON_OK ? "is no object" : strictjson_text(result));
            verdict = otherwise;
        }
    }
    buf_free_secret(&text);
    if (verdict != JWT_VALID) {
        json_object_put(*out);
        *out = NULL;
    }
    return verdict;
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
    {"zip", JWT_COMPRESSED},   {"cty", JWT_NESTED},
};

static enum jwt_verdict judge_refused(struct json_object *header, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LENGTH(refused_parameters); i++) {
        bool is_there;

        (void)strictjson_member(header, refused_parameters[i].parameter, &is_there);
        if (!is_there)
            continue;
        err_set(err, "the header parameter %s", refused_parameters[i].parameter);
        return refused_parameters[i].verdict;
    }
    return JWT_VALID;
}

/* A string where it is there at all; STR_NONE where it is not. */
static bool optional_string(struct json_object *object, const char *name, struct str *out)
{
    bool is_there;
    struct json_object *value = strictjson_member(object, name, &is_there);

    *out = is_there ? strictjson_string(value) : STR_NONE;
    return !is_there || str_is_set(*out);
}

/* RFC 7515, section 4.1.9: the prefix application/ may be left out; media types know no case. */
static bool typ_is_good(struct str typ)
{
    static const struct str good[] = {STR("JWT"), STR("at+jwt"), STR("application/jwt"),
                                      STR("application/at+jwt")};

    if (!str_is_set(typ))
        return true;
    for (size_t i = 0; i < ARRAY_LENGTH(good); i++)
        if (str_equal_nocase(typ, good[i]))
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
    if (!key_algorithm_from_name(name, out)) {
        err_set(err, "alg is '%.*s'", STR_ARGS(name));
        return JWT_ALGORITHM_UNKNOWN;
    }
    return rules->allowed[*out] ? JWT_VALID : JWT_ALGORITHM_NOT_ALLOWED;
}

static enum jwt_verdict judge_header(struct json_object *object, const struct jwt_rules *rules,
                                     struct header *out, struct err *err)
{
    struct str typ, algorithm;
    enum jwt_verdict verdict;

    if (!optional_string(object, "alg", &algorithm) || !optional_string(object, "typ", &typ) ||
        !optional_string(object, "kid", &out->kid))
        return JWT_HEADER_TYPE;
    verdict = judge_refused(object, err);
    if (verdict != JWT_VALID)
        return verdict;
    if (!typ_is_good(typ)) {
        err_set(err, "typ is '%.*s'", STR_ARGS(typ));
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
        err_set(err, "alg %s, kid '%.*s'", key_algorithm_name(header->algorithm),
                STR_ARGS(str_is_set(header->kid) ? header->kid : STR("")));
        return JWT_NO_KEY;
    }
    for (size_t i = 0; i < count; i++)
        if (key_verify(keys[i], input, signature))
            return JWT_VALID;
    err_set(err, "%zu keys of %s were tried", count, key_algorithm_name(header->algorithm));
    return JWT_BAD_SIGNATURE;
}

static enum jwt_verdict judge_signature(const struct header *header, const struct keyring *keyring,
                                        const struct parts *parts, struct err *err)
{
    enum jwt_verdict verdict = JWT_NOT_BASE64URL;
    struct buf signature;

    buf_init(&signature, parts->signature.len + 8);
    if (base64url_decode(parts->signature, &signature))
        verdict = try_keys(header, keyring, parts->signed_input, buf_str(&signature), err);
    buf_free(&signature);
    return verdict;
}

/* ---- the claims (RFC 7519, section 4.1) */

static enum jwt_verdict bad_claim(const char *name, const char *what, struct err *err)
{
    err_set(err, "the claim %s %s", name, what);
    return JWT_CLAIM_TYPE;
}

/* A NumericDate, with a fraction or not (RFC 7519, section 2), as milliseconds. */
static enum jwt_verdict read_time(struct json_object *payload, const char *name, bool *is_there,
                                  int64_t *out_ms, struct err *err)
{
    struct json_object *value = strictjson_member(payload, name, is_there);
    double time_s;

    if (!*is_there)
        return JWT_VALID;
    if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
        return bad_claim(name, "is not a number", err);
    time_s = json_object_get_double(value);
    if (!(time_s >= 0 && time_s <= time_max_s))
        return bad_claim(name, "is not a time between 1970 and 9999", err);
    *out_ms = (int64_t)floor(time_s * 1000);
    return JWT_VALID;
}

static enum jwt_verdict judge_times(struct json_object *payload, const struct jwt_rules *rules,
                                    int64_t now_ms, int64_t *expires_ms, struct err *err)
{
    int64_t leeway_ms = rules->leeway_s * 1000, not_before_ms = 0, issued_ms = 0;
    bool has_exp, has_nbf, has_iat;
    enum jwt_verdict verdict = read_time(payload, "exp", &has_exp, expires_ms, err);

    if (verdict == JWT_VALID)
        verdict = read_time(payload, "nbf", &has_nbf, &not_before_ms, err);
    if (verdict == JWT_VALID)
        verdict = read_time(payload, "iat", &has_iat, &issued_ms, err);
    if (verdict != JWT_VALID)
        return verdict;
    if (!has_exp)
        return JWT_NO_EXPIRY;
    if (now_ms >= *expires_ms + leeway_ms)
        return JWT_EXPIRED;
    return has_nbf && now_ms < not_before_ms - leeway_ms ? JWT_NOT_YET_VALID : JWT_VALID;
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
        err_set(err, "iss is '%.*s'", STR_ARGS(issuer));
    return JWT_WRONG_ISSUER;
}

/* A string or an array of strings (RFC 7519, section 4.1.3). */
static enum jwt_verdict judge_audience(struct json_object *payload, const struct jwt_rules *rules,
                                       struct err *err)
{
    bool is_there, is_ours = rules->audiences.count == 0;
    struct json_object *value = strictjson_member(payload, "aud", &is_there);
    bool is_array = json_object_is_type(value, json_type_array);
    size_t count = is_array ? json_object_array_length(value) : is_there;

    for (size_t i = 0; i < count; i++) {
        struct str item = strictjson_string(is_array ? json_object_array_get_idx(value, i) : value);

        if (!str_is_set(item))
            return bad_claim("aud", "is neither a string nor an array of strings", err);
        is_ours = is_ours || list_holds(&rules->audiences, item);
    }
    return is_ours ? JWT_VALID : JWT_WRONG_AUDIENCE;
}

static enum jwt_verdict judge_session(struct json_object *payload, const struct jwt_rules *rules,
                                      struct str *out, struct err *err)
{
    if (rules->session_claim == NULL)
        return JWT_VALID;
    if (!optional_string(payload, rules->session_claim, out))
        return bad_claim(rules->session_claim, "is not a string", err);
    if (!str_is_set(*out))
        return rules->session_required ? JWT_NO_SESSION : JWT_VALID;
    if (out->len == 0 || out->len > SESSION_MAX_BYTES)
        return bad_claim(rules->session_claim, "is empty or too long", err);
    return JWT_VALID;
}

static enum jwt_verdict read_strings(struct json_object *payload, struct jwt_claims *claims,
                                     struct err *err)
{
    struct str id;

    if (!optional_string(payload, "iss", &claims->issuer))
        return bad_claim("iss", "is not a string", err);
    if (!optional_string(payload, "sub", &claims->subject))
        return bad_claim("sub", "is not a string", err);
    if (!optional_string(payload, "jti", &id))
        return bad_claim("jti", "is not a string", err);
    return JWT_VALID;
}

static enum jwt_verdict judge_claims(const struct jwt_rules *rules, int64_t now_ms,
                                     struct jwt_claims *claims, struct err *err)
{
    struct json_object *payload = claims->payload;
    enum jwt_verdict verdict = read_strings(payload, claims, err);

    if (verdict == JWT_VALID)
        verdict = judge_times(payload, rules, now_ms, &claims->expires_ms, err);
    if (verdict == JWT_VALID)
        verdict = judge_issuer(rules, claims->issuer, err);
    if (verdict == JWT_VALID)
        verdict = judge_audience(payload, rules, err);
    if (verdict == JWT_VALID && claims->subject.len == 0)
        verdict = JWT_NO_SUBJECT;
    if (verdict == JWT_VALID)
        verdict = judge_session(payload, rules, &claims->session, err);
    return verdict;
}

/* ---- the whole */

static enum jwt_verdict verify_signed(const struct parts *parts, const struct keyring *keyring,
                                      const struct jwt_rules *rules, struct err *err)
{
    struct json_object *object = NULL;
    struct header header;
    enum jwt_verdict verdict = parse_object(parts->header, JWT_HEADER_NOT_JSON, &object, err);

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
        verdict = parse_object(parts.payload, JWT_PAYLOAD_NOT_JSON, &claims->payload, err);
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
