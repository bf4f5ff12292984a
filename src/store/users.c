#include "store/users.h"

#include "base/clock.h"
#include "store/profiles.h"
#include "store/rows.h"

enum store_result users_lock(struct database *database, const struct uuid *user, struct err *err)
{
    int64_t rows = 0;
    const struct value in[] = {value_uuid(user)};
    enum store_result result = database_run_counted(database, STATEMENT_USER_LOCK, in, &rows, err);
    if (result != STORE_OK || rows > 0)
        return result;
    err_set(err, "there is no such user");
    return STORE_NOT_FOUND;
}

/* One change of a user or of its child rows: what is run once the user's row is locked. */
struct change {
    struct uuid user;
    bool has_first;
    enum statement_id first; /* takes the user: clears a role that the new row is to have */
    enum statement_id main;
    const struct value *in; /* of main */
    const char *missing;    /* for people: no row was changed */
    const char *duplicate;  /* for people: a unique key refused the row */
};

static enum store_result work_change(struct database *database, void *context, struct err *err)
{
    const struct change *change = context;
    const struct value user[] = {value_uuid(&change->user)};
    int64_t rows = 0;
    enum store_result result = users_lock(database, &change->user, err);
    if (result == STORE_OK && change->has_first)
        result = database_run_counted(database, change->first, user, NULL, err);
    if (result == STORE_OK)
        result = database_run_counted(database, change->main, change->in, &rows, err);
    if (result == STORE_DUPLICATE && change->duplicate != NULL)
        err_set(err, "%s", change->duplicate);
    if (result != STORE_OK || rows > 0)
        return result;
    err_set(err, "%s", change->missing);
    return STORE_NOT_FOUND;
}

static enum store_result apply(struct database *database, struct change change, struct err *err)
{
    if (change.missing == NULL)
        change.missing = "nothing was changed";
    return database_transact(database, work_change, &change, err);
}

static enum store_result work_add_user(struct database *database, void *context, struct err *err)
{
    const struct value *in = context;
    enum store_result result = database_run_counted(database, STATEMENT_USER_ADD, in, NULL, err);
    if (result == STORE_DUPLICATE)
        err_set(err, "there is a user with this id already");
    return result;
}

enum store_result users_add(struct database *database, const struct profile *profile,
                            struct err *err)
{
    struct row row = row_of_user(profile);
    return database_transact(database, work_add_user, row.in, err);
}

enum store_result users_show(struct database *database, const struct uuid *user,
                             struct arena *arena, struct profile *out, struct err *err)
{
    return profiles_read(database, user, arena, out, err);
}

struct listing {
    user_visit *visit;
    void *context;
};

static enum store_result visit_listed(void *context, const struct value *row, struct err *err)
{
    const struct listing *listing = context;
    struct user_row user = {
        .id = row[0].uuid,
        .name = row[2].text,
        .default_email = row[3].text,
        .created_ms = row[4].time_ms,
        .updated_ms = row[5].time_ms,
    };
    if (!user_status_from_name(row[1].text, &user.status)) {
        err_set(err, "users.status holds a status that this program does not know");
        return STORE_FAILED;
    }
    return listing->visit(listing->context, &user) ? STORE_OK : STORE_ABANDONED;
}

enum store_result users_list(struct database *database, const struct uuid *after,
                             const enum user_status *status, int64_t limit, user_visit *visit,
                             void *context, struct err *err)
{
    struct listing listing = {visit, context};
    const struct value from = value_uuid(after);
    const struct value only =
        value_text(status != NULL ? str_from(user_status_name(*status)) : STR_NONE);
    const struct value in[] = {from, from, only, only, value_number(limit)};
    const struct call call = {
        .statement = STATEMENT_USER_LIST, .in = in, .visit = visit_listed, .context = &listing};
    enum store_result result = database_run(database, &call, err);
    return result == STORE_ABANDONED ? STORE_OK : result;
}

enum store_result users_set_status(struct database *database, const struct uuid *user,
                                   enum user_status status, struct err *err)
{
    const struct value name = value_text(str_from(user_status_name(status)));
    const struct value in[] = {name, name, value_uuid(user)};
    return apply(database,
                 (struct change){.user = *user, .main = STATEMENT_USER_SET_STATUS, .in = in}, err);
}

enum store_result users_add_email(struct database *database, const struct uuid *user,
                                  const struct profile_email *email, struct err *err)
{
    const struct row row = row_of_email(user, email);
    const struct change change = {
        .user = *user,
        .has_first = email->is_default,
        .first = STATEMENT_EMAIL_CLEAR_DEFAULT,
        .main = STATEMENT_EMAIL_ADD,
        .in = row.in,
        .duplicate = "the address is taken already, by this user or another",
    };
    return apply(database, change, err);
}

enum store_result users_remove_email(struct database *database, const struct uuid *user,
                                     struct str address, struct err *err)
{
    const struct value in[] = {value_uuid(user), value_text(address)};
    const struct change change = {.user = *user,
                                  .main = STATEMENT_EMAIL_REMOVE,
                                  .in = in,
                                  .missing = "the user has no such email address"};
    return apply(database, change, err);
}

enum store_result users_add_phone(struct database *database, const struct uuid *user,
                                  const struct profile_phone *phone, struct err *err)
{
    const struct row row = row_of_phone(user, phone);
    const struct change change = {
        .user = *user,
        .has_first = phone->is_primary,
        .first = STATEMENT_PHONE_CLEAR_PRIMARY,
        .main = STATEMENT_PHONE_ADD,
        .in = row.in,
        .duplicate = "the user has this phone number already",
    };
    return apply(database, change, err);
}

enum store_result users_remove_phone(struct database *database, const struct uuid *user,
                                     struct str number, struct err *err)
{
    const struct value in[] = {value_uuid(user), value_text(number)};
    const struct change change = {.user = *user,
                                  .main = STATEMENT_PHONE_REMOVE,
                                  .in = in,
                                  .missing = "the user has no such phone number"};
    return apply(database, change, err);
}

enum store_result users_add_identity(struct database *database, const struct uuid *user,
                                     struct str issuer, const struct profile_identity *identity,
                                     struct err *err)
{
    struct uuid id;
    if (!uuid_new(clock_now_ms(), &id)) {
        err_set(err, "the kernel's random generator does not answer");
        return STORE_FAILED;
    }
    const struct row row = row_of_identity(user, &id, issuer, identity);
    const struct change change = {
        .user = *user,
        .main = STATEMENT_IDENTITY_ADD,
        .in = row.in,
        .duplicate = "this subject of this issuer is taken already, by this user or another",
    };
    return apply(database, change, err);
}

enum store_result users_remove_identity(struct database *database, const struct uuid *user,
                                        struct str issuer, struct str subject, struct err *err)
{
    const struct value in[] = {value_uuid(user), value_text(issuer), value_text(subject)};
    const struct change change = {.user = *user,
                                  .main = STATEMENT_IDENTITY_REMOVE,
                                  .in = in,
                                  .missing = "the user has no such identity"};
    return apply(database, change, err);
}

enum store_result users_add_badge(struct database *database, const struct uuid *user,
                                  struct str badge, struct err *err)
{
    struct str scope = str_cut(&badge, ':');
    const struct value in[] = {value_uuid(user), value_text(scope), value_text(badge)};
    const struct change change = {.user = *user,
                                  .main = STATEMENT_BADGE_ADD,
                                  .in = in,
                                  .duplicate = "the user has this badge already"};
    return apply(database, change, err);
}

enum store_result users_remove_badge(struct database *database, const struct uuid *user,
                                     struct str badge, struct err *err)
{
    struct str scope = str_cut(&badge, ':');
    const struct value in[] = {value_uuid(user), value_text(scope), value_text(badge)};
    const struct change change = {.user = *user,
                                  .main = STATEMENT_BADGE_REMOVE,
                                  .in = in,
                                  .missing = "the user has no such badge"};
    return apply(database, change, err);
}

enum store_result users_set_fraud_score(struct database *database, const struct uuid *user,
                                        int64_t score, struct err *err)
{
    const struct value in[] = {value_uuid(user), value_number(score)};
    return apply(database, (struct change){.user = *user, .main = STATEMENT_FRAUD_SET, .in = in},
                 err);
}

enum store_result users_remove_fraud_score(struct database *database, const struct uuid *user,
                                           struct err *err)
{
    const struct value in[] = {value_uuid(user)};
    const struct change change = {.user = *user,
                                  .main = STATEMENT_FRAUD_REMOVE,
                                  .in = in,
                                  .missing = "the user has no fraud score"};
    return apply(database, change, err);
}
