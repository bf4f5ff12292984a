#include "profile/profile.h"

#include <stdlib.h>

static const char *const status_names[USER_STATUS__MAX] = {
    [USER_PENDING] = "pending", [USER_ACTIVE] = "active", [USER_DELETED] = "deleted",
    [USER_INVITED] = "invited", [USER_BANNED] = "banned",
};

const char *user_status_name(enum user_status status)
{
    return status_names[status];
}

bool user_status_from_name(struct str name, enum user_status *out)
{
    for (size_t i = 0; i < USER_STATUS__MAX; i++) {
        if (!str_equal(name, str_from(status_names[i])))
            continue;
        *out = (enum user_status)i;
        return true;
    }
    return false;
}

/* ---- order: each comparison is as qsort wants it */

static int compare_numbers(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* True comes first. */
static int compare_flags(bool a, bool b)
{
    return (int)b - (int)a;
}

/* One that is unset comes first, and is not the same as an empty one. */
static int compare_optional(struct str a, struct str b)
{
    if (str_is_set(a) != str_is_set(b))
        return str_is_set(a) ? 1 : -1;
    return str_compare(a, b);
}

/* The first comparison that tells two rows apart. */
static int first_of(const int *orders, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (orders[i] != 0)
            return orders[i];
    return 0;
}

static int compare_emails(const void *left, const void *right)
{
    const struct profile_email *a = left, *b = right;
    const int orders[] = {compare_flags(a->is_default, b->is_default),
                          compare_numbers(a->created_ms, b->created_ms),
                          uuid_compare(&a->id, &b->id)};

    return first_of(orders, ARRAY_LENGTH(orders));
}

static int compare_phones(const void *left, const void *right)
{
    const struct profile_phone *a = left, *b = right;
    const int orders[] = {compare_flags(a->is_primary, b->is_primary),
                          compare_numbers(a->created_ms, b->created_ms),
                          uuid_compare(&a->id, &b->id)};

    return first_of(orders, ARRAY_LENGTH(orders));
}

/*
 * A provider's ids are unique for each issuer, and two issuers may go by one provider's name: so
 * the id alone does not settle the order.
 */
static int compare_identities(const void *left, const void *right)
{
    const struct profile_identity *a = left, *b = right;
    const int orders[] = {compare_numbers(a->created_ms, b->created_ms),
                          str_compare(a->provider, b->provider),
                          str_compare(a->subject, b->subject),
                          compare_optional(a->name, b->name),
                          compare_optional(a->email, b->email),
                          compare_optional(a->avatar_url, b->avatar_url),
                          compare_numbers(a->updated_ms, b->updated_ms)};

    return first_of(orders, ARRAY_LENGTH(orders));
}

static int compare_badges(const void *left, const void *right)
{
    const struct str *a = left, *b = right;

    return str_compare(*a, *b);
}

/* qsort may not be given NULL, not even for no rows. */
static void sort(void *rows, size_t count, size_t size, int (*compare)(const void *, const void *))
{
    if (count > 1)
        qsort(rows, count, size, compare);
}

void profile_sort(struct profile *profile)
{
    sort(profile->emails, profile->email_count, sizeof(*profile->emails), compare_emails);
    sort(profile->identities, profile->identity_count, sizeof(*profile->identities),
         compare_identities);
    sort(profile->phones, profile->phone_count, sizeof(*profile->phones), compare_phones);
    sort(profile->badges, profile->badge_count, sizeof(*profile->badges), compare_badges);
}
