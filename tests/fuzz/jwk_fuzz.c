#include "token/jwk.h"

#include <json-c/json.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/testkeys.h"
#include "base/base64url.h"
#include "base/buf.h"
#include "format/jsonvalue.h"
#include "fuzz.h"
#include "token/hmac.h"
#include "token/rsa.h"

enum { BYTES_MAX = 64 * 1024 };

/* By json-c, which had no part in the judgement. */
static struct str text_of(struct json_object *jwk, const char *name)
{
    return jsonvalue_string(jsonvalue_member(jwk, name, NULL));
}

static bool is_there(struct json_object *jwk, const char *name)
{
    bool is;

    (void)jsonvalue_member(jwk, name, &is);
    return is;
}

static struct str decoded(struct json_object *jwk, const char *name, struct buf *out)
{
    buf_init(out, BYTES_MAX);
    require(base64url_decode(text_of(jwk, name), out), "what was taken is canonical");
    return buf_str(out);
}

static bool has_verify(struct json_object *operations)
{
    for (size_t i = 0; i < json_object_array_length(operations); i++)
        if (str_equal(jsonvalue_string(json_object_array_get_idx(operations, i)), STR("verify")))
            return true;
    return false;
}

static void require_usable(struct json_object *jwk, const struct key *key)
{
    struct str algorithm = str_from(key_algorithm_name(key_algorithm(key)));
    bool has_kid = is_there(jwk, "kid");

    require(!is_there(jwk, "alg") || str_equal(text_of(jwk, "alg"), algorithm),
            "alg is the key's own");
    require(!is_there(jwk, "use") || str_equal(text_of(jwk, "use"), STR("sig")), "use is sig");
    require(!is_there(jwk, "key_ops") || has_verify(jsonvalue_member(jwk, "key_ops", NULL)),
            "it may verify");
    require(str_equal(key_id(key), has_kid ? text_of(jwk, "kid") : STR_NONE), "kid is its own");
    require(is_there(jwk, "exp") == (key_end_ms(key) != INT64_MAX), "an end is one that is named");
    require(key_end_ms(key) >= 0, "an end is a time");
}

static struct str without_zeros(struct str number)
{
    while (number.len > 0 && number.data[0] == '\0') {
        number.data++;
        number.len--;
    }
    return number;
}

static void require_rsa(struct json_object *jwk, const struct key *key)
{
    static const char *const private_members[] = {"d", "p", "q", "dp", "dq", "qi", "oth"};
    struct buf modulus, exponent, thumbprint;
    struct str n = without_zeros(decoded(jwk, "n", &modulus));
    struct str e = without_zeros(decoded(jwk, "e", &exponent));

    require(str_equal(text_of(jwk, "kty"), STR("RSA")), "an RSA key comes of an RSA JWK");
    require(key_bits(key) >= RSA_MIN_BITS && key_bits(key) <= RSA_MAX_BITS, "it is of good size");
    require(n.len == (key_bits(key) + 7) / 8 && (n.data[n.len - 1] & 1) == 1, "n is odd");
    require(e.len > 0 && e.len <= 8 && (e.data[e.len - 1] & 1) == 1, "e is odd and short");
    require(e.len > 1 || e.data[0] != 1, "e is not 1");
    for (size_t i = 0; i < ARRAY_LENGTH(private_members); i++)
        require(!is_there(jwk, private_members[i]), "it is no private key");
    buf_init(&thumbprint, 64);
    require(key_thumbprint(key, &thumbprint) && thumbprint.len == 43, "it has a thumbprint");
    buf_free(&thumbprint);
    buf_free(&modulus);
    buf_free(&exponent);
}

static void require_secret(struct json_object *jwk, const struct key *key)
{
    struct buf secret, signature;

    require(str_equal(text_of(jwk, "kty"), STR("oct")), "a secret comes of an oct JWK");
    buf_init(&signature, HMAC_BYTES);
    testkeys_hmac(decoded(jwk, "k", &secret), STR("input"), &signature);
    require(secret.len >= HMAC_SECRET_MIN_BYTES && key_bits(key) == secret.len * 8,
            "it is of good size");
    require(key_verify(key, STR("input"), buf_str(&signature)) == JWT_VALID,
            "it verifies what its secret signed");
    buf_free(&secret);
    buf_free(&signature);
}

/* Nobody can sign without the secret: the HMAC under nothing, or under the JWK itself. */
static void require_no_forgery(struct str text, const struct key *key)
{
    const struct str secrets[] = {STR(""), text};
    struct buf signature;

    for (size_t i = 0; i < ARRAY_LENGTH(secrets); i++) {
        buf_init(&signature, HMAC_BYTES);
        testkeys_hmac(secrets[i], STR("input"), &signature);
        require(key_verify(key, STR("input"), buf_str(&signature)) == JWT_BAD_SIGNATURE,
                "no other secret signs");
        buf_free(&signature);
    }
    require(key_verify(key, STR("input"), STR("")) == JWT_BAD_SIGNATURE, "nothing signs nothing");
}

static void require_key(struct str text, const struct key *key)
{
    struct json_object *jwk = NULL;

    require(jsonvalue_parse_object(text, &jwk, NULL) == STRICTJSON_OK, "a key comes of an object");
    require_usable(jwk, key);
    (key_algorithm(key) == KEY_RS256 ? require_rsa : require_secret)(jwk, key);
    require_no_forgery(text, key);
    json_object_put(jwk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {size == 0 ? "" : (const char *)data, size};
    struct jwk_fault fault;
    struct key *key;
    enum jwk_result result = jwk_read(text, &key, &fault);

    require(result != JWK_OUT_OF_MEMORY, "memory suffices");
    require((result == JWK_OK) == (key != NULL), "a key comes of a good JWK alone");
    require(result == JWK_OK || fault.why.text[0] != '\0', "a fault is told");
    require_printable(fault.why.text);
    require_printable(fault.kid.text);
    if (key != NULL)
        require_key(text, key);
    require(ERR_peek_error() == 0, "OpenSSL's error queue is empty");
    key_free(key);
    return 0;
}
