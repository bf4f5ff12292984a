#include "store/grants.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "format/endpoint.h"
#include "store/quoting.h"

enum { SHA1_BYTES = 20, PASSWORD_MAX_BYTES = 4096 };

/* What a user may change is all that the worker may change, and the time and revision of it. */
static const char *const worker_rights[] = {
    "SELECT, UPDATE (name, bio, avatar_url, locale, timezone, updated_at, revision) ON %.users",
    "SELECT ON %.user_emails",
    "SELECT ON %.user_identities",
    "SELECT ON %.user_phone_numbers",
    "SELECT ON %.user_badges",
    "SELECT ON %.user_fraud_information",
    "SELECT ON %.sessions",
    "SELECT ON %.revision_guard",
};

/* It adds and cannot look: what it adds is read by the worker. */
static const char *const provision_rights[] = {
    "INSERT (id, status, name, bio, avatar_url, locale, timezone, created_at, updated_at)"
    " ON %.users",
    "INSERT (user_id, id, issuer, subject, provider, name, email, avatar_url, created_at,"
    " updated_at) ON %.user_identities",
    "INSERT (user_id, id, email, verified, password_set, token_set, is_default, created_at,"
    " updated_at) ON %.user_emails",
    "INSERT (user_id, id, number, verified, is_primary, created_at, updated_at)"
    " ON %.user_phone_numbers",
};

/* Of the worker, where changes are recorded: it adds, and neither looks nor takes back; id and time
 * are the database's. */
static const char audit_right[] =
    "INSERT (user_id, request_id, issuer, client, members, member_values) ON %.profile_changes";

/* The commands need the first line; the rest is for migrations. */
static const char *const admin_rights[] = {
    "SELECT, INSERT, UPDATE, DELETE, "
    "CREATE, ALTER, DROP, INDEX, REFERENCES, TRIGGER, CREATE VIEW, SHOW VIEW ON %.*",
};

static const struct role {
    const char *what;
    const char *const *rights; /* `%` stands for the database */
    size_t count;
    bool makes_database;
    bool is_pattern; /* GRANT ON database.* takes the name as a pattern of LIKE; ON database.table
                        does not */
    bool records_changes; /* where audit.level is set */
} roles[] = {
    [DATABASE_WORKER] = {"the worker, me.fcgi", worker_rights, ARRAY_LENGTH(worker_rights), false,
                         false, true},
    [DATABASE_ADMIN] = {"the operator's tool, mectl", admin_rights, ARRAY_LENGTH(admin_rights),
                        true, true, false},
    [DATABASE_PROVISION] = {"provisioning, by which me.fcgi adds users", provision_rights,
                            ARRAY_LENGTH(provision_rights), false, false, false},
};

/* The transports of the hosts: each needs an account of its own. */
struct transports {
    bool socket, tcp;
};

static bool find_transports(const struct settings *settings, struct transports *out,
                            struct err *err)
{
    *out = (struct transports){false, false};
    for (size_t i = 0; i < settings->database.host.count; i++) {
        struct endpoint endpoint;
        if (!endpoint_parse(settings->database.host.items[i], &endpoint, err))
            return false;
        *(endpoint.is_socket ? &out->socket : &out->tcp) = true;
    }
    return true;
}

static void append_database(struct buf *out, const char *name, bool is_pattern)
{
    buf_append_byte(out, '`');
    for (const char *c = name; *c != '\0'; c++) {
        if (is_pattern && strchr("_%\\", *c) != NULL)
            buf_append_byte(out, '\\');
        if (*c == '`')
            buf_append_byte(out, '`');
        buf_append_byte(out, *c);
    }
    buf_append_byte(out, '`');
}

/* What mysql_native_password stores: the SHA-1 of the SHA-1, in upper case hex behind an asterisk.
 */
static bool append_hash(struct buf *out, struct str password)
{
    unsigned char once[EVP_MAX_MD_SIZE], twice[EVP_MAX_MD_SIZE];
    unsigned int len = 0;
    bool ok = EVP_Digest(password.data, password.len, once, &len, EVP_sha1(), NULL) == 1 &&
              EVP_Digest(once, SHA1_BYTES, twice, &len, EVP_sha1(), NULL) == 1;
    OPENSSL_cleanse(once, sizeof(once));
    buf_append_text(out, "'*");
    for (size_t i = 0; ok && i < SHA1_BYTES; i++)
        buf_append_format(out, "%02X", twice[i]);
    buf_append_text(out, "'");
    return ok;
}

/* One account of one host part, its way to log in, its rights. */
struct account {
    const struct settings *settings;
    const struct role *role;
    const char *user, *host;
    struct str password;
    bool requires_tls;
};

static void append_account(struct buf *out, const struct account *account)
{
    quoting_append_text(out, str_from(account->user));
    buf_append_byte(out, '@');
    quoting_append_text(out, str_from(account->host));
}

static bool append_login(struct buf *out, const struct account *account)
{
    bool ok = true;
    if (account->password.len > 0) {
        buf_append_text(out, " IDENTIFIED VIA mysql_native_password USING ");
        ok = append_hash(out, account->password);
    } else {
        buf_append_text(out, " IDENTIFIED VIA unix_socket");
    }
    buf_append_text(out, account->requires_tls ? " REQUIRE SSL;\n" : ";\n");
    return ok;
}

static void append_right(struct buf *out, const struct account *account, const char *right)
{
    buf_append_text(out, "GRANT ");
    for (const char *c = right; *c != '\0'; c++) {
        if (*c == '%')
            append_database(out, account->settings->database.name, account->role->is_pattern);
        else
            buf_append_byte(out, *c);
    }
    buf_append_text(out, " TO ");
    append_account(out, account);
    buf_append_text(out, ";\n");
}

static const char *right_of(const struct settings *settings, const struct role *role, size_t i)
{
    bool records = role->records_changes && settings->audit.level != SETTINGS_AUDIT_OFF;
    if (i < role->count)
        return role->rights[i];
    return records && i == role->count ? audit_right : NULL;
}

const char *grants_right(const struct settings *settings, enum database_account account, size_t i)
{
    return right_of(settings, &roles[account], i);
}

/* ALTER USER makes a second run set the password of now. */
static bool append_sql(struct buf *out, const struct account *account)
{
    static const char *const verbs[] = {"CREATE USER IF NOT EXISTS ", "ALTER USER "};
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++) {
        buf_append_text(out, verbs[i]);
        append_account(out, account);
        if (!append_login(out, account))
            return false;
    }
    const char *right;
    for (size_t i = 0; (right = right_of(account->settings, account->role, i)) != NULL; i++)
        append_right(out, account, right);
    return true;
}

static bool append_socket(struct buf *out, struct account account)
{
    account.host = "localhost";
    return append_sql(out, &account);
}

static bool append_tcp(struct buf *out, struct account account)
{
    account.host = "%";
    account.requires_tls = account.settings->database.tls != SETTINGS_TLS_OFF;
    buf_append_text(out, "-- '%' is any host: write the addresses of your web servers in its place "
                         "where you know them\n");
    return append_sql(out, &account);
}

static void append_head(struct buf *out, const struct settings *settings, const struct role *role)
{
    buf_append_format(
        out, "-- The account of %s. To be run by one who may grant: mariadb -u root\n", role->what);
    if (!role->makes_database)
        return;
    buf_append_text(out, "CREATE DATABASE IF NOT EXISTS ");
    append_database(out, settings->database.name, false);
    buf_append_text(out, " DEFAULT CHARACTER SET utf8mb4;\n");
}

static bool append_all(struct buf *out, const struct account *account, struct err *err)
{
    struct transports transports;
    if (account->user == NULL) {
        err_set(err, "provision.user: is not set, so there is no account to print rights for");
        return false;
    }
    if (!find_transports(account->settings, &transports, err))
        return false;
    if (transports.tcp && account->password.len == 0) {
        err_set(err,
                "the account %s has no password, which over TCP it must have: write one into a "
                "file and name it as password_file",
                account->user);
        return false;
    }
    append_head(out, account->settings, account->role);
    bool ok = (!transports.socket || append_socket(out, *account)) &&
              (!transports.tcp || append_tcp(out, *account)) && buf_is_good(out);
    if (!ok)
        err_set(err, "out of memory, or an OpenSSL without SHA-1");
    return ok;
}

bool grants_print(const struct settings *settings, enum database_account account,
                  enum file_readers readers, struct buf *out, struct err *err)
{
    struct buf password;
    buf_init(&password, PASSWORD_MAX_BYTES);
    bool ok = database_password(settings, account, readers, &password, err);
    const struct account of = {
        .settings = settings,
        .role = &roles[account],
        .user = database_user(settings, account),
        .password = buf_str(&password),
    };
    ok = ok && append_all(out, &of, err);
    buf_free_secret(&password);
    return ok;
}
