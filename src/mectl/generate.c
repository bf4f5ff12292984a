#include <json-c/json.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <unistd.h>

#include "base/newfile.h"
#include "base/random.h"
#include "mectl/invocation.h"
#include "token/jwk.h"
#include "token/keypair.h"
#include "token/keyset.h"
#include "token/rsa.h"

enum {
    SECRET_BYTES = 32,
    PATH_MAX_BYTES = 4096,
    JWKS_MAX_BYTES = 16 * 1024,
    THUMBPRINT_MAX_BYTES = 64,
    OUTPUTS_MAX = 3
};

struct output {
    const char *path;
    enum newfile_mode mode;
    struct str text;
    const char *what;
};

/* Nothing of it stays where not all of it could be written. */
static enum command_exit write_outputs(const struct output *outputs, size_t count)
{
    struct err err = {""};

    for (size_t i = 0; i < count; i++) {
        if (newfile_create(outputs[i].path, outputs[i].mode, outputs[i].text, &err))
            continue;
        while (i > 0)
            (void)unlink(outputs[--i].path);
        return invocation_fail("%s", err.text);
    }
    for (size_t i = 0; i < count; i++)
        (void)printf("%s: %s\n", outputs[i].path, outputs[i].what);
    return COMMAND_OK;
}

static enum command_exit generate_secret(const char *path)
{
    unsigned char bytes[SECRET_BYTES];
    enum command_exit result;
    struct buf text;

    if (!random_bytes(bytes, sizeof(bytes)))
        return invocation_fail("the system has no random numbers");
    buf_init(&text, SECRET_BYTES * 2 + 2);
    for (size_t i = 0; i < sizeof(bytes); i++)
        buf_append_format(&text, "%02x", bytes[i]);
    buf_append_byte(&text, '\n');
    if (buf_is_good(&text))
        result = write_outputs(
            &(struct output){path, NEWFILE_SECRET, buf_str(&text), "a secret, for HS256"}, 1);
    else
        result = invocation_fail("out of memory");
    buf_free_secret(&text);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return result;
}

/* ---- a pair */

/* `kid` NULL: its thumbprint. */
static struct json_object *jwk_of(const struct key *key, const char *kid)
{
    struct json_object *jwk = NULL;
    struct buf thumbprint;

    buf_init(&thumbprint, THUMBPRINT_MAX_BYTES);
    if (key_thumbprint(key, &thumbprint))
        jwk = jwk_new(key, kid == NULL ? buf_str(&thumbprint) : str_from(kid), INT64_MAX);
    buf_free(&thumbprint);
    return jwk;
}

/* Whether a worker takes it: the kid may be any text. */
static bool is_accepted(struct str jwks, struct err *err)
{
    struct keyset *set = keyset_parse(KEYSET_JWKS, jwks, err);
    bool good = set != NULL;

    keyset_free(set);
    return good;
}

static bool append_jwks(const struct keypair *pair, const char *kid, struct buf *out,
                        struct err *err)
{
    struct key *key = key_from_pem(buf_str(&pair->public), STR_NONE, err);
    struct json_object *jwk = key == NULL ? NULL : jwk_of(key, kid);

    if (jwk != NULL) {
        buf_append_text(out, "{\"keys\":[\n");
        buf_append_text(out, json_object_to_json_string_ext(
                                 jwk, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
        buf_append_text(out, "\n]}\n");
    }
    json_object_put(jwk);
    key_free(key);
    return is_accepted(buf_str(out), err);
}

/* Where the pair goes. */
struct pair_files {
    const char *private, *public, *jwks; /* jwks NULL: none is wanted */
    const char *kid;
};

static enum command_exit write_pair(const struct keypair *pair, const struct pair_files *files)
{
    struct output outputs[OUTPUTS_MAX] = {
        {files->private, NEWFILE_SECRET, buf_str(&pair->private),
         "the private key, for the issuer"},
        {files->public, NEWFILE_PUBLIC, buf_str(&pair->public), "the public key"},
        {files->jwks, NEWFILE_PUBLIC, STR_NONE, "the public key, as a JWKS"},
    };
    enum command_exit result;
    struct err err = {""};
    struct buf jwks;

    if (files->jwks == NULL)
        return write_outputs(outputs, OUTPUTS_MAX - 1);
    buf_init(&jwks, JWKS_MAX_BYTES);
    if (append_jwks(pair, files->kid, &jwks, &err)) {
        outputs[OUTPUTS_MAX - 1].text = buf_str(&jwks);
        result = write_outputs(outputs, OUTPUTS_MAX);
    } else
        result = invocation_fail("the JWKS: %s", err.text);
    buf_free(&jwks);
    return result;
}

static enum command_exit generate_pair(unsigned bits, const struct pair_files *files)
{
    enum command_exit result;
    struct err err = {""};
    struct keypair pair;

    if (keypair_generate(&pair, bits, &err))
        result = write_pair(&pair, files);
    else
        result = invocation_fail("%s", err.text);
    keypair_free(&pair);
    return result;
}

static enum command_exit generate_rsa(const struct invocation *invocation, const char *path)
{
    const char *bits_text = invocation_option(invocation, "bits");
    struct pair_files files = {.private = path,
                               .public = invocation_option(invocation, "public"),
                               .jwks = invocation_option(invocation, "jwks"),
                               .kid = invocation_option(invocation, "kid")};
    int64_t bits = RSA_MIN_BITS;
    enum command_exit result = COMMAND_FAILED;
    struct buf public;

    if (bits_text != NULL &&
        !invocation_number(bits_text, "--bits", RSA_MIN_BITS, RSA_MAX_BITS, &bits))
        return COMMAND_FAILED;
    buf_init(&public, PATH_MAX_BYTES);
    buf_append_format(&public, "%s.pub", path);
    buf_append_byte(&public, '\0');
    if (files.public == NULL)
        files.public = public.data;
    if (buf_is_good(&public))
        result = generate_pair((unsigned)bits, &files);
    else
        (void)invocation_fail("%s: File name too long", path);
    buf_free(&public);
    return result;
}

/* The options that make sense beside others alone. */
static const char *misplaced_option(const struct invocation *invocation)
{
    static const struct {
        const char *option, *needs;
    } rules[] = {{"bits", "rsa"}, {"public", "rsa"}, {"jwks", "rsa"}, {"kid", "jwks"}};

    for (size_t i = 0; i < ARRAY_LENGTH(rules); i++)
        if (invocation_flag(invocation, rules[i].option) &&
            !invocation_flag(invocation, rules[i].needs))
            return rules[i].option;
    return NULL;
}

static enum command_exit run_generate(struct invocation *invocation)
{
    const char *secret = invocation_option(invocation, "secret");
    const char *rsa = invocation_option(invocation, "rsa");
    const char *misplaced = misplaced_option(invocation);

    if ((secret == NULL) == (rsa == NULL)) {
        (void)invocation_fail("keys generate: give either --secret or --rsa");
        return COMMAND_USAGE;
    }
    if (misplaced != NULL) {
        (void)invocation_fail("keys generate: --%s says nothing here: see 'mectl keys generate "
                              "--help'",
                              misplaced);
        return COMMAND_USAGE;
    }
    return secret != NULL ? generate_secret(secret) : generate_rsa(invocation, rsa);
}

const struct command generate_commands[] = {
    {
        .name = "keys generate",
        .summary = "Makes a secret or an RSA key pair; a file that is there is left alone.",
        .options = {{"secret", "FILE", "A new HMAC secret of 32 bytes, as hex, in this file.",
                     false},
                    {"rsa", "FILE", "A new RSA private key, in PEM, in this file.", false},
                    {"bits", "N", "The size of the RSA key; 2048 otherwise.", false},
                    {"public", "FILE",
                     "The file of the public key; otherwise that of --rsa with "
                     ".pub at the end.",
                     false},
                    {"jwks", "FILE", "The public key as a JWKS, too.", false},
                    {"kid", "KID", "Its kid in the JWKS; otherwise its thumbprint.", false}},
        .run = run_generate,
    },
    {.name = NULL},
};
