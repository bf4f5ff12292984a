#include <json-c/json.h>

#include "api/authenticate.h"
#include "api/body.h"
#include "api/loading.h"
#include "api/me.h"
#include "api/provision.h"
#include "api/rendered.h"
#include "api/swapping.h"
#include "api/trail.h"
#include "profile/patch.h"

/* A PATCH on its way through the transaction, which may be run more than once. */
struct change {
    struct exchange *exchange;
    const struct patch *patch;
    struct profile_load loaded; /* the changed profile */
    struct rendered rendered;   /* of it */
    bool awaits_user;           /* the transaction was abandoned, since the user is to be added */
    enum problem problem;       /* why else it was abandoned */
};

static enum store_result abandon(struct change *change, enum problem problem)
{
    change->problem = problem;
    return STORE_ABANDONED;
}

static bool has_precondition(const struct exchange *exchange)
{
    return str_is_set(exchange->request->header[REQUEST_IF_MATCH]) ||
           str_is_set(exchange->request->header[REQUEST_IF_NONE_MATCH]);
}

static enum problem judge_precondition(struct exchange *exchange, const struct profile *profile)
{
    struct rendered current;

    if (!has_precondition(exchange))
        return PROBLEM_NONE;
    if (!rendered_make(exchange, profile, &current))
        return PROBLEM_INTERNAL_ERROR;
    if (rendered_is_other(exchange, &current) || rendered_is_known(exchange, &current))
        return rendered_refuse(exchange, &current);
    return PROBLEM_NONE;
}

/* updatedAt never goes back, nor stands still over a change. */
static int64_t next_update_ms(const struct profile_load *loaded)
{
    int64_t next_ms = loaded->profile.updated_ms + 1;

    return loaded->now_ms > next_ms ? loaded->now_ms : next_ms;
}

/* The one that the write gave it, for who is going to keep it: nobody can move it before the COMMIT.
 */
static enum store_result read_revision(struct database *database, const struct change *change,
                                       struct profile_load *loaded, struct err *err)
{
    struct profile_probe probe;
    enum store_result result;

    if (!kept_is_on(change->exchange->service->kept))
        return STORE_OK;
    result = profiles_probe(database, &loaded->profile.id, &probe, err);
    if (result == STORE_OK)
        loaded->revision = probe.revision;
    return result;
}

/* Writes what the patch makes another value, and the trail of it. */
static enum store_result store_change(struct database *database, const struct change *change,
                                      struct profile_load *loaded, struct err *err)
{
    const struct profile before = loaded->profile;
    enum store_result result;

    if (!patch_apply(change->patch, &loaded->profile))
        return STORE_OK;
    loaded->profile.updated_ms = next_update_ms(loaded);
    result = profiles_update(database, &loaded->profile, err);
    if (result == STORE_OK)
        result = trail_add(change->exchange, database, &before, &loaded->profile, err);
    if (result == STORE_OK)
        result = read_revision(database, change, loaded, err);
    return result;
}

static enum store_result change_in_transaction(struct database *database, void *context,
                                               struct err *err)
{
    struct change *change = context;
    struct exchange *exchange = change->exchange;
    struct profile_load *loaded = &change->loaded;
    enum problem problem;
    enum store_result result;

    result =
        profiles_load_locked(database, &exchange->access, exchange->service->arena, loaded, err);
    if (result != STORE_OK)
        return result;
    change->awaits_user = provision_is_due(exchange, loaded->access);
    if (change->awaits_user)
        return abandon(change, PROBLEM_NONE);
    problem = authenticate_access(exchange, loaded->access);
    if (problem == PROBLEM_NONE)
        problem = judge_precondition(exchange, &loaded->profile);
    if (problem != PROBLEM_NONE)
        return abandon(change, problem);
    result = store_change(database, change, loaded, err);
    if (result == STORE_OK && !rendered_make(exchange, &loaded->profile, &change->rendered))
        return abandon(change, PROBLEM_INTERNAL_ERROR);
    return result;
}

static enum problem change_once(struct change *change)
{
    struct exchange *exchange = change->exchange;
    enum store_result result = database_transact(exchange->service->database, change_in_transaction,
                                                 change, &exchange->err);

    return result == STORE_ABANDONED ? change->problem : problem_of_store(result);
}

static enum problem change_by_transaction(struct change *change)
{
    struct exchange *exchange = change->exchange;
    struct service *service = exchange->service;
    enum problem problem = change_once(change);

    if (problem == PROBLEM_NONE && change->awaits_user) {
        problem = provision(exchange);
        if (problem == PROBLEM_NONE)
            problem = change_once(change);
    }
    if (problem == PROBLEM_NONE)
        kept_put_loaded(service->kept, service->database, &exchange->access, &change->loaded,
                        change->rendered.body, change->rendered.etag);
    return problem;
}

static enum problem change(struct exchange *exchange, const struct patch *patch)
{
    struct change change = {.exchange = exchange, .patch = patch};
    enum store_result result = swapping_try(exchange, patch, &change.rendered);
    enum problem problem;

    exchange->cache = kept_use(exchange->service->kept, result == STORE_OK);
    problem = result == STORE_CONFLICT ? change_by_transaction(&change) : problem_of_store(result);
    if (problem == PROBLEM_NONE)
        rendered_send(exchange, &change.rendered);
    return problem;
}

/* RFC 6585, section 3 */
static bool lacks_if_match(const struct exchange *exchange)
{
    return exchange->service->settings->request.require_if_match &&
           !str_is_set(exchange->request->header[REQUEST_IF_MATCH]);
}

/* Reads and validates the body: what is wrong with it is the answer only to whom the profile may be
 * shown. */
static enum problem read_patch(struct exchange *exchange, struct patch *patch)
{
    struct service *service = exchange->service;
    struct violation_list *violations = arena_alloc(service->arena, sizeof(*violations));
    struct json_object *body = NULL;
    enum problem problem = body_read(exchange, &body);
    bool good;

    if (problem == PROBLEM_NONE && lacks_if_match(exchange))
        problem = PROBLEM_PRECONDITION_REQUIRED;
    if (problem != PROBLEM_NONE) {
        json_object_put(body);
        return problem;
    }
    good = violations != NULL &&
           patch_read(body, service->settings->profile.zoneinfo, service->arena, patch, violations);
    json_object_put(body);
    if (!good)
        return PROBLEM_INTERNAL_ERROR;
    if (violations->first == NULL)
        return PROBLEM_NONE;
    exchange->violations = violations;
    return PROBLEM_VALIDATION_FAILED;
}

enum problem me_patch(struct exchange *exchange)
{
    struct patch patch = {.is_present = {false}};
    struct profile_load loaded;
    enum problem body_problem = read_patch(exchange, &patch);
    struct str body_note = exchange->note;
    enum problem problem;

    if (body_problem == PROBLEM_NONE)
        return change(exchange, &patch);
    exchange->note = STR_NONE;
    problem = loading_load(exchange, &loaded);
    if (problem != PROBLEM_NONE)
        return problem;
    exchange->note = body_note;
    return body_problem;
}
