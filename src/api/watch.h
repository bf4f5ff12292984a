/*
 * What those who keep the service running ask of it, beside the resource: whether a worker lives,
 * whether it could serve, and what was counted. Off unless [watch] says otherwise.
 */
#ifndef ME_API_WATCH_H
#define ME_API_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "api/exchange.h"
#include "api/metrics.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/file.h"

struct watch;

/* Reads watch.secret_file. NULL with `err`. The settings are borrowed for the life of the object. */
struct watch *watch_new(const struct settings *settings, enum file_readers readers,
                        struct err *err) MUST_CHECK;
void watch_free(struct watch *watch);

/* Visits the numbers of each worker that there is or was, those of the asking one as they are now.
 * False: they are not to be had. */
typedef void watch_visit(void *context, const uint64_t *numbers, bool is_alive);
struct watch_source {
    bool (*read)(void *context, watch_visit *visit, void *visit_context);
    void *context;
};
void watch_set_source(struct watch *watch, const struct watch_source *source);

/* The numbers of this worker up to now; NULL: nothing is counted. */
const uint64_t *watch_numbers(const struct service *service);

/* Whether the path is one of those to be watched: such a request is not counted. */
bool watch_is_path(const struct settings *settings, struct str path);

void watch_count(const struct exchange *exchange, int64_t duration_us);
void watch_count_key_file_failure(const struct service *service);

/* The handlers. */
enum problem watch_live(struct exchange *exchange) MUST_CHECK;
enum problem watch_ready(struct exchange *exchange) MUST_CHECK;
enum problem watch_metrics(struct exchange *exchange) MUST_CHECK;

#endif
