#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "mectl/command.h"
#include "token/jwt.h"

enum {
    KEY_FILE_MAX_BYTES = 64 * 1024,
    TOKEN_MAX_BYTES = 64 * 1024,
    INPUT_MAX_BYTES = 1024 * 1024,
    LIFETIME_S = 3600,
    LIFETIME_MAX_S = 10 * 365 * 24 * 3600
};

/* ---- token mint: for tests and demonstrations; in production the login system issues tokens */

static const char *first_of(const struct settings_list *list)
{
    return list->count == 0 ? NULL : list->items[0];
}

static const char *option_or(const struct invocation *invocation, const char *name,
                             const char *otherwise)
{
    const char *value = invocation_option(invocation, name);

    return value == NULL ? otherwise : value;
}

static struct str without_line_end(struct str text)
{
    if (str_ends_with(text, STR("\n")))
        text.len--;
    if (str_ends_with(text, STR("\r")))
        text.len--;
    return text;
}

static struct signer *read_signer(const char *path)
{
    struct signer *signer = NULL;
    struct err err = {""};
    struct buf text;

    if (path == NULL) {
        (void)invocation_fail("there is no key to sign with: give --key FILE, or set "
                              "token.secret_file");
        return NULL;
    }
    buf_init(&text, KEY_FILE_MAX_BYTES);
    if (file_read(path, file_readers_of_operator(), &text, &err)) {
        if (str_starts_with(buf_str(&text), STR("-----BEGIN")))
            signer = signer_from_pem(buf_str(&text), &err);
        else
            signer = signer_from_secret(without_line_end(buf_str(&text)), &err);
        if (signer == NULL)
            err_prefix(&err, "%s", path);
    }
    buf_free_secret(&text);
    if (signer == NULL)
        (void)invocation_fail("%s", err.text);
    return signer;
}

static void add_text(struct json_object *claims, const char *name, const char *text)
{
    if (text != NULL)
        (void)json_object_object_add(claims, name, json_object_new_string(text));
}

static void add_time(struct json_object *claims, const char *name, int64_t time_s)
{
    (void)json_object_object_add(claims, name, json_object_new_int64(time_s));
}

struct lifetime {
    int64_t expires_in_s, not_before_in_s;
    bool has_not_before;
};

static bool read_lifetime(const struct invocation *invocation, struct lifetime *out)
{
    const char *expires = invocation_option(invocation, "expires-in");
    const char *not_before = invocation_option(invocation, "not-before-in");

    *out = (struct lifetime){.expires_in_s = LIFETIME_S, .has_not_before = not_before != NULL};
    return (expires == NULL || invocation_number(expires, "--expires-in", -LIFETIME_MAX_S,
                                                 LIFETIME_MAX_S, &out->expires_in_s)) &&
           (not_before == NULL || invocation_number(not_before, "--not-before-in", -LIFETIME_MAX_S,
                                                    LIFETIME_MAX_S, &out->not_before_in_s));
}

static struct json_object *new_claims(const struct invocation *invocation, const char *subject,
                                      const struct lifetime *lifetime)
{
    const struct settings *settings = &invocation->settings;
    struct json_object *claims = json_object_new_object();
    int64_t now_s = clock_now_ms() / 1000;
    char id_text[UUID_TEXT_LEN + 1];
    struct uuid id;

    if (claims == NULL || !invocation_new_id(&id))
        return claims;
    uuid_format(&id, id_text);
    add_text(claims, "iss", option_or(invocation, "issuer", first_of(&settings->token.issuer)));
    add_text(claims, "sub", subject);
    add_text(claims, "aud", option_or(invocation, "audience", first_of(&settings->token.audience)));
    add_time(claims, "iat", now_s);
    add_time(claims, "exp", now_s + lifetime->expires_in_s);
    if (lifetime->has_not_before)
        add_time(claims, "nbf", now_s + lifetime->not_before_in_s);
    add_text(claims, "jti", id_text);
    add_text(claims, settings->token.session_claim, invocation_option(invocation, "session"));
    return claims;
}

static enum command_exit print_token(const struct invocation *invocation, struct signer *signer,
                                     struct json_object *claims)
{
    const char *payload =
        claims == NULL ? NULL
                       : json_object_to_json_string_ext(claims, JSON_C_TO_STRING_PLAIN |
                                                                    JSON_C_TO_STRING_NOSLASHESCAPE);
    struct json_object *object;
    struct buf token;
    bool good;

    buf_init(&token, TOKEN_MAX_BYTES);
    good = payload != NULL && jwt_mint(signer, str_from(invocation_option(invocation, "kid")),
                                       str_from(payload), &token);
    buf_append_byte(&token, '\0');
    good = good && buf_is_good(&token);
    if (good && invocation->json) {
        object = json_object_new_object();
        add_text(object, "token", token.data);
        good = invocation_print_json(object) == COMMAND_OK;
    } else if (good)
        (void)puts(token.data);
    buf_free_secret(&token);
    return good ? COMMAND_OK : invocation_fail("the token could not be signed");
}

static enum command_exit run_mint(struct invocation *invocation)
{
    const char *user = invocation_option(invocation, "user");
    const char *subject = invocation_option(invocation, "subject");
    struct json_object *claims;
    struct lifetime lifetime;
    struct signer *signer;
    struct uuid uuid;
    enum command_exit result;

    if ((user == NULL) == (subject == NULL)) {
        (void)invocation_fail("token mint: give either --user or --subject");
        return COMMAND_USAGE;
    }
    if ((user != NULL && !invocation_uuid(user, "--user", &uuid)) ||
        !read_lifetime(invocation, &lifetime) || !invocation_settings(invocation))
        return COMMAND_FAILED;
    signer = read_signer(
        option_or(invocation, "key", first_of(&invocation->settings.token.secret_file)));
    if (signer == NULL)
        return COMMAND_FAILED;
    claims = new_claims(invocation, user == NULL ? subject : user, &lifetime);
    result = print_token(invocation, signer, claims);
    json_object_put(claims);
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
    return ferror(stdin) == 0 && buf_is_good(out);
}

static enum command_exit print_verdict(const struct invocation *invocation,
                                       enum jwt_verdict verdict, struct jwt_claims *claims,
                                       const struct err *err)
{
    const struct jwt_reason *reason = jwt_reason(verdict);
    struct json_object *object;

    if (!invocation->json) {
        (void)printf("%s: %s%s%s\n", reason->code, reason->detail, err->text[0] == '\0' ? "" : ": ",
                     err->text);
        if (verdict == JWT_VALID)
            (void)puts(json_object_to_json_string_ext(
                claims->payload, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
        return verdict == JWT_VALID ? COMMAND_OK : COMMAND_FAILED;
    }
    object = json_object_new_object();
    if (object == NULL)
        return invocation_fail("out of memory");
    (void)json_object_object_add(object, "valid", json_object_new_boolean(verdict == JWT_VALID));
    add_text(object, "code", reason->code);
    add_text(object, "message", reason->detail);
    if (err->text[0] != '\0')
        add_text(object, "detail", err->text);
    if (verdict == JWT_VALID)
        (void)json_object_object_add(object, "claims", json_object_get(claims->payload));
    return invocation_print_json(object) == COMMAND_OK && verdict == JWT_VALID ? COMMAND_OK
                                                                               : COMMAND_FAILED;
}

static enum command_exit judge(const struct invocation *invocation, struct str token)
{
    struct keyring *keyring = NULL;
    struct jwt_claims claims;
    struct jwt_rules rules;
    struct err err = {""};
    enum jwt_verdict verdict;
    enum command_exit result;

    if (!keyring_load(&invocation->settings, file_readers_of_operator(), &keyring, &err))
        return invocation_fail("%s", err.text);
    jwt_rules_from_settings(&invocation->settings, &rules);
    verdict = jwt_verify(token, keyring, &rules, clock_now_ms(), &claims, &err);
    result = print_verdict(invocation, verdict, &claims, &err);
    jwt_claims_free(&claims);
    keyring_free(keyring);
    return result;
}

static enum command_exit run_verify(struct invocation *invocation)
{
    enum command_exit result = COMMAND_FAILED;
    struct buf token;

    if (!invocation_settings(invocation))
        return COMMAND_FAILED;
    buf_init(&token, INPUT_MAX_BYTES);
    if (read_token(invocation->argument, &token))
        result = judge(invocation, without_line_end(buf_str(&token)));
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
        .run = run_verify,
    },
    {.name = NULL},
};
