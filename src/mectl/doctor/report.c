#include "mectl/doctor/report.h"

#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/shell.h"

enum { DETAIL_MAX_BYTES = 4096, REMEDY_MAX_BYTES = 16 * 1024 };

static const char *severity_of(enum finding finding)
{
    return finding_row(finding)->weight == WEIGHT_WARNS ? "warning" : "wrong";
}

/* ---- the lines that mend it */

static void fill_text(struct buf *out, const struct report *report, const char *on)
{
    (void)report;
    buf_append_text(out, on == NULL ? "..." : on);
}

static void fill_path(struct buf *out, const struct report *report, const char *on)
{
    if (on == NULL)
        fill_text(out, report, on);
    else
        shell_append_word(out, on);
}

/* With the settings that were examined, and not those that it would find by itself. */
static void fill_mectl(struct buf *out, const struct report *report, const char *on)
{
    (void)on;
    if (report->invocation->config != NULL) {
        buf_append_text(out, "ME_CONF=");
        shell_append_word(out, report->invocation->config);
        buf_append_byte(out, ' ');
    }
    buf_append_text(out, "mectl ");
}

static const struct mark {
    struct str text;
    void (*fill)(struct buf *out, const struct report *report, const char *on);
} marks[] = {{STR("@THIS@"), fill_text}, {STR("@PATH@"), fill_path}, {STR("mectl "), fill_mectl}};

/* The one that the text begins with; NULL: none. */
static const struct mark *mark_at(struct str text)
{
    for (size_t i = 0; i < ARRAY_LENGTH(marks); i++)
        if (str_starts_with(text, marks[i].text))
            return &marks[i];
    return NULL;
}

static void append_filled(struct buf *out, const struct report *report, const char *lines,
                          const char *on)
{
    struct str rest = str_from(lines);

    while (rest.len > 0) {
        const struct mark *mark = mark_at(rest);
        size_t used = mark == NULL ? 1 : mark->text.len;

        if (mark == NULL)
            buf_append_byte(out, rest.data[0]);
        else
            mark->fill(out, report, on);
        rest = (struct str){rest.data + used, rest.len - used};
    }
    buf_append_byte(out, '\n');
}

/* Where the server is not known, the lines of each, under its name. */
static void append_each(struct buf *out, const struct report *report, enum finding finding,
                        const char *on)
{
    for (enum finding_server i = FINDING_APACHE; i < FINDING_SERVER__MAX; i++) {
        const char *lines = finding_remedy(finding, i);

        if (lines == NULL)
            continue;
        buf_append_format(out, "# %s\n", finding_server_name(i));
        append_filled(out, report, lines, on);
    }
}

static void append_remedy(struct buf *out, const struct report *report, enum finding finding,
                          const char *on)
{
    const char *general = finding_remedy(finding, FINDING_ANY_SERVER);
    const char *own = finding_remedy(finding, report->server);

    if (own != NULL && own != general) {
        append_filled(out, report, own, on);
        return;
    }
    if (general != NULL)
        append_filled(out, report, general, on);
    if (report->server == FINDING_ANY_SERVER)
        append_each(out, report, finding, on);
}

/* ---- as mectl doctor */

static void show_line(const char *indent, struct str line)
{
    (void)fputs(indent, stdout);
    invocation_show(line, stdout);
    (void)putchar('\n');
}

/* `detail` NULL: there is none. */
static void print_finding(enum finding finding, const char *detail, struct str remedy)
{
    const struct finding_row *row = finding_row(finding);

    (void)printf("%-7s  %s: %s%s", severity_of(finding), row->code, row->what,
                 detail == NULL ? "" : ": ");
    show_line("", str_from(detail));
    show_line("         ", str_from(row->why));
    while (str_is_set(remedy)) {
        struct str line = str_cut(&remedy, '\n');

        if (line.len > 0)
            show_line("             ", line);
    }
}

static void add_text(struct json_object *object, const char *name, struct str text)
{
    (void)json_object_object_add(object, name,
                                 json_object_new_string_len(text.data, (int)text.len));
}

static enum command_exit print_json_finding(enum finding finding, const char *detail,
                                            struct str remedy)
{
    const struct finding_row *row = finding_row(finding);
    struct json_object *object = json_object_new_object();

    if (object != NULL) {
        add_text(object, "finding", str_from(severity_of(finding)));
        add_text(object, "code", str_from(row->code));
        add_text(object, "what", str_from(row->what));
        if (detail != NULL)
            add_text(object, "detail", str_from(detail));
        add_text(object, "why", str_from(row->why));
        add_text(object, "remedy", remedy);
    }
    return invocation_print_json(object);
}

static enum command_exit print(const struct report *report, enum finding finding, const char *on,
                               const char *detail)
{
    enum command_exit result = COMMAND_OK;
    struct buf remedy;

    buf_init(&remedy, REMEDY_MAX_BYTES);
    append_remedy(&remedy, report, finding, on);
    if (report->invocation->json)
        result = print_json_finding(finding, detail, buf_str(&remedy));
    else
        print_finding(finding, detail, buf_str(&remedy));
    buf_free(&remedy);
    return result;
}

static void tell_finding(struct report *report, enum finding finding, const char *on,
                         const char *detail)
{
    report->out_of_memory |= print(report, finding, on, detail) != COMMAND_OK;
}

enum command_exit report_row(const struct report *report, enum finding finding)
{
    return print(report, finding, NULL, NULL);
}

static struct json_object *new_row(const char *finding, const char *what, const char *detail)
{
    struct json_object *object = json_object_new_object();

    if (object != NULL) {
        add_text(object, "finding", str_from(finding));
        add_text(object, "what", str_from(what));
        add_text(object, "detail", str_from(detail));
    }
    return object;
}

static void print_row(const char *finding, const char *what, const char *detail)
{
    (void)printf("%-7s  %s: ", finding, what);
    show_line("", str_from(detail));
}

static void tell_fact(struct report *report, const char *kind, const char *topic,
                      const char *detail)
{
    if (report->invocation->json)
        report->out_of_memory |= invocation_print_json(new_row(kind, topic, detail)) != COMMAND_OK;
    else
        print_row(kind, topic, detail);
}

const struct report_style report_as_doctor = {tell_fact, tell_finding};

/* ---- as mectl config check: one line each, with JSON one array */

static void list_fact(struct report *report, const char *finding, const char *what,
                      const char *detail)
{
    struct json_object *object;

    if (!report->invocation->json) {
        print_row(finding, what, detail);
        return;
    }
    object = new_row(finding, what, detail);
    report->out_of_memory |= object == NULL || json_object_array_add(report->list, object) != 0;
}

static void list_finding(struct report *report, enum finding finding, const char *on,
                         const char *detail)
{
    const struct finding_row *row = finding_row(finding);
    struct err sentence;

    (void)on;
    err_set(&sentence, "%s: %s", row->what, detail);
    list_fact(report, severity_of(finding), row->topic, sentence.text);
}

const struct report_style report_as_check = {list_fact, list_finding};

/* ---- what is told */

static bool is_left_out(const struct report *report, enum finding finding)
{
    struct str rest = str_from(report->except);

    while (str_is_set(rest))
        if (str_equal(str_trim(str_cut(&rest, ',')), str_from(finding_row(finding)->code)))
            return true;
    return false;
}

static void tell(struct report *report, const char *kind, const char *topic, const char *format,
                 va_list args) PRINTF_LIKE(4, 0);
static void tell(struct report *report, const char *kind, const char *topic, const char *format,
                 va_list args)
{
    char detail[DETAIL_MAX_BYTES];

    (void)vsnprintf(detail, sizeof(detail), format, args);
    report_progress_end(report);
    report->style->fact(report, kind, topic, detail);
}

void report_good(struct report *report, const char *topic, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tell(report, "good", topic, format, args);
    va_end(args);
}

void report_note(struct report *report, const char *topic, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    tell(report, "note", topic, format, args);
    va_end(args);
}

void report_finding(struct report *report, enum finding finding, const char *on, const char *format,
                    ...)
{
    char detail[DETAIL_MAX_BYTES];
    va_list args;

    if (is_left_out(report, finding))
        return;
    va_start(args, format);
    (void)vsnprintf(detail, sizeof(detail), format, args);
    va_end(args);
    report_progress_end(report);
    report->findings++;
    report->wrong += finding_row(finding)->weight != WEIGHT_WARNS;
    report->stops += finding_row(finding)->weight == WEIGHT_STOPS;
    report->style->finding(report, finding, on, detail);
}

/* ---- progress */

void report_progress(struct report *report, const char *what)
{
    report->step++;
    if (isatty(STDERR_FILENO))
        (void)fprintf(stderr, "\r\033[K%zu of %zu: %s", report->step, report->steps, what);
}

void report_progress_end(struct report *report)
{
    if (report->step > 0 && isatty(STDERR_FILENO))
        (void)fputs("\r\033[K", stderr);
}
