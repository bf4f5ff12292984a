#include "api/me.h"

#include <json-c/json.h>

#include "api/authenticate.h"
#include "api/body.h"
#include "api/provision.h"
#include "api/trail.h"
#include "format/entitytag.h"
#include "profile/patch.h"
#include "profile/representation.h"

/* A representation with its validator; both live in the service's buffer and the arena. */
struct rendered {
    struct str body, etag;
};

static bool render(struct exchange *exchange, const struct profile *profile, struct rendered *out)
{
    struct service *service = exchange->service;
    char etag[REPRESENTATION_ETAG_LEN + 1];

    buf_reset(&service->body_out);
    if (!representation_render(profile, &service->body_out))
        return false;
    out->body = buf_str(&service->body_out);
    return representation_etag(service->digest, out->body, etag) &&
           arena_copy(service->arena, str_from(etag), &out->etag);
}

static void respond(struct exchange *exchange, const struct rendered *rendered)
{
    struct response *response = exchange->response;

    response->status = 200;
    response->content_type = "application/json";
    response->body = rendered->body;
    (void)response_add(response, "ETag", rendered->etag);
}

static void respond_not_modified(struct exchange *exchange, const struct rendered *rendered)
{
    exchange->response->status = 304;
    (void)response_add(exchange->response, "ETag", rendered->etag);
}

/* RFC 9110, section 13.1.1: strong comparison; a list that is malformed matches nothing. */
static bool is_other_than_client_demands(const struct exchange *exchange,
                                         const struct rendered *rendered)
{
    struct str header = exchange->request->header[REQUEST_IF_MATCH];

    return str_is_set(header) && entitytag_match_strong(header, rendered->etag) != ENTITYTAG_MATCH;
}

/* Section 13.1.2: weak comparison; a list that is malformed matches nothing. */
static bool is_known_to_client(const struct exchange *exchange, const struct rendered *rendered)
{
    struct str header = exchange->request->header[REQUEST_IF_NONE_MATCH];

    return str_is_set(header) && entitytag_match_weak(header, rendered->etag) == ENTITYTAG_MATCH;
}

/* With the current tag, so that the client can look what has changed. */
static enum problem fail_precondition(struct exchange *exchange, const struct rendered *current)
{
    (void)response_add(exchange->response, "ETag", current->etag);
    return PROBLEM_PRECONDITION_FAILED;
}

static enum problem load_once(struct exchange *exchange, struct profile_load *loaded)
{
    struct service *service = exchange->service;

    return problem_of_store(profiles_load(service->database, &exchange->access, service->arena,
                                          loaded, &exchange->err));
}

/* Loads outside of a transaction and judges; a user who is to be added is added first. */
static enum problem load(struct exchange *exchange, struct profile_load *loaded)
{
    enum problem problem = load_once(exchange, loaded);

    if (problem == PROBLEM_NONE && provision_is_due(exchange, loaded->access)) {
        problem = provision(exchange);
        if (problem == PROBLEM_NONE)
            problem = load_once(exchange, loaded);
    }
    return problem != PROBLEM_NONE ? problem : authenticate_access(exchange, loaded->access);
}

enum problem me_get(struct exchange *exchange)
{
    struct profile_load loaded;
    struct rendered rendered;
    enum problem problem = load(exchange, &loaded);

    if (problem != PROBLEM_NONE)
        return problem;
    if (!render(exchange, &loaded.profile, &rendered))
        return PROBLEM_INTERNAL_ERROR;
    if (is_other_than_client_demands(exchange, &rendered))
        return fail_precondition(exchange, &rendered);
    if (is_known_to_client(exchange, &rendered))
        respond_not_modified(exchange, &rendered);
    else
        respond(exchange, &rendered);
    return PROBLEM_NONE;
}

/* A PATCH on its way through the transaction, which may be run more than once. */
struct change {
    struct exchange *exchange;
    const struct patch *patch;
    struct rendered rendered; /* of the changed profile */
    bool awaits_user;         /* the transaction was abandoned, since the user is to be added */
    enum problem problem;     /* why else it was abandoned */
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
    if (!render(exchange, profile, &current))
        return PROBLEM_INTERNAL_ERROR;
    if (is_other_than_client_demands(exchange, &current) || is_known_to_client(exchange, &current))
        return fail_precondition(exchange, &current);
    return PROBLEM_NONE;
}

/* updatedAt never goes back, nor stands still over a change. */
static int64_t next_update_ms(const struct profile_load *loaded)
{
    int64_t next_ms = loaded->profile.updated_ms + 1;

    return loaded->now_ms > next_ms ? loaded->now_ms : next_ms;
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
    return result;
}

static enum store_result change_in_transaction(struct database *database, void *context,
                                               struct err *err)
{
    struct change *change = context;
    struct exchange *exchange = change->exchange;
    struct profile_load loaded;
    enum problem problem;
    enum store_result result;

    result =
        profiles_load_locked(database, &exchange->access, exchange->service->arena, &loaded, err);
    if (result != STORE_OK)
        return result;
    change->awaits_user = provision_is_due(exchange, loaded.access);
    if (change->awaits_user)
        return abandon(change, PROBLEM_NONE);
    problem = authenticate_access(exchange, loaded.access);
    if (problem == PROBLEM_NONE)
        problem = judge_precondition(exchange, &loaded.profile);
    if (problem != PROBLEM_NONE)
        return abandon(change, problem);
    result = store_change(database, change, &loaded, err);
    if (result == STORE_OK && !render(exchange, &loaded.profile, &change->rendered))
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

static enum problem change(struct exchange *exchange, const struct patch *patch)
{
    struct change change = {.exchange = exchange, .patch = patch};
    enum problem problem = change_once(&change);

    if (problem == PROBLEM_NONE && change.awaits_user) {
        problem = provision(exchange);
        if (problem == PROBLEM_NONE)
            problem = change_once(&change);
    }
    if (problem == PROBLEM_NONE)
        respond(exchange, &change.rendered);
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
    enum problem problem;

    if (body_problem == PROBLEM_NONE)
        return change(exchange, &patch);
    problem = load(exchange, &loaded);
    return problem != PROBLEM_NONE ? problem : body_problem;
}
