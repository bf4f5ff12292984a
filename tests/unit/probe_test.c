/* A probe of a host by TCP. What its name stands for is the test's own; times are as well. */
#include "store/probe.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/compiler.h"
#include "unit.h"

#define SECONDS(n) ((n)*INT64_C(1000000))

static const unsigned char greeting[] = {1, 0, 0, 0, 10};
static const int64_t now_us = SECONDS(1000);

/* The addresses of every name, in the order in which they are tried; none: nobody knows it. */
static struct addresses {
    struct sockaddr_in address[2];
    struct addrinfo info[2];
    size_t count;
} addresses;

int getaddrinfo(const char *name, const char *port, const struct addrinfo *hints,
                struct addrinfo **out)
{
    (void)name;
    (void)hints;
    if (addresses.count == 0)
        return EAI_NONAME;
    for (size_t i = 0; i < addresses.count; i++) {
        addresses.address[i].sin_family = AF_INET;
        addresses.address[i].sin_port = htons((uint16_t)strtoul(port, NULL, 10));
        addresses.info[i] = (struct addrinfo){
            .ai_family = AF_INET,
            .ai_addr = (struct sockaddr *)&addresses.address[i],
            .ai_addrlen = sizeof(addresses.address[i]),
            .ai_next = i + 1 < addresses.count ? &addresses.info[i + 1] : NULL,
        };
    }
    *out = addresses.info;
    return 0;
}

void freeaddrinfo(struct addrinfo *info)
{
    assert_ptr_equal(info, addresses.info);
}

struct server {
    struct endpoint endpoint;
    struct probe probe;
    int listener, taken;
};

static void stands_for(const char *first, const char *second)
{
    const char *const names[] = {first, second};

    addresses.count = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(names) && names[i] != NULL; i++)
        assert_int_equal(
            inet_pton(AF_INET, names[i], &addresses.address[addresses.count++].sin_addr), 1);
}

static int begin(void **state)
{
    static struct server server;
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);

    server = (struct server){.endpoint = {.name = "db.example.com"}, .probe = PROBE_NONE};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    server.taken = -1;
    server.listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(server.listener >= 0);
    assert_int_equal(bind(server.listener, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server.listener, 4), 0);
    assert_int_equal(getsockname(server.listener, (struct sockaddr *)&address, &len), 0);
    server.endpoint.port = ntohs(address.sin_port);
    stands_for("127.0.0.1", NULL);
    *state = &server;
    return 0;
}

static int end(void **state)
{
    struct server *server = *state;

    probe_end(&server->probe);
    if (server->taken >= 0)
        (void)close(server->taken);
    if (server->listener >= 0)
        (void)close(server->listener);
    return 0;
}

static void begin_probe(struct server *server)
{
    assert_true(probe_begin(&server->probe, &server->endpoint, now_us));
    assert_int_equal(poll(&(struct pollfd){server->listener, POLLIN, 0}, 1, 5000), 1);
    server->taken = accept(server->listener, NULL, NULL);
    assert_true(server->taken >= 0);
}

static void send_bytes(const struct server *server, const unsigned char *bytes, size_t len)
{
    assert_int_equal(write(server->taken, bytes, len), len);
}

static void a_server_that_greets_is_there(void **state)
{
    struct server *server = *state;

    begin_probe(server);
    assert_int_equal(probe_look(&server->probe, now_us), PROBE_WAITING);
    send_bytes(server, greeting, sizeof(greeting));
    assert_int_equal(probe_look(&server->probe, now_us), PROBE_GREETED);
    assert_int_equal(probe_look(&server->probe, now_us), PROBE_FAILED); /* it has ended */
}

static void half_a_greeting_is_waited_for(void **state)
{
    struct server *server = *state;

    begin_probe(server);
    send_bytes(server, greeting, 2);
    assert_int_equal(probe_look(&server->probe, now_us), PROBE_WAITING);
    send_bytes(server, greeting + 2, sizeof(greeting) - 2);
    assert_int_equal(probe_look(&server->probe, now_us), PROBE_GREETED);
}

static void one_that_does_not_greet_is_given_up(void **state)
{
    struct server *server = *state;

    begin_probe(server);
    assert_int_equal(probe_look(&server->probe, now_us + SECONDS(30)), PROBE_WAITING);
    assert_int_equal(probe_look(&server->probe, now_us + SECONDS(31)), PROBE_FAILED);
}

static void one_that_hangs_up_is_not_there(void **state)
{
    struct server *server = *state;

    begin_probe(server);
    (void)close(server->taken);
    server->taken = -1;
    assert_int_equal(probe_look(&server->probe, now_us), PROBE_FAILED);
}

static void nobody_listens(void **state)
{
    struct server *server = *state;

    (void)close(server->listener);
    server->listener = -1;
    if (probe_begin(&server->probe, &server->endpoint, now_us))
        assert_int_equal(probe_look(&server->probe, now_us), PROBE_FAILED);
}

static void a_name_that_nobody_knows_cannot_be_begun(void **state)
{
    struct server *server = *state;

    stands_for(NULL, NULL);
    assert_false(probe_begin(&server->probe, &server->endpoint, now_us));
    assert_int_equal(probe_look(&server->probe, now_us), PROBE_FAILED);
}

/* As a host has that is named with an address of IPv6, where there is no way to any. */
static void the_next_address_has_all_the_time(void **state)
{
    struct server *server = *state;

    stands_for("255.255.255.255", "127.0.0.1"); /* TCP has no broadcast: refused at once */
    begin_probe(server);
    assert_int_equal(probe_look(&server->probe, now_us + SECONDS(1)), PROBE_WAITING);
    send_bytes(server, greeting, sizeof(greeting));
    assert_int_equal(probe_look(&server->probe, now_us + SECONDS(2)), PROBE_GREETED);
}

static int listen_at(const char *address, in_port_t port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(inet_pton(AF_INET, address, &at.sin_addr), 1);
    assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(listener, 4), 0);
    return listener;
}

/* As where nothing comes back from an address of IPv6, though there is a way to it. */
static void an_address_that_stays_silent_is_not_the_only_one_asked(void **state)
{
    struct server *server = *state;
    int silent = listen_at("127.0.0.2", server->endpoint.port);

    stands_for("127.0.0.2", "127.0.0.1");
    assert_true(probe_begin(&server->probe, &server->endpoint, now_us));
    assert_int_equal(probe_look(&server->probe, now_us), PROBE_WAITING);
    assert_int_equal(probe_look(&server->probe, now_us + SECONDS(31)), PROBE_FAILED);
    begin_probe(server);
    send_bytes(server, greeting, sizeof(greeting));
    assert_int_equal(probe_look(&server->probe, now_us), PROBE_GREETED);
    assert_true(probe_begin(&server->probe, &server->endpoint, now_us)); /* and round again */
    assert_int_equal(probe_look(&server->probe, now_us), PROBE_WAITING);
    assert_int_equal(close(silent), 0);
}

static void none_of_the_addresses_can_be_begun(void **state)
{
    struct server *server = *state;

    stands_for("255.255.255.255", "255.255.255.255");
    assert_false(probe_begin(&server->probe, &server->endpoint, now_us));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_server_that_greets_is_there, begin, end),
        cmocka_unit_test_setup_teardown(half_a_greeting_is_waited_for, begin, end),
        cmocka_unit_test_setup_teardown(one_that_does_not_greet_is_given_up, begin, end),
        cmocka_unit_test_setup_teardown(one_that_hangs_up_is_not_there, begin, end),
        cmocka_unit_test_setup_teardown(nobody_listens, begin, end),
        cmocka_unit_test_setup_teardown(a_name_that_nobody_knows_cannot_be_begun, begin, end),
        cmocka_unit_test_setup_teardown(the_next_address_has_all_the_time, begin, end),
        cmocka_unit_test_setup_teardown(an_address_that_stays_silent_is_not_the_only_one_asked,
                                        begin, end),
        cmocka_unit_test_setup_teardown(none_of_the_addresses_can_be_begun, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
