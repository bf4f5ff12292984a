#include "process/stop.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "unit.h"

enum { SOME_MS = 1500 };

/* Each case is a process of its own: who was told to stop stays told. 0 is success. */
static void assert_in_child(int (*run)(void))
{
    int status = -1;
    pid_t child = fork();

    if (child == 0)
        _exit(stop_install() ? run() : 99);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int run_untold(void)
{
    return stop_is_wanted() || stop_is_due() || alarm(0) != 0;
}

static int run_told(int number)
{
    if (raise(number) != 0 || !stop_is_wanted() || stop_is_due())
        return 1;
    return alarm(0) != STOP_GRACE_S;
}

static int run_sigterm(void)
{
    return run_told(SIGTERM);
}

static int run_sigusr1(void)
{
    return run_told(SIGUSR1);
}

/* The second comes later, and gives no time: what is left is of the first. */
static int run_again(void)
{
    if (raise(SIGTERM) != 0)
        return 1;
    clock_pause_ms(SOME_MS);
    if (raise(SIGTERM) != 0 || raise(SIGUSR1) != 0 || !stop_is_wanted())
        return 2;
    return alarm(0) >= STOP_GRACE_S;
}

static int run_late(void)
{
    int64_t begun_us = clock_monotonic_us();

    if (raise(SIGTERM) != 0)
        return 1;
    while (!stop_is_due() && clock_monotonic_us() - begun_us < 2 * STOP_DRAIN_S * 1000000)
        clock_pause_ms(10);
    /* In whole seconds of the clock. */
    return clock_monotonic_us() - begun_us < (STOP_DRAIN_S - 1) * 1000000 ||
           clock_monotonic_us() - begun_us > (STOP_DRAIN_S + 1) * 1000000;
}

static int run_pipe(void)
{
    return raise(SIGPIPE) + raise(SIGXFSZ);
}

static void nobody_told_it_at_first(void **state)
{
    (void)state;
    assert_in_child(run_untold);
}

static void a_signal_tells_it_and_sets_a_limit(void **state)
{
    (void)state;
    assert_in_child(run_sigterm);
    assert_in_child(run_sigusr1);
}

static void a_further_signal_gives_no_more_time(void **state)
{
    (void)state;
    assert_in_child(run_again);
}

static void it_is_due_some_seconds_after_the_signal(void **state)
{
    (void)state;
    assert_in_child(run_late);
}

static void a_reader_that_has_gone_is_no_end(void **state)
{
    (void)state;
    assert_in_child(run_pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_told_it_at_first),
        cmocka_unit_test(a_signal_tells_it_and_sets_a_limit),
        cmocka_unit_test(a_further_signal_gives_no_more_time),
        cmocka_unit_test(it_is_due_some_seconds_after_the_signal),
        cmocka_unit_test(a_reader_that_has_gone_is_no_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
