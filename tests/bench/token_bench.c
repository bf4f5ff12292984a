/*
 * What the judgement of a token costs beside OpenSSL's own verification, in one run: rounds in
 * which each case is timed once, so that a machine that slows down slows all of them. Prints one
 * line of JSON a case: the median of the rounds in nanoseconds, and the ratio to its reference
 * within a round, as median, low and high.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/base64url.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/digest.h"
#include "token/keyring.h"
#include "token/signer.h"
#include "token/verifier.h"

enum { ROUNDS = 41, TOKEN_MAX_BYTES = 4096 };

static const struct str secret = STR("0123456789abcdef0123456789abcdef");
static const int64_t now_ms = INT64_C(1800000000) * 1000;

/* Such claims as a Keycloak puts into an access token of about 700 bytes. */
static const char payload[] =
    "{\"exp\":1800000300,\"iat\":1800000000,\"jti\":\"3b2f9c1e-6f5e-4a51-8a55-0d6c9e2f7a10\","
    "\"iss\":\"https://login.example.com/realms/main\",\"aud\":[\"me\",\"account\"],"
    "\"sub\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"typ\":\"Bearer\",\"azp\":\"web\","
    "\"sid\":\"01890a5d-ac96-7ab2-80e2-9a1c2d3e4f50\",\"scope\":\"openid email profile\"}";

/* All that the cases need. */
struct bench {
    EVP_PKEY *pair;
    EVP_PKEY_CTX *reference; /* OpenSSL alone: key, padding and hash set once */
    struct digest *digest;
    struct buf token[KEY_ALGORITHM__MAX];
    struct buf signature; /* of the RS256 token */
    struct keyring *keyring;
    struct verifier *forgetful, *keeping;
};

static void die(const char *what)
{
    (void)fprintf(stderr, "token_bench: %s\n", what);
    exit(1);
}

static int64_t cpu_ns(void)
{
    struct timespec now;

    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) != 0)
        die("there is no clock of the process");
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* ---- making ready */

static struct str pem_of(EVP_PKEY *pair, bool is_private, BIO *out)
{
    struct str pem;
    char *data;
    int good = is_private ? PEM_write_bio_PrivateKey(out, pair, NULL, NULL, 0, NULL, NULL)
                          : PEM_write_bio_PUBKEY(out, pair);
    long len = BIO_get_mem_data(out, &data);

    if (good != 1 || len <= 0)
        die("the key cannot be written");
    pem = (struct str){data, (size_t)len};
    return pem;
}

static void add_set(struct bench *bench, enum keyset_form form, struct str text)
{
    struct err err = {""};
    struct keyset *set = keyset_parse(form, text, &err);

    if (set == NULL || !keyring_add(bench->keyring, set, "bench", &err))
        die(err.text);
    keyset_free(set);
}

static void mint(struct bench *bench, struct signer *signer)
{
    struct buf *token = &bench->token[signer_algorithm(signer)];

    buf_init(token, TOKEN_MAX_BYTES);
    if (!signer_mint(signer, STR_NONE, str_from(payload), token))
        die("a token cannot be made");
    signer_free(signer);
}

static struct str signed_part(struct str token, struct str *signature)
{
    size_t dot = token.len;

    while (token.data[--dot] != '.')
        ;
    *signature = (struct str){token.data + dot + 1, token.len - dot - 1};
    return (struct str){token.data, dot};
}

static void make_reference(struct bench *bench)
{
    struct str signature;

    (void)signed_part(buf_str(&bench->token[KEY_RS256]), &signature);
    buf_init(&bench->signature, signature.len);
    bench->reference = EVP_PKEY_CTX_new_from_pkey(NULL, bench->pair, NULL);
    if (!base64url_decode(signature, &bench->signature) || bench->reference == NULL ||
        EVP_PKEY_verify_init(bench->reference) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(bench->reference, RSA_PKCS1_PADDING) != 1 ||
        EVP_PKEY_CTX_set_signature_md(bench->reference, EVP_sha256()) != 1)
        die("OpenSSL cannot verify");
}

static void make(struct bench *bench, unsigned bits)
{
    static const char *const issuers[] = {"https://login.example.com/realms/main"};
    static const char *const audiences[] = {"me"};
    const struct jwt_rules rules = {
        .allowed = {true, true},
        .issuers = {issuers, 1},
        .audiences = {audiences, 1},
        .max_bytes = 8192,
        .session_claim = "sid",
    };
    BIO *public = BIO_new(BIO_s_mem()), *private = BIO_new(BIO_s_mem());
    struct err err = {""};

    bench->pair = EVP_RSA_gen(bits);
    bench->digest = digest_new();
    bench->keyring = keyring_new();
    if (bench->pair == NULL || bench->digest == NULL || bench->keyring == NULL)
        die("out of memory");
    add_set(bench, KEYSET_SECRET, secret);
    add_set(bench, KEYSET_PEM, pem_of(bench->pair, false, public));
    mint(bench, signer_from_secret(secret, &err));
    mint(bench, signer_from_pem(pem_of(bench->pair, true, private), &err));
    make_reference(bench);
    bench->forgetful = verifier_new(&rules, 0);
    bench->keeping = verifier_new(&rules, 1024);
    BIO_free(public);
    BIO_free(private);
}

static void unmake(struct bench *bench)
{
    verifier_free(bench->forgetful);
    verifier_free(bench->keeping);
    keyring_free(bench->keyring);
    for (size_t i = 0; i < KEY_ALGORITHM__MAX; i++)
        buf_free(&bench->token[i]);
    buf_free(&bench->signature);
    digest_free(bench->digest);
    EVP_PKEY_CTX_free(bench->reference);
    EVP_PKEY_free(bench->pair);
}

/* ---- cases */

static bool verify(struct verifier *verifier, const struct bench *bench, enum key_algorithm which)
{
    const struct verifier_keys keys = {bench->keyring, 1};
    const struct jwt_claims *claims;
    struct err err;

    return verifier_verify(verifier, buf_str(&bench->token[which]), &keys, now_ms, &claims, &err) ==
           JWT_VALID;
}

static bool run_rs256_openssl(const struct bench *bench)
{
    unsigned char hash[DIGEST_BYTES];
    struct str encoded, input = signed_part(buf_str(&bench->token[KEY_RS256]), &encoded);

    return digest_of(bench->digest, input, hash) &&
           EVP_PKEY_verify(bench->reference, (const unsigned char *)bench->signature.data,
                           bench->signature.len, hash, sizeof(hash)) == 1;
}

static bool run_rs256_first(const struct bench *bench)
{
    return verify(bench->forgetful, bench, KEY_RS256);
}

static bool run_rs256_again(const struct bench *bench)
{
    return verify(bench->keeping, bench, KEY_RS256);
}

static bool run_hs256_first(const struct bench *bench)
{
    return verify(bench->forgetful, bench, KEY_HS256);
}

static bool run_hs256_again(const struct bench *bench)
{
    return verify(bench->keeping, bench, KEY_HS256);
}

static const struct bench_case {
    const char *name;
    bool (*run)(const struct bench *bench);
    int times; /* within a round */
} cases[] = {
    {"RS256, OpenSSL alone", run_rs256_openssl, 400}, /* the reference of all */
    {"RS256, first time", run_rs256_first, 400},      {"RS256, repeated", run_rs256_again, 4000},
    {"HS256, first time", run_hs256_first, 2000},     {"HS256, repeated", run_hs256_again, 4000},
};

static double time_case(const struct bench *bench, const struct bench_case *which)
{
    int64_t start_ns = cpu_ns();

    for (int i = 0; i < which->times; i++)
        if (!which->run(bench))
            die("a good token was refused");
    return (double)(cpu_ns() - start_ns) / which->times;
}

static int compare(const void *a, const void *b)
{
    const double *left = a, *right = b;

    return (*left > *right) - (*left < *right);
}

static void report(const char *name, unsigned bits, const double *ns, const double *reference_ns)
{
    double sorted[ROUNDS], ratios[ROUNDS];

    for (size_t i = 0; i < ROUNDS; i++) {
        sorted[i] = ns[i];
        ratios[i] = ns[i] / reference_ns[i];
    }
    qsort(sorted, ROUNDS, sizeof(*sorted), compare);
    qsort(ratios, ROUNDS, sizeof(*ratios), compare);
    (void)printf("{\"case\":\"%s\",\"bits\":%u,\"ns\":%.0f,\"ratio\":%.3f,\"low\":%.3f,"
                 "\"high\":%.3f}\n",
                 name, bits, sorted[ROUNDS / 2], ratios[ROUNDS / 2], ratios[ROUNDS / 10],
                 ratios[ROUNDS - 1 - ROUNDS / 10]);
}

int main(int argc, char **argv)
{
    static double ns[ARRAY_LENGTH(cases)][ROUNDS];
    unsigned bits = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 2048;
    struct bench bench = {.pair = NULL};

    make(&bench, bits);
    for (size_t round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
            ns[i][round] = time_case(&bench, &cases[i]);
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
        report(cases[i].name, bits, ns[i], ns[0]);
    unmake(&bench);
    return fflush(stdout) == 0 ? 0 : 1;
}
