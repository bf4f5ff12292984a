/*
 * The workers that run on this host, found by their name in /proc. What another account's process
 * does not let be read is left unknown.
 */
#ifndef ME_PROCESS_WORKERS_H
#define ME_PROCESS_WORKERS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/compiler.h"

enum { WORKER_WORD_MAX_BYTES = 31 };

struct worker {
    pid_t pid;
    uid_t user;
    int64_t started_ms;
    char program[PATH_MAX]; /* empty: unknown */
    char conf[PATH_MAX];    /* its ME_CONF; empty: it has none, or unknown */
    bool is_replaced;       /* another file has taken the place of its program, or none */
    bool is_readable;       /* `program` and `conf` could be looked at */
    ino_t socket;           /* the Unix socket that it listens at; 0: none, or unknown */
    bool parent_has_socket; /* who started it has that, too, as systemd and multiwatch do */
    char parent[WORKER_WORD_MAX_BYTES + 1];         /* the name of that program; empty: unknown */
    char socket_setting[WORKER_WORD_MAX_BYTES + 1]; /* its ME_PROCESS_SOCKET; empty: it has none */
};

/* `worker` is borrowed for the call. */
typedef void workers_visit(void *context, const struct worker *worker);

/* False where there is no /proc to look into. */
bool workers_find(workers_visit *visit, void *context) MUST_CHECK;

#endif
