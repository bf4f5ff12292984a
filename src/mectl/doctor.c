#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "mectl/doctor/inside.h"
#include "mectl/doctor/outside.h"
#include "mectl/doctor/token.h"
#include "mectl/http.h"
#include "profile/url.h"

enum { WORKERS_MAX = 100000 };

/* What the options ask for, checked. */
struct order {
    const char *url;
    bool inside, outside;
    int64_t workers; /* 0: as many as run */
    enum finding_server server;
};

/* ---- options */

static bool check_url(const char *url)
{
    if (url == NULL || validate_url(str_from(url)) == VIOLATION_NONE)
        return true;
    (void)invocation_refuse("--url", url, "is no URL, as https://api.example.com/me is");
    return false;
}

static bool check_server(const char *name, enum finding_server *out)
{
    if (name == NULL || finding_server_from_name(str_from(name), out))
        return true;
    (void)invocation_refuse("--server", name, "is none of apache, lighttpd, nginx, caddy");
    return false;
}

static bool check_only(const char *word, const char *url, struct order *order)
{
    order->inside = word == NULL || strcmp(word, "inside") == 0;
    order->outside = url != NULL && (word == NULL || strcmp(word, "outside") == 0);
    if (word == NULL || order->inside || order->outside)
        return true;
    if (strcmp(word, "outside") == 0)
        (void)invocation_fail("--only outside takes a --url");
    else
        (void)invocation_refuse("--only", word, "is neither inside nor outside");
    return false;
}

static bool check_except(const char *codes)
{
    struct str rest = str_from(codes);
    enum finding finding;
    struct err word;

    while (str_is_set(rest)) {
        struct str code = str_trim(str_cut(&rest, ','));

        if (finding_from_code(code, &finding))
            continue;
        err_set(&word, "%.*s", STR_ARGS(code));
        (void)invocation_refuse("--except", word.text, "is no code of a finding: see mectl(8)");
        return false;
    }
    return true;
}

static bool check_account(const char *name)
{
    if (name == NULL || getpwnam(name) != NULL)
        return true;
    (void)invocation_refuse("--as", name, "is no account of this system");
    return false;
}

static bool read_order(const struct invocation *invocation, struct order *out)
{
    const char *workers = invocation_option(invocation, "workers");
    const char *user = invocation_option(invocation, "user");
    struct uuid uuid;

    *out = (struct order){.url = invocation_option(invocation, "url")};
    return check_url(out->url) &&
           check_server(invocation_option(invocation, "server"), &out->server) &&
           check_only(invocation_option(invocation, "only"), out->url, out) &&
           check_except(invocation_option(invocation, "except")) &&
           check_account(invocation_option(invocation, "as")) &&
           (workers == NULL ||
            invocation_number(workers, "--workers", 1, WORKERS_MAX, &out->workers)) &&
           (user == NULL || invocation_uuid(user, "--user", &uuid));
}

/* ---- the examination */

static void tell_settings(struct report *report)
{
    const char *file = report->invocation->settings.file;

    report_good(report, "settings", "%s",
                file != NULL ? file : "defaults and environment (there is no me.conf)");
}

static const struct {
    const char *what; /* for the progress */
    void (*run)(struct report *report);
} inside_steps[] = {
    {"files", doctor_files},         {"keys", doctor_keys},
    {"rules", doctor_rules},         {"registries", doctor_registries},
    {"passwords", doctor_passwords}, {"cache", doctor_cache},
    {"workers", doctor_workers},     {"the database", doctor_database},
};

static void examine_inside(struct report *report)
{
    report->steps = ARRAY_LENGTH(inside_steps);
    report->step = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(inside_steps); i++) {
        report_progress(report, inside_steps[i].what);
        inside_steps[i].run(report);
    }
    report_progress_end(report);
}

static const char *text_or_null(const struct buf *buf)
{
    return buf->len == 0 ? NULL : buf->data;
}

static void examine_outside(struct report *report, const struct order *order,
                            struct invocation *invocation)
{
    struct doctor_tokens tokens;
    struct err err = {""};
    bool has_token = doctor_tokens_get(invocation, &tokens, &err);
    const struct outside outside = {
        .url = order->url,
        .ca = invocation_option(invocation, "ca"),
        .token = has_token ? text_or_null(&tokens.first) : NULL,
        .other_token = has_token ? text_or_null(&tokens.other) : NULL,
        .no_token = err.text,
        .server_is_told = order->server != FINDING_ANY_SERVER,
    };

    doctor_outside(report, &outside);
    doctor_tokens_free(&tokens);
}

static void examine(struct report *report, const struct order *order, struct invocation *invocation)
{
    struct err err = {""};

    if (!invocation_try_settings(invocation, &err)) {
        report_finding(report, FINDING_SETTINGS_WRONG, NULL, "%s", err.text);
        return;
    }
    tell_settings(report);
    if (order->inside)
        examine_inside(report);
    if (order->outside)
        examine_outside(report, order, invocation);
}

/* ---- the whole */

static enum command_exit list_findings(const struct report *report)
{
    enum command_exit result = COMMAND_OK;

    for (enum finding i = (enum finding)0; i < FINDING__MAX && result == COMMAND_OK; i++)
        result = report_row(report, i);
    return result;
}

/* Programs count for themselves. */
static void tell_sum(const struct report *report)
{
    size_t warnings = report->findings - report->wrong;

    if (report->invocation->json)
        return;
    if (report->findings == 0)
        (void)puts("found    nothing to mend");
    else
        (void)printf("found    %zu wrong, %zu warning%s\n", report->wrong, warnings,
                     warnings == 1 ? "" : "s");
}

static enum command_exit run_doctor(struct invocation *invocation)
{
    struct order order;
    struct report report = {.invocation = invocation, .style = &report_as_doctor};

    if (!read_order(invocation, &order))
        return COMMAND_USAGE;
    if (order.outside && !http_is_built_in())
        return invocation_fail("--url takes libcurl, and this mectl was built without it: on "
                               "Debian and Ubuntu, apt-get install libcurl4-openssl-dev, then "
                               "./configure and make again");
    report.server = order.server;
    if (invocation_flag(invocation, "list"))
        return list_findings(&report);
    report.workers = order.workers;
    report.account = invocation_option(invocation, "as");
    report.except = invocation_option(invocation, "except");
    examine(&report, &order, invocation);
    tell_sum(&report);
    return report.findings > 0 || report.out_of_memory ? COMMAND_FAILED : COMMAND_OK;
}

const struct command doctor_commands[] = {
    {
        .name = "doctor",
        .has_json = true,
        .summary = "Examines settings, host, database and web server, and says what to mend.",
        .options =
            {{"url", "URL", "Ask the web server, too: the resource as clients call it.", false},
             {"token", "TOKEN",
              "The token to ask with; - reads standard input; otherwise one is minted.", false},
             {"key", "FILE",
              "What it is minted by, as with token mint; otherwise the first "
              "token.secret_file.",
              false},
             {"user", "ID", "The user whom it names; otherwise the first active one.", false},
             {"subject", "TEXT", "Another subject instead.", false},
             {"ca", "FILE", "PEM certificates that are trusted instead of the system's.", false},
             {"server", "apache|lighttpd|nginx|caddy",
              "Whose lines are shown; otherwise as it says itself.", false},
             {"workers", "N", "How many workers run at most; otherwise as many as do now.", false},
             {"as", "ACCOUNT",
              "The system's account of the workers; otherwise that of those that run.", false},
             {"except", "CODE,...", "Findings that are left out.", false},
             {"only", "inside|outside", "One half of the examination.", false},
             {"list", NULL, "List all that can be found, and examine nothing.", false}},
        .run = run_doctor,
    },
    {.name = NULL},
};
