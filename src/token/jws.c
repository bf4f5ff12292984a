#include "token/jws.h"

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

/* The parameters that are read: each a string where it is there. */
enum parameter { ALGORITHM, TYPE, CONTENT_TYPE, KEY_ID, PARAMETER__MAX };

static const struct str parameter_names[PARAMETER__MAX] = {
    [ALGORITHM] = STR("alg"),
    [TYPE] = STR("typ"),
    [CONTENT_TYPE] = STR("cty"),
    [KEY_ID] = STR("kid"),
};

/* None of these is needed by what we understand, and each has let forged tokens in somewhere. */
static const struct refused {
    struct str parameter;
    enum jwt_verdict verdict; /* where it is there */
} refused[] = {
    {STR("crit"), JWT_CRITICAL},    {STR("b64"), JWT_UNENCODED},    {STR("jwk"), JWT_EMBEDDED_KEY},
    {STR("jku"), JWT_EMBEDDED_KEY}, {STR("x5c"), JWT_EMBEDDED_KEY}, {STR("x5u"), JWT_EMBEDDED_KEY},
    {STR("zip"), JWT_COMPRESSED},
};

/* What the header says. */
struct header {
    struct buf text, room;            /* the JSON, and what its escapes were resolved into */
    struct str value[PARAMETER__MAX]; /* borrowed from them; STR_NONE: it is not there */
    const struct str *not_string;     /* the name of a parameter; NULL: each is what it has to be */
    const struct refused *refused;    /* the first of the table that is there; NULL: none */
    enum key_algorithm algorithm;
};

static bool read_parameter(struct header *header, enum parameter which,
                           const struct strictjson_value *value)
{
    if (value->kind == STRICTJSON_STRING)
        return strictjson_resolve(value->text, &header->room, &header->value[which]);
    header->not_string = &parameter_names[which];
    return true;
}

static bool visit_parameter(void *context, struct str name, const struct strictjson_value *value)
{
    struct header *header = context;

    for (size_t i = 0; i < PARAMETER__MAX; i++)
        if (str_equal(name, parameter_names[i]))
            return read_parameter(header, (enum parameter)i, value);
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++)
        if (str_equal(name, refused[i].parameter) &&
            (header->refused == NULL || &refused[i] < header->refused))
            header->refused = &refused[i];
    return true;
}

static enum jwt_verdict read_header(struct str encoded, struct header *header, struct err *err)
{
    const struct strictjson_visitor visitor = {.item = visit_parameter, .context = header};
    enum strictjson_result result;
    enum jwt_verdict verdict = decode(encoded, "header", &header->text, err);

    if (verdict != JWT_VALID)
        return verdict;
    header->room.max = header->text.len;
    result = strictjson_scan_object(buf_str(&header->text), &visitor, NULL);
    if (result == STRICTJSON_OK)
        return JWT_VALID;
    if (result == STRICTJSON_OUT_OF_MEMORY)
        return JWT_OUT_OF_MEMORY;
    err_set(err, "it %s", strictjson_text(result));
    return JWT_HEADER_NOT_JSON;
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

static enum jwt_verdict judge_algorithm(struct header *header, const struct jwt_rules *rules,
                                        struct err *err)
{
    struct str name = header->value[ALGORITHM];

    if (str_equal_nocase(name, STR("none")))
        return JWT_ALGORITHM_NONE;
    if (key_algorithm_from_name(name, &header->algorithm) && rules->allowed[header->algorithm])
        return JWT_VALID;
    if (str_is_set(name))
        err_set(err, "alg is '%s'", shown(name).text);
    return key_algorithm_from_name(name, &header->algorithm) ? JWT_ALGORITHM_NOT_ALLOWED
                                                             : JWT_ALGORITHM_UNKNOWN;
}

static enum jwt_verdict judge_header(struct header *header, const struct jwt_rules *rules,
                                     struct err *err)
{
    struct str type = header->value[TYPE];

    if (header->not_string != NULL) {
        err_set(err, "%.*s is not a string", STR_ARGS(*header->not_string));
        return JWT_HEADER_TYPE;
    }
    if (header->refused != NULL) {
        err_set(err, "it is %.*s", STR_ARGS(header->refused->parameter));
        return header->refused->verdict;
    }
    if (is_jwt_type(header->value[CONTENT_TYPE]))
        return JWT_NESTED;
    if (str_is_set(type) && !is_jwt_type(type)) {
        err_set(err, "typ is '%s'", shown(type).text);
        return JWT_WRONG_TYP;
    }
    return judge_algorithm(header, rules, err);
}

/* ---- the signature */

static enum jwt_verdict say_no_key(const struct header *header, struct err *err)
{
    const char *algorithm = key_algorithm_name(header->algorithm);

    if (str_is_set(header->value[KEY_ID]))
        err_set(err, "alg is %s, kid is '%s'", algorithm, shown(header->value[KEY_ID]).text);
    else
        err_set(err, "alg is %s, without kid", algorithm);
    return JWT_NO_KEY;
}

/* What is to be verified. */
struct signing {
    struct str input, signature;
    struct known_token *known; /* NULL: nobody is asked */
};

static bool is_known(struct known_token *known, const struct known_signature *signature)
{
    known->was_known = known->by->has(known->by->context, signature);
    return known->was_known;
}

static enum jwt_verdict verify(const struct key *key, const struct signing *signing)
{
    struct known_token *known = signing->known;
    struct known_signature signature;
    enum jwt_verdict verdict;

    if (known == NULL || !key_digest(key, signature.key))
        return key_verify(key, signing->input, signing->signature);
    signature.algorithm = key_algorithm_name(key_algorithm(key));
    signature.token = known->digest;
    if (is_known(known, &signature))
        return JWT_VALID;
    verdict = key_verify(key, signing->input, signing->signature);
    if (verdict == JWT_VALID)
        known->by->add(known->by->context);
    return verdict;
}

/* The same key may be there twice, once with an end: so the search ends only at one without. */
static enum jwt_verdict find_key(const struct key *const *keys, size_t count,
                                 const struct signing *signing, int64_t *end_ms)
{
    enum jwt_verdict found = JWT_BAD_SIGNATURE;

    *end_ms = INT64_MIN;
    for (size_t i = 0; i < count && *end_ms < INT64_MAX; i++) {
        enum jwt_verdict verdict;

        if (key_end_ms(keys[i]) <= *end_ms)
            continue;
        verdict = verify(keys[i], signing);
        if (verdict == JWT_OUT_OF_MEMORY)
            return verdict;
        if (verdict != JWT_VALID)
            continue;
        found = verdict;
        *end_ms = key_end_ms(keys[i]);
    }
    return found;
}

static enum jwt_verdict try_keys(const struct header *header, const struct keyring *keyring,
                                 const struct signing *signing, int64_t *end_ms, struct err *err)
{
    const struct key *keys[KEYRING_TRIED_MAX];
    size_t count = keyring_select(keyring, header->algorithm, header->value[KEY_ID], keys);
    enum jwt_verdict verdict;

    if (count == 0)
        return say_no_key(header, err);
    verdict = find_key(keys, count, signing, end_ms);
    if (verdict == JWT_BAD_SIGNATURE)
        err_set(err, "%zu %s key%s tried", count, key_algorithm_name(header->algorithm),
                count == 1 ? " was" : "s were");
    return verdict;
}

static enum jwt_verdict judge_signature(const struct header *header, const struct keyring *keyring,
                                        const struct parts *parts, struct known_token *known,
                                        int64_t *end_ms, struct err *err)
{
    struct signing signing = {.input = parts->signed_input, .known = known};
    enum jwt_verdict verdict;
    struct buf signature;

    buf_init(&signature, parts->signature.len + 8);
    verdict = decode(parts->signature, "signature", &signature, err);
    signing.signature = buf_str(&signature);
    if (verdict == JWT_VALID)
        verdict = try_keys(header, keyring, &signing, end_ms, err);
    buf_free(&signature);
    return verdict;
}

/* ---- the whole */

static void header_init(struct header *header, struct str encoded)
{
    *header = (struct header){.not_string = NULL};
    buf_init(&header->text, encoded.len + 8);
    buf_init(&header->room, 0);
}

static void header_free(struct header *header)
{
    buf_free(&header->text);
    buf_free(&header->room);
}

enum jwt_verdict jws_open(struct str token, const struct keyring *keyring,
                          const struct jwt_rules *rules, struct known_token *known,
                          struct buf *payload, int64_t *end_ms, struct err *err)
{
    struct header header;
    struct parts parts;
    enum jwt_verdict verdict = split(token, rules->max_bytes, &parts);

    if (verdict != JWT_VALID)
        return verdict;
    header_init(&header, parts.header);
    verdict = read_header(parts.header, &header, err);
    if (verdict == JWT_VALID)
        verdict = judge_header(&header, rules, err);
    if (verdict == JWT_VALID)
        verdict = judge_signature(&header, keyring, &parts, known, end_ms, err);
    if (verdict == JWT_VALID)
        verdict = decode(parts.payload, "payload", payload, err);
    header_free(&header);
    return verdict;
}

bool jws_payload(struct str token, struct buf *out)
{
    struct str rest = token;

    (void)str_cut(&rest, '.');
    return base64url_decode(str_cut(&rest, '.'), out);
}
