#include "token/jwk.h"

#include <json-c/json.h>

#include "base/base64url.h"
#include "base/buf.h"
#include "format/jsonnumber.h"
#include "format/strictjson.h"
#include "token/hmac.h"
#include "token/rsa.h"

/* The last millisecond of the year 9999, as with the claims. */
static const int64_t end_max_ms = INT64_C(253402300799999);

/* The members that are looked at. */
enum member {
    TYPE,
    KEY_ID,
    USE,
    OPERATIONS,
    ALGORITHM,
    END,
    MODULUS,
    EXPONENT,
    SECRET,
    MEMBER__MAX
};

static const struct str member_names[MEMBER__MAX] = {
    [TYPE] = STR("kty"),           [KEY_ID] = STR("kid"),    [USE] = STR("use"),
    [OPERATIONS] = STR("key_ops"), [ALGORITHM] = STR("alg"), [END] = STR("exp"),
    [MODULUS] = STR("n"),          [EXPONENT] = STR("e"),    [SECRET] = STR("k"),
};

/* What no public RSA key has, and from each of which the private one can be had. */
static const struct str private_names[] = {STR("d"),  STR("p"),  STR("q"),  STR("dp"),
                                           STR("dq"), STR("qi"), STR("oth")};

/* A JWK as it is read. */
struct jwk {
    bool is_there[MEMBER__MAX];
    struct strictjson_value value[MEMBER__MAX]; /* of what is there */
    struct str text[MEMBER__MAX];               /* of strings; else STR_NONE */
    bool is_private;
    struct buf room; /* what escapes were resolved into */
};

static enum jwk_result refuse(enum jwk_result result, const char *why, struct err *err)
{
    err_set(err, "%s", why);
    return result;
}

static bool take(struct jwk *jwk, enum member which, const struct strictjson_value *value)
{
    jwk->is_there[which] = true;
    jwk->value[which] = *value;
    return value->kind != STRICTJSON_STRING ||
           strictjson_resolve(value->text, &jwk->room, &jwk->text[which]);
}

static bool visit_member(void *context, struct str name, const struct strictjson_value *value)
{
    struct jwk *jwk = context;

    for (size_t i = 0; i < MEMBER__MAX; i++)
        if (str_equal(name, member_names[i]))
            return take(jwk, (enum member)i, value);
    for (size_t i = 0; i < ARRAY_LENGTH(private_names); i++)
        jwk->is_private = jwk->is_private || str_equal(name, private_names[i]);
    return true;
}

static enum jwk_result read_members(struct str text, struct jwk *jwk, struct err *err)
{
    const struct strictjson_visitor visitor = {.item = visit_member, .context = jwk};
    enum strictjson_result result = strictjson_scan_object(text, &visitor, NULL);

    if (result == STRICTJSON_OK)
        return JWK_OK;
    if (result == STRICTJSON_OUT_OF_MEMORY)
        return refuse(JWK_OUT_OF_MEMORY, "out of memory", err);
    err_set(err, "it %s", strictjson_text(result));
    return JWK_DEFECTIVE;
}

/* ---- what it is for (RFC 7517, section 4) */

static bool is_text_where_it_is_there(const struct jwk *jwk, enum member which, struct err *err)
{
    if (!jwk->is_there[which] || str_is_set(jwk->text[which]))
        return true;
    err_set(err, "its %.*s is not a string", STR_ARGS(member_names[which]));
    return false;
}

static bool find_verify(void *context, struct str name, const struct strictjson_value *value)
{
    bool *found = context;

    (void)name; /* no operation that is registered needs an escape */
    *found = *found || (value->kind == STRICTJSON_STRING && str_equal(value->text, STR("verify")));
    return true;
}

/* Section 4.3. */
static enum jwk_result judge_operations(const struct strictjson_value *operations, struct err *err)
{
    bool found = false;
    const struct strictjson_visitor visitor = {.item = find_verify, .context = &found};

    if (operations->kind != STRICTJSON_ARRAY)
        return refuse(JWK_DEFECTIVE, "its key_ops is not an array", err);
    if (strictjson_scan(operations->text, &visitor, NULL, NULL) != STRICTJSON_OK)
        return refuse(JWK_OUT_OF_MEMORY, "out of memory", err);
    return found ? JWK_OK : refuse(JWK_NOT_FOR_US, "its key_ops has no verify", err);
}

/* Sections 4.2 and 4.3: what is said of the key's use has to allow that it verifies. */
static enum jwk_result judge_use(const struct jwk *jwk, struct err *err)
{
    if (!is_text_where_it_is_there(jwk, USE, err))
        return JWK_DEFECTIVE;
    if (jwk->is_there[USE] && !str_equal(jwk->text[USE], STR("sig")))
        return refuse(JWK_NOT_FOR_US, "its use is not sig", err);
    return jwk->is_there[OPERATIONS] ? judge_operations(&jwk->value[OPERATIONS], err) : JWK_OK;
}

/* Section 4.4: where alg is left out, the type of the key decides. */
static enum jwk_result judge_algorithm(const struct jwk *jwk, enum key_algorithm only,
                                       struct err *err)
{
    const char *name = key_algorithm_name(only);

    if (!is_text_where_it_is_there(jwk, ALGORITHM, err))
        return JWK_DEFECTIVE;
    if (!jwk->is_there[ALGORITHM] || str_equal(jwk->text[ALGORITHM], str_from(name)))
        return JWK_OK;
    err_set(err, "its alg is not %s", name);
    return JWK_NOT_FOR_US;
}

/* ---- what it is made of (RFC 7518, section 6) */

/* The buffer is empty, and its cap is the limit. */
static enum jwk_result decode(const struct jwk *jwk, enum member which, struct buf *out,
                              struct err *err)
{
    struct str text = jwk->text[which], name = member_names[which];

    if (text.len / 4 * 3 + 2 > out->max) {
        err_set(err, "its %.*s is too long", STR_ARGS(name));
        return JWK_DEFECTIVE;
    }
    if (text.len > 0 && base64url_decode(text, out))
        return JWK_OK;
    if (!buf_is_good(out))
        return refuse(JWK_OUT_OF_MEMORY, "out of memory", err);
    err_set(err, "its %.*s is missing, or not canonical base64url", STR_ARGS(name));
    return JWK_DEFECTIVE;
}

/* What was judged to be good makes a key, unless memory is short. */
static enum jwk_result made(const struct key *key)
{
    return key == NULL ? JWK_OUT_OF_MEMORY : JWK_OK;
}

static enum jwk_result read_rsa(const struct jwk *jwk, struct key **out, struct err *err)
{
    struct buf modulus, exponent;
    enum jwk_result result;

    if (jwk->is_private)
        return refuse(JWK_DEFECTIVE,
                      "it is a private key, which belongs to the issuer alone: take the members d, "
                      "p, q, dp, dq, qi and oth out",
                      err);
    buf_init(&modulus, RSA_MAX_BITS / 4);
    buf_init(&exponent, RSA_MAX_BITS / 8);
    result = decode(jwk, MODULUS, &modulus, err);
    if (result == JWK_OK)
        result = decode(jwk, EXPONENT, &exponent, err);
    if (result == JWK_OK && !rsa_is_good(buf_str(&modulus), buf_str(&exponent), err))
        result = JWK_DEFECTIVE;
    if (result == JWK_OK) {
        *out = key_from_numbers(buf_str(&modulus), buf_str(&exponent), jwk->text[KEY_ID], err);
        result = made(*out);
    }
    buf_free(&modulus);
    buf_free(&exponent);
    return result;
}

static enum jwk_result read_secret(const struct jwk *jwk, struct key **out, struct err *err)
{
    struct buf secret;
    enum jwk_result result;

    buf_init(&secret, HMAC_SECRET_MAX_BYTES + 8);
    result = decode(jwk, SECRET, &secret, err);
    if (result == JWK_OK && !hmac_is_good_secret(buf_str(&secret), err))
        result = JWK_DEFECTIVE;
    if (result == JWK_OK) {
        *out = key_from_secret(buf_str(&secret), jwk->text[KEY_ID], err);
        result = made(*out);
    }
    buf_free_secret(&secret);
    return result;
}

static const struct key_type {
    struct str name;
    enum key_algorithm algorithm;
    enum jwk_result (*read)(const struct jwk *jwk, struct key **out, struct err *err);
} key_types[] = {
    {STR("RSA"), KEY_RS256, read_rsa},
    {STR("oct"), KEY_HS256, read_secret},
};

static const struct key_type *find_type(struct str name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(key_types); i++)
        if (str_equal(name, key_types[i].name))
            return &key_types[i];
    return NULL;
}

/* ---- the whole */

static enum jwk_result judge_end(const struct jwk *jwk, int64_t *end_ms, struct err *err)
{
    const struct strictjson_value *end = &jwk->value[END];

    *end_ms = INT64_MAX;
    if (!jwk->is_there[END] ||
        (end->kind == STRICTJSON_NUMBER && jsonnumber_thousandths(end->text, end_max_ms, end_ms)))
        return JWK_OK;
    return refuse(JWK_DEFECTIVE, "its exp is not a time within the years 1970 to 9999", err);
}

static enum jwk_result judge(const struct jwk *jwk, const struct key_type **type, struct err *err)
{
    enum jwk_result result;

    if (!is_text_where_it_is_there(jwk, KEY_ID, err))
        return JWK_DEFECTIVE;
    if (jwk->text[KEY_ID].len > KEY_ID_MAX_BYTES) {
        err_set(err, "its kid is longer than %d bytes", KEY_ID_MAX_BYTES);
        return JWK_DEFECTIVE;
    }
    if (!str_is_set(jwk->text[TYPE]))
        return refuse(JWK_DEFECTIVE, "its kty is missing, or not a string", err);
    *type = find_type(jwk->text[TYPE]);
    if (*type == NULL)
        return refuse(JWK_NOT_FOR_US, "its kty is neither RSA nor oct", err);
    result = judge_use(jwk, err);
    return result == JWK_OK ? judge_algorithm(jwk, (*type)->algorithm, err) : result;
}

static enum jwk_result read_key(const struct jwk *jwk, struct key **out, struct err *err)
{
    const struct key_type *type = NULL;
    int64_t end_ms = 0;
    enum jwk_result result = judge(jwk, &type, err);

    if (result == JWK_OK)
        result = judge_end(jwk, &end_ms, err);
    if (result == JWK_OK)
        result = type->read(jwk, out, err);
    if (result == JWK_OK)
        key_set_end_ms(*out, end_ms);
    return result;
}

enum jwk_result jwk_read(struct str text, struct key **out, struct jwk_fault *fault)
{
    struct jwk jwk = {.is_private = false};
    enum jwk_result result;

    *out = NULL;
    *fault = (struct jwk_fault){.has_kid = false};
    buf_init(&jwk.room, text.len);
    result = read_members(text, &jwk, &fault->why);
    if (result == JWK_OK)
        result = read_key(&jwk, out, &fault->why);
    fault->has_kid = str_is_set(jwk.text[KEY_ID]);
    fault->kid = shown(jwk.text[KEY_ID]);
    buf_free_secret(&jwk.room);
    return result;
}

/* ---- writing one */

static bool add_text(struct json_object *jwk, const char *name, struct str text)
{
    return json_object_object_add(jwk, name,
                                  json_object_new_string_len(text.data, (int)text.len)) == 0;
}

static bool add_end(struct json_object *jwk, int64_t end_ms)
{
    return end_ms == INT64_MAX ||
           json_object_object_add(jwk, "exp", json_object_new_int64((end_ms + 999) / 1000)) == 0;
}

static bool add_numbers(struct json_object *jwk, const struct key *key)
{
    struct buf modulus, exponent;
    bool good;

    buf_init(&modulus, RSA_MAX_BITS / 4);
    buf_init(&exponent, RSA_MAX_BITS / 8);
    good = key_numbers(key, &modulus, &exponent) && add_text(jwk, "n", buf_str(&modulus)) &&
           add_text(jwk, "e", buf_str(&exponent));
    buf_free(&modulus);
    buf_free(&exponent);
    return good;
}

struct json_object *jwk_new(const struct key *key, struct str kid, int64_t end_ms)
{
    struct json_object *jwk = json_object_new_object();

    if (jwk != NULL && add_text(jwk, "kty", STR("RSA")) &&
        (!str_is_set(kid) || add_text(jwk, "kid", kid)) &&
        add_text(jwk, "alg", str_from(key_algorithm_name(key_algorithm(key)))) &&
        add_text(jwk, "use", STR("sig")) && add_numbers(jwk, key) && add_end(jwk, end_ms))
        return jwk;
    json_object_put(jwk);
    return NULL;
}
