/*
 * The settings of all programs: one table of keys with their sections, types, defaults, limits and
 * help, and the struct that they are read into. Sources, the later one wins: the table's defaults,
 * me.conf, the environment (ME_SECTION_KEY, in upper case). A value that is wrong in any of them is
 * an error, also where a later source replaces it. In me.conf a value may stand in double quotes,
 * which are not part of it. No value holds control characters.
 */
#ifndef ME_FORMAT_SETTINGS_H
#define ME_FORMAT_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/file.h"
#include "base/log.h"

enum settings_tls { SETTINGS_TLS_VERIFY, SETTINGS_TLS_ENCRYPT, SETTINGS_TLS_OFF };
enum settings_subject { SETTINGS_SUBJECT_USER, SETTINGS_SUBJECT_IDENTITY };
enum settings_sessions {
    SETTINGS_SESSIONS_OFF,
    SETTINGS_SESSIONS_IF_PRESENT,
    SETTINGS_SESSIONS_REQUIRED
};

enum settings_cache { SETTINGS_CACHE_AUTO, SETTINGS_CACHE_OFF };
enum settings_watchers { SETTINGS_WATCHERS_SECRET, SETTINGS_WATCHERS_ANYONE };
enum settings_socket { SETTINGS_SOCKET_SHARED, SETTINGS_SOCKET_OWN };
enum settings_sandbox { SETTINGS_SANDBOX_OFF, SETTINGS_SANDBOX_AUTO, SETTINGS_SANDBOX_REQUIRED };
enum settings_audit { SETTINGS_AUDIT_OFF, SETTINGS_AUDIT_MEMBERS, SETTINGS_AUDIT_VALUES };

/* Items are separated by commas, spaces or tabs; one in double quotes may hold these. */
struct settings_list {
    const char *const *items;
    size_t count;
};

/* All texts are owned by the struct; a text that is unset is NULL. Times and sizes are in the units
 * of their names. */
struct settings {
    struct {
        struct settings_list
            host; /* each "name", "name:port", "[IPv6]:port" or "/path/of/socket", in order */
        const char *name, *user, *password, *password_file;
        int64_t tls; /* enum settings_tls; of TCP connections */
        const char *tls_ca;
        int64_t connect_timeout_s, read_timeout_s, write_timeout_s, idle_close_s;
        int64_t sync_wait; /* bool; of a cluster */
    } database;
    struct {
        const char *user, *password_file; /* mectl's account; unset: that of [database] */
    } admin;
    struct {
        const char *user, *password_file; /* the account that adds users */
    } provision;
    struct {
        bool hs256, rs256; /* from the list `algorithms` */
        struct settings_list algorithms, secret_file, public_key_file, jwks_file, issuer, audience;
        int64_t leeway_s, max_bytes, kept_verified;
        const char *header; /* one more header to look for the token in; unset: none */
        const char *session_claim;
        int64_t sessions;  /* enum settings_sessions */
        int64_t subject;   /* enum settings_subject */
        int64_t provision; /* bool */
    } token;
    struct {
        const char *issuer, *url, *ca; /* mectl keys fetch */
        int64_t grace_s, timeout_s;
    } keys;
    struct {
        int64_t body_max_bytes, retry_after_s;
        int64_t require_if_match, method_override; /* bool */
    } request;
    struct {
        struct settings_list origin; /* "*" alone, or serialised origins (RFC 6454, section 6.2) */
        int64_t max_age_s;
    } cors;
    struct {
        const char *zoneinfo; /* the folder of the system's time zone database */
    } profile;
    struct {
        int64_t level; /* enum settings_audit */
    } audit;
    struct {
        int64_t mode; /* enum settings_cache */
        int64_t size_mib;
        const char *path; /* unset: a name of its own on a file system in memory */
    } cache;
    struct {
        int64_t level;    /* enum log_level */
        const char *file; /* unset: standard error */
        int64_t max_bytes, kept;
        int64_t slow_ms; /* 0: nothing is slow */
    } log;
    struct {
        const char *live_path, *ready_path, *metrics_path; /* unset: there is no such resource */
        const char *metrics_file;                          /* unset: nothing is counted */
        int64_t metrics_for;                               /* enum settings_watchers */
        const char *secret_file;
    } watch;
    struct {
        int64_t sandbox; /* enum settings_sandbox */
        int64_t socket;  /* enum settings_socket */
    } process;
    struct {
        const char *secret_file; /* unset: workers tell nobody what they are */
    } doctor;
    const char *file; /* me.conf as it was found; NULL: none was */
    void *memory;     /* owns all of the above */
};

enum setting_type {
    SETTING_TEXT,
    SETTING_PATH, /* a relative one is relative to the folder of me.conf */
    SETTING_LIST,
    SETTING_PATHS, /* a list of them */
    SETTING_NUMBER,
    SETTING_CHOICE,
    SETTING_HEADER, /* the name of an HTTP header */
    SETTING__MAX
};

/* A row of the table, for the man page's check, mectl and --check-config. */
struct setting {
    const char *section, *key;
    enum setting_type type;
    const char *fallback;       /* the default as text; NULL: unset */
    int64_t min, max;           /* of numbers */
    const char *const *choices; /* ends in NULL; the index is the value. Of a list: of its items */
    size_t offset;              /* in struct settings */
    bool is_required;           /* may not be empty */
    bool is_secret;             /* shown masked */
    const char *unit;           /* of numbers; NULL: none */
    const char *help;           /* one sentence */
};

extern const struct setting settings_table[];
extern const size_t settings_table_len; /* rows */

/*
 * Where me.conf is looked for, in order: `named` (from --config), or else the environment's ME_CONF
 * (either alone, when given), beside `program` (as it was called, then where its links lead),
 * sysconfdir. On success *out is the path, in `path`, or NULL where there is no file at all, which
 * is no failure unless it was named. What `path` held before is dropped.
 */
bool settings_find(const char *named, char *const *environment, const char *program,
                   struct buf *path, const char **out, struct err *err) MUST_CHECK;

/*
 * Reads everything; `path` may be NULL (defaults and environment only). `readers` is demanded of a
 * file that has a password in it. On failure `err` is "FILE:LINE: section.key: what is wrong, what
 * is allowed" (of the environment: "the environment's NAME: section.key: ...") and *out holds
 * nothing.
 */
bool settings_load(const char *path, char *const *environment, enum file_readers readers,
                   struct settings *out, struct err *err) MUST_CHECK;
void settings_free(struct settings *settings);

/* All effective values as a me.conf that would give them, secrets as "********". False where `out`
 * could not take it, to the last byte. */
bool settings_print(const struct settings *settings, FILE *out) MUST_CHECK;

#endif
