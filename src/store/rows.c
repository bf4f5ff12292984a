#include "store/rows.h"

struct row row_of_user(const struct profile *profile)
{
    return (struct row){{
        value_uuid(&profile->id),
        value_text(str_from(user_status_name(profile->status))),
        value_text(profile->name),
        value_text(profile->bio),
        value_text(profile->avatar_url),
        value_text(profile->locale),
        value_text(profile->timezone),
    }};
}

struct row row_of_email(const struct uuid *user, const struct profile_email *email)
{
    return (struct row){{
        value_uuid(user),
        value_uuid(&email->id),
        value_text(email->address),
        value_number(email->verified),
        value_number(email->password_set),
        value_number(email->token_set),
        value_number(email->is_default),
    }};
}

struct row row_of_phone(const struct uuid *user, const struct profile_phone *phone)
{
    return (struct row){{
        value_uuid(user),
        value_uuid(&phone->id),
        value_text(phone->number),
        value_number(phone->verified),
        value_number(phone->is_primary),
    }};
}

struct row row_of_identity(const struct uuid *user, const struct uuid *id, struct str issuer,
                           const struct profile_identity *identity)
{
    return (struct row){{
        value_uuid(user),
        value_uuid(id),
        value_text(issuer),
        value_text(identity->subject),
        value_text(identity->provider),
        value_text(identity->name),
        value_text(identity->email),
        value_text(identity->avatar_url),
    }};
}
