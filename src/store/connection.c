#include "store/connection.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <mysql.h>

#include <errmsg.h>
#include <mysqld_error.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "format/endpoint.h"
#include "store/bulk.h"
#include "store/failure.h"
#include "store/prepared.h"

/* Where systems keep the certificates that they trust; database.tls_ca names others. */
static const char *const system_authorities[] = {
    "/etc/ssl/certs/ca-certificates.crt",     /* Debian and its relatives, Arch */
    "/etc/pki/tls/certs/ca-bundle.crt",       /* Red Hat's relatives */
    "/var/lib/ca-certificates/ca-bundle.pem", /* SUSE */
    "/etc/ssl/cert.pem",                      /* Alpine */
};

enum {
    TRANSACTION_ISOLATION_SINCE = 110101, /* MariaDB 11.1.1 renamed tx_isolation */
    LOCK_WAIT_MAX_S = 2, /* a few tries of this length must fit into the patience of a client */
    OPEN_ERRORS_MAX_BYTES = 900,
    SILENCE_MIN_US = 900 * 1000, /* the shortest time-out is a second */
    /* Connections of other processes live for milliseconds, where each request is a process. */
    CROWDED_PATIENCE_US = 1000 * 1000,
    CROWDED_PAUSE_MIN_MS = 20,
    CROWDED_PAUSE_SPREAD_MS = 160
};

struct connection {
    MYSQL *mysql;
    size_t host;         /* its index in the list */
    unsigned int number; /* of the last failure; 0: of none, or of this program's own */
    bool is_broken, is_refused;
    bool is_silent;   /* lost after a wait as long as a time-out */
    int64_t begun_us; /* the call that is under way, or was last */
    bool has_no_bulk; /* the server, or a proxy before it, takes one row at a time */
    struct prepared *prepared[STATEMENT__MAX];
    struct bulk *bulk[STATEMENT__MAX];
};

/* Takes note of what a failure means for the connection. */
static void note_failure(struct connection *connection, unsigned int number)
{
    connection->number = number;
    if (number == 0)
        return;
    connection->is_broken |= failure_of(number)->is_broken;
    connection->is_refused |= failure_of(number)->is_elsewhere;
    connection->is_silent |= failure_of(number)->result == STORE_LOST &&
                             clock_monotonic_us() - connection->begun_us >= SILENCE_MIN_US;
}

enum store_result connection_run_text(struct connection *connection, struct str sql,
                                      struct err *err)
{
    MYSQL *mysql = connection->mysql;
    connection->number = 0;
    connection->begun_us = clock_monotonic_us();
    if (mysql_real_query(mysql, sql.data, sql.len) == 0) {
        mysql_free_result(mysql_store_result(mysql));
        if (mysql_errno(mysql) == 0)
            return STORE_OK;
    }
    note_failure(connection, failure_number(mysql_errno(mysql)));
    return failure_report(connection->number, "MariaDB", mysql_error(mysql), err);
}

enum store_result connection_prepare(struct connection *connection, enum statement_id statement,
                                     struct err *err)
{
    enum store_result result = STORE_OK;
    unsigned int number = 0;
    struct prepared **prepared = &connection->prepared[statement];
    connection->begun_us = clock_monotonic_us();
    if (*prepared == NULL)
        result = prepared_new(connection->mysql, statement_get(statement), prepared, &number, err);
    note_failure(connection, number);
    return result;
}

enum store_result connection_run(struct connection *connection, const struct call *call,
                                 struct err *err)
{
    unsigned int number = 0;
    enum store_result result = connection_prepare(connection, call->statement, err);
    if (result != STORE_OK)
        return result;
    result = prepared_run(connection->prepared[call->statement], call, &number, err);
    note_failure(connection, number);
    return result;
}

static enum store_result run_one_by_one(struct connection *connection, enum statement_id statement,
                                        const struct value *values, size_t rows, struct err *err)
{
    enum store_result result = STORE_OK;
    size_t columns = statement_column_count(statement_get(statement)->in);
    for (size_t i = 0; result == STORE_OK && i < rows; i++) {
        const struct call call = {.statement = statement, .in = values + i * columns};
        result = connection_run(connection, &call, err);
    }
    return result;
}

enum store_result connection_run_bulk(struct connection *connection, enum statement_id statement,
                                      const struct value *values, size_t rows, struct err *err)
{
    enum store_result result = STORE_OK;
    unsigned int number = 0;
    struct bulk **bulk = &connection->bulk[statement];
    connection->begun_us = clock_monotonic_us();
    if (connection->has_no_bulk)
        return run_one_by_one(connection, statement, values, rows, err);
    if (*bulk == NULL)
        result = bulk_new(connection->mysql, statement_get(statement), bulk, &number, err);
    if (result == STORE_OK)
        result = bulk_run(*bulk, values, rows, &number, err);
    if (bulk_is_unknown(number)) {
        err_clear(err);
        connection->has_no_bulk = true;
        return run_one_by_one(connection, statement, values, rows, err);
    }
    note_failure(connection, number);
    return result;
}

enum store_result connection_commit(struct connection *connection, struct err *err)
{
    enum store_result result = connection_run_text(connection, STR("COMMIT"), err);
    if (result == STORE_OK || !connection_is_in_doubt(connection))
        return result;
    err_prefix(err, "COMMIT, which may have been done");
    return STORE_IN_DOUBT;
}

unsigned int connection_error(const struct connection *connection)
{
    return connection->number;
}

size_t connection_host(const struct connection *connection)
{
    return connection->host;
}

bool connection_is_in_transaction(const struct connection *connection)
{
    return (connection->mysql->server_status & SERVER_STATUS_IN_TRANS) != 0;
}

bool connection_is_stale(const struct connection *connection)
{
    struct pollfd wait = {.fd = (int)mysql_get_socket(connection->mysql), .events = POLLIN};

    return poll(&wait, 1, 0) != 0;
}

bool connection_is_broken(const struct connection *connection)
{
    return connection->is_broken;
}

bool connection_is_in_doubt(const struct connection *connection)
{
    return failure_of(connection->number)->is_ambiguous;
}

bool connection_is_refused(const struct connection *connection)
{
    return connection->is_refused;
}

bool connection_is_elsewhere(const struct connection *connection)
{
    return connection->is_refused || connection->is_silent;
}

void connection_close(struct connection *connection)
{
    if (connection == NULL)
        return;
    for (size_t i = 0; i < STATEMENT__MAX; i++) {
        prepared_free(connection->prepared[i]);
        bulk_free(connection->bulk[i]);
    }
    if (connection->mysql != NULL)
        mysql_close(connection->mysql);
    free(connection);
}

static bool set_seconds(MYSQL *mysql, enum mysql_option option, int64_t seconds)
{
    unsigned int value = (unsigned int)seconds;
    return mysql_options(mysql, option, &value) == 0;
}

static bool set_flag(MYSQL *mysql, enum mysql_option option, bool on)
{
    my_bool value = on;
    return mysql_options(mysql, option, &value) == 0;
}

/* Every default of the library that waits for ever, trusts the server, or hides a lost connection.
 */
static bool set_options(MYSQL *mysql, const struct connection_options *options)
{
    const struct settings *settings = options->settings;
    unsigned int local_infile = 0;
    return set_seconds(mysql, MYSQL_OPT_CONNECT_TIMEOUT, settings->database.connect_timeout_s) &&
           set_seconds(mysql, MYSQL_OPT_READ_TIMEOUT, options->read_timeout_s) &&
           set_seconds(mysql, MYSQL_OPT_WRITE_TIMEOUT, settings->database.write_timeout_s) &&
           mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &local_infile) == 0 &&
           set_flag(mysql, MYSQL_OPT_RECONNECT, false) &&
           set_flag(mysql, MYSQL_REPORT_DATA_TRUNCATION, true) &&
           mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4") == 0;
}

/* The first one where there is none, so that a message names it. */
static const char *find_authorities(const struct settings *settings)
{
    if (settings->database.tls_ca != NULL)
        return settings->database.tls_ca;
    for (size_t i = 0; i < ARRAY_LENGTH(system_authorities); i++)
        if (file_exists(system_authorities[i]))
            return system_authorities[i];
    return system_authorities[0];
}

static bool set_tls(MYSQL *mysql, const struct settings *settings)
{
    int64_t tls = settings->database.tls;
    const char *ca = find_authorities(settings);
    return set_flag(mysql, MYSQL_OPT_SSL_ENFORCE, tls != SETTINGS_TLS_OFF) &&
           set_flag(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, tls == SETTINGS_TLS_VERIFY) &&
           (tls != SETTINGS_TLS_VERIFY || mysql_options(mysql, MYSQL_OPT_SSL_CA, ca) == 0);
}

static bool set_transport(MYSQL *mysql, const struct endpoint *endpoint,
                          const struct settings *settings)
{
    enum mysql_protocol_type protocol =
        endpoint->is_socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;
    return mysql_options(mysql, MYSQL_OPT_PROTOCOL, &protocol) == 0 &&
           (endpoint->is_socket || set_tls(mysql, settings));
}

/* How long to wait for a row or table that another holds: always less than the read time-out. */
static int64_t lock_wait_s(const struct settings *settings)
{
    int64_t half = settings->database.read_timeout_s / 2;
    return half < LOCK_WAIT_MAX_S ? half : LOCK_WAIT_MAX_S;
}

/* On a cluster: a read waits until the node has applied what the others had committed before, and a
 * node that lost the others refuses to answer. Elsewhere both mean nothing. */
static const char cluster_session[] = ", wsrep_sync_wait = 1, wsrep_dirty_reads = 0";

/* Whatever the server, its init_connect or its my.cnf have for those who set nothing. */
static enum store_result run_set_up(struct connection *connection, const struct settings *settings,
                                    const char *cluster, struct err *err)
{
    char sql[768];
    int64_t wait_s = lock_wait_s(settings);
    const char *isolation =
        mysql_get_server_version(connection->mysql) >= TRANSACTION_ISOLATION_SINCE
            ? "transaction_isolation"
            : "tx_isolation";
    int len = snprintf(sql, sizeof(sql),
                       "SET SESSION autocommit = 1, %s = 'READ-COMMITTED', "
                       "sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,"
                       "ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION', "
                       "time_zone = '+00:00', character_set_client = utf8mb4, "
                       "character_set_results = utf8mb4, collation_connection = "
                       "utf8mb4_general_ci, sql_big_selects = 1, sql_select_limit = "
                       "18446744073709551615, innodb_lock_wait_timeout = %" PRId64
                       ", lock_wait_timeout = %" PRId64 "%s",
                       isolation, wait_s, wait_s, cluster);
    if (len < 0 || (size_t)len >= sizeof(sql)) {
        err_set(err, "the set-up of the session does not fit its buffer");
        return STORE_FAILED;
    }
    return connection_run_text(connection, (struct str){sql, (size_t)len}, err);
}

/* Servers that were built without Galera do not know its variables. */
static enum store_result set_up_session(struct connection *connection,
                                        const struct settings *settings, struct err *err)
{
    if (!settings->database.sync_wait)
        return run_set_up(connection, settings, "", err);
    enum store_result result = run_set_up(connection, settings, cluster_session, err);
    if (result == STORE_OK || connection->number != ER_UNKNOWN_SYSTEM_VARIABLE)
        return result;
    err_clear(err);
    return run_set_up(connection, settings, "", err);
}

/* Where certificates are not verified, the library goes on in plain text with a server that has no
 * TLS. */
static enum store_result check_encryption(const struct connection *connection,
                                          const struct endpoint *endpoint,
                                          const struct settings *settings, struct err *err)
{
    bool may_be_plain = endpoint->is_socket || settings->database.tls == SETTINGS_TLS_OFF;
    if (may_be_plain || mysql_get_ssl_cipher(connection->mysql) != NULL)
        return STORE_OK;
    err_set(err,
            "the server has no TLS: give it a certificate, or set database.tls to off where the "
            "network is trusted");
    return STORE_UNAVAILABLE;
}

/* Of a plugin that is missing the library keeps the message, but takes the number of what came of
 * it: that the server refused the login, or hung up. */
static unsigned int number_of_refusal(MYSQL *mysql)
{
    bool lacks_plugin = strstr(mysql_error(mysql), "could not be loaded") != NULL;
    return lacks_plugin ? CR_AUTH_PLUGIN_CANNOT_LOAD : mysql_errno(mysql);
}

/* Where there is another host to go to, one whose kernel no longer takes what is sent to it is given
 * up sooner than one that takes its time. */
static void set_patience(MYSQL *mysql, const struct settings *settings)
{
    unsigned int patience_ms = (unsigned int)settings->database.connect_timeout_s * 1000;
    (void)setsockopt(mysql_get_socket(mysql), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms,
                     sizeof(patience_ms));
}

static enum store_result connect_to(struct connection *connection, const struct endpoint *endpoint,
                                    const struct connection_options *options, struct err *err)
{
    MYSQL *mysql = mysql_init(NULL);
    const char *host = endpoint->is_socket ? NULL : endpoint->name;
    const char *socket = endpoint->is_socket ? endpoint->name : NULL;
    connection->mysql = mysql; /* transferred */
    if (mysql == NULL || !set_options(mysql, options) ||
        !set_transport(mysql, endpoint, options->settings)) {
        err_set(err, "out of memory, or a client library that lacks an option");
        return STORE_FAILED;
    }
    if (mysql_real_connect(mysql, host, options->user, options->password,
                           options->settings->database.name, endpoint->port, socket,
                           CLIENT_FOUND_ROWS) == NULL) {
        enum store_result result;
        connection->number = number_of_refusal(mysql);
        result = failure_report(connection->number, "MariaDB", mysql_error(mysql), err);
        return result == STORE_LOST ? STORE_UNAVAILABLE : result;
    }
    enum store_result result = check_encryption(connection, endpoint, options->settings, err);
    if (result != STORE_OK)
        return result;
    if (!endpoint->is_socket && hosts_count(options->hosts) > 1)
        set_patience(mysql, options->settings);
    return set_up_session(connection, options->settings, err);
}

/* `connection` may be NULL. */
static struct connection_failure failure_from(const struct connection *connection,
                                              enum store_result result)
{
    struct connection_failure failure = {.result = result};
    const char *server = NULL;
    if (connection != NULL && connection->mysql != NULL)
        server = mysql_get_server_info(connection->mysql);
    if (connection != NULL)
        failure.number = connection->number;
    if (server != NULL)
        (void)snprintf(failure.server, sizeof(failure.server), "%s", server);
    return failure;
}

/* Other clients take localhost for the socket, and settings are copied from theirs. */
static void advise_socket(const struct connection *connection, const struct endpoint *endpoint,
                          struct err *err)
{
    struct err fault = *err;
    bool is_refused =
        connection->number == CR_CONNECTION_ERROR || connection->number == CR_CONN_HOST_ERROR;
    if (is_refused && !endpoint->is_socket && endpoint_is_loopback(str_from(endpoint->name)))
        err_set(err,
                "%s: a server that listens at a socket alone is reached by the path of that, as "
                "/run/mysqld/mysqld.sock",
                fault.text);
}

/* *is_crowded is left as it is where the host has no lack of connections. */
static struct connection *open_one(const struct connection_options *options, size_t host,
                                   struct connection_failure *failure, bool *is_crowded,
                                   struct err *err)
{
    struct endpoint endpoint;
    struct connection *connection = NULL;
    const char *item = options->settings->database.host.items[host];
    *failure = failure_from(NULL, STORE_FAILED);
    if (!endpoint_parse(item, &endpoint, err))
        return NULL;
    connection = calloc(1, sizeof(*connection));
    if (connection == NULL) {
        err_set(err, "out of memory");
        return NULL;
    }
    connection->host = host;
    enum store_result result = connect_to(connection, &endpoint, options, err);
    *failure = failure_from(connection, result);
    if (result == STORE_OK) {
        hosts_note_success(options->hosts, host, clock_monotonic_us());
        return connection;
    }
    advise_socket(connection, &endpoint, err);
    if (strstr(err->text, item) == NULL)
        err_prefix(err, "%s", item);
    if (failure_of(connection->number)->is_crowded)
        *is_crowded = true;
    else
        hosts_note_failure(options->hosts, host, clock_monotonic_us());
    connection_close(connection);
    return NULL;
}

static struct connection *open_any(const struct connection_options *options,
                                   struct connection_failure *failure, bool *is_crowded,
                                   struct err *err)
{
    struct connection *connection = NULL;
    struct err wrong = {{0}};
    struct buf all;
    *failure = failure_from(NULL, STORE_FAILED);
    *is_crowded = false;
    err_set(&wrong, "database.host names no host");
    buf_init(&all, OPEN_ERRORS_MAX_BYTES);
    hosts_sort(options->hosts);
    for (size_t i = 0; i < hosts_count(options->hosts) && connection == NULL; i++) {
        connection = open_one(options, hosts_at(options->hosts, i), failure, is_crowded, &wrong);
        buf_append_format(&all, "%s%s", i > 0 ? "; " : "", wrong.text);
    }
    if (connection == NULL)
        err_set(err, "%.*s", STR_ARGS(all.len > 0 ? buf_str(&all) : str_from(wrong.text)));
    buf_free(&all);
    return connection;
}

/* A node of a cluster lets everybody in, also while it refuses every statement that reads. */
struct connection *connection_open_host(const struct connection_options *options, size_t host,
                                        struct connection_failure *failure, struct err *err)
{
    bool is_crowded;
    struct connection *connection = open_one(options, host, failure, &is_crowded, err);
    if (connection == NULL)
        return NULL;
    failure->result = connection_run_text(connection, STR("SELECT 1"), err);
    if (failure->result == STORE_OK)
        return connection;
    *failure = failure_from(connection, failure->result);
    hosts_note_failure(options->hosts, host, clock_monotonic_us());
    connection_close(connection);
    return NULL;
}

struct connection *connection_open(const struct connection_options *options,
                                   struct connection_failure *failure, struct err *err)
{
    bool is_crowded;
    int64_t end_us = clock_monotonic_us() + CROWDED_PATIENCE_US;
    struct connection *connection = open_any(options, failure, &is_crowded, err);
    while (connection == NULL && is_crowded && clock_monotonic_us() < end_us) {
        clock_pause_ms(CROWDED_PAUSE_MIN_MS + random_below(CROWDED_PAUSE_SPREAD_MS));
        connection = open_any(options, failure, &is_crowded, err);
    }
    return connection;
}
