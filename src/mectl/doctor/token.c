#include "mectl/doctor/token.h"

#include <stdio.h>
#include <string.h>

#include "mectl/mint.h"
#include "store/sessions.h"
#include "store/users.h"

enum { USERS = 2, LIFETIME_S = 600, TEXT_MAX_BYTES = 1024 };

/* ---- given */

/* One line of standard input. */
static bool read_line(struct buf *out)
{
    int c;

    while ((c = getchar()) != EOF && c != '\n')
        buf_append_byte(out, (char)c);
    return ferror(stdin) == 0 && out->len > 0;
}

/* What may stand in a header as one word. */
static bool is_word(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.data[i] <= ' ' || text.data[i] > '~')
            return false;
    return text.len > 0;
}

static bool take_given(const char *given, struct buf *out, struct err *err)
{
    bool good = true;

    if (strcmp(given, "-") == 0)
        good = read_line(out);
    else
        buf_append_text(out, given);
    good = good && is_word(buf_str(out));
    buf_append_byte(out, '\0');
    if (good && buf_is_good(out))
        return true;
    err_set(err, "--token: there is none that can be sent");
    return false;
}

/* ---- minted */

/* A user by the id that a token names, and a session where it must name one. */
struct bearer {
    char subject[TEXT_MAX_BYTES], session[TEXT_MAX_BYTES];
};

struct bearers {
    struct invocation *invocation;
    struct bearer bearer[USERS];
    size_t count;
};

static bool add_user(void *context, const struct user_row *row)
{
    struct bearers *bearers = context;
    struct bearer *next = &bearers->bearer[bearers->count];

    uuid_format(&row->id, next->subject);
    bearers->count += bearers->count == 0 || strcmp(next->subject, bearers->bearer[0].subject) != 0;
    return bearers->count < USERS;
}

/* Beside the one that is named, if any. */
static bool find_active_users(struct bearers *bearers, struct err *err)
{
    const enum user_status active = USER_ACTIVE;

    if (users_list(bearers->invocation->database, NULL, &active, USERS, add_user, bearers, err) !=
        STORE_OK)
        return bearers->count > 0;
    if (bearers->count == 0)
        err_set(err, "there is no active user");
    return bearers->count > 0;
}

static bool take_active_session(void *context, const struct session_row *row)
{
    struct bearer *bearer = context;

    if (!row->is_active || row->id.len >= sizeof(bearer->session))
        return true;
    (void)snprintf(bearer->session, sizeof(bearer->session), "%.*s", STR_ARGS(row->id));
    return false;
}

static bool find_session(const struct bearers *bearers, struct bearer *bearer, struct err *err)
{
    struct uuid user;

    if (bearers->invocation->settings.token.sessions != SETTINGS_SESSIONS_REQUIRED)
        return true;
    if (!uuid_parse(str_from(bearer->subject), &user) ||
        sessions_list(bearers->invocation->database, &user, take_active_session, bearer, err) !=
            STORE_OK)
        return false;
    if (bearer->session[0] == '\0')
        err_set(err, "token.sessions is required, and the user %s has no active session",
                bearer->subject);
    return bearer->session[0] != '\0';
}

static void take_named(struct bearers *bearers, const char *name)
{
    (void)snprintf(bearers->bearer[0].subject, sizeof(bearers->bearer[0].subject), "%s", name);
    bearers->count = 1;
}

static bool open_database(struct invocation *invocation, struct err *err)
{
    if (invocation->database == NULL)
        invocation->database =
            database_new(&invocation->settings, DATABASE_ADMIN, file_readers_of_operator(), err);
    return invocation->database != NULL;
}

static bool find_bearers(struct bearers *bearers, struct err *err)
{
    struct invocation *invocation = bearers->invocation;
    const char *user = invocation_option(invocation, "user");
    const char *subject = invocation_option(invocation, "subject");

    if (subject != NULL || user != NULL)
        take_named(bearers, subject != NULL ? subject : user);
    if (subject != NULL)
        return true;
    if (invocation->settings.token.subject == SETTINGS_SUBJECT_IDENTITY) {
        err_set(err, "token.subject is identity, and no --subject is given");
        return false;
    }
    return open_database(invocation, err) && find_active_users(bearers, err) &&
           find_session(bearers, &bearers->bearer[0], err);
}

static bool mint_for(const struct bearers *bearers, const struct bearer *bearer,
                     struct signer *signer, struct buf *out)
{
    const struct mint mint = {
        .subject = bearer->subject,
        .session = bearer->session[0] == '\0' ? NULL : bearer->session,
        .expires_in_s = LIFETIME_S,
    };
    bool good = mint_token(&bearers->invocation->settings, signer, &mint, out);

    buf_append_byte(out, '\0');
    return good && buf_is_good(out);
}

static bool mint_all(struct bearers *bearers, struct signer *signer, struct doctor_tokens *out,
                     struct err *err)
{
    struct err ignored;

    if (!find_bearers(bearers, err))
        return false;
    if (!mint_for(bearers, &bearers->bearer[0], signer, &out->first)) {
        err_set(err, "the token could not be signed");
        return false;
    }
    if (bearers->count > 1 && find_session(bearers, &bearers->bearer[1], &ignored) &&
        !mint_for(bearers, &bearers->bearer[1], signer, &out->other))
        buf_reset(&out->other);
    return true;
}

static bool mint(struct invocation *invocation, struct doctor_tokens *out, struct err *err)
{
    const struct settings_list *secrets = &invocation->settings.token.secret_file;
    const char *path = invocation_option(invocation, "key");
    struct bearers bearers = {.invocation = invocation};
    struct signer *signer;
    bool good;

    if (path == NULL && secrets->count > 0)
        path = secrets->items[0];
    if (path == NULL) {
        err_set(err, "no token.secret_file is set, and neither --token nor --key is given");
        return false;
    }
    signer = mint_signer(path, err);
    good = signer != NULL && mint_all(&bearers, signer, out, err);
    signer_free(signer);
    return good;
}

bool doctor_tokens_get(struct invocation *invocation, struct doctor_tokens *out, struct err *err)
{
    const char *given = invocation_option(invocation, "token");

    buf_init(&out->first, MINT_TOKEN_MAX_BYTES);
    buf_init(&out->other, MINT_TOKEN_MAX_BYTES);
    return given != NULL ? take_given(given, &out->first, err) : mint(invocation, out, err);
}

void doctor_tokens_free(struct doctor_tokens *tokens)
{
    buf_free_secret(&tokens->first);
    buf_free_secret(&tokens->other);
}
