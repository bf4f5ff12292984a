#include "token/signer.h"

#include <json-c/json.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

#include "base/base64url.h"
#include "token/hmac.h"
#include "token/rsa.h"

struct signer {
    struct hmac *hmac; /* HS256 */
    EVP_PKEY *private; /* RS256 */
};

static struct signer *new_signer(struct hmac *hmac, EVP_PKEY *private, struct err *err)
{
    struct signer *signer = hmac == NULL && private == NULL ? NULL : calloc(1, sizeof(*signer));

    if (signer != NULL) {
        *signer = (struct signer){hmac, private};
        return signer;
    }
    if (hmac != NULL || private != NULL)
        err_set(err, "out of memory");
    hmac_free(hmac);
    EVP_PKEY_free(private);
    return NULL;
}

struct signer *signer_from_secret(struct str secret, struct err *err)
{
    return new_signer(hmac_new(secret, err), NULL, err);
}

struct signer *signer_from_pem(struct str private_pem, struct err *err)
{
    return new_signer(NULL, rsa_private_from_pem(private_pem, err), err);
}

void signer_free(struct signer *signer)
{
    if (signer == NULL)
        return;
    hmac_free(signer->hmac);
    EVP_PKEY_free(signer->private);
    free(signer);
}

enum key_algorithm signer_algorithm(const struct signer *signer)
{
    return signer->hmac != NULL ? KEY_HS256 : KEY_RS256;
}

static bool sign_hmac(struct signer *signer, struct str input, struct buf *out)
{
    char *at = buf_reserve(out, HMAC_BYTES);

    if (at == NULL || !hmac_of(signer->hmac, input, (unsigned char *)at))
        return false;
    buf_added(out, HMAC_BYTES);
    return true;
}

static bool sign_rsa(struct signer *signer, struct str input, struct buf *out)
{
    size_t len = (size_t)EVP_PKEY_get_size(signer->private);
    char *at = buf_reserve(out, len);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = at != NULL && context != NULL &&
                EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, signer->private) == 1 &&
                EVP_DigestSign(context, (unsigned char *)at, &len,
                               (const unsigned char *)input.data, input.len) == 1;

    EVP_MD_CTX_free(context);
    ERR_clear_error();
    if (good)
        buf_added(out, len);
    return good;
}

bool signer_sign(struct signer *signer, struct str input, struct buf *out)
{
    return signer->hmac != NULL ? sign_hmac(signer, input, out) : sign_rsa(signer, input, out);
}

/* ---- tokens */

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

bool signer_mint(struct signer *signer, struct str kid, struct str payload, struct buf *out)
{
    struct buf signature;
    size_t start = out->len;
    bool good = append_header(signer_algorithm(signer), kid, out);

    buf_init(&signature, RSA_MAX_BITS / 8);
    buf_append_byte(out, '.');
    base64url_encode(payload, out);
    good = good && buf_is_good(out) &&
           signer_sign(signer, (struct str){out->data + start, out->len - start}, &signature);
    buf_append_byte(out, '.');
    base64url_encode(buf_str(&signature), out);
    buf_free(&signature);
    return good && buf_is_good(out);
}
