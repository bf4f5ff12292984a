/* The order of several hosts, and what brings one back into its place. Times are the test's own. */
#include "store/hosts.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/compiler.h"
#include "unit.h"

#define SECONDS(n) ((n)*INT64_C(1000000))

static const unsigned char greeting[] = {1, 0, 0, 0, 10};
static const unsigned char refusal[] = {1, 0, 0, 0, 0xff};

/* A server at the first of the hosts, as far as a probe sees it. */
struct server {
    char path[64];
    const char *names[3];
    struct settings_list list;
    struct hosts *hosts;
    int listener, taken;
};

static int begin(void **state)
{
    static struct server server;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    (void)snprintf(server.path, sizeof(server.path), "/tmp/hosts_test.%ld", (long)getpid());
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", server.path);
    server.names[0] = server.path;
    server.names[1] = "192.0.2.1";
    server.names[2] = "/nonexistent/c.sock";
    server.list = (struct settings_list){server.names, ARRAY_LENGTH(server.names)};
    server.hosts = hosts_new(&server.list);
    server.taken = -1;
    server.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (server.hosts == NULL ||
        bind(server.listener, (const struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(server.listener, 8) != 0)
        return -1;
    *state = &server;
    return 0;
}

static int end(void **state)
{
    struct server *server = *state;
    hosts_free(server->hosts);
    (void)close(server->listener);
    if (server->taken >= 0)
        (void)close(server->taken);
    (void)unlink(server->path);
    return 0;
}

/* Takes the probe's connection, and says something on it. */
static void answer(struct server *server, const unsigned char *packet, size_t len)
{
    server->taken = accept(server->listener, NULL, NULL);
    assert_true(server->taken >= 0);
    if (len > 0)
        assert_int_equal(send(server->taken, packet, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void assert_order(struct hosts *hosts, size_t first, size_t second, size_t third)
{
    hosts_sort(hosts);
    assert_int_equal(hosts_at(hosts, 0), first);
    assert_int_equal(hosts_at(hosts, 1), second);
    assert_int_equal(hosts_at(hosts, 2), third);
}

static void they_are_asked_in_their_order(void **state)
{
    struct server *server = *state;
    assert_int_equal(hosts_count(server->hosts), 3);
    assert_order(server->hosts, 0, 1, 2);
}

static void one_that_failed_is_asked_last(void **state)
{
    struct server *server = *state;
    hosts_note_failure(server->hosts, 0, SECONDS(100));
    assert_order(server->hosts, 1, 2, 0);
    hosts_note_failure(server->hosts, 1, SECONDS(100));
    assert_order(server->hosts, 2, 0, 1);
    hosts_note_success(server->hosts, 0, SECONDS(101));
    assert_order(server->hosts, 0, 2, 1);
}

static void one_that_greets_has_returned(void **state)
{
    struct server *server = *state;
    hosts_note_failure(server->hosts, 0, SECONDS(100));
    assert_int_equal(hosts_find_returned(server->hosts, 1, SECONDS(100)), 1);
    assert_int_equal(hosts_find_returned(server->hosts, 1, SECONDS(101)), 1);
    answer(server, greeting, sizeof(greeting));
    assert_int_equal(hosts_find_returned(server->hosts, 1, SECONDS(101)), 0);
}

/* Its kernel takes the connection, and nobody is there. */
static void one_that_is_silent_has_not(void **state)
{
    struct server *server = *state;
    hosts_note_failure(server->hosts, 0, SECONDS(100));
    for (int64_t now_us = SECONDS(101); now_us < SECONDS(125); now_us += SECONDS(1))
        assert_int_equal(hosts_find_returned(server->hosts, 1, now_us), 1);
    answer(server, greeting, sizeof(greeting));
    assert_int_equal(hosts_find_returned(server->hosts, 1, SECONDS(126)), 0);
}

static void one_that_takes_nobody_has_not(void **state)
{
    struct server *server = *state;
    hosts_note_failure(server->hosts, 0, SECONDS(100));
    assert_int_equal(hosts_find_returned(server->hosts, 1, SECONDS(101)), 1);
    answer(server, refusal, sizeof(refusal));
    assert_int_equal(hosts_find_returned(server->hosts, 1, SECONDS(102)), 1);
}

static void only_those_before_the_current_one_are_looked_at(void **state)
{
    struct server *server = *state;
    hosts_note_failure(server->hosts, 0, SECONDS(100));
    assert_int_equal(hosts_find_returned(server->hosts, 0, SECONDS(200)), 0);
    assert_int_equal(hosts_find_returned(server->hosts, 0, SECONDS(300)), 0);
}

static bool is_probed_at(struct server *server, int64_t now_us)
{
    (void)!hosts_find_returned(server->hosts, 1, now_us);
    struct timeval soon = {.tv_usec = 1000};
    (void)setsockopt(server->listener, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
    int taken = accept(server->listener, NULL, NULL);
    if (taken >= 0)
        (void)close(taken);
    return taken >= 0;
}

static void one_that_fails_again_and_again_is_left_alone_for_longer(void **state)
{
    struct server *server = *state;
    hosts_note_failure(server->hosts, 0, SECONDS(100));
    assert_false(is_probed_at(server, SECONDS(100) + 999999));
    assert_true(is_probed_at(server, SECONDS(101)));
    hosts_note_success(server->hosts, 0, SECONDS(102));
    hosts_note_failure(server->hosts, 0, SECONDS(103));
    assert_false(is_probed_at(server, SECONDS(104)));
    assert_true(is_probed_at(server, SECONDS(105)));
    hosts_note_success(server->hosts, 0, SECONDS(106));
    hosts_note_failure(server->hosts, 0, SECONDS(200)); /* long after */
    assert_true(is_probed_at(server, SECONDS(201)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(they_are_asked_in_their_order, begin, end),
        cmocka_unit_test_setup_teardown(one_that_failed_is_asked_last, begin, end),
        cmocka_unit_test_setup_teardown(one_that_greets_has_returned, begin, end),
        cmocka_unit_test_setup_teardown(one_that_is_silent_has_not, begin, end),
        cmocka_unit_test_setup_teardown(one_that_takes_nobody_has_not, begin, end),
        cmocka_unit_test_setup_teardown(only_those_before_the_current_one_are_looked_at, begin,
                                        end),
        cmocka_unit_test_setup_teardown(one_that_fails_again_and_again_is_left_alone_for_longer,
                                        begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
