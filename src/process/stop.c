#include "process/stop.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"

/* The second of the monotonic clock, counted from 1; 0: not told. */
static volatile sig_atomic_t told_at_s;

static const int stop_signals[] = {SIGTERM, SIGUSR1};

static sig_atomic_t now_s(void)
{
    return (sig_atomic_t)(clock_monotonic_us() / 1000000 + 1);
}

/* The first one counts: a worker that is told again and again has no more time for that. */
static void on_signal(int number)
{
    (void)number;
    if (stop_is_wanted())
        return;
    told_at_s = now_s();
    (void)alarm(STOP_GRACE_S);
}

bool stop_install(void)
{
    /* Reads of a request in hand go on after the signal; epoll_pwait is never restarted
     * (signal(7)). */
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    for (size_t i = 0; i < ARRAY_LENGTH(stop_signals); i++)
        if (sigaction(stop_signals[i], &action, NULL) != 0)
            return false;
    /* What cannot be written is no end of the worker: a peer that has gone, a file at its limit. */
    return sigaction(SIGPIPE, &ignore, NULL) == 0 && sigaction(SIGXFSZ, &ignore, NULL) == 0;
}

bool stop_is_wanted(void)
{
    return told_at_s != 0;
}

bool stop_is_due(void)
{
    return stop_is_wanted() && now_s() - told_at_s >= STOP_DRAIN_S;
}

struct stop_waiter {
    int epoll;
};

struct stop_waiter *stop_waiter_new(int descriptor)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLEXCLUSIVE};
    struct stop_waiter *waiter = malloc(sizeof(*waiter));

    if (waiter == NULL)
        return NULL;
    waiter->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (waiter->epoll >= 0 && epoll_ctl(waiter->epoll, EPOLL_CTL_ADD, descriptor, &event) == 0)
        return waiter;
    stop_waiter_free(waiter);
    return NULL;
}

void stop_waiter_free(struct stop_waiter *waiter)
{
    if (waiter == NULL)
        return;
    if (waiter->epoll >= 0)
        (void)close(waiter->epoll);
    free(waiter);
}

static enum stop_wait wait_unless_stopped(const struct stop_waiter *waiter, int timeout_ms,
                                          const sigset_t *usual)
{
    struct epoll_event event;
    int count;

    if (stop_is_wanted())
        return STOP_WAIT_STOP;
    count = epoll_pwait(waiter->epoll, &event, 1, timeout_ms, usual);
    if (count > 0)
        return STOP_WAIT_READY;
    if (count == 0)
        return STOP_WAIT_TIMEOUT;
    if (errno != EINTR)
        return STOP_WAIT_FAILED;
    return stop_is_wanted() ? STOP_WAIT_STOP : STOP_WAIT_TIMEOUT;
}

enum stop_wait stop_waiter_wait(struct stop_waiter *waiter, int64_t timeout_ms)
{
    sigset_t blocked, usual;
    enum stop_wait result;

    /* Blocked from the look at the flag on until the wait itself lets them through. */
    (void)sigemptyset(&blocked);
    for (size_t i = 0; i < ARRAY_LENGTH(stop_signals); i++)
        (void)sigaddset(&blocked, stop_signals[i]);
    if (sigprocmask(SIG_BLOCK, &blocked, &usual) != 0)
        return STOP_WAIT_FAILED;
    result = wait_unless_stopped(waiter, timeout_ms > INT_MAX ? INT_MAX : (int)timeout_ms, &usual);
    (void)sigprocmask(SIG_SETMASK, &usual, NULL);
    return result;
}
