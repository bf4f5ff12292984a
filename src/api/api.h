/*
 * The API: a request in, an answer out. One table of routes; what a route demands is enforced here,
 * once, before any handler runs.
 */
#ifndef ME_API_API_H
#define ME_API_API_H

#include <stdint.h>

#include "api/problem.h"
#include "api/request.h"
#include "api/response.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"
#include "base/uuid.h"
#include "format/settings.h"

struct api;

/*
 * Reads keys and secrets, with `readers` demanded of their files; connects nothing yet. The
 * settings and the log are borrowed for the life of the object. NULL with `err` where anything
 * cannot be used.
 */
struct api *api_new(const struct settings *settings, const struct log *log,
                    enum file_readers readers, struct err *err) MUST_CHECK;
void api_free(struct api *api);

/* Answers one request. The response is valid until the next call. Whatever happens, it is an answer
 * that can be sent. */
void api_handle(struct api *api, const struct request *request, struct response *response);

/*
 * The answer where there is no API to ask, since it could not be made: a 500 like any other. Its
 * texts live in `text`.
 */
struct api_failure {
    char request_id[UUID_TEXT_LEN + 1];
    char body[PROBLEM_PLAIN_BYTES];
};
void api_answer_failure(const struct request *request, struct api_failure *text,
                        struct response *response);

/* What this worker counted, metrics_len() numbers, as they are now (api/metrics.h); NULL: nothing is
 * counted. Borrowed until the next call. */
const uint64_t *api_numbers(struct api *api);

/* Where the numbers of all workers come from. To be called where api_numbers has any. */
struct watch_source;
void api_set_source(struct api *api, const struct watch_source *source);

/* Closes what was idle too long; returns the milliseconds until the next look is due, -1: nothing
 * is open. */
int64_t api_rest(struct api *api);

#endif
