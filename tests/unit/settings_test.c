#include "format/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"
#include "memory.h"
#include "unit.h"

enum { TEXT_BYTES = 16 * 1024, SKIPPED = 77 };

struct fixture {
    char *folder;
    char conf[FOLDER_PATH_BYTES]; /* me.conf in it */
    struct settings settings;
    struct err err;
};

static char *const empty_environment[] = {NULL};
/* An environment of the given strings. */
#define ENVIRONMENT(...) ((char *const[]){__VA_ARGS__, NULL})

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.folder = folder_new()};
    (void)folder_path(fixture.folder, "me.conf", fixture.conf);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    memory_watch(NULL);
    settings_free(&fixture->settings);
    folder_remove(fixture->folder);
    return 0;
}

/* Loads `text` as me.conf; NULL: none. */
static bool load(struct fixture *fixture, const char *text, char *const *environment)
{
    settings_free(&fixture->settings);
    err_clear(&fixture->err);
    if (text != NULL)
        folder_add(fixture->folder, "me.conf", str_from(text), 0600);
    return settings_load(text == NULL ? NULL : fixture->conf, environment, FILE_READERS_OWN_GROUP,
                         &fixture->settings, &fixture->err);
}

static void assert_loads(struct fixture *fixture, const char *text, char *const *environment)
{
    if (!load(fixture, text, environment))
        fail_msg("%s", fixture->err.text);
}

static bool is_all_zero(const void *bytes, size_t len)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < len; i++)
        if (at[i] != 0)
            return false;
    return true;
}

/* That nothing was loaded, and the reason is just this. */
static void assert_refused(struct fixture *fixture, const char *text, char *const *environment,
                           const char *reason)
{
    if (load(fixture, text, environment))
        fail_msg("was accepted, but should be refused: %s", reason);
    assert_string_equal(fixture->err.text, reason);
    assert_true(is_all_zero(&fixture->settings, sizeof(fixture->settings)));
}

/* "PATH:LINE: section.key: what" */
static void assert_refused_at(struct fixture *fixture, const char *text, size_t line,
                              const char *what)
{
    char reason[sizeof(fixture->err.text)];

    (void)snprintf(reason, sizeof(reason), "%s:%zu: %s", fixture->conf, line, what);
    assert_refused(fixture, text, empty_environment, reason);
}

/* ---- the table */

static bool is_list(const struct setting *setting)
{
    return setting->type == SETTING_LIST || setting->type == SETTING_PATHS;
}

static bool is_number(const struct setting *setting)
{
    return setting->type == SETTING_NUMBER;
}

static const struct setting *row_of(const char *section, const char *key)
{
    for (size_t i = 0; i < settings_table_len; i++)
        if (strcmp(settings_table[i].section, section) == 0 &&
            strcmp(settings_table[i].key, key) == 0)
            return &settings_table[i];
    fail_msg("there is no %s.%s", section, key);
    return NULL;
}

static const void *place_of(const struct setting *setting, const struct settings *settings)
{
    return (const char *)settings + setting->offset;
}

/* The value in the struct as a text, the items of a list each in brackets. */
static const char *value_of(const struct setting *setting, const struct settings *settings)
{
    static char text[TEXT_BYTES];
    const void *place = place_of(setting, settings);
    size_t len = 0;

    text[0] = '\0';
    if (is_list(setting)) {
        const struct settings_list *list = place;

        for (size_t i = 0; i < list->count; i++)
            len += (size_t)snprintf(text + len, sizeof(text) - len, "[%s]", list->items[i]);
    } else if (is_number(setting)) {
        (void)snprintf(text, sizeof(text), "%lld", (long long)*(const int64_t *)place);
    } else if (setting->type == SETTING_CHOICE) {
        return setting->choices[*(const int64_t *)place];
    } else if (*(const char *const *)place != NULL) {
        (void)snprintf(text, sizeof(text), "%s", *(const char *const *)place);
    }
    return text;
}

static const char *last_choice(const struct setting *setting)
{
    size_t last = 0;

    while (setting->choices[last + 1] != NULL)
        last++;
    return setting->choices[last];
}

/* A value that a row takes, and another one. */
static const char *sample(const struct setting *setting, bool other)
{
    static char text[64];

    if (is_number(setting))
        (void)snprintf(text, sizeof(text), "%lld",
                       (long long)(other ? setting->max : setting->min));
    else if (setting->choices != NULL)
        return other ? last_choice(setting) : setting->choices[0];
    else if (setting->type == SETTING_PATH || setting->type == SETTING_PATHS)
        return other ? "/other/path" : "/a/path";
    else if (setting->type == SETTING_TEXT && strcmp(setting->section, "watch") == 0)
        (void)snprintf(text, sizeof(text), "/%s/%s", other ? "other" : "a", setting->key);
    else if (setting->type == SETTING_TEXT)
        (void)snprintf(text, sizeof(text), "%s %s %s", other ? "other" : "a", setting->section,
                       setting->key);
    else
        return other ? "other-value" : "a-value";
    return text;
}

/* How value_of shows a sample. */
static const char *sample_shown(const struct setting *setting, bool other)
{
    static char text[64];

    (void)snprintf(text, sizeof(text), is_list(setting) ? "[%s]" : "%s", sample(setting, other));
    return text;
}

static bool is_password(const struct setting *setting)
{
    return setting == row_of("database", "password");
}

/* A me.conf that sets every key to its sample but one, whose place password_file would take. */
static const char *conf_of_samples(const char *left_out)
{
    static char text[TEXT_BYTES];
    size_t len = 0;

    for (size_t i = 0; i < settings_table_len; i++) {
        const struct setting *setting = &settings_table[i];

        if (strcmp(setting->section, "database") == 0 && strcmp(setting->key, left_out) == 0)
            continue;
        len += (size_t)snprintf(text + len, sizeof(text) - len, "[%s]\n%s = %s\n", setting->section,
                                setting->key, sample(setting, false));
    }
    return text;
}

static void variable_of(const struct setting *setting, const char *value, char *out, size_t size)
{
    int len = snprintf(out, size, "ME_%s_%s=", setting->section, setting->key);

    for (int i = 0; i < len; i++)
        if (out[i] >= 'a' && out[i] <= 'z')
            out[i] = (char)(out[i] - 'a' + 'A');
    (void)snprintf(out + len, size - (size_t)len, "%s", value);
}

static bool is_conf_name(const char *name)
{
    return strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(name) && *name != '\0';
}

static void each_row_has_a_name_of_its_own_and_says_what_it_is_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < settings_table_len; i++) {
        const struct setting *setting = &settings_table[i];

        assert_true(is_conf_name(setting->section));
        assert_true(is_conf_name(setting->key));
        assert_ptr_equal(row_of(setting->section, setting->key), setting);
        assert_in_range(setting->type, 0, SETTING__MAX - 1);
        assert_true(setting->offset < sizeof(struct settings));
        assert_int_equal(setting->help[strlen(setting->help) - 1], '.');
        for (size_t j = 0; j < i; j++)
            assert_true(settings_table[j].offset != setting->offset);
    }
}

/* As settings_print and the man page take for granted. */
static void the_rows_of_a_section_stand_together(void **state)
{
    (void)state;
    for (size_t i = 1; i < settings_table_len; i++) {
        bool begins = strcmp(settings_table[i].section, settings_table[i - 1].section) != 0;

        for (size_t j = 0; begins && j < i; j++)
            assert_string_not_equal(settings_table[j].section, settings_table[i].section);
    }
}

static void numbers_have_limits_and_a_unit_and_the_name_has_it_too(void **state)
{
    (void)state;
    for (size_t i = 0; i < settings_table_len; i++) {
        const struct setting *setting = &settings_table[i];

        if (!is_number(setting))
            continue;
        assert_true(setting->min >= 0 && setting->min < setting->max);
        assert_non_null(setting->fallback);
        assert_non_null(setting->unit);
        if (strcmp(setting->unit, "seconds") == 0)
            assert_true(str_ends_with(str_from(setting->key), STR("_s")));
        if (strcmp(setting->unit, "bytes") == 0)
            assert_true(str_ends_with(str_from(setting->key), STR("_bytes")));
    }
}

/* Only what is a text is masked when it is printed. */
static void secrets_are_texts(void **state)
{
    size_t secrets = 0;

    (void)state;
    for (size_t i = 0; i < settings_table_len; i++) {
        if (!settings_table[i].is_secret)
            continue;
        secrets++;
        assert_int_equal(settings_table[i].type, SETTING_TEXT);
        assert_null(settings_table[i].fallback);
    }
    assert_true(secrets > 0);
    assert_true(row_of("database", "password")->is_secret);
}

/* ---- defaults */

static void the_defaults_are_valid_and_within_their_limits(void **state)
{
    struct fixture *fixture = *state;

    assert_loads(fixture, NULL, empty_environment);
    assert_null(fixture->settings.file);
    for (size_t i = 0; i < settings_table_len; i++) {
        const struct setting *setting = &settings_table[i];
        const char *value = value_of(setting, &fixture->settings);

        if (is_number(setting))
            assert_in_range(strtoll(value, NULL, 10), setting->min, setting->max);
        if (setting->fallback == NULL)
            assert_string_equal(value, "");
        else if (!is_list(setting))
            assert_string_equal(value, setting->fallback);
        if (setting->is_required)
            assert_string_not_equal(value, "");
    }
}

static void the_defaults_are_those_of_the_documentation(void **state)
{
    struct fixture *fixture = *state;
    const struct settings *settings = &fixture->settings;

    assert_loads(fixture, NULL, empty_environment);
    assert_int_equal(settings->database.host.count, 1);
    assert_string_equal(settings->database.host.items[0], "/run/mysqld/mysqld.sock");
    assert_string_equal(settings->database.name, "me");
    assert_null(settings->database.password);
    assert_int_equal(settings->database.tls, SETTINGS_TLS_VERIFY);
    assert_true(settings->token.hs256 && settings->token.rs256);
    assert_int_equal(settings->token.issuer.count, 0);
    assert_null(settings->token.header);
    assert_string_equal(settings->token.session_claim, "sid");
    assert_int_equal(settings->token.sessions, SETTINGS_SESSIONS_IF_PRESENT);
    assert_int_equal(settings->request.body_max_bytes, 65536);
    assert_int_equal(settings->log.level, LOG_INFO);
}

static void an_empty_file_leaves_the_defaults(void **state)
{
    static const char *const texts[] = {"", "\n", "# nothing\n", "[database]\n[token]\n"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
        assert_loads(fixture, texts[i], empty_environment);
        assert_string_equal(fixture->settings.file, fixture->conf);
        assert_string_equal(fixture->settings.database.name, "me");
    }
}

/* ---- the file and the environment */

static void every_key_can_be_set_in_the_file(void **state)
{
    struct fixture *fixture = *state;

    for (int round = 0; round < 2; round++) {
        const char *left_out = round == 0 ? "password" : "password_file";

        assert_loads(fixture, conf_of_samples(left_out), empty_environment);
        for (size_t i = 0; i < settings_table_len; i++) {
            const struct setting *setting = &settings_table[i];

            if (strcmp(setting->section, "database") != 0 || strcmp(setting->key, left_out) != 0)
                assert_string_equal(value_of(setting, &fixture->settings),
                                    sample_shown(setting, false));
        }
    }
}

static void every_key_can_be_overridden_by_the_environment_and_changes_no_other(void **state)
{
    struct fixture *fixture = *state;

    for (size_t i = 0; i < settings_table_len; i++) {
        const struct setting *setting = &settings_table[i];
        const char *left_out = is_password(setting) ? "password_file" : "password";
        /* Users are made for identities alone. */
        char variable[256], subject[] = "ME_TOKEN_SUBJECT=identity";
        bool is_provision = setting == row_of("token", "provision");

        variable_of(setting, sample(setting, true), variable, sizeof(variable));
        assert_loads(fixture, conf_of_samples(left_out),
                     ENVIRONMENT(variable, is_provision ? subject : NULL));
        for (size_t j = 0; j < settings_table_len; j++) {
            const struct setting *row = &settings_table[j];

            if ((strcmp(row->section, "database") != 0 || strcmp(row->key, left_out) != 0) &&
                !(is_provision && row == row_of("token", "subject")))
                assert_string_equal(value_of(row, &fixture->settings), sample_shown(row, i == j));
        }
    }
}

static void an_empty_variable_unsets_what_the_file_has(void **state)
{
    char issuer[] = "ME_TOKEN_ISSUER=", file[] = "ME_DATABASE_PASSWORD_FILE=";
    char header[] = "ME_TOKEN_HEADER=";
    struct fixture *fixture = *state;

    assert_loads(fixture,
                 "[token]\nissuer = a\nheader = X-Token\n[database]\npassword_file = /a/file\n",
                 ENVIRONMENT(issuer, file, header));
    assert_int_equal(fixture->settings.token.issuer.count, 0);
    assert_null(fixture->settings.database.password_file);
    assert_null(fixture->settings.token.header);
}

static void the_last_of_two_variables_wins(void **state)
{
    char first[] = "ME_DATABASE_NAME=first", second[] = "ME_DATABASE_NAME=second";
    struct fixture *fixture = *state;

    assert_loads(fixture, NULL, ENVIRONMENT(first, second));
    assert_string_equal(fixture->settings.database.name, "second");
}

static void the_value_of_a_variable_may_hold_equals_signs_and_quotes(void **state)
{
    char name[] = "ME_DATABASE_NAME=a=b", user[] = "ME_DATABASE_USER=\"me\"";
    struct fixture *fixture = *state;

    assert_loads(fixture, NULL, ENVIRONMENT(name, user));
    assert_string_equal(fixture->settings.database.name, "a=b");
    assert_string_equal(fixture->settings.database.user, "\"me\"");
}

static void variables_of_others_are_left_alone(void **state)
{
    char conf[] = "ME_CONF=/some/where", home[] = "ME_HOME=x", prefix[] = "MEDATABASE_NAME=x";
    char lower[] = "me_database_name=x", section[] = "ME_DATABASE=x", none[] = "ME_DATABASE_NAME";
    char header[] = "HTTP_ME_DATABASE_NAME=x", empty[] = "=x", similar[] = "ME_DATABASES_NAME=x";
    char strange[] = "ME_LOG_\x1b[2J\n=x";
    struct fixture *fixture = *state;

    assert_loads(
        fixture, NULL,
        ENVIRONMENT(conf, home, prefix, lower, section, none, header, empty, similar, strange));
    assert_string_equal(fixture->settings.database.name, "me");
}

static void a_variable_that_means_a_setting_and_names_none_is_refused(void **state)
{
    static const char *const names[] = {"ME_DATABASE_HOSTS", "ME_DATABASE_", "ME_database_host",
                                        "ME_LOG_LEVEL_", "ME_TOKEN_SECRET"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        char variable[64], reason[128];

        (void)snprintf(variable, sizeof(variable), "%s=x", names[i]);
        (void)snprintf(reason, sizeof(reason),
                       "the environment's %s: there is no such setting: see me.conf(5)", names[i]);
        assert_refused(fixture, NULL, ENVIRONMENT(variable), reason);
    }
}

/* ---- what is refused */

static void refuse_number(struct fixture *fixture, const struct setting *setting, const char *value)
{
    char text[256], variable[256], what[256], reason[512];

    (void)snprintf(what, sizeof(what), "%s.%s: is '%s', but must be a number from %lld to %lld %s",
                   setting->section, setting->key, value, (long long)setting->min,
                   (long long)setting->max, setting->unit);
    (void)snprintf(text, sizeof(text), "# a comment\n\n[%s]\n%s = %s\n", setting->section,
                   setting->key, value);
    assert_refused_at(fixture, text, 4, what);
    variable_of(setting, value, variable, sizeof(variable));
    (void)snprintf(reason, sizeof(reason), "the environment's %.*s: %s",
                   (int)strcspn(variable, "="), variable, what);
    assert_refused(fixture, NULL, ENVIRONMENT(variable), reason);
}

static void a_bad_number_names_place_and_limits(void **state)
{
    static const char *const wrong[] = {"",
                                        "x",
                                        "1 0",
                                        "-1",
                                        "+5",
                                        "5.0",
                                        "0x10",
                                        "5s",
                                        "5;",
                                        "1e1",
                                        "'5'",
                                        "9223372036854775808",
                                        "99999999999999999999"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < settings_table_len; i++) {
        const struct setting *setting = &settings_table[i];
        char value[32];

        if (!is_number(setting))
            continue;
        for (size_t j = 0; j < ARRAY_LENGTH(wrong); j++)
            refuse_number(fixture, setting, wrong[j]);
        (void)snprintf(value, sizeof(value), "%lld", (long long)setting->max + 1);
        refuse_number(fixture, setting, value);
        (void)snprintf(value, sizeof(value), "%lld", (long long)setting->min - 1);
        refuse_number(fixture, setting, value);
    }
}

static void refuse_choice(struct fixture *fixture, const struct setting *setting, const char *value)
{
    char text[256], what[256];
    size_t len = (size_t)snprintf(what, sizeof(what), "%s.%s: '%s' is not one of", setting->section,
                                  setting->key, value);

    for (size_t i = 0; setting->choices[i] != NULL; i++)
        len += (size_t)snprintf(what + len, sizeof(what) - len, "%s %s", i == 0 ? "" : ",",
                                setting->choices[i]);
    (void)snprintf(text, sizeof(text), "[%s]\n%s = %s\n", setting->section, setting->key, value);
    assert_refused_at(fixture, text, 2, what);
}

static void a_bad_choice_names_place_and_choices(void **state)
{
    static const char *const wrong[] = {"none", "0", "VERIFY", "Info", "offf", "o", "hs256", "*"};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < settings_table_len; i++) {
        for (size_t j = 0; settings_table[i].choices != NULL && j < ARRAY_LENGTH(wrong); j++)
            refuse_choice(fixture, &settings_table[i], wrong[j]);
        if (settings_table[i].choices != NULL && !is_list(&settings_table[i]))
            refuse_choice(fixture, &settings_table[i], "");
    }
    assert_refused_at(fixture, "[token]\nalgorithms = HS256, none\n", 2,
                      "token.algorithms: 'none' is not one of HS256, RS256");
}

static void what_is_required_may_not_be_empty(void **state)
{
    static const char *const empty[] = {"", "\"\"", ",", " , \t,"};
    struct fixture *fixture = *state;
    size_t required = 0;

    for (size_t i = 0; i < settings_table_len; i++) {
        const struct setting *setting = &settings_table[i];
        char text[128], what[128];

        (void)snprintf(what, sizeof(what), "%s.%s: is empty, but has to have a value",
                       setting->section, setting->key);
        for (size_t j = 0; setting->is_required && j < ARRAY_LENGTH(empty); j++) {
            if ((j == 1 && is_list(setting)) || (j > 1 && !is_list(setting)))
                continue;
            (void)snprintf(text, sizeof(text), "[%s]\n%s = %s\n", setting->section, setting->key,
                           empty[j]);
            assert_refused_at(fixture, text, 2, what);
        }
        required += setting->is_required;
    }
    assert_int_equal(required, 5);
    assert_true(row_of("database", "host")->is_required);
    assert_true(row_of("database", "name")->is_required);
    assert_true(row_of("database", "user")->is_required);
    assert_true(row_of("token", "algorithms")->is_required);
    assert_true(row_of("token", "session_claim")->is_required);
}

static void a_value_in_the_file_is_judged_though_the_environment_replaces_it(void **state)
{
    char timeout[] = "ME_DATABASE_READ_TIMEOUT_S=7", algorithms[] = "ME_TOKEN_ALGORITHMS=HS256";
    char header[] = "ME_TOKEN_HEADER=X-Token";
    struct fixture *fixture = *state;

    assert_false(load(fixture, "[database]\nread_timeout_s = soon\n", ENVIRONMENT(timeout)));
    assert_contains(fixture->err.text, ":2: database.read_timeout_s: is 'soon'");
    assert_false(load(fixture, "[token]\nalgorithms = HS512\n", ENVIRONMENT(algorithms)));
    assert_contains(fixture->err.text, ":2: token.algorithms: 'HS512'");
    assert_false(load(fixture, "[token]\nheader = a b\n", ENVIRONMENT(header)));
    assert_contains(fixture->err.text, ":2: token.header: is 'a b'");
}

static void a_header_is_a_name_of_letters_digits_and_hyphens(void **state)
{
    struct fixture *fixture = *state;
    char text[256], what[256];

    for (int c = 1; c < 128; c++) {
        bool is_good =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
        bool is_plain = c >= ' ' && c < 0x7F;

        (void)snprintf(text, sizeof(text), "[token]\nheader = \"%cX\"\n", c);
        (void)snprintf(what, sizeof(what),
                       "token.header: is '%cX', but must be the name of a header: up to 64 "
                       "letters, digits and hyphens",
                       c);
        if (is_good)
            assert_loads(fixture, text, empty_environment);
        else if (is_plain)
            assert_refused_at(fixture, text, 2, what);
        else
            assert_false(load(fixture, text, empty_environment));
    }
}

static void a_header_has_64_letters_and_no_more(void **state)
{
    struct fixture *fixture = *state;
    char text[256], name[66] = "";

    memset(name, 'X', 65);
    (void)snprintf(text, sizeof(text), "[token]\nheader = %s\n", name);
    assert_false(load(fixture, text, empty_environment));
    assert_contains(fixture->err.text, "up to 64 letters");
    name[64] = '\0';
    (void)snprintf(text, sizeof(text), "[token]\nheader = %s\n", name);
    assert_loads(fixture, text, empty_environment);
    assert_string_equal(fixture->settings.token.header, name);
}

/* "SECTION.KEY: there is no such setting; known are: " and the keys that the table has. */
static void assert_key_is_unknown(struct fixture *fixture, const char *section, const char *key)
{
    char text[128], what[512];
    const char *gap = "";

    (void)snprintf(what, sizeof(what), "%s.%s: there is no such setting; known are: ", section,
                   key);
    for (size_t i = 0; i < settings_table_len; i++) {
        size_t len = strlen(what);

        if (strcmp(settings_table[i].section, section) != 0)
            continue;
        (void)snprintf(what + len, sizeof(what) - len, "%s%s", gap, settings_table[i].key);
        gap = ", ";
    }
    (void)snprintf(text, sizeof(text), "[%s]\n\n%s = x\n", section, key);
    assert_refused_at(fixture, text, 3, what);
}

static void an_unknown_key_names_place_and_the_keys_there_are(void **state)
{
    for (size_t i = 0; i < settings_table_len; i++)
        assert_key_is_unknown(*state, settings_table[i].section, "colour");
    assert_refused_at(*state, "[admin]\npassword = x\n", 2,
                      "admin.password: there is no such setting; known are: user, password_file");
}

/* Each section once. */
static void an_unknown_section_names_place_and_the_sections_there_are(void **state)
{
    struct fixture *fixture = *state;
    char what[512] = "logs.level: there is no such setting; known are: ";
    const char *last = NULL;

    for (size_t i = 0; i < settings_table_len; i++) {
        const char *section = settings_table[i].section;
        size_t len = strlen(what);

        if (last == NULL || strcmp(last, section) != 0)
            (void)snprintf(what + len, sizeof(what) - len, "%s%s", last == NULL ? "" : ", ",
                           section);
        last = section;
    }
    assert_refused_at(fixture, "[log]\n\n[logs]\nlevel = info\n", 4, what);
}

static void a_key_that_is_set_twice_is_refused(void **state)
{
    struct fixture *fixture = *state;

    assert_refused_at(fixture, "[log]\nlevel = info\nlevel = info\n", 3, "log.level: is set twice");
    assert_refused_at(fixture, "[log]\nlevel = info\n[token]\n[log]\nlevel =\n", 5,
                      "log.level: is set twice");
    assert_loads(fixture, "[log]\n[token]\nleeway_s = 1\n[log]\nlevel = debug\n",
                 empty_environment);
}

static void bad_syntax_names_its_line(void **state)
{
    struct fixture *fixture = *state;

    assert_refused_at(fixture, "[log]\nlevel: info\n", 2,
                      "is neither a [section], nor a comment, nor key = value");
    assert_refused_at(fixture, "level = info\n", 1, "a key stands before the first [section]");
    assert_refused_at(fixture, "\n[log\n", 2, "a section is written as [name]");
}

static void control_characters_are_refused(void **state)
{
    static const char what[] = "has control characters, or bytes that are not UTF-8";
    char lines[] = "ME_TOKEN_ISSUER=a\nb", bytes[] = "ME_DATABASE_NAME=\xFF";
    char erase[] = "ME_DATABASE_PASSWORD=a\x7F";
    struct fixture *fixture = *state;
    char reason[256];

    (void)snprintf(reason, sizeof(reason), "database.name: %s", what);
    assert_refused_at(fixture, "[database]\nname = a\rb\n", 2, reason);
    assert_refused_at(fixture, "[database]\nname = \x1B[2J\n", 2, reason);
    (void)snprintf(reason, sizeof(reason), "the environment's ME_TOKEN_ISSUER: token.issuer: %s",
                   what);
    assert_refused(fixture, NULL, ENVIRONMENT(lines), reason);
    (void)snprintf(reason, sizeof(reason), "the environment's ME_DATABASE_NAME: database.name: %s",
                   what);
    assert_refused(fixture, NULL, ENVIRONMENT(bytes), reason);
    assert_false(load(fixture, NULL, ENVIRONMENT(erase)));
}

/* What someone wrote, however long, leaves room for what is allowed. */
static void a_long_value_does_not_hide_what_is_allowed(void **state)
{
    static char many[8001], text[TEXT_BYTES], variable[TEXT_BYTES];
    static const char *const starts[] = {"[log]\nlevel = ", "[token]\nleeway_s = ",
                                         "[token]\nheader = ", "[token]\nalgorithms = HS256 "};
    static const char *const allowed[] = {"warning", "600 seconds", "letters", "RS256"};
    struct fixture *fixture = *state;

    memset(many, 'x', sizeof(many) - 1);
    for (size_t i = 0; i < ARRAY_LENGTH(starts); i++) {
        (void)snprintf(text, sizeof(text), "%s%s", starts[i], many);
        assert_false(load(fixture, text, empty_environment));
        assert_contains(fixture->err.text, allowed[i]);
        assert_contains(fixture->err.text, "'xxxxxxxxxxxxxxxx");
    }
    (void)snprintf(text, sizeof(text), "[log]\n%s = 1", many);
    assert_false(load(fixture, text, empty_environment));
    assert_contains(fixture->err.text, "known are: level");
    (void)snprintf(text, sizeof(text), "[%s]\nlevel = 1", many);
    assert_false(load(fixture, text, empty_environment));
    assert_contains(fixture->err.text, "profile");
    (void)snprintf(variable, sizeof(variable), "ME_LOG_%s=1", many);
    assert_false(load(fixture, NULL, ENVIRONMENT(variable)));
    assert_contains(fixture->err.text, "there is no such setting: see me.conf(5)");
}

static void a_password_and_its_file_exclude_each_other(void **state)
{
    struct fixture *fixture = *state;

    assert_refused(fixture, "[database]\npassword = x\npassword_file = /y\n", empty_environment,
                   "database.password and database.password_file are both set: keep one");
}

static void adding_users_needs_identities_issuers_and_another_account(void **state)
{
    static const char *const rows[][2] = {
        {"", "token.provision: needs token.subject = identity"},
        {"subject = identity\n", "token.provision: needs token.issuer"},
        {"subject = identity\nissuer = i\n", "token.provision: needs an account of its own"},
        {"subject = identity\nissuer = i\n[provision]\nuser = me\n",
         "provision.user: is database.user"},
    };
    struct fixture *fixture = *state;
    char text[256];

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        (void)snprintf(text, sizeof(text), "[token]\nprovision = on\n%s", rows[i][0]);
        assert_false(load(fixture, text, empty_environment));
        assert_true(str_starts_with(str_from(fixture->err.text), str_from(rows[i][1])));
    }
    assert_loads(fixture,
                 "[token]\nprovision = on\nsubject = identity\nissuer = i\n[provision]\nuser = p\n",
                 empty_environment);
}

/* Each line of [watch], and what is said of it; NULL: it is taken. */
static void paths_to_watch_are_paths_of_their_own(void **state)
{
    static const char *const rows[][2] = {
        {"live_path = /health/live\nready_path = /health/ready\n", NULL},
        {"live_path = health\n", "watch.live_path: must begin with a slash"},
        {"live_path = /\n", "watch.live_path: must begin with a slash"},
        {"ready_path = /a?b\n", "watch.ready_path: must begin with a slash"},
        {"ready_path = /a b\n", "watch.ready_path: must begin with a slash"},
        {"ready_path = /api/me\n", "watch.ready_path: must begin with a slash"},
        {"ready_path = /cgi-bin/me.fcgi\n", "watch.ready_path: must begin with a slash"},
        {"live_path = /a\nready_path = /a\n", "watch.ready_path: is watch.live_path too"},
    };
    struct fixture *fixture = *state;
    char text[256];

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        (void)snprintf(text, sizeof(text), "[watch]\n%s", rows[i][0]);
        assert_int_equal(load(fixture, text, empty_environment), rows[i][1] == NULL);
        if (rows[i][1] != NULL)
            assert_true(str_starts_with(str_from(fixture->err.text), str_from(rows[i][1])));
    }
}

static void metrics_need_a_file_and_a_word_on_who_reads_them(void **state)
{
    static const char *const rows[][2] = {
        {"", "watch.metrics_path: needs watch.metrics_file"},
        {"metrics_file = f\n", "watch.metrics_path: needs watch.secret_file"},
        {"metrics_file = f\nsecret_file = s\n", NULL},
        {"metrics_file = f\nmetrics_for = anyone\n", NULL},
    };
    struct fixture *fixture = *state;
    char text[256];

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        (void)snprintf(text, sizeof(text), "[watch]\nmetrics_path = /metrics\n%s", rows[i][0]);
        assert_int_equal(load(fixture, text, empty_environment), rows[i][1] == NULL);
        if (rows[i][1] != NULL)
            assert_true(str_starts_with(str_from(fixture->err.text), str_from(rows[i][1])));
    }
}

/* ---- lists and quotes */

static void assert_issuers(struct fixture *fixture, const char *value, const char *expected)
{
    char text[TEXT_BYTES];

    (void)snprintf(text, sizeof(text), "[token]\nissuer = %s\n", value);
    assert_loads(fixture, text, empty_environment);
    assert_string_equal(value_of(row_of("token", "issuer"), &fixture->settings), expected);
}

static void items_are_separated_by_commas_spaces_and_tabs(void **state)
{
    assert_issuers(*state, "a", "[a]");
    assert_issuers(*state, "a b", "[a][b]");
    assert_issuers(*state, "a,b", "[a][b]");
    assert_issuers(*state, "a\tb", "[a][b]");
    assert_issuers(*state, ", a ,,\t b, ", "[a][b]");
    assert_issuers(*state, "", "");
    assert_issuers(*state, " , ", "");
    assert_issuers(*state, "https://a.example/x?y=z", "[https://a.example/x?y=z]");
    assert_issuers(*state, "a a", "[a][a]");
}

static void an_item_in_quotes_holds_what_separates(void **state)
{
    assert_issuers(*state, "\"a b\"", "[a b]");
    assert_issuers(*state, "\"a, b\"", "[a, b]");
    assert_issuers(*state, "\" a \"", "[ a ]");
    assert_issuers(*state, "\"a b\", \"c d\"", "[a b][c d]");
    assert_issuers(*state, "\"a\tb\"", "[a\tb]");
    assert_issuers(*state, "x \"a b\",y", "[x][a b][y]");
    assert_issuers(*state, "a\"b", "[a\"b]");
    assert_issuers(*state, "a\" b", "[a\"][b]");
}

/* An empty item must not end the list: without issuers, any would be accepted. */
static void quotes_that_go_wrong_are_refused(void **state)
{
    static const struct {
        const char *value, *what;
    } rows[] = {
        {"\"", "has a quote that is not closed"},
        {"\"a, b", "has a quote that is not closed"},
        {"a \"", "has a quote that is not closed"},
        {"\"a\" \"b", "has a quote that is not closed"},
        {"\"\"", "has an empty item"},
        {"\"\", \"b\"", "has an empty item"},
        {"a, \"\"", "has an empty item"},
        {"\"a\"b", "has a quote within an item: quotes stand around a whole one"},
        {"\"a\"\"b\"", "has a quote within an item: quotes stand around a whole one"},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char text[128], what[128];

        (void)snprintf(text, sizeof(text), "[token]\nissuer = %s\n", rows[i].value);
        (void)snprintf(what, sizeof(what), "token.issuer: %s", rows[i].what);
        assert_refused_at(fixture, text, 2, what);
    }
}

static void a_list_has_64_items_and_no_more(void **state)
{
    struct fixture *fixture = *state;
    char text[TEXT_BYTES] = "[token]\nissuer =";

    for (int i = 0; i < 64; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), " i%d", i);
    assert_loads(fixture, text, empty_environment);
    assert_int_equal(fixture->settings.token.issuer.count, 64);
    assert_string_equal(fixture->settings.token.issuer.items[63], "i63");
    (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), " more");
    assert_refused_at(fixture, text, 2, "token.issuer: has more than 64 items");
}

/* Its words would be audiences, and what was taken out behind a # an issuer again. */
static void a_comment_behind_a_value_is_refused(void **state)
{
    static const char *const rows[][3] = {
        {"token", "audience", "me # our API"},
        {"token", "issuer", "https://a.example.com\t#https://b.example.com"},
        {"token", "issuer", "\"https://a.example.com\" ; the new one"},
        {"token", "secret_file", "# none"},
        {"token", "session_claim", "sid # of ours"},
        {"token", "session_claim", "\"sid\" # of ours"},
        {"request", "body_max_bytes", "4096 # bytes"},
        {"log", "level", "info ; not debug"},
    };
    struct fixture *fixture = *state;
    char text[128], what[256];

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        (void)snprintf(text, sizeof(text), "[%s]\n%s = %s\n", rows[i][0], rows[i][1], rows[i][2]);
        (void)snprintf(what, sizeof(what),
                       "%s.%s: has a comment behind it: write that on a line of its own, or the "
                       "value in double quotes where the # or ; belongs to it",
                       rows[i][0], rows[i][1]);
        assert_refused_at(fixture, text, 2, what);
    }
}

static void a_hash_is_no_comment_in_quotes_or_in_a_word(void **state)
{
    struct fixture *fixture = *state;
    char variable[] = "ME_DATABASE_NAME=a # b";

    assert_loads(fixture,
                 "[database]\nname = \"a # b\"\nuser = a#b;c\n[token]\n"
                 "audience = \"# one\", two#\n",
                 empty_environment);
    assert_string_equal(fixture->settings.database.name, "a # b");
    assert_string_equal(fixture->settings.database.user, "a#b;c");
    assert_string_equal(value_of(row_of("token", "audience"), &fixture->settings), "[# one][two#]");
    /* the environment has no comments */
    assert_loads(fixture, NULL, ENVIRONMENT(variable));
    assert_string_equal(fixture->settings.database.name, "a # b");
}

static void a_text_in_quotes_is_taken_without_them(void **state)
{
    static const char *const rows[][2] = {
        {"x", "x"},
        {"\"x\"", "x"},
        {"\" x \"", " x "},
        {"\"", "\""},
        {"\"\"x\"\"", "\"x\""},
        {"a\"b", "a\"b"},
        {"\"a", "\"a"},
        {"a\"", "a\""},
        {"a b, c", "a b, c"},
        {"\"a \" b\"", "a \" b"},
        {"\"# x\"", "# x"},
        {"#x", "#x"},
        {"'x'", "'x'"},
        {"\"\"\"", "\""},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        char text[128];

        (void)snprintf(text, sizeof(text), "[database]\nname = %s\n", rows[i][0]);
        assert_loads(fixture, text, empty_environment);
        assert_string_equal(fixture->settings.database.name, rows[i][1]);
    }
}

static void numbers_and_choices_may_stand_in_quotes(void **state)
{
    struct fixture *fixture = *state;

    assert_loads(fixture,
                 "[token]\nleeway_s = \"7\"\nheader = \"X-Token\"\n[log]\nlevel = \"debug\"\n",
                 empty_environment);
    assert_int_equal(fixture->settings.token.leeway_s, 7);
    assert_string_equal(fixture->settings.token.header, "X-Token");
    assert_int_equal(fixture->settings.log.level, LOG_DEBUG);
}

static void algorithms_become_flags(void **state)
{
    struct fixture *fixture = *state;

    assert_loads(fixture, "[token]\nalgorithms = RS256\n", empty_environment);
    assert_false(fixture->settings.token.hs256);
    assert_true(fixture->settings.token.rs256);
    assert_loads(fixture, "[token]\nalgorithms = \"HS256\" HS256\n", empty_environment);
    assert_true(fixture->settings.token.hs256);
    assert_false(fixture->settings.token.rs256);
}

/* ---- paths */

static void relative_paths_are_relative_to_the_folder_of_the_file(void **state)
{
    static const char text[] = "[database]\npassword_file = keys/p\ntls_ca = ../ca.pem\n"
                               "[admin]\npassword_file = p\n"
                               "[token]\nsecret_file = a \"b c\", /d\n";
    struct fixture *fixture = *state;
    char expected[4 * FOLDER_PATH_BYTES];

    assert_loads(fixture, text, empty_environment);
    (void)snprintf(expected, sizeof(expected), "%s/keys/p", fixture->folder);
    assert_string_equal(fixture->settings.database.password_file, expected);
    (void)snprintf(expected, sizeof(expected), "%s/../ca.pem", fixture->folder);
    assert_string_equal(fixture->settings.database.tls_ca, expected);
    (void)snprintf(expected, sizeof(expected), "%s/p", fixture->folder);
    assert_string_equal(fixture->settings.admin.password_file, expected);
    (void)snprintf(expected, sizeof(expected), "[%s/a][%s/b c][/d]", fixture->folder,
                   fixture->folder);
    assert_string_equal(value_of(row_of("token", "secret_file"), &fixture->settings), expected);
    assert_string_equal(fixture->settings.profile.zoneinfo, "/usr/share/zoneinfo");
}

static void what_is_no_path_is_not_resolved(void **state)
{
    struct fixture *fixture = *state;

    assert_loads(fixture, "[database]\nname = keys/p\nhost = db.example\n[token]\nissuer = a/b\n",
                 empty_environment);
    assert_string_equal(fixture->settings.database.name, "keys/p");
    assert_string_equal(fixture->settings.database.host.items[0], "db.example");
    assert_string_equal(fixture->settings.token.issuer.items[0], "a/b");
}

static void paths_do_not_depend_on_how_the_file_was_named(void **state)
{
    struct fixture *fixture = *state;
    char expected[2 * FOLDER_PATH_BYTES], link[FOLDER_PATH_BYTES];
    int before = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool good;

    assert_true(before >= 0);
    folder_add(fixture->folder, "me.conf", STR("[database]\ntls_ca = ca.pem\n"), 0600);
    assert_int_equal(chdir(fixture->folder), 0);
    good = settings_load("./me.conf", empty_environment, FILE_READERS_ANY, &fixture->settings,
                         &fixture->err);
    assert_int_equal(fchdir(before), 0);
    assert_int_equal(close(before), 0);
    assert_true(good);
    (void)snprintf(expected, sizeof(expected), "%s/ca.pem", fixture->folder);
    assert_string_equal(fixture->settings.database.tls_ca, expected);
    assert_string_equal(fixture->settings.file, fixture->conf);
    settings_free(&fixture->settings);
    assert_int_equal(mkdir(folder_path(fixture->folder, "other", link), 0700), 0);
    assert_int_equal(symlink("../me.conf", folder_path(fixture->folder, "other/link", link)), 0);
    assert_true(settings_load(link, empty_environment, FILE_READERS_ANY, &fixture->settings,
                              &fixture->err));
    assert_string_equal(fixture->settings.database.tls_ca, expected);
}

static void paths_of_the_environment_are_taken_as_they_are(void **state)
{
    char ca[] = "ME_DATABASE_TLS_CA=ca.pem", files[] = "ME_TOKEN_SECRET_FILE=a /b";
    struct fixture *fixture = *state;

    assert_loads(fixture, "[database]\ntls_ca = other.pem\n", ENVIRONMENT(ca, files));
    assert_string_equal(fixture->settings.database.tls_ca, "ca.pem");
    assert_string_equal(value_of(row_of("token", "secret_file"), &fixture->settings), "[a][/b]");
}

static void a_path_that_is_too_long_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char text[TEXT_BYTES];
    /* PATH_MAX counts the NUL, and the folder and a slash come before it. */
    int most = (int)(PATH_MAX - 1 - strlen(fixture->folder) - 1);

    (void)snprintf(text, sizeof(text), "[database]\ntls_ca = %0*d\n", most, 0);
    assert_loads(fixture, text, empty_environment);
    (void)snprintf(text, sizeof(text), "[database]\ntls_ca = %0*d\n", most + 1, 0);
    assert_refused_at(fixture, text, 2, "database.tls_ca: is longer than a path may be");
    (void)snprintf(text, sizeof(text), "[token]\nsecret_file = a /%0*d\n", PATH_MAX, 0);
    assert_refused_at(fixture, text, 2, "token.secret_file: is longer than a path may be");
}

/* ---- the file itself */

static void a_file_that_cannot_be_read_is_named(void **state)
{
    static char large[256 * 1024 + 2];
    struct fixture *fixture = *state;
    char expected[2 * FOLDER_PATH_BYTES];

    assert_false(settings_load(fixture->conf, empty_environment, FILE_READERS_ANY,
                               &fixture->settings, &fixture->err));
    (void)snprintf(expected, sizeof(expected), "%s: No such file or directory", fixture->conf);
    assert_string_equal(fixture->err.text, expected);
    assert_false(settings_load(fixture->folder, empty_environment, FILE_READERS_ANY,
                               &fixture->settings, &fixture->err));
    (void)snprintf(expected, sizeof(expected), "%s: is not a regular file", fixture->folder);
    assert_string_equal(fixture->err.text, expected);
    memset(large, '\n', sizeof(large) - 1);
    assert_false(load(fixture, large, empty_environment));
    assert_contains(fixture->err.text, "larger than the 262144 bytes");
    large[sizeof(large) - 2] = '\0';
    assert_loads(fixture, large, empty_environment);
}

static bool load_with_mode(struct fixture *fixture, const char *text, mode_t mode,
                           enum file_readers readers)
{
    settings_free(&fixture->settings);
    err_clear(&fixture->err);
    folder_add(fixture->folder, "me.conf", str_from(text), mode);
    return settings_load(fixture->conf, empty_environment, readers, &fixture->settings,
                         &fixture->err);
}

static void a_file_with_a_password_is_a_secret(void **state)
{
    static const char text[] = "[database]\npassword = hunter2\n";
    struct fixture *fixture = *state;

    assert_true(load_with_mode(fixture, text, 0600, FILE_READERS_OWN_GROUP));
    assert_true(load_with_mode(fixture, text, 0640, FILE_READERS_OWN_GROUP));
    assert_string_equal(fixture->settings.database.password, "hunter2");
    assert_false(load_with_mode(fixture, text, 0644, FILE_READERS_OWN_GROUP));
    assert_contains(fixture->err.text, "chmod 0640");
    assert_contains(fixture->err.text, fixture->conf);
    assert_null(strstr(fixture->err.text, "hunter2"));
    assert_true(is_all_zero(&fixture->settings, sizeof(fixture->settings)));
    assert_false(load_with_mode(fixture, text, 0604, FILE_READERS_ONE_GROUP));
    assert_false(
        load_with_mode(fixture, "[database]\npassword = \"x\"\n", 0644, FILE_READERS_OWN_GROUP));
}

static void a_file_without_a_password_is_none(void **state)
{
    static const char *const texts[] = {
        "[database]\nname = x\n", "[database]\npassword =\n", "[database]\npassword = \"\"\n",
        "[database]\npassword_file = p\n", "[database]\n# password = hunter2\n"};

    for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
        assert_true(load_with_mode(*state, texts[i], 0644, FILE_READERS_OWN_GROUP));
}

/* It is read twice: the second time must not be taken for one more half. */
static void a_large_file_may_have_a_password(void **state)
{
    static char text[200 * 1024];

    memset(text, '#', sizeof(text) - 1);
    memcpy(text, "[database]\npassword = x\n", 24);
    assert_true(load_with_mode(*state, text, 0600, FILE_READERS_OWN_GROUP));
}

static void a_password_of_the_environment_makes_no_secret_of_the_file(void **state)
{
    char password[] = "ME_DATABASE_PASSWORD=hunter2";
    struct fixture *fixture = *state;

    folder_add(fixture->folder, "me.conf", STR("[log]\nlevel = info\n"), 0644);
    assert_true(settings_load(fixture->conf, ENVIRONMENT(password), FILE_READERS_OWN_GROUP,
                              &fixture->settings, &fixture->err));
    assert_string_equal(fixture->settings.database.password, "hunter2");
}

static void a_password_is_wiped_from_memory(void **state)
{
    static const char text[] = "[database]\npassword = correct horse battery staple\n";
    struct fixture *fixture = *state;

    memory_watch("correct horse battery staple");
    assert_loads(fixture, text, empty_environment);
    settings_free(&fixture->settings);
    assert_false(load_with_mode(fixture, text, 0644, FILE_READERS_OWN_GROUP));
    assert_true(memory_frees() > 0);
    assert_int_equal(memory_leaks(), 0);
}

static void nothing_is_left_of_freed_settings(void **state)
{
    struct fixture *fixture = *state;

    assert_loads(fixture, "[token]\nissuer = a\n", empty_environment);
    settings_free(&fixture->settings);
    assert_true(is_all_zero(&fixture->settings, sizeof(fixture->settings)));
    settings_free(&fixture->settings);
}

static void out_of_memory_is_told(void **state)
{
    struct fixture *fixture = *state;
    char expected[64];

    folder_add(fixture->folder, "me.conf", STR("[token]\nissuer = a\n"), 0600);
    (void)snprintf(expected, sizeof(expected), "out of memory");
    for (size_t allowed = 0; allowed < 2; allowed++) {
        memory_allows(allowed);
        assert_false(settings_load(NULL, empty_environment, FILE_READERS_ANY, &fixture->settings,
                                   &fixture->err));
        memory_is_plenty();
        assert_string_equal(fixture->err.text, expected);
    }
}

/* ---- printing */

/* What settings_print writes; the caller frees it. */
static char *print(const struct settings *settings)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);

    assert_non_null(out);
    assert_true(settings_print(settings, out));
    assert_int_equal(fclose(out), 0);
    return text;
}

/* Prints, loads what was printed as another me.conf, and finds the same in it. */
static void assert_comes_back(struct fixture *fixture)
{
    char *first = print(&fixture->settings), *second;
    struct settings again;
    char path[FOLDER_PATH_BYTES];

    folder_add(fixture->folder, "printed.conf", str_from(first), 0600);
    if (!settings_load(folder_path(fixture->folder, "printed.conf", path), empty_environment,
                       FILE_READERS_OWN_GROUP, &again, &fixture->err))
        fail_msg("%s in:\n%s", fixture->err.text, first);
    second = print(&again);
    assert_string_equal(strchr(first, '\n'), strchr(second, '\n'));
    for (size_t i = 0; i < settings_table_len; i++) {
        char *value = strdup(value_of(&settings_table[i], &fixture->settings));

        assert_non_null(value);
        if (!settings_table[i].is_secret)
            assert_string_equal(value_of(&settings_table[i], &again), value);
        free(value);
    }
    assert_int_equal(again.token.hs256, fixture->settings.token.hs256);
    assert_int_equal(again.token.rs256, fixture->settings.token.rs256);
    settings_free(&again);
    free(first);
    free(second);
}

static void what_is_printed_gives_the_same_settings(void **state)
{
    struct fixture *fixture = *state;

    assert_loads(fixture, NULL, empty_environment);
    assert_comes_back(fixture);
    assert_loads(fixture, conf_of_samples("password"), empty_environment);
    assert_comes_back(fixture);
    assert_loads(fixture, conf_of_samples("password_file"), empty_environment);
    assert_comes_back(fixture);
}

static void what_is_printed_keeps_blanks_and_quotes(void **state)
{
    static const char *const values[] = {
        " a",     "a ",    "\ta\t",      "a b",     "\"a\"", "\"\"",  "\"",
        "\"\"\"", "\" \"", "a\" \"",     "\"a\" b", "# a",   "a # b", "a\" # b",
        "a #\"",  "a;",    "[database]", "a = b",   "\\n",   "%s%n",  "\xC3\xA9",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
        char name[64], user[64], ca[64];

        (void)snprintf(name, sizeof(name), "ME_DATABASE_NAME=%s", values[i]);
        (void)snprintf(user, sizeof(user), "ME_ADMIN_USER=%s", values[i]);
        (void)snprintf(ca, sizeof(ca), "ME_DATABASE_TLS_CA=/%s", values[i]);
        assert_loads(fixture, NULL, ENVIRONMENT(name, user, ca));
        assert_string_equal(fixture->settings.database.name, values[i]);
        assert_comes_back(fixture);
    }
}

static void what_is_printed_keeps_the_items_of_lists(void **state)
{
    static const char *const values[] = {
        "a",        "\"a b\"",  "\"a, b\" c",    "\" \"", "\",\" x \" , \"",
        "a\"b c\"", "\"a\tb\"", "a, b, \"c d\"", "#a ;b", "[a]",
        "a=b",      "%s \\n",
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
        char issuer[64], host[64];

        (void)snprintf(issuer, sizeof(issuer), "ME_TOKEN_ISSUER=%s", values[i]);
        (void)snprintf(host, sizeof(host), "ME_DATABASE_HOST=%s", values[i]);
        assert_loads(fixture, NULL, ENVIRONMENT(issuer, host));
        assert_comes_back(fixture);
        assert_loads(fixture, "[token]\nsecret_file = \"a b\" c\n", ENVIRONMENT(issuer));
        assert_comes_back(fixture);
    }
}

static void secrets_are_masked(void **state)
{
    char variable[] = "ME_DATABASE_PASSWORD=correct horse";
    struct fixture *fixture = *state;
    char *text;

    assert_loads(fixture, "[database]\npassword = hunter2\n", empty_environment);
    text = print(&fixture->settings);
    assert_contains(text, "\npassword = ********\n");
    assert_null(strstr(text, "hunter2"));
    free(text);
    assert_loads(fixture, NULL, ENVIRONMENT(variable));
    text = print(&fixture->settings);
    assert_contains(text, "\npassword = ********\n");
    assert_null(strstr(text, "horse"));
    free(text);
    assert_loads(fixture, NULL, empty_environment);
    text = print(&fixture->settings);
    assert_contains(text, "\npassword = \n");
    free(text);
}

static void every_setting_is_printed_and_where_they_are_from(void **state)
{
    struct fixture *fixture = *state;
    char *text, line[FOLDER_PATH_BYTES + 64];

    assert_loads(fixture, "", empty_environment);
    text = print(&fixture->settings);
    (void)snprintf(line, sizeof(line), "# from %s and the environment\n", fixture->conf);
    assert_memory_equal(text, line, strlen(line));
    for (size_t i = 0; i < settings_table_len; i++) {
        (void)snprintf(line, sizeof(line), "\n[%s]\n", settings_table[i].section);
        assert_contains(text, line);
        (void)snprintf(line, sizeof(line), "\n%s = ", settings_table[i].key);
        assert_contains(text, line);
    }
    free(text);
    assert_loads(fixture, NULL, empty_environment);
    text = print(&fixture->settings);
    assert_contains(text, "there is no me.conf");
    free(text);
}

static void an_output_that_takes_nothing_is_told(void **state)
{
    struct fixture *fixture = *state;
    FILE *full = fopen("/dev/full", "w");

    assert_non_null(full);
    assert_loads(fixture, NULL, empty_environment);
    assert_false(settings_print(&fixture->settings, full));
    (void)fclose(full);
}

/* ---- where me.conf is: judged by copies of this program, which print what they find */

/* Prints what settings_find finds, as a program that was called as `program`. */
static int print_found(const char *program, const char *named)
{
    extern char **environ;
    struct err err = {""};
    const char *found = NULL;
    struct buf path;
    bool good;

    buf_init(&path, PATH_MAX);
    good = settings_find(named, environ, program, &path, &found, &err);
    (void)printf("%s", !good ? err.text : found == NULL ? "none" : found);
    buf_free(&path);
    return fflush(stdout) == 0 ? 0 : 1;
}

static void copy_this_program(const char *to)
{
    char bytes[64 * 1024];
    int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
    ssize_t got;

    assert_true(in >= 0 && out >= 0);
    while ((got = read(in, bytes, sizeof(bytes))) > 0)
        assert_int_equal(write(out, bytes, (size_t)got), got);
    assert_int_equal(got, 0);
    assert_int_equal(close(in), 0);
    assert_int_equal(close(out), 0);
}

/* What is done in the child before the program is run; false: it cannot be. */
typedef bool preparation(void);

/* The output of `file`, run as `called`; NULL where the preparation was not possible. */
static const char *run(const char *file, const char *called, const char *named,
                       char *const *environment, preparation *prepare)
{
    static char text[PATH_MAX];
    char *arguments[] = {strdup(called), strdup("find"), named == NULL ? NULL : strdup(named),
                         NULL};
    int ends[2], status;
    size_t len = 0;
    ssize_t got;
    pid_t child;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (dup2(ends[1], STDOUT_FILENO) < 0 || (prepare != NULL && !prepare()))
            _exit(SKIPPED);
        (void)execve(file, arguments, environment);
        _exit(1);
    }
    assert_int_equal(close(ends[1]), 0);
    while ((got = read(ends[0], text + len, sizeof(text) - 1 - len)) > 0)
        len += (size_t)got;
    text[len] = '\0';
    assert_int_equal(close(ends[0]), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    for (size_t i = 0; i < ARRAY_LENGTH(arguments); i++)
        free(arguments[i]);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == SKIPPED)
        return NULL;
    assert_int_equal(WEXITSTATUS(status), 0);
    return text;
}

/* FOLDER/real/program, a link to it FOLDER/links/program, and no me.conf yet. */
struct place {
    char program[FOLDER_PATH_BYTES], link[FOLDER_PATH_BYTES];
    char beside[FOLDER_PATH_BYTES], beside_link[FOLDER_PATH_BYTES];
};

static void make_place(const struct fixture *fixture, struct place *place)
{
    char folder[FOLDER_PATH_BYTES];

    assert_int_equal(mkdir(folder_path(fixture->folder, "real", folder), 0755), 0);
    assert_int_equal(mkdir(folder_path(fixture->folder, "links", folder), 0755), 0);
    copy_this_program(folder_path(fixture->folder, "real/program", place->program));
    assert_int_equal(
        symlink("../real/program", folder_path(fixture->folder, "links/program", place->link)), 0);
    (void)folder_path(fixture->folder, "real/me.conf", place->beside);
    (void)folder_path(fixture->folder, "links/me.conf", place->beside_link);
}

static void finds_the_file_beside_the_program_and_beside_a_link_first(void **state)
{
    struct fixture *fixture = *state;
    struct place place;

    make_place(fixture, &place);
    folder_add(fixture->folder, "real/me.conf", STR(""), 0644);
    assert_string_equal(run(place.program, place.program, NULL, empty_environment, NULL),
                        place.beside);
    /* As a server starts it by its link: first the link's folder, then where it leads. */
    assert_string_equal(run(place.link, place.link, NULL, empty_environment, NULL), place.beside);
    folder_add(fixture->folder, "links/me.conf", STR(""), 0644);
    assert_string_equal(run(place.link, place.link, NULL, empty_environment, NULL),
                        place.beside_link);
    assert_string_equal(run(place.program, place.program, NULL, empty_environment, NULL),
                        place.beside);
    /* As a shell finds it in PATH: the name alone tells no folder. */
    assert_string_equal(run(place.link, "program", NULL, empty_environment, NULL), place.beside);
}

static void the_environment_goes_before_what_lies_beside(void **state)
{
    struct fixture *fixture = *state;
    char variable[FOLDER_PATH_BYTES + 16], empty[] = "ME_CONF=", other[] = "ME_CONFIG=/x";
    struct place place;

    make_place(fixture, &place);
    folder_add(fixture->folder, "real/me.conf", STR(""), 0644);
    folder_add(fixture->folder, "me.conf", STR(""), 0644);
    (void)snprintf(variable, sizeof(variable), "ME_CONF=%s", fixture->conf);
    assert_string_equal(run(place.program, place.program, NULL, ENVIRONMENT(variable), NULL),
                        fixture->conf);
    assert_string_equal(run(place.program, place.program, NULL, ENVIRONMENT(other, empty), NULL),
                        place.beside);
}

static void what_was_named_goes_before_all(void **state)
{
    struct fixture *fixture = *state;
    char variable[FOLDER_PATH_BYTES + 16];
    struct place place;

    make_place(fixture, &place);
    folder_add(fixture->folder, "me.conf", STR(""), 0644);
    folder_add(fixture->folder, "real/me.conf", STR(""), 0644);
    (void)snprintf(variable, sizeof(variable), "ME_CONF=%s", fixture->conf);
    assert_string_equal(
        run(place.program, place.program, place.beside, ENVIRONMENT(variable), NULL), place.beside);
}

/* Nothing else is taken in its place. */
static void a_named_file_that_is_missing_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    char variable[FOLDER_PATH_BYTES + 16], expected[2 * FOLDER_PATH_BYTES];
    struct place place;

    make_place(fixture, &place);
    folder_add(fixture->folder, "real/me.conf", STR(""), 0644);
    (void)snprintf(variable, sizeof(variable), "ME_CONF=%s", fixture->conf);
    (void)snprintf(expected, sizeof(expected),
                   "%s: there is no such file (it was named by the environment's ME_CONF)",
                   fixture->conf);
    assert_string_equal(run(place.program, place.program, NULL, ENVIRONMENT(variable), NULL),
                        expected);
    (void)snprintf(expected, sizeof(expected),
                   "%s: there is no such file (it was named by --config)", place.beside_link);
    assert_string_equal(
        run(place.program, place.program, place.beside_link, empty_environment, NULL), expected);
}

static bool write_file(const char *path, const char *text)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    size_t len = strlen(text);
    bool good = descriptor >= 0 && write(descriptor, text, len) == (ssize_t)len;

    if (descriptor >= 0)
        good = close(descriptor) == 0 && good;
    return good;
}

/* Mounts of our own, which nobody else sees: root may have them, others in a user namespace. */
static bool enter_namespace(void)
{
    char users[32], groups[32];

    if (geteuid() == 0)
        return unshare(CLONE_NEWNS) == 0;
    (void)snprintf(users, sizeof(users), "%u %u 1", (unsigned)geteuid(), (unsigned)geteuid());
    (void)snprintf(groups, sizeof(groups), "%u %u 1", (unsigned)getegid(), (unsigned)getegid());
    return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0 && write_file("/proc/self/uid_map", users) &&
           write_file("/proc/self/setgroups", "deny") && write_file("/proc/self/gid_map", groups);
}

static bool empty_sysconfdir(void)
{
    return enter_namespace() && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("tmpfs", SYSCONFDIR, "tmpfs", 0, NULL) == 0;
}

static bool file_in_sysconfdir(void)
{
    return empty_sysconfdir() && write_file(SYSCONFDIR "/me.conf", "");
}

static void the_last_place_is_sysconfdir(void **state)
{
    struct fixture *fixture = *state;
    const char *found;
    struct place place;

    make_place(fixture, &place);
    found = run(place.program, place.program, NULL, empty_environment, file_in_sysconfdir);
    if (found == NULL) {
        print_message("skipped: a folder in place of %s is not allowed here\n", SYSCONFDIR);
        skip();
    }
    assert_string_equal(found, SYSCONFDIR "/me.conf");
    folder_add(fixture->folder, "real/me.conf", STR(""), 0644);
    assert_string_equal(
        run(place.program, place.program, NULL, empty_environment, file_in_sysconfdir),
        place.beside);
    assert_int_equal(unlink(place.beside), 0);
    assert_string_equal(
        run(place.program, place.program, NULL, empty_environment, empty_sysconfdir), "none");
}

static void a_path_that_does_not_fit_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    const char *found = "x";
    struct buf path;

    folder_add(fixture->folder, "me.conf", STR(""), 0644);
    buf_init(&path, strlen(fixture->conf));
    assert_false(
        settings_find(fixture->conf, empty_environment, NULL, &path, &found, &fixture->err));
    assert_null(found);
    assert_contains(fixture->err.text, "longer than a path may be");
    buf_free(&path);
}

static void what_the_buffer_held_is_no_part_of_the_path(void **state)
{
    struct fixture *fixture = *state;
    const char *found = NULL;
    struct buf path;

    folder_add(fixture->folder, "me.conf", STR(""), 0644);
    buf_init(&path, PATH_MAX);
    buf_append_text(&path, "/rubbish");
    assert_true(
        settings_find(fixture->conf, empty_environment, NULL, &path, &found, &fixture->err));
    assert_string_equal(found, fixture->conf);
    buf_free(&path);
}

/* One that is passed over would leave a worker to its defaults, and its user to wonder. */
static void one_that_may_not_be_read_is_found(void **state)
{
    struct fixture *fixture = *state;
    const char *named = NULL, *beside = NULL;
    struct buf path, other;
    bool good;

    if (geteuid() != 0) {
        print_message("only root becomes somebody else\n");
        skip();
    }
    folder_add(fixture->folder, "me.conf", STR(""), 0644);
    assert_int_equal(chmod(fixture->folder, 0700), 0);
    buf_init(&path, PATH_MAX);
    buf_init(&other, PATH_MAX);
    assert_int_equal(seteuid(65534), 0);
    good = settings_find(fixture->conf, empty_environment, NULL, &path, &named, &fixture->err) &&
           settings_find(NULL, empty_environment, fixture->conf, &other, &beside, &fixture->err) &&
           !settings_load(named, empty_environment, FILE_READERS_ANY, &fixture->settings,
                          &fixture->err);
    assert_int_equal(seteuid(0), 0);
    assert_true(good);
    assert_string_equal(named, fixture->conf);
    assert_string_equal(beside, fixture->conf);
    assert_contains(fixture->err.text, "Permission denied: user 65534 may not read it");
    buf_free(&path);
    buf_free(&other);
}

#define SETTINGS_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        SETTINGS_TEST(each_row_has_a_name_of_its_own_and_says_what_it_is_for),
        SETTINGS_TEST(the_rows_of_a_section_stand_together),
        SETTINGS_TEST(numbers_have_limits_and_a_unit_and_the_name_has_it_too),
        SETTINGS_TEST(secrets_are_texts),
        SETTINGS_TEST(the_defaults_are_valid_and_within_their_limits),
        SETTINGS_TEST(the_defaults_are_those_of_the_documentation),
        SETTINGS_TEST(an_empty_file_leaves_the_defaults),
        SETTINGS_TEST(every_key_can_be_set_in_the_file),
        SETTINGS_TEST(every_key_can_be_overridden_by_the_environment_and_changes_no_other),
        SETTINGS_TEST(an_empty_variable_unsets_what_the_file_has),
        SETTINGS_TEST(the_last_of_two_variables_wins),
        SETTINGS_TEST(the_value_of_a_variable_may_hold_equals_signs_and_quotes),
        SETTINGS_TEST(variables_of_others_are_left_alone),
        SETTINGS_TEST(a_variable_that_means_a_setting_and_names_none_is_refused),
        SETTINGS_TEST(a_bad_number_names_place_and_limits),
        SETTINGS_TEST(a_bad_choice_names_place_and_choices),
        SETTINGS_TEST(what_is_required_may_not_be_empty),
        SETTINGS_TEST(a_value_in_the_file_is_judged_though_the_environment_replaces_it),
        SETTINGS_TEST(a_header_is_a_name_of_letters_digits_and_hyphens),
        SETTINGS_TEST(a_header_has_64_letters_and_no_more),
        SETTINGS_TEST(an_unknown_key_names_place_and_the_keys_there_are),
        SETTINGS_TEST(an_unknown_section_names_place_and_the_sections_there_are),
        SETTINGS_TEST(a_key_that_is_set_twice_is_refused),
        SETTINGS_TEST(bad_syntax_names_its_line),
        SETTINGS_TEST(control_characters_are_refused),
        SETTINGS_TEST(a_long_value_does_not_hide_what_is_allowed),
        SETTINGS_TEST(a_password_and_its_file_exclude_each_other),
        SETTINGS_TEST(adding_users_needs_identities_issuers_and_another_account),
        SETTINGS_TEST(paths_to_watch_are_paths_of_their_own),
        SETTINGS_TEST(metrics_need_a_file_and_a_word_on_who_reads_them),
        SETTINGS_TEST(items_are_separated_by_commas_spaces_and_tabs),
        SETTINGS_TEST(an_item_in_quotes_holds_what_separates),
        SETTINGS_TEST(one_that_may_not_be_read_is_found),
        SETTINGS_TEST(quotes_that_go_wrong_are_refused),
        SETTINGS_TEST(a_list_has_64_items_and_no_more),
        SETTINGS_TEST(a_comment_behind_a_value_is_refused),
        SETTINGS_TEST(a_hash_is_no_comment_in_quotes_or_in_a_word),
        SETTINGS_TEST(a_text_in_quotes_is_taken_without_them),
        SETTINGS_TEST(numbers_and_choices_may_stand_in_quotes),
        SETTINGS_TEST(algorithms_become_flags),
        SETTINGS_TEST(relative_paths_are_relative_to_the_folder_of_the_file),
        SETTINGS_TEST(what_is_no_path_is_not_resolved),
        SETTINGS_TEST(paths_do_not_depend_on_how_the_file_was_named),
        SETTINGS_TEST(paths_of_the_environment_are_taken_as_they_are),
        SETTINGS_TEST(a_path_that_is_too_long_is_refused),
        SETTINGS_TEST(a_file_that_cannot_be_read_is_named),
        SETTINGS_TEST(a_file_with_a_password_is_a_secret),
        SETTINGS_TEST(a_file_without_a_password_is_none),
        SETTINGS_TEST(a_large_file_may_have_a_password),
        SETTINGS_TEST(a_password_of_the_environment_makes_no_secret_of_the_file),
        SETTINGS_TEST(a_password_is_wiped_from_memory),
        SETTINGS_TEST(nothing_is_left_of_freed_settings),
        SETTINGS_TEST(out_of_memory_is_told),
        SETTINGS_TEST(what_is_printed_gives_the_same_settings),
        SETTINGS_TEST(what_is_printed_keeps_blanks_and_quotes),
        SETTINGS_TEST(what_is_printed_keeps_the_items_of_lists),
        SETTINGS_TEST(secrets_are_masked),
        SETTINGS_TEST(every_setting_is_printed_and_where_they_are_from),
        SETTINGS_TEST(an_output_that_takes_nothing_is_told),
        SETTINGS_TEST(finds_the_file_beside_the_program_and_beside_a_link_first),
        SETTINGS_TEST(the_environment_goes_before_what_lies_beside),
        SETTINGS_TEST(what_was_named_goes_before_all),
        SETTINGS_TEST(a_named_file_that_is_missing_is_an_error),
        SETTINGS_TEST(the_last_place_is_sysconfdir),
        SETTINGS_TEST(a_path_that_does_not_fit_is_an_error),
        SETTINGS_TEST(what_the_buffer_held_is_no_part_of_the_path),
    };

    if (argc > 1 && strcmp(argv[1], "find") == 0)
        return print_found(argv[0], argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
