#include "token/jws.h"

#include <json-c/json.h>

#include "base/base64url.h"
#include "format/strictjson.h"
#include "token/shown.h"

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
        err_set(err, "alg is '%s'", shown(name).text);
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
    const struct strictjson_text_member texts[] = {
        {"alg", &algorithm}, {"typ", &type}, {"cty", &content}, {"kid", &out->kid}};
    const char *bad = strictjson_read_texts(object, texts, ARRAY_LENGTH(texts));
    enum jwt_verdict verdict;

    if (bad != NULL) {
        err_set(err, "%s is not a string", bad);
        return JWT_HEADER_TYPE;
    }
    verdict = judge_refused(object, err);
    if (verdict != JWT_VALID)
        return verdict;
    if (is_jwt_type(content))
        return JWT_NESTED;
    if (str_is_set(type) && !is_jwt_type(type)) {
        err_set(err, "typ is '%s'", shown(type).text);
        return JWT_WRONG_TYP;
    }
    return judge_algorithm(algorithm, rules, &out->algorithm, err);
}

/* ---- the signature */

static enum jwt_verdict say_no_key(const struct header *header, struct err *err)
{
    const char *algorithm = key_algorithm_name(header->algorithm);

    if (str_is_set(header->kid))
        err_set(err, "alg is %s, kid is '%s'", algorithm, shown(header->kid).text);
    else
        err_set(err, "alg is %s, without kid", algorithm);
    return JWT_NO_KEY;
}

/* The same key may be there twice, once with an end: so the search ends only at one without. */
static enum jwt_verdict try_keys(const struct header *header, const struct keyring *keyring,
                                 struct str input, struct str signature, int64_t *end_ms,
                                 struct err *err)
{
    const struct key *keys[KEYRING_TRIED_MAX];
    size_t count = keyring_select(keyring, header->algorithm, header->kid, keys);
    int64_t latest_ms = INT64_MIN;

    if (count == 0)
        return say_no_key(header, err);
    for (size_t i = 0; i < count && latest_ms < INT64_MAX; i++)
        if (key_end_ms(keys[i]) > latest_ms && key_verify(keys[i], input, signature))
            latest_ms = key_end_ms(keys[i]);
    *end_ms = latest_ms;
    if (latest_ms != INT64_MIN)
        return JWT_VALID;
    err_set(err, "%zu %s key%s tried", count, key_algorithm_name(header->algorithm),
            count == 1 ? " was" : "s were");
    return JWT_BAD_SIGNATURE;
}

static enum jwt_verdict judge_signature(const struct header *header, const struct keyring *keyring,
                                        const struct parts *parts, int64_t *end_ms, struct err *err)
{
    enum jwt_verdict verdict;
    struct buf signature;

    buf_init(&signature, parts->signature.len + 8);
    verdict = decode(parts->signature, "signature", &signature, err);
    if (verdict == JWT_VALID)
        verdict = try_keys(header, keyring, parts->signed_input, buf_str(&signature), end_ms, err);
    buf_free(&signature);
    return verdict;
}

/* ---- the whole */

static enum jwt_verdict read_header(struct str encoded, struct json_object **out, struct err *err)
{
    enum strictjson_result result;
    enum jwt_verdict verdict;
    struct buf text;

    *out = NULL;
    buf_init(&text, encoded.len + 8);
    verdict = decode(encoded, "header", &text, err);
    if (verdict == JWT_VALID) {
        result = strictjson_parse_object(buf_str(&text), out, NULL);
        if (result == STRICTJSON_OUT_OF_MEMORY)
            verdict = JWT_OUT_OF_MEMORY;
        else if (result != STRICTJSON_OK) {
            err_set(err, "it %s", strictjson_text(result));
            verdict = JWT_HEADER_NOT_JSON;
        }
    }
    buf_free(&text);
    return verdict;
}

enum jwt_verdict jws_open(struct str token, const struct keyring *keyring,
                          const struct jwt_rules *rules, struct buf *payload, int64_t *end_ms,
                          struct err *err)
{
    struct json_object *object = NULL;
    struct header header;
    struct parts parts;
    enum jwt_verdict verdict = split(token, rules->max_bytes, &parts);

    if (verdict == JWT_VALID)
        verdict = read_header(parts.header, &object, err);
    if (verdict == JWT_VALID)
        verdict = judge_header(object, rules, &header, err);
    if (verdict == JWT_VALID)
        verdict = judge_signature(&header, keyring, &parts, end_ms, err);
    if (verdict == JWT_VALID)
        verdict = decode(parts.payload, "payload", payload, err);
    json_object_put(object);
    return verdict;
}
