/* Over TCP: a server of its own with a certificate of its own, encrypted and verified or refused.
 */
#include "fixture.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct server {
    char folder[64], host[32], address[32], ca[96];
    unsigned int port;
    struct settings settings;
    struct err err;
};

static void shell(const char *format, ...) PRINTF_LIKE(1, 2);
static void shell(const char *format, ...)
{
    char command[2048];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    assert_in_range(len, 1, sizeof(command) - 1);
    if (system(command) != 0)
        fail_msg("failed: %s", command);
}

static unsigned int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (const struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    (void)close(listener);
    return ntohs(address.sin_port);
}

/* A certificate of "localhost" alone, by an authority that the system does not know. */
static void make_certificates(const struct server *server)
{
    shell(
        "cd %s && openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2"
        " -subj /CN=Test 2>log && openssl req -newkey rsa:2048 -nodes -keyout key.pem -out csr.pem"
        " -subj /CN=localhost 2>>log && echo subjectAltName=DNS:localhost >ext &&"
        " openssl x509 -req -in csr.pem -CA ca.pem -CAkey ca.key -CAcreateserial -days 2"
        " -extfile ext -out cert.pem 2>>log",
        server->folder);
}

static void start(const struct server *server, const char *options)
{
    shell("'%s'/scripts/private-mariadb start %s/db --skip-networking=0 --bind-address=127.0.0.1"
          " --port=%u %s",
          getenv("ME_TEST_SOURCE"), server->folder, server->port, options);
}

static void stop(const struct server *server)
{
    shell("'%s'/scripts/private-mariadb stop %s/db", getenv("ME_TEST_SOURCE"), server->folder);
}

static int open_server(void **state)
{
    static struct server server = {.folder = "/tmp/tls_test.XXXXXX"};
    char options[256];
    static const char *host[1];
    *state = &server;
    assert_non_null(mkdtemp(server.folder));
    make_certificates(&server);
    server.port = free_port();
    (void)snprintf(options, sizeof(options), "--ssl-cert=%s/cert.pem --ssl-key=%s/key.pem",
                   server.folder, server.folder);
    start(&server, options);
    (void)snprintf(server.host, sizeof(server.host), "localhost:%u", server.port);
    (void)snprintf(server.address, sizeof(server.address), "127.0.0.1:%u", server.port);
    (void)snprintf(server.ca, sizeof(server.ca), "%s/ca.pem", server.folder);
    server.settings.database.host = (struct settings_list){host, 1};
    server.settings.database.name = "mysql";
    server.settings.database.user = "root";
    server.settings.database.connect_timeout_s = 2;
    server.settings.database.read_timeout_s = 2;
    server.settings.database.write_timeout_s = 2;
    server.settings.database.idle_close_s = 60;
    return 0;
}

static int close_server(void **state)
{
    const struct server *server = *state;
    stop(server);
    shell("rm -rf %s", server->folder);
    return 0;
}

/* Connects with these settings, and fails the statement where the condition does not hold. */
static enum store_result connect_with(struct server *server, const char *host,
                                      enum settings_tls tls, const char *ca, struct str condition)
{
    const char *const hosts[] = {host};
    struct settings settings = server->settings;
    settings.database.host = (struct settings_list){hosts, 1};
    settings.database.tls = tls;
    settings.database.tls_ca = ca;
    struct database *database =
        database_new(&settings, DATABASE_WORKER, FILE_READERS_ANY, &server->err);
    assert_non_null(database);
    enum store_result result = database_run_text(database, condition, &server->err);
    database_free(database);
    return result;
}

#define IF_CIPHER(is)                                                                              \
    STR("SELECT IF((SELECT VARIABLE_VALUE FROM information_schema.SESSION_STATUS"                  \
        " WHERE VARIABLE_NAME = 'SSL_CIPHER') " is " '', 1, (SELECT 1 UNION SELECT 2))")
#define ENCRYPTED IF_CIPHER("<>")
#define PLAIN IF_CIPHER("=")

static void a_certificate_of_a_known_authority_is_taken(void **state)
{
    struct server *server = *state;
    assert_stored(server,
                  connect_with(server, server->host, SETTINGS_TLS_VERIFY, server->ca, ENCRYPTED));
}

static void a_certificate_of_an_unknown_authority_is_refused(void **state)
{
    struct server *server = *state;
    assert_refused(server, STORE_UNAVAILABLE,
                   connect_with(server, server->host, SETTINGS_TLS_VERIFY, NULL, ENCRYPTED),
                   "database.tls_ca");
}

static void a_certificate_of_another_name_is_refused(void **state)
{
    struct server *server = *state;
    assert_refused(
        server, STORE_UNAVAILABLE,
        connect_with(server, server->address, SETTINGS_TLS_VERIFY, server->ca, ENCRYPTED),
        "certificate");
}

static void encryption_alone_takes_any_certificate(void **state)
{
    struct server *server = *state;
    assert_stored(server,
                  connect_with(server, server->address, SETTINGS_TLS_ENCRYPT, NULL, ENCRYPTED));
}

static void without_tls_it_is_plain(void **state)
{
    struct server *server = *state;
    assert_stored(server, connect_with(server, server->address, SETTINGS_TLS_OFF, NULL, PLAIN));
}

/* Somebody in between who takes TLS away must not get the password. */
static void a_server_without_tls_is_refused(void **state)
{
    struct server *server = *state;
    stop(server);
    start(server, "--skip-ssl");
    assert_refused(server, STORE_UNAVAILABLE,
                   connect_with(server, server->host, SETTINGS_TLS_VERIFY, server->ca, PLAIN),
                   "database.tls");
    assert_refused(server, STORE_UNAVAILABLE,
                   connect_with(server, server->host, SETTINGS_TLS_ENCRYPT, NULL, PLAIN),
                   "database.tls");
    assert_stored(server, connect_with(server, server->host, SETTINGS_TLS_OFF, NULL, PLAIN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_of_a_known_authority_is_taken),
        cmocka_unit_test(a_certificate_of_an_unknown_authority_is_refused),
        cmocka_unit_test(a_certificate_of_another_name_is_refused),
        cmocka_unit_test(encryption_alone_takes_any_certificate),
        cmocka_unit_test(without_tls_it_is_plain),
        cmocka_unit_test(a_server_without_tls_is_refused),
    };
    if (getenv("ME_TEST_SOURCE") == NULL) {
        puts("skipped: ME_TEST_SOURCE does not name the folder of the sources, whose "
             "scripts/private-mariadb starts a server with TLS");
        return FIXTURE_SKIPPED;
    }
    return cmocka_run_group_tests(tests, open_server, close_server);
}
