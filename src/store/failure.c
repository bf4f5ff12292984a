#include "store/failure.h"

#include <mysql.h>

#include <errmsg.h>
#include <mysqld_error.h>

#define MIGRATE "the schema is not migrated: run mectl migrate"
#define GRANTS "create the account and its rights: mectl migrate --print-grants prints them as SQL"
#define LOCKED "the account is locked: ALTER USER ... ACCOUNT UNLOCK lets it in again"
#define EXPIRED                                                                                    \
    "the password of the account has expired: set it anew: mectl migrate --print-grants prints "   \
    "that as SQL"
#define BLOCKED                                                                                    \
    "the server lets nobody in from here any more: FLUSH HOSTS there ends that; its max_connect_"  \
    "errors says when"
#define STATEMENTS                                                                                 \
    "too many prepared statements: raise the server's max_prepared_stmt_count, or run fewer "      \
    "workers"
#define CONNECTIONS "too many connections: raise the server's limit, or run fewer workers"
#define DESCRIPTORS "no socket can be made: raise the limit of open files"
#define PLUGIN                                                                                     \
    "this account logs in by a plugin that is not here: ALTER USER ... IDENTIFIED VIA "            \
    "mysql_native_password USING PASSWORD('...') makes it one that needs none"
#define READ_ONLY "the server is read-only: name the primary in database.host"
#define DEFINER                                                                                    \
    "the account that made the triggers was dropped: mectl migrate --again makes them anew"
#define REVISION_END                                                                               \
    "users.revision of this user has come to its end: drop the trigger users_revision_update, "    \
    "set it to 0, and run mectl migrate --again"
#define TLS                                                                                        \
    "over TCP the certificate is verified: see database.tls and database.tls_ca; for a server on " \
    "this machine name the path of its socket in database.host"

/* What is in no row of its own. */
static const struct failure other_server_error = {.result = STORE_FAILED};
static const struct failure other_client_error = {
    .result = STORE_FAILED, .is_broken = true, .is_ambiguous = true};

#define CONFLICT(n)                                                                                \
    {                                                                                              \
        .number = (n), .result = STORE_CONFLICT                                                    \
    }
#define DUPLICATE(n)                                                                               \
    {                                                                                              \
        .number = (n), .result = STORE_DUPLICATE                                                   \
    }
#define REFUSED(n)                                                                                 \
    {                                                                                              \
        .number = (n), .result = STORE_REFUSED                                                     \
    }
#define REFUSED_AND_QUOTED(n)                                                                      \
    {                                                                                              \
        .number = (n), .result = STORE_REFUSED, .quotes_value = true                               \
    }
#define LOST(n)                                                                                    \
    {                                                                                              \
        .number = (n), .result = STORE_LOST, .is_broken = true, .is_ambiguous = true               \
    }
#define UNAVAILABLE(n, text)                                                                       \
    {                                                                                              \
        .number = (n), .result = STORE_UNAVAILABLE, .advice = (text)                               \
    }
#define CROWDED(n)                                                                                 \
    {                                                                                              \
        .number = (n), .result = STORE_UNAVAILABLE, .is_crowded = true, .advice = CONNECTIONS      \
    }
#define BROKEN(n, text)                                                                            \
    {                                                                                              \
        .number = (n), .result = STORE_UNAVAILABLE, .is_broken = true, .advice = (text)            \
    }
/* The server cannot serve anybody now. */
#define ELSEWHERE(n, text)                                                                         \
    {                                                                                              \
        .number = (n), .result = STORE_UNAVAILABLE, .is_broken = true, .is_elsewhere = true,       \
        .advice = (text)                                                                           \
    }

static const struct failure failures[] = {
    /* a transaction that may be tried again */
    CONFLICT(ER_LOCK_DEADLOCK),
    CONFLICT(ER_LOCK_WAIT_TIMEOUT),
    CONFLICT(ER_CHECKREAD), /* innodb_snapshot_isolation, MariaDB 11.6 and later */
    CONFLICT(ER_TABLE_DEF_CHANGED),
    CONFLICT(ER_NEED_REPREPARE),
    /* the values */
    DUPLICATE(ER_DUP_ENTRY),
    DUPLICATE(ER_DUP_ENTRY_WITH_KEY_NAME),
    REFUSED(ER_BAD_NULL_ERROR),
    REFUSED(ER_NO_REFERENCED_ROW_2),
    REFUSED(ER_ROW_IS_REFERENCED_2),
    REFUSED(ER_CONSTRAINT_FAILED),
    REFUSED(ER_DATA_TOO_LONG),
    REFUSED(ER_WARN_DATA_OUT_OF_RANGE),
    REFUSED_AND_QUOTED(ER_TRUNCATED_WRONG_VALUE),
    REFUSED_AND_QUOTED(ER_TRUNCATED_WRONG_VALUE_FOR_FIELD),
    /* the connection */
    LOST(CR_SERVER_GONE_ERROR),
    LOST(CR_SERVER_LOST),
    LOST(CR_MALFORMED_PACKET),
    LOST(CR_ERR_NET_READ),
    LOST(CR_ERR_NET_WRITE),
    LOST(ER_NET_PACKETS_OUT_OF_ORDER),
    LOST(ER_NET_READ_ERROR),
    LOST(ER_NET_READ_INTERRUPTED),
    LOST(ER_NET_ERROR_ON_WRITE),
    LOST(ER_NET_WRITE_INTERRUPTED),
    LOST(ER_CONNECTION_KILLED),
    LOST(ER_UNKNOWN_STMT_HANDLER), /* a proxy changed servers under us: prepare again */
    /* not reached */
    BROKEN(CR_SOCKET_CREATE_ERROR, DESCRIPTORS),
    BROKEN(CR_IPSOCK_ERROR, DESCRIPTORS),
    BROKEN(CR_CONNECTION_ERROR, NULL),
    BROKEN(CR_CONN_HOST_ERROR, NULL),
    BROKEN(CR_UNKNOWN_HOST, NULL),
    BROKEN(CR_SERVER_HANDSHAKE_ERR, NULL),
    BROKEN(CR_SSL_CONNECTION_ERROR, TLS),
    BROKEN(CR_AUTH_PLUGIN_CANNOT_LOAD, PLUGIN),
    BROKEN(CR_AUTH_PLUGIN_ERR, PLUGIN),
    /* overloaded */
    CROWDED(ER_CON_COUNT_ERROR),
    CROWDED(ER_TOO_MANY_USER_CONNECTIONS),
    CROWDED(ER_USER_LIMIT_REACHED),
    UNAVAILABLE(ER_MAX_PREPARED_STMT_COUNT_REACHED, STATEMENTS),
    UNAVAILABLE(ER_OUTOFMEMORY, NULL),
    UNAVAILABLE(ER_OUT_OF_SORTMEMORY, NULL),
    UNAVAILABLE(ER_OUT_OF_RESOURCES, NULL),
    UNAVAILABLE(ER_DISK_FULL, "free some space on the server"),
    UNAVAILABLE(ER_RECORD_FILE_FULL, "free some space on the server"),
    UNAVAILABLE(ER_STATEMENT_TIMEOUT, NULL),
    {.number = ER_QUERY_INTERRUPTED, .result = STORE_UNAVAILABLE, .is_ambiguous = true},
    /* the server's state */
    {.number = ER_SERVER_SHUTDOWN,
     .result = STORE_UNAVAILABLE,
     .is_broken = true,
     .is_elsewhere = true,
     .is_ambiguous = true},
    /* of COMMIT on Galera: the node lost the others before they answered */
    {.number = ER_ERROR_DURING_COMMIT,
     .result = STORE_UNAVAILABLE,
     .is_broken = true,
     .is_ambiguous = true},
    ELSEWHERE(ER_UNKNOWN_COM_ERROR, "the node is not ready"), /* Galera */
    ELSEWHERE(ER_OPTION_PREVENTS_STATEMENT, READ_ONLY),
    ELSEWHERE(ER_READ_ONLY_MODE, READ_ONLY),
    ELSEWHERE(ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION, READ_ONLY),
    /* not set up */
    UNAVAILABLE(ER_NO_SUCH_TABLE, MIGRATE),
    UNAVAILABLE(ER_BAD_FIELD_ERROR, MIGRATE),
    UNAVAILABLE(ER_BAD_DB_ERROR, GRANTS),
    UNAVAILABLE(ER_ACCESS_DENIED_ERROR, GRANTS),
    UNAVAILABLE(ER_ACCESS_DENIED_NO_PASSWORD_ERROR, GRANTS),
    UNAVAILABLE(ER_DBACCESS_DENIED_ERROR, GRANTS),
    UNAVAILABLE(ER_TABLEACCESS_DENIED_ERROR, GRANTS),
    UNAVAILABLE(ER_COLUMNACCESS_DENIED_ERROR, GRANTS),
    UNAVAILABLE(ER_HOST_NOT_PRIVILEGED, GRANTS),
    UNAVAILABLE(ER_HOST_IS_BLOCKED, BLOCKED),
    UNAVAILABLE(ER_ACCOUNT_HAS_BEEN_LOCKED, LOCKED),
    UNAVAILABLE(ER_MUST_CHANGE_PASSWORD_LOGIN, EXPIRED),
    /* a connection that was made meanwhile can do nothing until it ends */
    BROKEN(ER_MUST_CHANGE_PASSWORD, EXPIRED),
    UNAVAILABLE(ER_NO_SUCH_USER, DEFINER),
    /* of the triggers: nothing else here counts */
    {.number = ER_DATA_OUT_OF_RANGE, .result = STORE_FAILED, .advice = REVISION_END},
};

/* The client library numbers its own errors 2000 to 2999 and 5000 to 5999. */
static bool is_of_client(unsigned int number)
{
    return (number >= CR_MIN_ERROR && number <= 2999) ||
           (number >= CER_MIN_ERROR && number <= 5999);
}

unsigned int failure_number(unsigned int number)
{
    return number != 0 ? number : CR_UNKNOWN_ERROR;
}

const struct failure *failure_of(unsigned int number)
{
    for (size_t i = 0; i < ARRAY_LENGTH(failures); i++)
        if (failures[i].number == number)
            return &failures[i];
    return is_of_client(number) ? &other_client_error : &other_server_error;
}

bool failure_is_denied(unsigned int number)
{
    return number == ER_TABLEACCESS_DENIED_ERROR || number == ER_COLUMNACCESS_DENIED_ERROR;
}

bool failure_is_of_schema(unsigned int number)
{
    return number == ER_NO_SUCH_TABLE || number == ER_BAD_FIELD_ERROR;
}

enum store_result failure_report(unsigned int number, const char *what, const char *message,
                                 struct err *err)
{
    const struct failure *failure = failure_of(number);
    const char *advice = failure->advice;
    if (failure->quotes_value)
        message = "a value does not fit the type or the character set of its column";
    err_set(err, "%s: %s (error %u)%s%s", what, message, number, advice != NULL ? ": " : "",
            advice != NULL ? advice : "");
    return failure->result;
}
