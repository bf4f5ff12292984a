#include "api/provision.h"

#include "profile/newcomer.h"
#include "store/newcomers.h"
#include "token/jws.h"

bool provision_is_due(const struct exchange *exchange, enum access access)
{
    return access == ACCESS_USER_UNKNOWN && exchange->service->provisioning != NULL &&
           !str_is_set(exchange->access.session) && !exchange->is_provisioned;
}

/* Ids and the names of claims: what the claims say about somebody is nobody's business here. */
static void log_newcomer(const struct exchange *exchange, const struct newcomer *newcomer,
                         bool address_is_taken)
{
    const struct log *log = exchange->service->log;
    char id[UUID_TEXT_LEN + 1];

    uuid_format(&newcomer->profile.id, id);
    LOG_EVENT(log, LOG_INFO, "a user was added from a token", {"request_id", exchange->request_id},
              {"user", str_from(id)}, {"left_out", newcomer->left_out});
    if (address_is_taken)
        LOG_EVENT(log, LOG_WARNING,
                  "the email address of a new user is another user's: it was left out",
                  {"request_id", exchange->request_id}, {"user", str_from(id)});
}

static enum problem add(struct exchange *exchange, struct newcomer *newcomer)
{
    struct database *database = exchange->service->provisioning;
    bool address_is_taken = false;
    enum store_result result;

    database_begin_request(database);
    result = newcomers_add(database, newcomer, &address_is_taken, &exchange->err);
    if (result == STORE_DUPLICATE) {
        /* another request of the same identity was faster */
        err_clear(&exchange->err);
        return PROBLEM_NONE;
    }
    if (result == STORE_OK)
        log_newcomer(exchange, newcomer, address_is_taken);
    else
        err_prefix(&exchange->err, "provisioning");
    return problem_of_store(result);
}

enum problem provision(struct exchange *exchange)
{
    const struct service *service = exchange->service;
    struct newcomer newcomer;

    struct buf payload;
    bool is_read;

    exchange->is_provisioned = true;
    buf_init(&payload, exchange->token.len);
    is_read = jws_payload(exchange->token, &payload) &&
              newcomer_read(buf_str(&payload), service->settings->profile.zoneinfo, service->arena,
                            &newcomer);
    buf_free_secret(&payload);
    if (is_read)
        return add(exchange, &newcomer);
    err_set(&exchange->err, "the claims do not fit into the memory of a request");
    return PROBLEM_INTERNAL_ERROR;
}
