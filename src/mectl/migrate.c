#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

#include "mectl/invocation.h"
#include "store/grants.h"
#include "store/migrations.h"

enum { GRANTS_MAX_BYTES = 64 * 1024 };

/* What is to be typed to have one that was left out. */
static const char *const remedies[MIGRATION_REFUSAL__MAX] = {
    [MIGRATION_LACKS_RIGHT] = "      mectl migrate --print-grants --for mectl | mariadb\n"
                              "      mectl migrate\n",
    [MIGRATION_BARRED_BY_BINLOG] =
        "      mariadb -e 'SET GLOBAL log_bin_trust_function_creators = 1'\n"
        "      mectl migrate\n"
        "      mariadb -e 'SET GLOBAL log_bin_trust_function_creators = 0'\n",
};

static void tell_refusal(const struct migration_row *row)
{
    const char *remedy = remedies[row->refusal];

    if (remedy == NULL)
        return;
    (void)invocation_fail("left out %04lld_%s, without which all else works: %s",
                          (long long)row->version, row->name, row->refusal_text);
    (void)fputs("  It is optional: ", stderr);
    invocation_show(str_from(row->optional), stderr);
    (void)fprintf(stderr, "\n  To have it, as a database administrator:\n%s", remedy);
}

static bool print_row(void *context, const struct migration_row *row)
{
    (void)context;
    tell_refusal(row);
    return printf("%04lld  %-8s  %s (%zu of %zu statements%s)\n", (long long)row->version,
                  migration_state_name(row->state), row->name, row->statements_done,
                  row->statements, row->optional != NULL ? ", optional" : "") > 0;
}

static bool print_json_row(void *context, const struct migration_row *row)
{
    struct json_object *object = json_object_new_object();

    (void)context;
    tell_refusal(row);
    if (object == NULL)
        return false;
    (void)json_object_object_add(object, "version", json_object_new_int64(row->version));
    (void)json_object_object_add(object, "name", json_object_new_string(row->name));
    (void)json_object_object_add(object, "state",
                                 json_object_new_string(migration_state_name(row->state)));
    (void)json_object_object_add(object, "statements",
                                 json_object_new_int64((int64_t)row->statements));
    (void)json_object_object_add(object, "statementsDone",
                                 json_object_new_int64((int64_t)row->statements_done));
    (void)json_object_object_add(object, "optional",
                                 json_object_new_boolean(row->optional != NULL));
    if (row->has_applied_ms)
        (void)json_object_object_add(object, "appliedAt", invocation_json_time(row->applied_ms));
    return invocation_print_json(object) == COMMAND_OK;
}

static const struct {
    const char *name;
    enum database_account account;
} accounts[] = {
    {"mectl", DATABASE_ADMIN},
    {"worker", DATABASE_WORKER},
    {"provision", DATABASE_PROVISION},
};

static bool is_account(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(accounts); i++)
        if (strcmp(accounts[i].name, name) == 0)
            return true;
    return false;
}

/* Without --for: those of which use is made. */
static bool is_wanted(const struct settings *settings, const char *name, size_t i)
{
    if (name != NULL)
        return strcmp(accounts[i].name, name) == 0;
    return accounts[i].account != DATABASE_PROVISION || settings->token.provision;
}

static bool collect_grants(const struct settings *settings, const char *name, struct buf *sql,
                           struct err *err)
{
    for (size_t i = 0; i < ARRAY_LENGTH(accounts); i++)
        if (is_wanted(settings, name, i) &&
            !grants_print(settings, accounts[i].account, file_readers_of_operator(), sql, err))
            return false;
    return true;
}

static enum command_exit print_grants(struct invocation *invocation)
{
    const char *name = invocation_option(invocation, "for");
    struct err err = {""};
    struct buf sql;
    bool good;

    if (name != NULL && !is_account(name)) {
        (void)invocation_refuse("--for", name, "is neither mectl, worker nor provision");
        return COMMAND_USAGE;
    }
    if (!invocation_settings(invocation))
        return COMMAND_FAILED;
    buf_init(&sql, GRANTS_MAX_BYTES);
    good = collect_grants(&invocation->settings, name, &sql, &err);
    if (good)
        (void)printf("%.*s", STR_ARGS(buf_str(&sql)));
    buf_free_secret(&sql);
    return good ? COMMAND_OK : invocation_fail("%s", err.text);
}

static bool is_given(const struct invocation *invocation, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (invocation_flag(invocation, names[i]))
            return true;
    return false;
}

/* An account that is named says that nothing was to be applied. */
static bool go_together(const struct invocation *invocation)
{
    static const char *const others[] = {"status", "again", "schema"};
    bool grants = invocation_flag(invocation, "print-grants");

    if (invocation_flag(invocation, "status") && invocation_flag(invocation, "again")) {
        (void)invocation_fail("migrate: --status applies nothing, so it does not go with --again");
        return false;
    }
    if (!grants && !invocation_flag(invocation, "for"))
        return true;
    if (grants && !invocation->json && !is_given(invocation, others, ARRAY_LENGTH(others)))
        return true;
    (void)invocation_fail("migrate: --for goes with --print-grants, and that with no other option");
    return false;
}

typedef enum store_result run_migrations(struct migrations *migrations, struct database *database,
                                         migration_visit *visit, void *context, struct err *err);

static run_migrations *what_to_run(const struct invocation *invocation)
{
    if (invocation_flag(invocation, "status"))
        return migrations_status;
    return invocation_flag(invocation, "again") ? migrations_apply_again : migrations_apply;
}

static enum command_exit run_migrate(struct invocation *invocation)
{
    migration_visit *visit = invocation->json ? print_json_row : print_row;
    struct migrations *migrations;
    struct err err = {""};
    enum store_result result;

    if (!go_together(invocation))
        return COMMAND_USAGE;
    if (invocation_flag(invocation, "print-grants"))
        return print_grants(invocation);
    if (!invocation_database(invocation))
        return COMMAND_FAILED;
    migrations = migrations_open(invocation_option(invocation, "schema"), &err);
    if (migrations == NULL)
        return invocation_fail("%s", err.text);
    result = what_to_run(invocation)(migrations, invocation->database, visit, NULL, &err);
    migrations_close(migrations);
    return invocation_end(result, "the database", &err);
}

const struct command migrate_commands[] = {
    {
        .name = "migrate",
        .has_json = true,
        .summary = "Brings the database's schema up to date, and prints what it applied.",
        .options = {{"status", NULL, "Print every migration and its state, apply nothing.", false},
                    {"again", NULL, "Apply the optional ones once more: what they made was lost.",
                     false},
                    {"print-grants", NULL, "Print the SQL that makes the accounts.", false},
                    {"for", "mectl|worker|provision", "Only this account's, with --print-grants.",
                     false},
                    {"schema", "DIR", "Migrations of a folder instead of those built in.", false}},
        .run = run_migrate,
    },
    {.name = NULL},
};
