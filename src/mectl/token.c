#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "api/subject.h"
#include "base/clock.h"
#include "base/file.h"
#include "format/jsonvalue.h"
#include "mectl/invocation.h"
#include "mectl/mint.h"
#include "token/jwt.h"
#include "token/keyfiles.h"

enum {
    JWKS_FILE_MAX_BYTES = 512 * 1024,
    TOKEN_MAX_BYTES = 64 * 1024,
    INPUT_MAX_BYTES = 1024 * 1024,
    LIFETIME_MAX_S = 10 * 365 * 24 * 3600
};

static void add_text(struct json_object *object, const char *name, const char *text)
{
    if (text != NULL)
        (void)json_object_object_add(object, name, json_object_new_string(text));
}

/* ---- token mint: for tests and demonstrations; in production the login system issues tokens */

static bool read_times(const struct invocation *invocation, struct mint *out)
{
    const char *expires = invocation_option(invocation, "expires-in");
    const char *not_before = invocation_option(invocation, "not-before-in");

    out->expires_in_s = MINT_LIFETIME_S;
    out->has_not_before = not_before != NULL;
    return (expires == NULL || invocation_number(expires, "--expires-in", -LIFETIME_MAX_S,
                                                 LIFETIME_MAX_S, &out->expires_in_s)) &&
           (not_before == NULL || invocation_number(not_before, "--not-before-in", -LIFETIME_MAX_S,
                                                    LIFETIME_MAX_S, &out->not_before_in_s));
}

/* By --key, or the first secret. */
static struct signer *open_signer(const struct invocation *invocation)
{
    const struct settings_list *secrets = &invocation->settings.token.secret_file;
    const char *path = invocation_option(invocation, "key");
    struct err err = {"there is no key to sign with: give --key FILE, or set token.secret_file"};
    struct signer *signer = NULL;

    if (path == NULL && secrets->count > 0)
        path = secrets->items[0];
    if (path != NULL)
        signer = mint_signer(path, &err);
    if (signer == NULL)
        (void)invocation_fail("%s", err.text);
    return signer;
}

static enum command_exit print_minted(const struct invocation *invocation, const char *token)
{
    struct json_object *object;

    if (!invocation->json) {
        (void)puts(token);
        return COMMAND_OK;
    }
    object = json_object_new_object();
    add_text(object, "token", token);
    return invocation_print_json(object);
}

static enum command_exit sign(const struct invocation *invocation, struct signer *signer,
                              const struct mint *mint)
{
    enum command_exit result = COMMAND_FAILED;
    struct buf token;
    bool good;

    buf_init(&token, MINT_TOKEN_MAX_BYTES);
    good = mint_token(&invocation->settings, signer, mint, &token);
    buf_append_byte(&token, '\0');
    good = good && buf_is_good(&token);
    if (good)
        result = print_minted(invocation, token.data);
    buf_free_secret(&token);
    return good ? result : invocation_fail("the token could not be signed");
}

static enum command_exit run_mint(struct invocation *invocation)
{
    const char *user = invocation_option(invocation, "user");
    const char *subject = invocation_option(invocation, "subject");
    struct mint mint = {
        .subject = user == NULL ? subject : user,
        .issuer = invocation_option(invocation, "issuer"),
        .audience = invocation_option(invocation, "audience"),
        .session = invocation_option(invocation, "session"),
        .kid = invocation_option(invocation, "kid"),
    };
    enum command_exit result;
    struct signer *signer;
    struct uuid uuid;

    if ((user == NULL) == (subject == NULL)) {
        (void)invocation_fail("token mint: give either --user or --subject");
        return COMMAND_USAGE;
    }
    if ((user != NULL && !invocation_uuid(user, "--user", &uuid)) ||
        !read_times(invocation, &mint) || !invocation_settings(invocation))
        return COMMAND_FAILED;
    signer = open_signer(invocation);
    if (signer == NULL)
        return COMMAND_FAILED;
    result = sign(invocation, signer, &mint);
    signer_free(signer);
    return result;
}

/* ---- token verify */

static bool read_token(const char *argument, struct buf *out)
{
    char step[4096];
    size_t got;

    if (strcmp(argument, "-") != 0) {
        buf_append_text(out, argument);
        return buf_is_good(out);
    }
    while ((got = fread(step, 1, sizeof(step), stdin)) > 0)
        buf_append(out, step, got);
    out->len = keyset_secret_of_file(buf_str(out)).len; /* without the line end that echo adds */
    return ferror(stdin) == 0 && buf_is_good(out);
}

/* What was judged: all of a token, or form, header and signature alone. */
struct judgement {
    enum jwt_verdict verdict;
    enum subject_verdict subject; /* where the verdict is JWT_VALID: whom the token names */
    struct str payload;           /* JSON text; STR_NONE: it is not shown */
    struct err err;
};

static bool is_good(const struct judgement *judgement)
{
    return judgement->verdict == JWT_VALID && judgement->subject == SUBJECT_NAMED;
}

/* The row of the table of refusals that applies. */
static struct subject_reason reason_of(const struct judgement *judgement)
{
    const struct jwt_reason *reason = jwt_reason(judgement->verdict);

    if (judgement->subject != SUBJECT_NAMED)
        return *subject_reason(judgement->subject);
    return (struct subject_reason){reason->code, reason->detail};
}

static enum command_exit print_json_verdict(const struct judgement *judgement)
{
    const struct subject_reason reason = reason_of(judgement);
    struct json_object *object = json_object_new_object(), *payload;

    if (object == NULL)
        return invocation_fail("out of memory");
    (void)json_object_object_add(object, "valid", json_object_new_boolean(is_good(judgement)));
    add_text(object, "code", reason.code);
    add_text(object, "message", reason.detail);
    if (judgement->err.text[0] != '\0')
        add_text(object, "detail", judgement->err.text);
    if (jsonvalue_parse(judgement->payload, &payload, NULL) == STRICTJSON_OK)
        (void)json_object_object_add(object, "claims", payload);
    return invocation_print_json(object);
}

static enum command_exit print_text_verdict(const struct judgement *judgement)
{
    const struct subject_reason reason = reason_of(judgement);
    struct json_object *payload;

    (void)printf("%s: %s%s%s\n", reason.code, reason.detail,
                 judgement->err.text[0] == '\0' ? "" : ": ", judgement->err.text);
    if (jsonvalue_parse(judgement->payload, &payload, NULL) == STRICTJSON_OK)
        (void)puts(json_object_to_json_string_ext(payload, JSON_C_TO_STRING_PRETTY |
                                                               JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(payload);
    return COMMAND_OK;
}

static enum command_exit print_verdict(const struct invocation *invocation,
                                       const struct judgement *judgement)
{
    enum command_exit printed =
        (invocation->json ? print_json_verdict : print_text_verdict)(judgement);

    return is_good(judgement) ? printed : COMMAND_FAILED;
}

/* A worker tells of such keys in its log; here the verdict is asked for. */
static void tell_nobody(void *context, enum keyfiles_event event, const char *path,
                        const char *detail)
{
    (void)context;
    (void)event;
    (void)path;
    (void)detail;
}

/* The keys of a JWKS that was named, whoever else may read it: no service is to trust it. */
static struct keyring *read_jwks(const char *path)
{
    struct keyring *keyring = keyring_new();
    struct keyset *set = NULL;
    struct err err = {"out of memory"};
    struct buf text;
    bool good;

    buf_init(&text, JWKS_FILE_MAX_BYTES);
    if (keyring != NULL && file_read(path, FILE_READERS_ANY, &text, &err)) {
        set = keyset_parse(KEYSET_JWKS, buf_str(&text), &err);
        if (set == NULL)
            err_prefix(&err, "%s", path);
    }
    good = set != NULL && keyring_add(keyring, set, path, &err);
    keyset_free(set);
    buf_free_secret(&text);
    if (good)
        return keyring;
    (void)invocation_fail("%s", err.text);
    keyring_free(keyring);
    return NULL;
}

/* Whom the token names by the settings; whether somebody of that name is there, the database knows.
 */
static enum subject_verdict name_subject(const struct invocation *invocation,
                                         const struct jwt_claims *claims)
{
    struct access_request request;

    return subject_judge(claims, (enum settings_subject)invocation->settings.token.subject,
                         &request);
}

static enum command_exit judge_by(const struct invocation *invocation, struct str token,
                                  const struct keyring *keyring)
{
    struct judgement judgement = {.payload = STR_NONE};
    struct jwt_claims claims = {.memory = NULL};
    struct jwt_rules rules = {.allowed = {true, true}, .max_bytes = TOKEN_MAX_BYTES};
    enum command_exit result;

    if (invocation_flag(invocation, "signature-only"))
        judgement.verdict =
            jwt_verify_signature(token, keyring, &rules, clock_now_ms(), &judgement.err);
    else {
        jwt_rules_from_settings(&invocation->settings, &rules);
        judgement.verdict =
            jwt_verify(token, keyring, &rules, clock_now_ms(), &claims, &judgement.err);
        judgement.payload = claims.payload;
        if (judgement.verdict == JWT_VALID)
            judgement.subject = name_subject(invocation, &claims);
    }
    result = print_verdict(invocation, &judgement);
    claims_free(&claims);
    return result;
}

static enum command_exit judge(const struct invocation *invocation, struct str token)
{
    const char *jwks = invocation_option(invocation, "jwks");
    struct keyfiles *files = NULL;
    struct keyring *keyring = NULL;
    enum command_exit result = COMMAND_FAILED;
    struct err err = {""};

    if (jwks != NULL) {
        keyring = read_jwks(jwks);
        if (keyring != NULL)
            result = judge_by(invocation, token, keyring);
        keyring_free(keyring);
        return result;
    }
    files = keyfiles_open(&invocation->settings, file_readers_of_operator(), 0, tell_nobody, NULL,
                          &err);
    if (files == NULL)
        return invocation_fail("%s", err.text);
    result = judge_by(invocation, token, keyfiles_keyring(files));
    keyfiles_close(files);
    return result;
}

/* The signature by a JWKS that is named needs no settings. */
static bool needs_settings(const struct invocation *invocation)
{
    return !invocation_flag(invocation, "signature-only") ||
           invocation_option(invocation, "jwks") == NULL;
}

static enum command_exit run_verify(struct invocation *invocation)
{
    enum command_exit result = COMMAND_FAILED;
    struct buf token;

    if (needs_settings(invocation) && !invocation_settings(invocation))
        return COMMAND_FAILED;
    buf_init(&token, INPUT_MAX_BYTES);
    if (read_token(invocation->argument, &token))
        result = judge(invocation, buf_str(&token));
    else
        (void)invocation_fail("the token cannot be read");
    buf_free_secret(&token);
    return result;
}

const struct command token_commands[] = {
    {
        .name = "token mint",
        .has_json = true,
        .summary = "Signs a token, for tests and demonstrations, and prints it.",
        .options = {{"user", "ID", "The user whom it names.", false},
                    {"subject", "TEXT", "Another subject instead.", false},
                    {"key", "FILE",
                     "A secret, or an RSA private key in PEM; otherwise the first "
                     "token.secret_file.",
                     false},
                    {"kid", "KID", "The key's id, for the header.", false},
                    {"issuer", "ISSUER", "The claim iss; otherwise the first token.issuer.", false},
                    {"audience", "AUDIENCE", "The claim aud; otherwise the first token.audience.",
                     false},
                    {"session", "SID", "The session claim.", false},
                    {"expires-in", "SECONDS", "The claim exp, from now; 3600 otherwise.", false},
                    {"not-before-in", "SECONDS", "The claim nbf, from now.", false}},
        .run = run_mint,
    },
    {
        .name = "token verify",
        .argument = "TOKEN",
        .has_json = true,
        .summary =
            "Judges a token as the worker would, the database aside; - reads standard input.",
        .options = {{"signature-only", NULL,
                     "Judge form, header and signature alone, whatever the payload is.", false},
                    {"jwks", "FILE", "By the keys of this JWKS instead of the configured ones.",
                     false}},
        .run = run_verify,
    },
    {.name = NULL},
};
