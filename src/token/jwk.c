#include "token/jwk.h"

#include <json-c/json.h>
#include <math.h>

#include "base/base64url.h"
#include "base/buf.h"
#include "format/jsonvalue.h"
#include "token/hmac.h"
#include "token/rsa.h"

/* 9999-12-31T23:59:59Z, as the claims have it. */
static const double end_max_s = 253402300799.0;

static enum jwk_result refuse(enum jwk_result result, const char *why, struct err *err)
{
    err_set(err, "%s", why);
    return result;
}

/* ---- what it is for (RFC 7517, section 4) */

static struct str text_of(struct json_object *jwk, const char *name)
{
    return jsonvalue_string(jsonvalue_member(jwk, name, NULL));
}

static bool list_has(struct json_object *list, struct str text)
{
    size_t count = json_object_array_length(list);

    for (size_t i = 0; i < count; i++)
        if (str_equal(jsonvalue_string(json_object_array_get_idx(list, i)), text))
            return true;
    return false;
}

/* Sections 4.2 and 4.3: what is said of the key's use has to allow that it verifies. */
static enum jwk_result judge_use(struct json_object *jwk, struct err *err)
{
    bool has_use, has_operations;
    struct json_object *use = jsonvalue_member(jwk, "use", &has_use);
    struct json_object *operations = jsonvalue_member(jwk, "key_ops", &has_operations);

    if (has_use && !json_object_is_type(use, json_type_string))
        return refuse(JWK_DEFECTIVE, "its use is not a string", err);
    if (has_operations && !json_object_is_type(operations, json_type_array))
        return refuse(JWK_DEFECTIVE, "its key_ops is not an array", err);
    if (has_use && !str_equal(jsonvalue_string(use), STR("sig")))
        return refuse(JWK_NOT_FOR_US, "its use is not sig", err);
    if (has_operations && !list_has(operations, STR("verify")))
        return refuse(JWK_NOT_FOR_US, "its key_ops has no verify", err);
    return JWK_OK;
}

/* Section 4.4: where alg is left out, the type of the key decides. */
static enum jwk_result judge_algorithm(struct json_object *jwk, enum key_algorithm only,
                                       struct err *err)
{
    bool is_there;
    struct json_object *value = jsonvalue_member(jwk, "alg", &is_there);

    if (!is_there)
        return JWK_OK;
    if (!json_object_is_type(value, json_type_string))
        return refuse(JWK_DEFECTIVE, "its alg is not a string", err);
    if (str_equal(jsonvalue_string(value), str_from(key_algorithm_name(only))))
        return JWK_OK;
    err_set(err, "its alg is not %s", key_algorithm_name(only));
    return JWK_NOT_FOR_US;
}

/* ---- what it is made of (RFC 7518, section 6) */

static enum jwk_result decode(struct json_object *jwk, const char *name, struct buf *out,
                              struct err *err)
{
    struct str text = text_of(jwk, name);

    if (str_is_set(text) && text.len > 0 && base64url_decode(text, out))
        return JWK_OK;
    if (!buf_is_good(out))
        err_set(err, "its %s is too long", name);
    else
        err_set(err, "its %s is missing, or not canonical base64url", name);
    return JWK_DEFECTIVE;
}

static enum jwk_result read_rsa(struct json_object *jwk, struct str kid, struct key **out,
                                struct err *err)
{
    struct buf modulus, exponent;
    enum jwk_result result;
    bool is_private;

    (void)jsonvalue_member(jwk, "d", &is_private);
    if (is_private)
        return refuse(JWK_DEFECTIVE,
                      "it is a private key, which belongs to the issuer alone: take the members d, "
                      "p, q, dp, dq and qi out",
                      err);
    buf_init(&modulus, RSA_MAX_BITS / 4);
    buf_init(&exponent, RSA_MAX_BITS / 8);
    result = decode(jwk, "n", &modulus, err);
    if (result == JWK_OK)
        result = decode(jwk, "e", &exponent, err);
    if (result == JWK_OK) {
        *out = key_from_numbers(buf_str(&modulus), buf_str(&exponent), kid, err);
        result = *out == NULL ? JWK_DEFECTIVE : JWK_OK;
    }
    buf_free(&modulus);
    buf_free(&exponent);
    return result;
}

static enum jwk_result read_secret(struct json_object *jwk, struct str kid, struct key **out,
                                   struct err *err)
{
    struct buf secret;
    enum jwk_result result;

    buf_init(&secret, HMAC_SECRET_MAX_BYTES + 8);
    result = decode(jwk, "k", &secret, err);
    if (result == JWK_OK) {
        *out = key_from_secret(buf_str(&secret), kid, err);
        result = *out == NULL ? JWK_DEFECTIVE : JWK_OK;
    }
    buf_free_secret(&secret);
    return result;
}

static const struct key_type {
    struct str name;
    enum key_algorithm algorithm;
    enum jwk_result (*read)(struct json_object *jwk, struct str kid, struct key **out,
                            struct err *err);
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

static bool set_end(struct json_object *jwk, struct key *key)
{
    bool is_there;
    struct json_object *value = jsonvalue_member(jwk, "exp", &is_there);
    double end_s;

    if (!is_there)
        return true;
    if (!json_object_is_type(value, json_type_int) && !json_object_is_type(value, json_type_double))
        return false;
    end_s = json_object_get_double(value);
    if (!(end_s >= 0 && end_s <= end_max_s))
        return false;
    key_set_end_ms(key, llround(end_s * 1000));
    return true;
}

static enum jwk_result judge(struct json_object *jwk, const struct key_type **type, struct str *kid,
                             struct err *err)
{
    bool has_kid;
    struct json_object *value = jsonvalue_member(jwk, "kid", &has_kid);
    enum jwk_result result;

    *kid = jsonvalue_string(value);
    if (has_kid && !str_is_set(*kid))
        return refuse(JWK_DEFECTIVE, "its kid is not a string", err);
    if (!str_is_set(text_of(jwk, "kty")))
        return refuse(JWK_DEFECTIVE, "its kty is missing, or not a string", err);
    *type = find_type(text_of(jwk, "kty"));
    if (*type == NULL)
        return refuse(JWK_NOT_FOR_US, "its kty is neither RSA nor oct", err);
    result = judge_use(jwk, err);
    return result == JWK_OK ? judge_algorithm(jwk, (*type)->algorithm, err) : result;
}

enum jwk_result jwk_read(struct json_object *jwk, struct key **out, struct str *kid,
                         struct err *err)
{
    const struct key_type *type = NULL;
    enum jwk_result result;

    *out = NULL;
    *kid = STR_NONE;
    if (!json_object_is_type(jwk, json_type_object))
        return refuse(JWK_DEFECTIVE, "it is not an object", err);
    result = judge(jwk, &type, kid, err);
    if (result == JWK_OK)
        result = type->read(jwk, *kid, out, err);
    if (result != JWK_OK || set_end(jwk, *out))
        return result;
    key_free(*out);
    *out = NULL;
    return refuse(JWK_DEFECTIVE, "its exp is not a time within the years 1970 to 9999", err);
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
