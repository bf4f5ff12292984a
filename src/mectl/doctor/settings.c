#include <stdio.h>

#include "api/cors.h"
#include "base/clock.h"
#include "base/file.h"
#include "mectl/doctor/inside.h"
#include "profile/subtag.h"
#include "profile/zone.h"
#include "store/database.h"
#include "token/keyfiles.h"

enum { CERTIFICATE_NOTICE_DAYS = 30 };

static const int64_t ms_per_day = INT64_C(24) * 3600 * 1000;

/* Whether a file holds its secret open to others: reported, where it does. What else is wrong with
 * it is told by who reads it. */
static bool find_open_secret(struct report *report, const char *path)
{
    struct err err = {""};

    if (path == NULL || !file_is_kept_from_others(path, FILE_READERS_ANY, &err) ||
        file_is_kept_from_others(path, file_readers_of_operator(), &err))
        return false;
    report_finding(report, FINDING_SECRET_READABLE, path, "%s", err.text);
    return true;
}

/* ---- keys */

/* At the start nothing but keys that are passed over is told. */
static void find_passed_over(void *context, enum keyfiles_event event, const char *path,
                             const char *detail)
{
    struct report *report = context;

    if (event == KEYFILES_PASSED)
        report_good(report, "key passed over", "%s: %s", path, detail);
    else
        report_finding(report, FINDING_KEY_DEFECTIVE, path, "%s: %s", path, detail);
}

static void find_unusable(struct report *report, const struct err *err)
{
    const struct settings_list *secrets = &report->invocation->settings.token.secret_file;
    bool is_open = false;

    for (size_t i = 0; i < secrets->count; i++)
        is_open |= find_open_secret(report, secrets->items[i]);
    if (!is_open)
        report_finding(report, FINDING_KEY_UNUSABLE, NULL, "%s", err->text);
}

static void append_end(struct buf *out, const char *what, int64_t end_ms, int64_t now_ms)
{
    if (end_ms == INT64_MAX)
        return;
    if (end_ms <= now_ms)
        buf_append_format(out, ", %s has ended", what);
    else
        buf_append_format(out, ", %s ends in %lld days", what,
                          (long long)((end_ms - now_ms) / ms_per_day));
}

static void tell_key(struct report *report, const struct key *key, const char *origin,
                     int64_t now_ms)
{
    struct buf text;

    buf_init(&text, 8192);
    buf_append_format(&text, "%s, %u bits, %s", key_algorithm_name(key_algorithm(key)),
                      key_bits(key), origin);
    append_end(&text, "withdrawn and", key_end_ms(key), now_ms);
    append_end(&text, "its certificate", key_certificate_end_ms(key), now_ms);
    report_good(report, "key", "%.*s", STR_ARGS(buf_str(&text)));
    buf_free(&text);
}

static void find_certificate_end(struct report *report, const struct key *key, const char *origin,
                                 int64_t now_ms)
{
    int64_t end_ms = key_certificate_end_ms(key);
    char end[CLOCK_TEXT_LEN + 1];

    if (end_ms == INT64_MAX || end_ms - now_ms > CERTIFICATE_NOTICE_DAYS * ms_per_day)
        return;
    clock_format(end_ms, end);
    report_finding(report, FINDING_CERTIFICATE_ENDS, origin, "%s, %s", end, origin);
}

static void find_idle(struct report *report, const struct key *key, const char *origin)
{
    const struct settings *settings = &report->invocation->settings;
    const bool allowed[KEY_ALGORITHM__MAX] = {
        [KEY_HS256] = settings->token.hs256, [KEY_RS256] = settings->token.rs256};

    if (!allowed[key_algorithm(key)])
        report_finding(report, FINDING_KEY_IDLE, origin, "%s, %s",
                       key_algorithm_name(key_algorithm(key)), origin);
}

/* A key without an end is in force until further notice. */
static void find_all_withdrawn(struct report *report, const struct keyring *keyring)
{
    int64_t last_ms = INT64_MIN;
    char end[CLOCK_TEXT_LEN + 1];

    for (size_t i = 0; i < keyring_count(keyring); i++) {
        int64_t end_ms = key_end_ms(keyring_key(keyring, i));

        last_ms = end_ms > last_ms ? end_ms : last_ms;
    }
    if (last_ms == INT64_MAX || last_ms == INT64_MIN)
        return;
    clock_format(last_ms, end);
    report_finding(report, FINDING_KEYS_WITHDRAWN, NULL, "the last one ends %s", end);
}

void doctor_keys(struct report *report)
{
    struct err err = {""};
    struct keyfiles *files =
        keyfiles_open(&report->invocation->settings, file_readers_of_operator(), 0,
                      find_passed_over, report, &err);
    int64_t now_ms = clock_now_ms();
    const struct keyring *keyring;

    if (files == NULL) {
        find_unusable(report, &err);
        return;
    }
    keyring = keyfiles_keyring(files);
    for (size_t i = 0; i < keyring_count(keyring); i++) {
        const struct key *key = keyring_key(keyring, i);
        const char *origin = keyring_origin(keyring, i);

        tell_key(report, key, origin, now_ms);
        find_certificate_end(report, key, origin, now_ms);
        find_idle(report, key, origin);
    }
    find_all_withdrawn(report, keyring);
    keyfiles_close(files);
}

/* ---- rules: what is right for some, and for most a mistake */

static void find_contradictions(struct report *report)
{
    const struct settings *settings = &report->invocation->settings;

    if (settings->token.subject == SETTINGS_SUBJECT_IDENTITY && settings->token.issuer.count == 0)
        report_finding(report, FINDING_SUBJECT_OPEN, NULL, "the one is nothing without the other");
    if (settings->token.provision && settings->token.sessions != SETTINGS_SESSIONS_OFF)
        report_finding(report, FINDING_PROVISION_SESSIONS, NULL,
                       "nobody is added by a token that names a session");
}

void doctor_rules(struct report *report)
{
    const struct settings *settings = &report->invocation->settings;
    struct err err = {""};

    if (!cors_check(settings, &err))
        report_finding(report, FINDING_CORS_MALFORMED, NULL, "%s", err.text);
    if (settings->token.issuer.count == 0)
        report_finding(report, FINDING_ISSUER_OPEN, NULL,
                       "tokens of any issuer that has a key here are accepted");
    if (settings->token.audience.count == 0)
        report_finding(report, FINDING_AUDIENCE_OPEN, NULL,
                       "tokens that were issued for other services are accepted as well");
    find_contradictions(report);
}

/* What is registered later is not valid yet, so the operator is told how old the lists are. */
void doctor_registries(struct report *report)
{
    const char *zoneinfo = report->invocation->settings.profile.zoneinfo;

    report_good(report, "locale", "language subtags of the IANA registry of %s", subtag_file_date);
    if (file_exists(zoneinfo))
        report_good(report, "timezone", "time zones of %s, and those of release %s", zoneinfo,
                    zone_list_version);
    else
        report_finding(report, FINDING_ZONES_MISSING, zoneinfo,
                       "%s is not there, so time zones are those of release %s alone: "
                       "apt-get install tzdata",
                       zoneinfo, zone_list_version);
}

/* ---- passwords of the accounts that are in use */

static void find_password(struct report *report, enum database_account account, const char *path)
{
    struct err err = {""};
    struct database *database =
        database_new(&report->invocation->settings, account, file_readers_of_operator(), &err);

    if (database == NULL && !find_open_secret(report, path))
        report_finding(report, FINDING_PASSWORD_UNUSABLE, doctor_account_name(account), "%s",
                       err.text);
    database_free(database);
}

void doctor_passwords(struct report *report)
{
    const struct settings *settings = &report->invocation->settings;

    find_password(report, DATABASE_WORKER, settings->database.password_file);
    if (settings->admin.user != NULL)
        find_password(report, DATABASE_ADMIN, settings->admin.password_file);
    if (settings->token.provision)
        find_password(report, DATABASE_PROVISION, settings->provision.password_file);
}
