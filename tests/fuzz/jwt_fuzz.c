#include "token/jwt.h"

#include <json-c/json.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/template.h"
#include "../unit/testkeys.h"
#include "base/base64url.h"
#include "format/jsonvalue.h"
#include "fuzz.h"
#include "token/verifier.h"

enum { TOKEN_MAX_BYTES = 64 * 1024 };

static const int64_t now_ms = INT64_C(2000000000) * 1000;

#define SECRET STR("0123456789abcdef0123456789abcdef")

/* ---- what all runs have in common, made once */

static const char *const names[] = {"one", "two"};

static const struct jwt_rules rules_table[] = {
    {.allowed = {true, true}, .max_bytes = 8192, .leeway_s = 10, .session_claim = "sid"},
    {.allowed = {true, true},
     .issuers = {names, 2},
     .audiences = {names, 2},
     .max_bytes = 8192,
     .leeway_s = 10,
     .session_claim = "sid",
     .session_required = true},
    {.allowed = {[KEY_RS256] = true}, .max_bytes = 300},
};

struct world {
    struct keyring *ring;
    EVP_PKEY *pair;
    struct verifier *verifiers[ARRAY_LENGTH(rules_table)];
};

static const struct world *the_world(void)
{
    static struct world world;

    if (world.ring != NULL)
        return &world;
    world.ring = template_keyring(
        "{\"keys\":[{\"kty\":\"oct\",\"k\":\"<0123456789abcdef0123456789abcdef>\"},"
        "{\"kty\":\"RSA\",\"n\":\"$n\",\"e\":\"AQAB\",\"kid\":\"rsa\"},"
        "{\"kty\":\"RSA\",\"n\":\"$n\",\"e\":\"AQAB\",\"kid\":\"old\",\"exp\":1999999999}]}");
    world.pair = testkeys_pair("rfc7515");
    for (size_t i = 0; i < ARRAY_LENGTH(rules_table); i++)
        world.verifiers[i] = verifier_new(&rules_table[i], 8);
    return &world;
}

/* ---- tokens: as they are, or signed, so that what is behind the signature is reached */

static void sign_hs256(struct str input, struct buf *out)
{
    testkeys_hmac(SECRET, input, out);
}

static void sign_rs256(struct str input, struct buf *out)
{
    testkeys_sign(the_world()->pair, input, out);
}

static void append_signed(struct str header, struct str payload,
                          void (*sign)(struct str input, struct buf *out), struct buf *out)
{
    struct buf signature;

    buf_init(&signature, TOKEN_MAX_BYTES);
    base64url_encode(header, out);
    buf_append_byte(out, '.');
    base64url_encode(payload, out);
    sign(buf_str(out), &signature);
    buf_append_byte(out, '.');
    base64url_encode(buf_str(&signature), out);
    buf_free(&signature);
}

/* Header and payload, with a line end between them. */
static void append_both(struct str rest, void (*sign)(struct str input, struct buf *out),
                        struct buf *out)
{
    struct str header = str_cut(&rest, '\n');

    append_signed(header, str_is_set(rest) ? rest : STR(""), sign, out);
}

static void make_token(struct str input, struct buf *out)
{
    switch (take_choice(&input, 5)) {
    case 0:
        append_signed(STR("{\"alg\":\"HS256\"}"), input, sign_hs256, out);
        break;
    case 1:
        append_both(input, sign_hs256, out);
        break;
    case 2:
        append_both(input, sign_rs256, out);
        break;
    default:
        buf_append_str(out, input);
        break;
    }
}

/* ---- what must be true of a token that was taken */

static bool is_signature(struct str input, struct str signature,
                         void (*sign)(struct str input, struct buf *out))
{
    struct buf bytes, text;
    bool is;

    buf_init(&bytes, TOKEN_MAX_BYTES);
    buf_init(&text, TOKEN_MAX_BYTES);
    sign(input, &bytes);
    base64url_encode(buf_str(&bytes), &text);
    is = str_equal(buf_str(&text), signature);
    buf_free(&bytes);
    buf_free(&text);
    return is;
}

/* Both algorithms give one signature for an input: it is this one, whatever the header says. */
static void require_signed(struct str token)
{
    size_t dot = token.len;
    struct str input, signature;

    while (dot > 0 && token.data[dot - 1] != '.')
        dot--;
    require(dot > 0, "there is a dot");
    input = (struct str){token.data, dot - 1};
    signature = (struct str){token.data + dot, token.len - dot};
    require(is_signature(input, signature, sign_hs256) ||
                is_signature(input, signature, sign_rs256),
            "only what our keys signed is taken");
}

static bool is_number(struct json_object *value)
{
    return json_object_is_type(value, json_type_int) ||
           json_object_is_type(value, json_type_double);
}

/* By json-c, which had no part in the judgement. */
static void require_claims(const struct jwt_claims *claims, const struct jwt_rules *rules)
{
    struct json_object *object = NULL, *expires;
    struct str session;

    require(jsonvalue_parse_object(claims->payload, &object, NULL) == STRICTJSON_OK,
            "the payload is an object");
    expires = jsonvalue_member(object, "exp", NULL);
    require(is_number(expires), "exp is a number");
    require(json_object_get_double(expires) * 1000 > (double)(now_ms - rules->leeway_s * 1000) - 1,
            "it is to come");
    require(claims->subject.len > 0 &&
                str_equal(claims->subject, jsonvalue_string(jsonvalue_member(object, "sub", NULL))),
            "there is a subject");
    require(str_equal(claims->issuer, jsonvalue_string(jsonvalue_member(object, "iss", NULL))),
            "the issuer is the one that is named");
    session = jsonvalue_string(jsonvalue_member(object, "sid", NULL));
    if (rules->session_claim != NULL)
        require(str_equal(claims->session, session), "the session is the one that is named");
    if (rules->session_required)
        require(str_is_set(session), "there is a session");
    json_object_put(object);
}

static void require_valid(struct str token, const struct jwt_claims *claims,
                          const struct jwt_rules *rules)
{
    struct buf payload;
    struct str rest = token;

    require_signed(token);
    require(token.len <= rules->max_bytes, "it is not too long");
    (void)str_cut(&rest, '.');
    buf_init(&payload, TOKEN_MAX_BYTES);
    require(base64url_decode(str_cut(&rest, '.'), &payload) &&
                str_equal(buf_str(&payload), claims->payload),
            "the claims are those of the token");
    buf_free(&payload);
    require_claims(claims, rules);
}

/* ---- the ways to a verdict agree */

static void verifier_agrees(struct str token, size_t which, enum jwt_verdict expected)
{
    const struct verifier_keys keys = {the_world()->ring, 1};

    for (int i = 0; i < 2; i++) {
        const struct jwt_claims *claims;
        struct err err = {""};
        enum jwt_verdict verdict =
            verifier_verify(the_world()->verifiers[which], token, &keys, now_ms, &claims, &err);

        require(verdict == expected, "a verifier says the same, also the second time");
        require((claims != NULL) == (verdict == JWT_VALID), "claims come of a valid token alone");
    }
}

/* What is judged before the payload is, by itself. */
static void signature_agrees(struct str token, const struct jwt_rules *rules,
                             enum jwt_verdict whole)
{
    struct err err = {""};
    enum jwt_verdict verdict = jwt_verify_signature(token, the_world()->ring, rules, now_ms, &err);

    require_printable(err.text);
    if (verdict != JWT_VALID && verdict != JWT_KEY_WITHDRAWN)
        require(verdict == whole, "a bad signature is a bad token");
    else
        require(whole == JWT_VALID || whole > JWT_BAD_SIGNATURE,
                "what is refused of a good signature is in the payload");
}

static void judge(struct str token, size_t which)
{
    const struct jwt_rules *rules = &rules_table[which];
    struct err err = {""};
    struct jwt_claims claims;
    enum jwt_verdict verdict = jwt_verify(token, the_world()->ring, rules, now_ms, &claims, &err);

    require(ERR_peek_error() == 0, "OpenSSL's error queue is empty");
    require(verdict != JWT_OUT_OF_MEMORY, "memory suffices");
    require_printable(err.text);
    if (verdict == JWT_VALID)
        require_valid(token, &claims, rules);
    else
        require(claims.memory == NULL, "nothing comes of a bad token");
    verifier_agrees(token, which, verdict);
    signature_agrees(token, rules, verdict);
    claims_free(&claims);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str input = {size == 0 ? "" : (const char *)data, size};
    struct buf token;

    buf_init(&token, TOKEN_MAX_BYTES);
    make_token(input, &token);
    if (buf_is_good(&token))
        for (size_t i = 0; i < ARRAY_LENGTH(rules_table); i++)
            judge(buf_str(&token), i);
    buf_free(&token);
    return 0;
}
