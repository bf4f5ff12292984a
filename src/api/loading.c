#include "api/loading.h"

#include "api/authenticate.h"
#include "api/provision.h"

static enum problem load_once(struct exchange *exchange, struct profile_load *loaded)
{
    struct service *service = exchange->service;

    return problem_of_store(profiles_load(service->database, &exchange->access, service->arena,
                                          loaded, &exchange->err));
}

enum problem loading_load(struct exchange *exchange, struct profile_load *loaded)
{
    enum problem problem = load_once(exchange, loaded);

    if (problem == PROBLEM_NONE && provision_is_due(exchange, loaded->access)) {
        problem = provision(exchange);
        if (problem == PROBLEM_NONE)
            problem = load_once(exchange, loaded);
    }
    return problem != PROBLEM_NONE ? problem : authenticate_access(exchange, loaded->access);
}
