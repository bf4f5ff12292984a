#include "format/settings.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/utf8.h"
#include "format/conf.h"

#ifndef SYSCONFDIR
#define SYSCONFDIR "/usr/local/etc"
#endif

enum {
    FILE_MAX_BYTES = 256 * 1024,
    MEMORY_MAX_BYTES = 4 * 1024 * 1024,
    LIST_MAX_ITEMS = 64,
    HEADER_MAX_BYTES = 64
};

static const char *const tls_choices[] = {
    [SETTINGS_TLS_VERIFY] = "verify",
    [SETTINGS_TLS_ENCRYPT] = "encrypt",
    [SETTINGS_TLS_OFF] = "off",
    NULL,
};
static const char *const sessions_choices[] = {
    [SETTINGS_SESSIONS_OFF] = "off",
    [SETTINGS_SESSIONS_IF_PRESENT] = "if-present",
    [SETTINGS_SESSIONS_REQUIRED] = "required",
    NULL,
};
static const char *const subject_choices[] = {
    [SETTINGS_SUBJECT_USER] = "user",
    [SETTINGS_SUBJECT_IDENTITY] = "identity",
    NULL,
};
static const char *const switch_choices[] = {"off", "on", NULL}; /* the index is the bool */
static const char *const audit_choices[] = {
    [SETTINGS_AUDIT_OFF] = "off",
    [SETTINGS_AUDIT_MEMBERS] = "members",
    [SETTINGS_AUDIT_VALUES] = "values",
    NULL,
};
static const char *const cache_choices[] = {
    [SETTINGS_CACHE_AUTO] = "auto",
    [SETTINGS_CACHE_OFF] = "off",
    NULL,
};
static const char *const watchers_choices[] = {
    [SETTINGS_WATCHERS_SECRET] = "secret",
    [SETTINGS_WATCHERS_ANYONE] = "anyone",
    NULL,
};
static const char *const sandbox_choices[] = {
    [SETTINGS_SANDBOX_OFF] = "off",
    [SETTINGS_SANDBOX_AUTO] = "auto",
    [SETTINGS_SANDBOX_REQUIRED] = "required",
    NULL,
};
static const char *const socket_choices[] = {
    [SETTINGS_SOCKET_SHARED] = "shared",
    [SETTINGS_SOCKET_OWN] = "own",
    NULL,
};
static const char *const level_choices[] = {
    [LOG_ERROR] = "error",
    [LOG_WARNING] = "warning",
    [LOG_INFO] = "info",
    [LOG_DEBUG] = "debug",
    NULL,
};
static const char *const algorithm_choices[] = {"HS256", "RS256", NULL};

#define AT(member) offsetof(struct settings, member)

const struct setting settings_table[] = {
    {"database", "host", SETTING_LIST, .fallback = "/run/mysqld/mysqld.sock",
     .offset = AT(database.host), .is_required = true,
     .help = "Where MariaDB is, tried in order: the path of a Unix socket, name, name:port or "
             "[IPv6 address]:port."},
    {"database", "name", SETTING_TEXT, .fallback = "me", .offset = AT(database.name),
     .is_required = true, .help = "The database."},
    {"database", "user", SETTING_TEXT, .fallback = "me", .offset = AT(database.user),
     .is_required = true, .help = "The worker's account."},
    {"database", "password", SETTING_TEXT, .offset = AT(database.password), .is_secret = true,
     .help = "Its password; password_file is better."},
    {"database", "password_file", SETTING_PATH, .offset = AT(database.password_file),
     .help = "A file that holds its password; read again when the server refuses it."},
    {"database", "tls", SETTING_CHOICE, .fallback = "verify", .choices = tls_choices,
     .offset = AT(database.tls),
     .help =
         "Over TCP: encrypted and the server's certificate verified, encrypted only, or neither."},
    {"database", "tls_ca", SETTING_PATH, .offset = AT(database.tls_ca),
     .help = "PEM certificates that the server's is verified against; unset: the system's."},
    {"database", "connect_timeout_s", SETTING_NUMBER, .fallback = "3", .min = 1, .max = 60,
     .offset = AT(database.connect_timeout_s), .unit = "seconds",
     .help = "How long to wait for a connection, for each host."},
    {"database", "read_timeout_s", SETTING_NUMBER, .fallback = "5", .min = 1, .max = 300,
     .offset = AT(database.read_timeout_s), .unit = "seconds",
     .help = "How long to wait for an answer of the database."},
    {"database", "write_timeout_s", SETTING_NUMBER, .fallback = "5", .min = 1, .max = 300,
     .offset = AT(database.write_timeout_s), .unit = "seconds",
     .help = "How long to wait until the database takes a request."},
    {"database", "idle_close_s", SETTING_NUMBER, .fallback = "60", .min = 1, .max = 86400,
     .offset = AT(database.idle_close_s), .unit = "seconds",
     .help = "A worker without requests closes its connection after this time."},
    {"database", "sync_wait", SETTING_CHOICE, .fallback = "on", .choices = switch_choices,
     .offset = AT(database.sync_wait),
     .help = "On a Galera cluster: whether reads wait for what other nodes have committed."},
    {"admin", "user", SETTING_TEXT, .offset = AT(admin.user),
     .help = "The account of mectl; unset: that of the section database."},
    {"admin", "password_file", SETTING_PATH, .offset = AT(admin.password_file),
     .help = "A file that holds its password."},
    {"provision", "user", SETTING_TEXT, .offset = AT(provision.user),
     .help = "The account that adds users where token.provision is on; never the worker's."},
    {"provision", "password_file", SETTING_PATH, .offset = AT(provision.password_file),
     .help = "A file that holds its password."},
    {"token", "algorithms", SETTING_LIST, .fallback = "HS256 RS256", .choices = algorithm_choices,
     .offset = AT(token.algorithms), .is_required = true,
     .help = "The signature algorithms that are allowed."},
    {"token", "secret_file", SETTING_PATHS, .offset = AT(token.secret_file),
     .help = "Files that each hold one HMAC secret, of 32 bytes or more."},
    {"token", "public_key_file", SETTING_PATHS, .offset = AT(token.public_key_file),
     .help = "PEM files that each hold one RSA public key (2048 to 8192 bits) or certificate."},
    {"token", "jwks_file", SETTING_PATHS, .offset = AT(token.jwks_file),
     .help = "Files that each hold a JWK Set, as issuers publish it."},
    {"token", "issuer", SETTING_LIST, .offset = AT(token.issuer),
     .help = "The issuers (claim iss) that are accepted; unset: any."},
    {"token", "audience", SETTING_LIST, .offset = AT(token.audience),
     .help = "The audiences (claim aud) of which a token must name one; unset: any."},
    {"token", "leeway_s", SETTING_NUMBER, .fallback = "30", .min = 0, .max = 600,
     .offset = AT(token.leeway_s), .unit = "seconds",
     .help = "By how much the issuer's clock may differ from ours."},
    {"token", "max_bytes", SETTING_NUMBER, .fallback = "8192", .min = 256, .max = 65536,
     .offset = AT(token.max_bytes), .unit = "bytes",
     .help = "The longest token that is looked at."},
    {"token", "kept_verified", SETTING_NUMBER, .fallback = "1024", .min = 0, .max = 65536,
     .offset = AT(token.kept_verified), .unit = "tokens",
     .help = "How many verified tokens a worker remembers, to save the work; 0: none."},
    {"token", "header", SETTING_HEADER, .offset = AT(token.header),
     .help = "One more request header to look for the token in, where Authorization has none."},
    {"token", "session_claim", SETTING_TEXT, .fallback = "sid", .offset = AT(token.session_claim),
     .is_required = true, .help = "The claim that names the session."},
    {"token", "sessions", SETTING_CHOICE, .fallback = "if-present", .choices = sessions_choices,
     .offset = AT(token.sessions),
     .help = "Whether the session is looked up: never, where the token names one, or always."},
    {"token", "subject", SETTING_CHOICE, .fallback = "user", .choices = subject_choices,
     .offset = AT(token.subject),
     .help = "What the claim sub names: a user by its id, or with iss an identity of a user."},
    {"token", "provision", SETTING_CHOICE, .fallback = "off", .choices = switch_choices,
     .offset = AT(token.provision),
     .help = "Whether the first token of an unknown identity makes the user, from its claims."},
    {"keys", "issuer", SETTING_TEXT, .offset = AT(keys.issuer),
     .help = "Whose keys mectl keys fetch gets; unset: those of the only token.issuer."},
    {"keys", "url", SETTING_TEXT, .offset = AT(keys.url),
     .help = "The https address of a JWKS, for an issuer without a discovery document."},
    {"keys", "ca", SETTING_PATH, .offset = AT(keys.ca),
     .help = "PEM certificates that the issuer's is verified against; unset: the system's."},
    {"keys", "grace_s", SETTING_NUMBER, .fallback = "3600", .min = 0, .max = 2592000,
     .offset = AT(keys.grace_s), .unit = "seconds",
     .help = "How long a key that the issuer has withdrawn stays in force."},
    {"keys", "timeout_s", SETTING_NUMBER, .fallback = "10", .min = 1, .max = 120,
     .offset = AT(keys.timeout_s), .unit = "seconds",
     .help = "How long to wait for the whole of an answer of the issuer."},
    {"request", "body_max_bytes", SETTING_NUMBER, .fallback = "65536", .min = 1024, .max = 131072,
     .offset = AT(request.body_max_bytes), .unit = "bytes",
     .help = "The longest request body that is read."},
    {"request", "retry_after_s", SETTING_NUMBER, .fallback = "5", .min = 1, .max = 3600,
     .offset = AT(request.retry_after_s), .unit = "seconds",
     .help = "What Retry-After says where the database is away."},
    {"request", "require_if_match", SETTING_CHOICE, .fallback = "off", .choices = switch_choices,
     .offset = AT(request.require_if_match),
     .help = "Whether a PATCH without If-Match is refused, so that no change is lost."},
    {"request", "method_override", SETTING_CHOICE, .fallback = "off", .choices = switch_choices,
     .offset = AT(request.method_override),
     .help = "Whether POST with X-HTTP-Method-Override: PATCH is taken for a PATCH."},
    {"cors", "origin", SETTING_LIST, .offset = AT(cors.origin),
     .help = "The origins whose pages may use the resource, or * for all; unset: none."},
    {"cors", "max_age_s", SETTING_NUMBER, .fallback = "600", .min = 0, .max = 86400,
     .offset = AT(cors.max_age_s), .unit = "seconds",
     .help = "How long a browser may remember what a preflight was answered."},
    {"profile", "zoneinfo", SETTING_PATH, .fallback = "/usr/share/zoneinfo",
     .offset = AT(profile.zoneinfo),
     .help = "The folder of the time zone database: its names add to those built in."},
    {"audit", "level", SETTING_CHOICE, .fallback = "off", .choices = audit_choices,
     .offset = AT(audit.level),
     .help = "What the audit trail keeps of a change: nothing, its members, or values too."},
    {"cache", "mode", SETTING_CHOICE, .fallback = "auto", .choices = cache_choices,
     .offset = AT(cache.mode),
     .help = "Whether workers keep what they showed, to show it again where it is still right."},
    {"cache", "size_mib", SETTING_NUMBER, .fallback = "64", .min = 1, .max = 65536,
     .offset = AT(cache.size_mib), .unit = "MiB",
     .help = "The size of the file that all workers of a host keep it in."},
    {"cache", "path", SETTING_PATH, .offset = AT(cache.path),
     .help = "That file; unset: one in /dev/shm, where that is in memory."},
    {"log", "level", SETTING_CHOICE, .fallback = "info", .choices = level_choices,
     .offset = AT(log.level), .help = "The least urgent events that are logged."},
    {"log", "file", SETTING_PATH, .offset = AT(log.file),
     .help = "A file that the log goes to; unset: the web server's error log."},
    {"log", "max_bytes", SETTING_NUMBER, .fallback = "10485760", .min = 4096, .max = 1073741824,
     .offset = AT(log.max_bytes), .unit = "bytes",
     .help = "From which size on log.file is put away, and a new one begun."},
    {"log", "kept", SETTING_NUMBER, .fallback = "4", .min = 0, .max = 99, .offset = AT(log.kept),
     .unit = "files",
     .help = "How many files that were put away are kept: log.file.1 is the newest."},
    {"log", "slow_ms", SETTING_NUMBER, .fallback = "0", .min = 0, .max = 3600000,
     .offset = AT(log.slow_ms), .unit = "milliseconds",
     .help = "From which time on a request is logged as slow, whatever the level; 0: none is."},
    {"process", "sandbox", SETTING_CHOICE, .fallback = "auto", .choices = sandbox_choices,
     .offset = AT(process.sandbox),
     .help = "Whether a worker gives up what it does not need: nothing, what the host lets it, or "
             "it does not start."},
    {"process", "socket", SETTING_CHOICE, .fallback = "shared", .choices = socket_choices,
     .offset = AT(process.socket),
     .help = "Whether others accept at a worker's listening socket, or nobody else has it."},
    {"doctor", "secret_file", SETTING_PATH, .offset = AT(doctor.secret_file),
     .help = "A file with a secret by which mectl doctor asks workers what they are; unset: they "
             "tell nobody."},
    {"watch", "live_path", SETTING_TEXT, .offset = AT(watch.live_path),
     .help = "A path, as /health/live, that is answered wherever a worker runs; unset: none."},
    {"watch", "ready_path", SETTING_TEXT, .offset = AT(watch.ready_path),
     .help = "A path, as /health/ready, that tells whether the database is reached and as it must "
             "be; unset: none."},
    {"watch", "metrics_path", SETTING_TEXT, .offset = AT(watch.metrics_path),
     .help = "A path, as /metrics, where Prometheus finds what watch.metrics_file has; unset: "
             "none."},
    {"watch", "metrics_file", SETTING_PATH, .offset = AT(watch.metrics_file),
     .help = "The file in which all workers of a host count; unset: they do not."},
    {"watch", "metrics_for", SETTING_CHOICE, .fallback = "secret", .choices = watchers_choices,
     .offset = AT(watch.metrics_for),
     .help = "Who may read watch.metrics_path: who has the secret, or anyone whom the web server "
             "lets through."},
    {"watch", "secret_file", SETTING_PATH, .offset = AT(watch.secret_file),
     .help = "A file with the secret that is sent as Authorization: Bearer to read the metrics."},
};
const size_t settings_table_len = ARRAY_LENGTH(settings_table);

/* ---- one value into the struct */

struct loader {
    struct settings *settings;
    struct arena *arena;
    const char *folder; /* of me.conf; NULL: none, and paths are taken as they are */
    bool seen[ARRAY_LENGTH(settings_table)];
    bool has_secret; /* a secret stands in the file itself */
};

static void *place_of(const struct setting *setting, struct settings *settings)
{
    return (char *)settings + setting->offset;
}

static bool fail_memory(struct err *err)
{
    err_set(err, "out of memory");
    return false;
}

/* The beginning of what someone wrote, for a message that has to say more than that. */
static struct str shown(struct str text)
{
    enum { SHOWN_MAX_BYTES = 80 };
    struct str rest = text;
    uint32_t code_point;

    while (text.len - rest.len < SHOWN_MAX_BYTES && utf8_next(&rest, &code_point))
        continue;
    return (struct str){text.data, text.len - rest.len};
}

static bool set_text(struct loader *loader, const struct setting *setting, struct str value,
                     struct err *err)
{
    const char **place = place_of(setting, loader->settings);
    struct str copy = STR_NONE;

    if (value.len > 0 && !arena_copy(loader->arena, value, &copy))
        return fail_memory(err);
    *place = copy.data;
    return true;
}

/* A relative path is relative to the folder of me.conf, wherever the worker was started. */
static bool resolve(struct loader *loader, struct str path, struct str *out, struct err *err)
{
    bool is_relative = loader->folder != NULL && !str_starts_with(path, STR("/"));
    struct buf text;
    bool good;

    buf_init(&text, PATH_MAX - 1);
    if (is_relative) {
        buf_append_text(&text, loader->folder);
        buf_append_byte(&text, '/');
    }
    buf_append_str(&text, path);
    good = buf_is_good(&text);
    if (!good)
        err_set(err, "is longer than a path may be");
    else if (!arena_copy(loader->arena, buf_str(&text), out))
        good = fail_memory(err);
    buf_free(&text);
    return good;
}

static bool set_path(struct loader *loader, const struct setting *setting, struct str value,
                     struct err *err)
{
    const char **place = place_of(setting, loader->settings);
    struct str path = STR_NONE;

    if (value.len > 0 && !resolve(loader, value, &path, err))
        return false;
    *place = path.data;
    return true;
}

static bool is_separator(char c)
{
    return c == ',' || c == ' ' || c == '\t';
}

static void append_choices(const struct setting *setting, struct buf *out)
{
    for (size_t i = 0; setting->choices[i] != NULL; i++)
        buf_append_format(out, "%s%s", i == 0 ? "" : ", ", setting->choices[i]);
}

static bool find_choice(const struct setting *setting, struct str value, int64_t *out,
                        struct err *err)
{
    struct buf allowed;

    for (size_t i = 0; setting->choices[i] != NULL; i++) {
        if (!str_equal(value, str_from(setting->choices[i])))
            continue;
        *out = (int64_t)i;
        return true;
    }
    buf_init(&allowed, 256);
    append_choices(setting, &allowed);
    err_set(err, "'%.*s' is not one of %.*s", STR_ARGS(shown(value)), STR_ARGS(buf_str(&allowed)));
    buf_free(&allowed);
    return false;
}

/* An item between quotes, which *rest begins with. An empty one would be taken for the list's end
 * by whoever reads it: it is refused. */
static bool next_quoted(struct str *rest, struct str *item, struct err *err)
{
    struct str behind = {rest->data + 1, rest->len - 1};

    *item = str_cut(&behind, '"');
    if (!str_is_set(behind))
        err_set(err, "has a quote that is not closed");
    else if (item->len == 0)
        err_set(err, "has an empty item");
    else if (behind.len > 0 && !is_separator(behind.data[0]))
        err_set(err, "has a quote within an item: quotes stand around a whole one");
    else {
        *rest = behind;
        return true;
    }
    return false;
}

/* *item is STR_NONE behind the last one. */
static bool next_item(struct str *rest, struct str *item, struct err *err)
{
    size_t len = 0;

    while (rest->len > 0 && is_separator(rest->data[0]))
        *rest = (struct str){rest->data + 1, rest->len - 1};
    *item = STR_NONE;
    if (rest->len == 0)
        return true;
    if (rest->data[0] == '"')
        return next_quoted(rest, item, err);
    while (len < rest->len && !is_separator(rest->data[len]))
        len++;
    *item = (struct str){rest->data, len};
    *rest = (struct str){rest->data + len, rest->len - len};
    return true;
}

static bool take_item(struct loader *loader, const struct setting *setting, struct str item,
                      struct str *copy, struct err *err)
{
    int64_t choice;

    if (setting->choices != NULL && !find_choice(setting, item, &choice, err))
        return false;
    if (setting->type == SETTING_PATHS)
        return resolve(loader, item, copy, err);
    return arena_copy(loader->arena, item, copy) || fail_memory(err);
}

static bool set_list(struct loader *loader, const struct setting *setting, struct str value,
                     struct err *err)
{
    struct settings_list *place = place_of(setting, loader->settings);
    const char **items = arena_array(loader->arena, LIST_MAX_ITEMS, sizeof(*items));
    struct str item, copy;
    size_t count = 0;

    if (items == NULL)
        return fail_memory(err);
    for (;;) {
        if (!next_item(&value, &item, err))
            return false;
        if (!str_is_set(item))
            break;
        if (count == LIST_MAX_ITEMS) {
            err_set(err, "has more than %d items", LIST_MAX_ITEMS);
            return false;
        }
        if (!take_item(loader, setting, item, &copy, err))
            return false;
        items[count++] = copy.data;
    }
    *place = (struct settings_list){items, count};
    return true;
}

static bool set_number(struct loader *loader, const struct setting *setting, struct str value,
                       struct err *err)
{
    int64_t *place = place_of(setting, loader->settings);

    if (str_to_number(value, setting->max, place) && *place >= setting->min)
        return true;
    err_set(err, "is '%.*s', but must be a number from %lld to %lld%s%s", STR_ARGS(shown(value)),
            (long long)setting->min, (long long)setting->max, setting->unit == NULL ? "" : " ",
            setting->unit == NULL ? "" : setting->unit);
    return false;
}

static bool set_choice(struct loader *loader, const struct setting *setting, struct str value,
                       struct err *err)
{
    return find_choice(setting, value, place_of(setting, loader->settings), err);
}

static bool is_header_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-'))
            return false;
    }
    return name.len <= HEADER_MAX_BYTES;
}

static bool set_header(struct loader *loader, const struct setting *setting, struct str value,
                       struct err *err)
{
    if (is_header_name(value))
        return set_text(loader, setting, value, err);
    err_set(err,
            "is '%.*s', but must be the name of a header: up to %d letters, digits and hyphens",
            STR_ARGS(shown(value)), HEADER_MAX_BYTES);
    return false;
}

typedef bool setter(struct loader *loader, const struct setting *setting, struct str value,
                    struct err *err);

/* A line feed, which only the environment can bring, could not be printed as a me.conf. */
static bool is_plain(struct str value)
{
    for (size_t i = 0; i < value.len; i++)
        if (((unsigned char)value.data[i] < ' ' && value.data[i] != '\t') ||
            value.data[i] == '\x7F')
            return false;
    return utf8_is_valid(value);
}

static bool is_unset(const struct setting *setting, struct settings *settings)
{
    const void *place = place_of(setting, settings);

    switch (setting->type) {
    case SETTING_LIST:
    case SETTING_PATHS:
        return ((const struct settings_list *)place)->count == 0;
    case SETTING_TEXT:
    case SETTING_PATH:
    case SETTING_HEADER:
        return *(const char *const *)place == NULL;
    case SETTING_NUMBER:
    case SETTING_CHOICE:
    case SETTING__MAX:
        break;
    }
    return false;
}

static bool set_value(struct loader *loader, const struct setting *setting, struct str value,
                      struct err *err)
{
    static setter *const setters[SETTING__MAX] = {
        [SETTING_TEXT] = set_text,     [SETTING_PATH] = set_path,     [SETTING_LIST] = set_list,
        [SETTING_PATHS] = set_list,    [SETTING_NUMBER] = set_number, [SETTING_CHOICE] = set_choice,
        [SETTING_HEADER] = set_header,
    };
    bool good = false;

    if (!is_plain(value))
        err_set(err, "has control characters, or bytes that are not UTF-8");
    else
        good = setters[setting->type](loader, setting, value, err);
    if (good && setting->is_required && is_unset(setting, loader->settings)) {
        err_set(err, "is empty, but has to have a value");
        good = false;
    }
    if (!good)
        err_prefix(err, "%s.%s", setting->section, setting->key);
    return good;
}

/* ---- me.conf */

static const struct setting *find(struct str section, struct str key)
{
    for (size_t i = 0; i < settings_table_len; i++)
        if (str_equal(section, str_from(settings_table[i].section)) &&
            str_equal(key, str_from(settings_table[i].key)))
            return &settings_table[i];
    return NULL;
}

static void append_once(struct buf *out, const char *name)
{
    buf_append_format(out, "%s%s", out->len == 0 ? "" : ", ", name);
}

/* The keys of a section, or, where there is no such section, the sections. */
static void append_known(struct str section, struct buf *out)
{
    const char *last = "";

    for (size_t i = 0; i < settings_table_len; i++)
        if (str_equal(section, str_from(settings_table[i].section)))
            append_once(out, settings_table[i].key);
    for (size_t i = 0; i < settings_table_len && (out->len == 0 || *last != '\0'); i++) {
        if (strcmp(settings_table[i].section, last) == 0)
            continue;
        last = settings_table[i].section;
        append_once(out, last);
    }
}

static bool refuse_unknown(const struct conf_entry *entry, struct err *err)
{
    struct buf known;

    buf_init(&known, 1024);
    append_known(entry->section, &known);
    err_set(err, "%.*s.%.*s: there is no such setting; known are: %.*s",
            STR_ARGS(shown(entry->section)), STR_ARGS(shown(entry->key)),
            STR_ARGS(buf_str(&known)));
    buf_free(&known);
    return false;
}

/* Without the quotes around it, if it has them. Those of a list are its items'. */
static struct str unquote(const struct setting *setting, struct str value)
{
    if (setting->type == SETTING_LIST || setting->type == SETTING_PATHS || value.len < 2 ||
        !str_starts_with(value, STR("\"")) || !str_ends_with(value, STR("\"")))
        return value;
    return (struct str){value.data + 1, value.len - 2};
}

static bool is_blank(struct str text, size_t i)
{
    return i >= text.len || text.data[i] == ' ' || text.data[i] == '\t';
}

/*
 * Whether somebody meant a comment: it would be taken for items of a list, or for the end of a
 * text. What begins with a # may be a password.
 */
static bool seems_commented(struct str value)
{
    bool quoted = false;

    for (size_t i = 0; i < value.len; i++) {
        char c = value.data[i];

        if (c == '"')
            quoted = !quoted;
        if (!quoted && (c == '#' || c == ';') && is_blank(value, i == 0 ? 1 : i - 1))
            return true;
    }
    return false;
}

static bool refuse_comment(const struct setting *setting, struct err *err)
{
    err_set(err,
            "%s.%s: has a comment behind it: write that on a line of its own, or the value in "
            "double quotes where the # or ; belongs to it",
            setting->section, setting->key);
    return false;
}

static bool take_entry(void *context, const struct conf_entry *entry, struct err *err)
{
    struct loader *loader = context;
    const struct setting *setting = find(entry->section, entry->key);
    struct str value;
    size_t row;

    if (setting == NULL)
        return refuse_unknown(entry, err);
    row = (size_t)(setting - settings_table);
    if (loader->seen[row]) {
        err_set(err, "%s.%s: is set twice", setting->section, setting->key);
        return false;
    }
    loader->seen[row] = true;
    value = unquote(setting, entry->value);
    if (value.len == entry->value.len && seems_commented(value))
        return refuse_comment(setting, err);
    loader->has_secret = loader->has_secret || (setting->is_secret && value.len > 0);
    return set_value(loader, setting, value, err);
}

static bool set_folder(struct loader *loader, const char *path, struct err *err)
{
    char resolved[PATH_MAX];
    struct str copy;

    if (realpath(path, resolved) == NULL) {
        err_set(err, "%s: %s", path, strerror(errno));
        return false;
    }
    if (!arena_copy(loader->arena, str_from(resolved), &copy))
        return fail_memory(err);
    loader->settings->file = copy.data;
    /* dirname changes its argument, which is a copy of our own. */
    if (!arena_copy(loader->arena, str_from(dirname(resolved)), &copy))
        return fail_memory(err);
    loader->folder = copy.data;
    return true;
}

static bool parse_conf(struct loader *loader, const char *path, struct str text, struct err *err)
{
    size_t line = 0;

    if (conf_parse(text, take_entry, loader, &line, err))
        return true;
    err_prefix(err, "%s:%zu", path, line);
    return false;
}

static bool read_conf(struct loader *loader, const char *path, enum file_readers readers,
                      struct err *err)
{
    struct buf text;
    bool good;

    buf_init(&text, FILE_MAX_BYTES);
    good = file_read(path, FILE_READERS_ANY, &text, err) && set_folder(loader, path, err) &&
           parse_conf(loader, path, buf_str(&text), err);
    if (good && loader->has_secret) {
        buf_reset(&text);
        good = file_read(path, readers, &text, err);
    }
    buf_free_secret(&text);
    return good;
}

/* ---- the environment */

/* ME_DATABASE_HOST for [database] host. */
static void append_variable(const struct setting *setting, struct buf *out)
{
    const char *const parts[] = {"ME_", setting->section, "_", setting->key};

    for (size_t i = 0; i < ARRAY_LENGTH(parts); i++)
        for (const char *c = parts[i]; *c != '\0'; c++)
            buf_append_byte(out, (char)(*c >= 'a' && *c <= 'z' ? *c - ('a' - 'A') : *c));
}

static const struct setting *find_variable(struct str name)
{
    const struct setting *found = NULL;
    struct buf variable;

    buf_init(&variable, 256);
    for (size_t i = 0; i < settings_table_len && found == NULL; i++) {
        buf_reset(&variable);
        append_variable(&settings_table[i], &variable);
        if (str_equal(name, buf_str(&variable)))
            found = &settings_table[i];
    }
    buf_free(&variable);
    return found;
}

static bool is_word(struct str name)
{
    static const char bytes[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_";

    for (size_t i = 0; i < name.len; i++)
        if (memchr(bytes, name.data[i], sizeof(bytes) - 1) == NULL)
            return false;
    return true;
}

/* Whether a variable looks like one of ours: ME_, a section, `_`. Others may begin with ME_ as they
 * like, and their names hold what no terminal should be shown. */
static bool names_section(struct str name)
{
    if (!is_word(name))
        return false;
    (void)str_cut(&name, '_');
    for (size_t i = 0; i < settings_table_len; i++) {
        struct str section = str_from(settings_table[i].section);

        if (name.len > section.len && name.data[section.len] == '_' &&
            str_equal_nocase((struct str){name.data, section.len}, section))
            return true;
    }
    return false;
}

static bool take_variable(struct loader *loader, const char *variable, struct err *err)
{
    struct str value = str_from(variable), name = str_cut(&value, '=');
    const struct setting *setting;

    if (!str_starts_with(name, STR("ME_")) || !str_is_set(value))
        return true;
    setting = find_variable(name);
    if (setting != NULL) {
        if (set_value(loader, setting, value, err))
            return true;
        err_prefix(err, "the environment's %.*s", STR_ARGS(shown(name)));
        return false;
    }
    if (!names_section(name))
        return true;
    err_set(err, "the environment's %.*s: there is no such setting: see me.conf(5)",
            STR_ARGS(shown(name)));
    return false;
}

static bool read_environment(struct loader *loader, char *const *environment, struct err *err)
{
    /* Whoever sets a path in the environment means the folder that they are in. */
    loader->folder = NULL;
    for (char *const *variable = environment; *variable != NULL; variable++)
        if (!take_variable(loader, *variable, err))
            return false;
    return true;
}

/* ---- rules that concern more than one value */

static void take_algorithms(struct settings *settings)
{
    const struct settings_list *list = &settings->token.algorithms;

    for (size_t i = 0; i < list->count; i++) {
        bool is_hs256 = strcmp(list->items[i], "HS256") == 0;

        *(is_hs256 ? &settings->token.hs256 : &settings->token.rs256) = true;
    }
}

/* Else users would be added for whom nobody vouches, or the worker's own account could add any. */
static bool check_provision(const struct settings *settings, struct err *err)
{
    if (!settings->token.provision)
        return true;
    if (settings->token.subject != SETTINGS_SUBJECT_IDENTITY)
        err_set(err, "token.provision: needs token.subject = identity");
    else if (settings->token.issuer.count == 0)
        err_set(err, "token.provision: needs token.issuer: name the issuers whose users are added");
    else if (settings->provision.user == NULL)
        err_set(err, "token.provision: needs an account of its own: set provision.user and "
                     "provision.password_file, and make the account with what 'mectl migrate "
                     "--print-grants --for provision' prints");
    else if (strcmp(settings->provision.user, settings->database.user) == 0)
        err_set(err, "provision.user: is database.user: it must be another account, since the "
                     "worker's may not add users");
    else
        return true;
    return false;
}

/* A path as a request has it, that is none of the resource's. */
static bool is_path_to_watch(const char *path)
{
    static const struct str taken[] = {STR("/me"), STR("/me.fcgi"), STR("/me.cgi")};

    for (size_t i = 0; i < ARRAY_LENGTH(taken); i++)
        if (str_ends_with(str_from(path), taken[i]))
            return false;
    return path[0] == '/' && path[1] != '\0' && strpbrk(path, "?#% ") == NULL;
}

static bool check_paths_to_watch(const struct settings *settings, struct err *err)
{
    const struct {
        const char *key, *path;
    } paths[] = {
        {"live_path", settings->watch.live_path},
        {"ready_path", settings->watch.ready_path},
        {"metrics_path", settings->watch.metrics_path},
    };

    for (size_t i = 0; i < ARRAY_LENGTH(paths); i++) {
        if (paths[i].path == NULL)
            continue;
        if (!is_path_to_watch(paths[i].path)) {
            err_set(err,
                    "watch.%s: must begin with a slash, hold none of ?, #, %% and spaces, and not "
                    "end as the resource does (/me, /me.fcgi, /me.cgi)",
                    paths[i].key);
            return false;
        }
        for (size_t j = 0; j < i; j++)
            if (paths[j].path != NULL && strcmp(paths[i].path, paths[j].path) == 0) {
                err_set(err, "watch.%s: is watch.%s too", paths[i].key, paths[j].key);
                return false;
            }
    }
    return true;
}

/* Who reads the metrics is decided, never forgotten. */
static bool check_watch(const struct settings *settings, struct err *err)
{
    if (!check_paths_to_watch(settings, err))
        return false;
    if (settings->watch.metrics_path == NULL)
        return true;
    if (settings->watch.metrics_file == NULL)
        err_set(err, "watch.metrics_path: needs watch.metrics_file: name a file that the worker's "
                     "user may make");
    else if (settings->watch.metrics_for == SETTINGS_WATCHERS_SECRET &&
             settings->watch.secret_file == NULL)
        err_set(err, "watch.metrics_path: needs watch.secret_file: make one with 'mectl keys "
                     "generate --secret PATH'; or set watch.metrics_for = anyone where the web "
                     "server keeps strangers out");
    else
        return true;
    return false;
}

static bool check_together(const struct settings *settings, struct err *err)
{
    if (settings->database.password == NULL || settings->database.password_file == NULL)
        return check_provision(settings, err) && check_watch(settings, err);
    err_set(err, "database.password and database.password_file are both set: keep one");
    return false;
}

/* ---- the whole */

static bool set_defaults(struct loader *loader, struct err *err)
{
    for (size_t i = 0; i < settings_table_len; i++) {
        const struct setting *setting = &settings_table[i];
        const char *fallback = setting->fallback;

        if (fallback != NULL && !set_value(loader, setting, str_from(fallback), err))
            return false;
    }
    return true;
}

bool settings_load(const char *path, char *const *environment, enum file_readers readers,
                   struct settings *out, struct err *err)
{
    struct loader loader = {.settings = out};

    memset(out, 0, sizeof(*out));
    loader.arena = arena_new(MEMORY_MAX_BYTES);
    if (loader.arena == NULL)
        return fail_memory(err);
    out->memory = loader.arena;
    if (set_defaults(&loader, err) && (path == NULL || read_conf(&loader, path, readers, err)) &&
        read_environment(&loader, environment, err) && check_together(out, err)) {
        take_algorithms(out);
        return true;
    }
    settings_free(out);
    return false;
}

void settings_free(struct settings *settings)
{
    arena_free(settings->memory);
    memset(settings, 0, sizeof(*settings));
}

/* ---- where me.conf is */

static const char *value_of(char *const *environment, const char *name)
{
    for (char *const *variable = environment; *variable != NULL; variable++) {
        struct str value = str_from(*variable);

        if (str_equal(str_cut(&value, '='), str_from(name)))
            return value.data;
    }
    return NULL;
}

static bool try_named(const char *named, const char *by, struct buf *path, const char **out,
                      struct err *err)
{
    if (file_is_missing(named)) {
        err_set(err, "%s: there is no such file (it was named by %s)", named, by);
        return false;
    }
    buf_append(path, named, strlen(named) + 1);
    if (!buf_is_good(path)) {
        err_set(err, "%s: is longer than a path may be (it was named by %s)", named, by);
        return false;
    }
    *out = path->data;
    return true;
}

/* True where there is a me.conf in the folder of `program`, or in the folder itself where that ends
 * in a slash. One that may not be read is none to be passed over. */
static bool try_beside(const char *program, struct buf *path)
{
    const char *slash = program == NULL ? NULL : strrchr(program, '/');

    buf_reset(path);
    if (slash == NULL)
        return false;
    buf_append(path, program, (size_t)(slash + 1 - program));
    buf_append(path, "me.conf", sizeof("me.conf"));
    return buf_is_good(path) && !file_is_missing(path->data);
}

bool settings_find(const char *named, char *const *environment, const char *program,
                   struct buf *path, const char **out, struct err *err)
{
    const char *variable = value_of(environment, "ME_CONF");
    char resolved[PATH_MAX];
    ssize_t len;

    *out = NULL;
    buf_reset(path);
    if (named != NULL)
        return try_named(named, "--config", path, out, err);
    if (variable != NULL && *variable != '\0')
        return try_named(variable, "the environment's ME_CONF", path, out, err);
    len = readlink("/proc/self/exe", resolved, sizeof(resolved) - 1);
    resolved[len < 0 ? 0 : len] = '\0';
    if (try_beside(program, path) || try_beside(resolved, path) || try_beside(SYSCONFDIR "/", path))
        *out = path->data;
    return true;
}

/* ---- printing */

static void print_list(const struct settings_list *list, FILE *out)
{
    for (size_t i = 0; i < list->count; i++)
        (void)fprintf(out, strpbrk(list->items[i], ", \t#;") == NULL ? "%s%s" : "%s\"%s\"",
                      i == 0 ? "" : ", ", list->items[i]);
}

/* In quotes where it would else lose what it begins or ends with, or be taken for a comment. */
static void print_text(const char *text, FILE *out)
{
    struct str all = str_from(text);
    bool has_quotes = all.len > 1 && text[0] == '"' && text[all.len - 1] == '"';
    bool needs_quotes = has_quotes || str_trim(all).len < all.len || seems_commented(all);
    const char *quote = needs_quotes ? "\"" : "";

    (void)fprintf(out, "%s%s%s", quote, text, quote);
}

static void print_value(const struct setting *setting, const void *place, FILE *out)
{
    const char *text;

    switch (setting->type) {
    case SETTING_TEXT:
    case SETTING_PATH:
    case SETTING_HEADER:
        text = *(const char *const *)place;
        if (text != NULL)
            print_text(setting->is_secret ? "********" : text, out);
        break;
    case SETTING_LIST:
    case SETTING_PATHS:
        print_list(place, out);
        break;
    case SETTING_NUMBER:
        (void)fprintf(out, "%lld", (long long)*(const int64_t *)place);
        break;
    case SETTING_CHOICE:
        (void)fputs(setting->choices[*(const int64_t *)place], out);
        break;
    case SETTING__MAX:
        break;
    }
}

bool settings_print(const struct settings *settings, FILE *out)
{
    const char *section = "";

    (void)fprintf(out, "# from %s and the environment\n",
                  settings->file == NULL ? "defaults (there is no me.conf)" : settings->file);
    for (size_t i = 0; i < settings_table_len; i++) {
        const struct setting *setting = &settings_table[i];

        if (strcmp(section, setting->section) != 0)
            (void)fprintf(out, "\n[%s]\n", setting->section);
        section = setting->section;
        (void)fprintf(out, "%s = ", setting->key);
        print_value(setting, (const char *)settings + setting->offset, out);
        (void)fputc('\n', out);
    }
    return fflush(out) == 0 && ferror(out) == 0;
}
