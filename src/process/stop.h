/*
 * How a worker is told to end: SIGTERM or SIGUSR1. The request in hand is finished, and what waits
 * in the listening socket is answered; a worker that nothing waits for ends at once. A further
 * signal changes nothing. The time of the first is the only global state of the program.
 */
#ifndef ME_PROCESS_STOP_H
#define ME_PROCESS_STOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/*
 * Longest time after the signal in which a request is begun: under load there is always one more,
 * and other workers may be there for it.
 */
enum { STOP_DRAIN_S = 5 };

/*
 * Longest time that a request may go on after the signal; then SIGALRM ends the process. All waits
 * of a request are bounded; this is for a peer that neither sends nor closes.
 */
enum { STOP_GRACE_S = 30 };

/* Installs the handlers, and ignores SIGPIPE and SIGXFSZ: a peer that has gone away, or a file at its
 * limit, is an error of a write. */
bool stop_install(void) MUST_CHECK;

bool stop_is_wanted(void);

/* True once it is too late to begin another request. */
bool stop_is_due(void);

/* What a wait ended with. */
enum stop_wait { STOP_WAIT_READY, STOP_WAIT_TIMEOUT, STOP_WAIT_STOP, STOP_WAIT_FAILED };

/* Waits on one listening socket that other processes wait on as well: one connection wakes one of
 * them. */
struct stop_waiter;
struct stop_waiter *stop_waiter_new(int descriptor) MUST_CHECK;
void stop_waiter_free(struct stop_waiter *waiter);

/*
 * Until a connection may be there, `timeout_ms` (-1: none) is over, or the worker is to stop. No
 * signal is missed, whenever it comes.
 */
enum stop_wait stop_waiter_wait(struct stop_waiter *waiter, int64_t timeout_ms) MUST_CHECK;

#endif
