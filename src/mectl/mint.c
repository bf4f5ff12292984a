#include "mectl/mint.h"

#include <json-c/json.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/uuid.h"
#include "token/keyset.h"

enum { KEY_FILE_MAX_BYTES = 64 * 1024 };

/* As with the keys of the worker, text may stand around the block. */
static bool is_pem(struct str text)
{
    static const struct str begin = STR("-----BEGIN ");

    return text.len > 0 && memmem(text.data, text.len, begin.data, begin.len) != NULL;
}

struct signer *mint_signer(const char *path, struct err *err)
{
    struct signer *signer = NULL;
    struct buf text;

    buf_init(&text, KEY_FILE_MAX_BYTES);
    if (file_read(path, file_readers_of_operator(), &text, err)) {
        if (is_pem(buf_str(&text)))
            signer = signer_from_pem(buf_str(&text), err);
        else
            signer = signer_from_secret(keyset_secret_of_file(buf_str(&text)), err);
        if (signer == NULL)
            err_prefix(err, "%s", path);
    }
    buf_free_secret(&text);
    return signer;
}

static const char *first_of(const struct settings_list *list)
{
    return list->count == 0 ? NULL : list->items[0];
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

static void add_id(struct json_object *claims, int64_t now_ms)
{
    char text[UUID_TEXT_LEN + 1];
    struct uuid id;

    if (!uuid_new(now_ms, &id))
        return;
    uuid_format(&id, text);
    add_text(claims, "jti", text);
}

static struct json_object *new_claims(const struct settings *settings, const struct mint *mint)
{
    struct json_object *claims = json_object_new_object();
    int64_t now_ms = clock_now_ms(), now_s = now_ms / 1000;

    if (claims == NULL)
        return NULL;
    add_text(claims, "iss",
             mint->issuer != NULL ? mint->issuer : first_of(&settings->token.issuer));
    add_text(claims, "sub", mint->subject);
    add_text(claims, "aud",
             mint->audience != NULL ? mint->audience : first_of(&settings->token.audience));
    add_time(claims, "iat", now_s);
    add_time(claims, "exp", now_s + mint->expires_in_s);
    if (mint->has_not_before)
        add_time(claims, "nbf", now_s + mint->not_before_in_s);
    add_id(claims, now_ms);
    add_text(claims, settings->token.session_claim, mint->session);
    return claims;
}

bool mint_token(const struct settings *settings, struct signer *signer, const struct mint *mint,
                struct buf *out)
{
    struct json_object *claims = new_claims(settings, mint);
    const char *payload =
        claims == NULL ? NULL
                       : json_object_to_json_string_ext(claims, JSON_C_TO_STRING_PLAIN |
                                                                    JSON_C_TO_STRING_NOSLASHESCAPE);
    bool good = payload != NULL && signer_mint(signer, str_from(mint->kid), str_from(payload), out);

    json_object_put(claims);
    return good && buf_is_good(out);
}
