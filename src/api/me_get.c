#include "api/loading.h"
#include "api/me.h"
#include "api/rendered.h"

/* What is kept, where the database says that it is right. STORE_NOT_FOUND: it is not there, or not
 * right. */
static enum store_result recall(struct exchange *exchange, struct rendered *out)
{
    struct service *service = exchange->service;
    struct profile_probe probe;
    struct kept_entry entry;
    enum store_result result =
        kept_find(service->kept, service->database, &exchange->access, &entry, &exchange->err);

    if (result == STORE_OK)
        result = profiles_probe(service->database, &entry.user, &probe, &exchange->err);
    if (result != STORE_OK)
        return result;
    if (!kept_is_current(service->kept, service->database, &entry, &probe))
        return STORE_NOT_FOUND;
    *out = (struct rendered){entry.body, entry.etag};
    return STORE_OK;
}

static enum problem read_anew(struct exchange *exchange, struct rendered *out)
{
    struct service *service = exchange->service;
    struct profile_load loaded;
    enum problem problem = loading_load(exchange, &loaded);

    if (problem != PROBLEM_NONE)
        return problem;
    if (!rendered_make(exchange, &loaded.profile, out))
        return PROBLEM_INTERNAL_ERROR;
    kept_put_loaded(service->kept, service->database, &exchange->access, &loaded, out->body,
                    out->etag);
    return PROBLEM_NONE;
}

static enum problem show(struct exchange *exchange, struct rendered *out)
{
    enum store_result result = recall(exchange, out);

    exchange->cache = kept_use(exchange->service->kept, result == STORE_OK);
    return result == STORE_NOT_FOUND ? read_anew(exchange, out) : problem_of_store(result);
}

enum problem me_get(struct exchange *exchange)
{
    struct rendered rendered;
    enum problem problem = show(exchange, &rendered);

    if (problem != PROBLEM_NONE)
        return problem;
    if (rendered_is_other(exchange, &rendered))
        return rendered_refuse(exchange, &rendered);
    if (rendered_is_known(exchange, &rendered))
        rendered_send_unchanged(exchange, &rendered);
    else
        rendered_send(exchange, &rendered);
    return PROBLEM_NONE;
}
