/*
 * What a worker counted on its way into the file that all workers of a host share, and their sum on
 * the way back. Where watch.metrics_file is unset nothing of it is there, and where the file cannot
 * be used all works without.
 */
#ifndef ME_GATEWAY_COUNTING_H
#define ME_GATEWAY_COUNTING_H

#include "api/api.h"

struct counting;

/* NULL: nothing is counted; the log says why, where it should be. Both are borrowed for the life of
 * the object. */
struct counting *counting_open(struct api *api, const struct settings *settings,
                               const struct log *log) MUST_CHECK;
void counting_close(struct counting *counting);

/* After a request, before its answer is sent: who has the answer is counted. NULL is legal. */
void counting_write(struct counting *counting);

/* To be called now and then, also where no request comes. NULL is legal. */
void counting_keep_up(struct counting *counting);

#endif
