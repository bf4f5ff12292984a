#include <json-c/json.h>
#include <stdio.h>

#include "mectl/doctor/inside.h"

/* ---- config check: the part of mectl doctor that is quick */

static const char *origin_of(const struct settings *settings)
{
    return settings->file == NULL ? "defaults and environment (there is no me.conf)"
                                  : settings->file;
}

static enum command_exit finish(struct report *report)
{
    if (report->invocation->json && invocation_print_json(report->list) != COMMAND_OK)
        return COMMAND_FAILED;
    return report->wrong > 0 || report->out_of_memory ? COMMAND_FAILED : COMMAND_OK;
}

static enum command_exit run_check(struct invocation *invocation)
{
    struct report report = {.invocation = invocation, .style = &report_as_check};

    if (!invocation_database(invocation))
        return COMMAND_FAILED;
    if (invocation->json)
        report.list = json_object_new_array();
    report_good(&report, "settings", "%s", origin_of(&invocation->settings));
    doctor_keys(&report);
    doctor_rules(&report);
    doctor_registries(&report);
    doctor_passwords(&report);
    if (!invocation_flag(invocation, "offline")) {
        doctor_database_quickly(&report);
        doctor_audit(&report);
    }
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
