#include "store/newcomers.h"

#include "base/clock.h"
#include "store/rows.h"

/* What the transaction adds, however often it is run. */
struct addition {
    struct profile *profile;
    struct str issuer;
    struct uuid identity_id;
    bool address_is_taken;
};

static bool make_ids(struct addition *addition, struct err *err)
{
    struct profile *profile = addition->profile;
    int64_t now_ms = clock_now_ms();
    bool good = uuid_new(now_ms, &profile->id) && uuid_new(now_ms, &addition->identity_id);
    for (size_t i = 0; i < profile->email_count; i++)
        good = good && uuid_new(now_ms, &profile->emails[i].id);
    for (size_t i = 0; i < profile->phone_count; i++)
        good = good && uuid_new(now_ms, &profile->phones[i].id);
    if (!good)
        err_set(err, "the kernel's random generator does not answer");
    return good;
}

static enum store_result add(struct database *database, enum statement_id statement,
                             const struct row *row, struct err *err)
{
    return database_run_counted(database, statement, row->in, NULL, err);
}

/* The unique key of issuer and subject decides who adds the user. */
static enum store_result add_user(struct database *database, const struct addition *addition,
                                  struct err *err)
{
    const struct profile *profile = addition->profile;
    const struct row user = row_of_user(profile);
    const struct row identity = row_of_identity(&profile->id, &addition->identity_id,
                                                addition->issuer, profile->identities);
    enum store_result result = add(database, STATEMENT_USER_ADD, &user, err);
    if (result == STORE_OK)
        result = add(database, STATEMENT_IDENTITY_ADD, &identity, err);
    return result;
}

/*
 * Whoever has the address keeps it, however well the token's issuer verified it: an issuer vouches
 * for its own users, not for those of others. A duplicate undoes its statement alone.
 */
static enum store_result add_email(struct database *database, struct addition *addition,
                                   struct err *err)
{
    const struct profile *profile = addition->profile;
    addition->address_is_taken = false;
    if (profile->email_count == 0)
        return STORE_OK;
    const struct row email = row_of_email(&profile->id, profile->emails);
    enum store_result result = add(database, STATEMENT_EMAIL_ADD, &email, err);
    addition->address_is_taken = result == STORE_DUPLICATE;
    if (!addition->address_is_taken)
        return result;
    err_clear(err);
    return STORE_OK;
}

static enum store_result add_phone(struct database *database, const struct profile *profile,
                                   struct err *err)
{
    if (profile->phone_count == 0)
        return STORE_OK;
    const struct row phone = row_of_phone(&profile->id, profile->phones);
    return add(database, STATEMENT_PHONE_ADD, &phone, err);
}

static enum store_result work_add(struct database *database, void *context, struct err *err)
{
    struct addition *addition = context;
    enum store_result result = add_user(database, addition, err);
    if (result == STORE_OK)
        result = add_email(database, addition, err);
    if (result == STORE_OK)
        result = add_phone(database, addition->profile, err);
    return result;
}

enum store_result newcomers_add(struct database *database, struct newcomer *newcomer,
                                bool *address_is_taken, struct err *err)
{
    struct addition addition = {.profile = &newcomer->profile, .issuer = newcomer->issuer};
    if (!make_ids(&addition, err))
        return STORE_FAILED;
    enum store_result result = database_transact(database, work_add, &addition, err);
    *address_is_taken = addition.address_is_taken;
    return result;
}
