#include <json-c/json.h>
#include <stdio.h>

#include "api/cors.h"
#include "mectl/invocation.h"
#include "profile/subtag.h"
#include "profile/zone.h"
#include "store/audit.h"
#include "store/migrations.h"
#include "token/keyfiles.h"

enum finding { FINDING_GOOD, FINDING_WARNING, FINDING_WRONG, FINDING__MAX };

/* What was found so far. */
struct report {
    const struct invocation *invocation;
    struct json_object *findings; /* with --json */
    bool is_wrong;
};

static void find(struct report *report, enum finding finding, const char *what, const char *detail)
{
    static const char *const names[FINDING__MAX] = {
        [FINDING_GOOD] = "good", [FINDING_WARNING] = "warning", [FINDING_WRONG] = "wrong"};
    struct json_object *object;

    report->is_wrong = report->is_wrong || finding == FINDING_WRONG;
    if (!report->invocation->json) {
        (void)printf("%-7s  %s: ", names[finding], what);
        invocation_show(str_from(detail), stdout);
        (void)putchar('\n');
        return;
    }
    object = json_object_new_object();
    if (object == NULL)
        return;
    (void)json_object_object_add(object, "finding", json_object_new_string(names[finding]));
    (void)json_object_object_add(object, "what", json_object_new_string(what));
    (void)json_object_object_add(object, "detail", json_object_new_string(detail));
    (void)json_object_array_add(report->findings, object);
}

/* At the start nothing but keys that are passed over is told. */
static void find_skipped(void *context, enum keyfiles_event event, const char *path,
                         const char *detail)
{
    struct err text;

    err_set(&text, "%s: %s", path, detail);
    find(context, event == KEYFILES_PASSED ? FINDING_GOOD : FINDING_WARNING, "key passed over",
         text.text);
}

static void check_keys(struct report *report)
{
    struct err err = {""};
    struct keyfiles *files = keyfiles_open(
        &report->invocation->settings, file_readers_of_operator(), 0, find_skipped, report, &err);
    const struct keyring *keyring;

    if (files == NULL) {
        find(report, FINDING_WRONG, "key", err.text);
        return;
    }
    keyring = keyfiles_keyring(files);
    for (size_t i = 0; i < keyring_count(keyring); i++) {
        const struct key *key = keyring_key(keyring, i);

        err_set(&err, "%s, %u bits, %s", key_algorithm_name(key_algorithm(key)), key_bits(key),
                keyring_origin(keyring, i));
        find(report, FINDING_GOOD, "key", err.text);
    }
    keyfiles_close(files);
}

static void check_rules(struct report *report)
{
    const struct settings *settings = &report->invocation->settings;
    struct err err = {""};

    if (!cors_check(settings, &err))
        find(report, FINDING_WRONG, "cors", err.text);

    if (settings->token.issuer.count == 0)
        find(report, FINDING_WARNING, "token.issuer",
             "is empty: tokens of any issuer that has a key here are accepted");
    if (settings->token.audience.count == 0)
        find(report, FINDING_WARNING, "token.audience",
             "is empty: tokens that were issued for other services are accepted as well");
}

/* What is registered later is not valid yet, so the operator is told how old the lists are. */
static void check_registries(struct report *report)
{
    const char *zoneinfo = report->invocation->settings.profile.zoneinfo;
    bool is_there = file_exists(zoneinfo);
    struct err text = {""};

    err_set(&text, "language subtags of the IANA registry of %s", subtag_file_date);
    find(report, FINDING_GOOD, "locale", text.text);
    if (is_there)
        err_set(&text, "time zones of %s, and those of release %s", zoneinfo, zone_list_version);
    else
        err_set(&text, "%s is not there, so time zones are those of release %s alone: %s", zoneinfo,
                zone_list_version, "apt-get install tzdata");
    find(report, is_there ? FINDING_GOOD : FINDING_WARNING, "timezone", text.text);
}

/* Both are right for some, and for most a mistake. */
static void check_subject(struct report *report)
{
    const struct settings *settings = &report->invocation->settings;

    if (settings->token.subject == SETTINGS_SUBJECT_IDENTITY && settings->token.issuer.count == 0)
        find(report, FINDING_WARNING, "token.subject",
             "is identity, and token.issuer is empty: whoever has a key here can name any issuer, "
             "and so any user");
    if (settings->token.provision && settings->token.sessions != SETTINGS_SESSIONS_OFF)
        find(report, FINDING_WARNING, "token.provision",
             "is on, and token.sessions is not off: nobody is added by a token that names a "
             "session, and issuers such as Keycloak name one in every token");
}

/* Whether the password can be read; the account itself is tried when the first user is added. */
static void check_provision(struct report *report)
{
    const struct settings *settings = &report->invocation->settings;
    struct database *database;
    struct err err = {""};

    if (!settings->token.provision)
        return;
    database = database_new(settings, DATABASE_PROVISION, file_readers_of_operator(), &err);
    if (database == NULL)
        find(report, FINDING_WRONG, "provision", err.text);
    database_free(database);
}

/* ---- the database */

static bool count_missing(void *context, const struct migration_row *row)
{
    size_t *missing = context;

    *missing += row->state != MIGRATION_APPLIED;
    return true;
}

static void check_migrations(struct report *report, struct migrations *migrations)
{
    size_t missing = 0;
    struct err err = {""};

    if (migrations_status(migrations, report->invocation->database, count_missing, &missing,
                          &err) != STORE_OK)
        find(report, FINDING_WRONG, "database", err.text);
    else if (missing > 0)
        find(report, FINDING_WRONG, "migrations",
             "are missing or differ: see 'mectl migrate --status', then run 'mectl migrate'");
    else
        find(report, FINDING_GOOD, "database", "is reached and migrated");
}

static void check_database(struct report *report)
{
    struct err err = {""};
    struct migrations *migrations = migrations_open(NULL, &err);

    if (migrations == NULL)
        find(report, FINDING_WRONG, "migrations", err.text);
    else
        check_migrations(report, migrations);
    migrations_close(migrations);
}

/* By the worker's own account, since it is its rights that count. Where that cannot log in from
 * here (it may be bound to a user of the system), nothing is known of them. */
static void judge_audit(struct report *report, struct database *database)
{
    struct err err = {""};

    if (database_connect(database, &err) != STORE_OK) {
        err_prefix(&err, "the worker's right to add rows cannot be seen from here");
        find(report, FINDING_WARNING, "audit", err.text);
    } else if (audit_probe(database, &err) != STORE_OK) {
        err_prefix(&err, "every PATCH that changes something will fail");
        find(report, FINDING_WRONG, "audit", err.text);
    } else
        find(report, FINDING_GOOD, "audit", "the worker can add rows");
}

static void check_audit(struct report *report)
{
    const struct settings *settings = &report->invocation->settings;
    struct database *database;
    struct err err = {""};

    if (settings->audit.level == SETTINGS_AUDIT_OFF)
        return;
    database = database_new(settings, DATABASE_WORKER, file_readers_of_operator(), &err);
    if (database == NULL)
        find(report, FINDING_WRONG, "audit", err.text);
    else
        judge_audit(report, database);
    database_free(database);
}

static enum command_exit finish(struct report *report)
{
    if (report->invocation->json && invocation_print_json(report->findings) != COMMAND_OK)
        return COMMAND_FAILED;
    return report->is_wrong ? COMMAND_FAILED : COMMAND_OK;
}

static enum command_exit run_check(struct invocation *invocation)
{
    struct report report = {.invocation = invocation};

    if (!invocation_database(invocation))
        return COMMAND_FAILED;
    if (invocation->json)
        report.findings = json_object_new_array();
    find(&report, FINDING_GOOD, "settings",
         invocation->settings.file == NULL ? "defaults and environment (there is no me.conf)"
                                           : invocation->settings.file);
    check_keys(&report);
    check_rules(&report);
    check_registries(&report);
    check_subject(&report);
    check_provision(&report);
    if (!invocation_flag(invocation, "offline"))
        check_database(&report);
    if (!invocation_flag(invocation, "offline"))
        check_audit(&report);
    return finish(&report);
}

/* ---- config list: needs no me.conf, so that it helps to mend one */

static const char *const type_names[SETTING__MAX] = {
    [SETTING_TEXT] = "text",           [SETTING_PATH] = "path",     [SETTING_LIST] = "list",
    [SETTING_PATHS] = "list of paths", [SETTING_NUMBER] = "number", [SETTING_CHOICE] = "choice",
    [SETTING_HEADER] = "header name",
};

static void print_allowed(const struct setting *setting)
{
    if (setting->type == SETTING_NUMBER)
        (void)printf(" from %lld to %lld", (long long)setting->min, (long long)setting->max);
    if (setting->unit != NULL)
        (void)printf(", in %s", setting->unit);
    for (size_t i = 0; setting->choices != NULL && setting->choices[i] != NULL; i++)
        (void)printf("%s%s", i == 0 ? " of " : ", ", setting->choices[i]);
}

static void print_setting(const struct setting *setting)
{
    (void)printf("%s.%s: %s", setting->section, setting->key, type_names[setting->type]);
    print_allowed(setting);
    if (setting->fallback == NULL)
        (void)puts("; unset by default");
    else
        (void)printf("; the default is %s\n", setting->fallback);
    (void)printf("    %s\n", setting->help);
}

static struct json_object *new_choices(const struct setting *setting)
{
    struct json_object *array = json_object_new_array();

    for (size_t i = 0; array != NULL && setting->choices[i] != NULL; i++)
        (void)json_object_array_add(array, json_object_new_string(setting->choices[i]));
    return array;
}

static void add_text(struct json_object *object, const char *name, const char *text)
{
    if (text != NULL)
        (void)json_object_object_add(object, name, json_object_new_string(text));
}

static enum command_exit print_json_setting(const struct setting *setting)
{
    struct json_object *object = json_object_new_object();

    if (object == NULL)
        return invocation_print_json(NULL);
    add_text(object, "section", setting->section);
    add_text(object, "key", setting->key);
    add_text(object, "type", type_names[setting->type]);
    add_text(object, "default", setting->fallback);
    if (setting->type == SETTING_NUMBER) {
        (void)json_object_object_add(object, "min", json_object_new_int64(setting->min));
        (void)json_object_object_add(object, "max", json_object_new_int64(setting->max));
    }
    add_text(object, "unit", setting->unit);
    if (setting->choices != NULL)
        (void)json_object_object_add(object, "choices", new_choices(setting));
    (void)json_object_object_add(object, "secret", json_object_new_boolean(setting->is_secret));
    add_text(object, "help", setting->help);
    return invocation_print_json(object);
}

static enum command_exit run_list(struct invocation *invocation)
{
    for (size_t i = 0; i < settings_table_len; i++) {
        if (!invocation->json)
            print_setting(&settings_table[i]);
        else if (print_json_setting(&settings_table[i]) != COMMAND_OK)
            return COMMAND_FAILED;
    }
    return COMMAND_OK;
}

const struct command config_commands[] = {
    {
        .name = "config check",
        .has_json = true,
        .summary = "Checks settings, keys and the database; exits 1 where anything is wrong.",
        .options = {{"offline", NULL, "Leave the database alone.", false}},
        .run = run_check,
    },
    {
        .name = "config list",
        .has_json = true,
        .summary = "Lists all settings that there are; with --json one object a line.",
        .run = run_list,
    },
    {.name = NULL},
};
