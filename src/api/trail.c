#include "api/trail.h"

#include "profile/difference.h"
#include "store/audit.h"
#include "token/client.h"
#include "token/jws.h"

enum { NAMES_MAX_BYTES = 256 };

/* What the texts of a row are made in. */
struct workings {
    struct buf payload, client, names, values;
};

static bool describe(const struct exchange *exchange, const struct profile *before,
                     const struct profile *after, struct workings *workings,
                     struct audit_entry *out)
{
    bool with_values = exchange->service->settings->audit.level == SETTINGS_AUDIT_VALUES;

    *out = (struct audit_entry){
        .user = after->id,
        .request_id = exchange->request_id,
        .issuer = exchange->claims->issuer,
    };
    if (!jws_payload(exchange->token, &workings->payload) ||
        !client_of_token(buf_str(&workings->payload), &workings->client, &out->client) ||
        !difference_names(before, after, &workings->names) ||
        (with_values && !difference_values(before, after, &workings->values)))
        return false;
    out->members = buf_str(&workings->names);
    out->values = with_values ? buf_str(&workings->values) : STR_NONE;
    return true;
}

enum store_result trail_add(const struct exchange *exchange, struct database *database,
                            const struct profile *before, const struct profile *after,
                            struct err *err)
{
    enum store_result result = STORE_FAILED;
    struct audit_entry entry;
    struct workings workings;

    if (exchange->service->settings->audit.level == SETTINGS_AUDIT_OFF)
        return STORE_OK;
    buf_init(&workings.payload, exchange->token.len);
    buf_init(&workings.client, exchange->token.len);
    buf_init(&workings.names, NAMES_MAX_BYTES);
    buf_init(&workings.values, AUDIT_VALUES_MAX_BYTES);
    if (describe(exchange, before, after, &workings, &entry))
        result = audit_add(database, &entry, err);
    else
        err_set(err, "out of memory for the audit trail");
    buf_free_secret(&workings.payload);
    buf_free(&workings.client);
    buf_free(&workings.names);
    buf_free(&workings.values);
    return result;
}
