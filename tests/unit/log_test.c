#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "unit.h"

enum { LINE_MAX_BYTES = 4096, VALUE_MAX_BYTES = 1024 };

/* A log that writes into a pipe, and what was read of it last. */
struct fixture {
    struct log log;
    int reader;
    char text[2 * LINE_MAX_BYTES + 1];
    size_t len;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    int ends[2];

    if (pipe2(ends, O_NONBLOCK) != 0)
        return -1;
    fixture =
        (struct fixture){.log = {.descriptor = ends[1], .level = LOG_DEBUG}, .reader = ends[0]};
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    (void)close(fixture->log.descriptor);
    (void)close(fixture->reader);
    return 0;
}

/* What was written since the last call, as a C string; "" where nothing was. */
static const char *written(struct fixture *fixture)
{
    ssize_t got = read(fixture->reader, fixture->text, sizeof(fixture->text) - 1);

    assert_true(got > 0 || errno == EAGAIN);
    fixture->len = got > 0 ? (size_t)got : 0;
    fixture->text[fixture->len] = '\0';
    return fixture->text;
}

/* The fields behind the event, without the line feed. */
static const char *fields_of(struct fixture *fixture)
{
    const char *text = written(fixture);
    const char *event = strstr(text, " event=x");

    assert_non_null(event);
    assert_int_equal(fixture->text[fixture->len - 1], '\n');
    fixture->text[fixture->len - 1] = '\0';
    return event + strlen(" event=x");
}

static void a_line_has_time_level_process_and_event(void **state)
{
    struct fixture *fixture = *state;
    char expected[128], time[CLOCK_TEXT_LEN + 1];
    int64_t before = clock_now_ms();

    LOG_EVENT(&fixture->log, LOG_WARNING, "two words", {"key", STR("value")});
    (void)written(fixture);
    assert_memory_equal(fixture->text, "time=", 5);
    memcpy(time, fixture->text + 5, CLOCK_TEXT_LEN);
    time[CLOCK_TEXT_LEN] = '\0';
    (void)snprintf(expected, sizeof(expected),
                   "time=%s level=warning pid=%d event=\"two words\" key=value\n", time,
                   (int)getpid());
    assert_string_equal(fixture->text, expected);
    clock_format(before, expected);
    assert_true(strcmp(time, expected) >= 0);
    clock_format(clock_now_ms(), expected);
    assert_true(strcmp(time, expected) <= 0);
}

static void writes_the_fields_in_their_order(void **state)
{
    struct fixture *fixture = *state;

    LOG_EVENT(&fixture->log, LOG_INFO, "x", {"b", STR("1")}, {"a", STR("2")}, {"b", STR("3")});
    assert_string_equal(fields_of(fixture), " b=1 a=2 b=3");
}

static void an_event_needs_no_fields(void **state)
{
    struct fixture *fixture = *state;

    log_event(&fixture->log, LOG_INFO, "x", NULL, 0);
    assert_string_equal(fields_of(fixture), "");
}

static void a_field_without_a_value_is_left_out_and_an_empty_one_is_not(void **state)
{
    struct fixture *fixture = *state;

    LOG_EVENT(&fixture->log, LOG_INFO, "x", {"none", STR_NONE}, {"empty", STR("")},
              {"last", STR("1")});
    assert_string_equal(fields_of(fixture), " empty=\"\" last=1");
}

static void what_is_less_urgent_is_left_out(void **state)
{
    static const char *const names[LOG__MAX] = {"error", "warning", "info", "debug"};
    struct fixture *fixture = *state;

    for (int limit = 0; limit < LOG__MAX; limit++) {
        fixture->log.level = (enum log_level)limit;
        for (int level = 0; level < LOG__MAX; level++) {
            log_event(&fixture->log, (enum log_level)level, "x", NULL, 0);
            assert_int_equal(strlen(written(fixture)) > 0, level <= limit);
            assert_string_equal(log_level_name((enum log_level)level), names[level]);
            if (level <= limit)
                assert_contains(fixture->text, names[level]);
        }
    }
}

static void quotes_and_escapes_what_is_not_plain(void **state)
{
    static const struct {
        struct str value;
        const char *expected;
    } rows[] = {
        {STR("plain"), "plain"},
        {STR("/a-b_c.d?e&f;'(1)[2]{3}~"), "/a-b_c.d?e&f;'(1)[2]{3}~"},
        {STR("two words"), "\"two words\""},
        {STR("a=b"), "\"a=b\""},
        {STR("say \"hi\""), "\"say \\\"hi\\\"\""},
        {STR("back\\slash"), "\"back\\\\slash\""},
        {STR("\\"), "\"\\\\\""},
        {STR("a\nb"), "\"a\\x0ab\""},
        {STR("a\r\nlevel=error event=forged"), "\"a\\x0d\\x0alevel=error event=forged\""},
        {STR("\" level=error event=\"forged"), "\"\\\" level=error event=\\\"forged\""},
        {STR("\t"), "\"\\x09\""},
        {STR("a\0b"), "\"a\\x00b\""},
        {STR("\x1B[2Jx"), "\"\\x1b[2Jx\""},
        {STR("\x7F"), "\"\\x7f\""},
        {STR("\xC3\xA9\xF0\x9F\x98\x80"), "\"\xC3\xA9\xF0\x9F\x98\x80\""},
        {STR("\xC2\xA0"), "\"\xC2\xA0\""},
        /* C1: what Unicode calls next line, and what steers a terminal */
        {STR("\xC2\x85"), "\"\\xc2\\x85\""},
        {STR("\xC2\x9B"), "\"\\xc2\\x9b\""},
        {STR("\xC2\x80\xC2\x9F"), "\"\\xc2\\x80\\xc2\\x9f\""},
        /* line and paragraph separator */
        {STR("a\xE2\x80\xA8\xE2\x80\xA9"), "\"a\\xe2\\x80\\xa8\\xe2\\x80\\xa9\""},
        /* no UTF-8 */
        {STR("\x9B"), "\"\\x9b\""},
        {STR("\xC3("), "\"\\xc3(\""},
        {STR("\xED\xA0\x80"), "\"\\xed\\xa0\\x80\""},
        {STR("\xC0\x8A"), "\"\\xc0\\x8a\""},
        {STR("\xE2\x82"), "\"\\xe2\\x82\""},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        LOG_EVENT(&fixture->log, LOG_INFO, "x", {"k", rows[i].value});
        assert_memory_equal(fields_of(fixture), " k=", 3);
        assert_string_equal(strstr(fixture->text, " k=") + 3, rows[i].expected);
    }
}

/* Whatever byte stands in a value: one line, in UTF-8, without a control character. */
static void no_byte_ends_the_line(void **state)
{
    struct fixture *fixture = *state;

    for (int byte = 0; byte < 256; byte++) {
        const char value[] = {'a', (char)byte, 'b'};

        LOG_EVENT(&fixture->log, LOG_INFO, "x", {"k", {value, sizeof(value)}}, {"last", STR("1")});
        (void)written(fixture);
        assert_true(utf8_is_valid((struct str){fixture->text, fixture->len}));
        for (size_t i = 0; i + 1 < fixture->len; i++)
            assert_true(fixture->text[i] >= ' ' && fixture->text[i] < 0x7F);
        assert_true(str_ends_with((struct str){fixture->text, fixture->len}, STR(" last=1\n")));
    }
}

static void fill(char *value, size_t len, const char *pattern)
{
    for (size_t i = 0; i < len; i++)
        value[i] = pattern[i % strlen(pattern)];
}

/* A value that does not fit leaves room for what comes behind it: nobody can hide the status. */
static void a_long_value_is_cut_and_hides_nothing(void **state)
{
    struct fixture *fixture = *state;
    char value[9000];
    struct str text = {value, sizeof(value)};
    char expected[VALUE_MAX_BYTES + 1];

    fill(value, sizeof(value), "x");
    fill(expected, VALUE_MAX_BYTES, "x");
    expected[VALUE_MAX_BYTES] = '\0';
    LOG_EVENT(&fixture->log, LOG_INFO, "x", {"method", text}, {"path", text},
              {"status", STR("404")});
    (void)fields_of(fixture);
    assert_string_equal(strstr(fixture->text, " status="), " status=404");
    assert_non_null(strstr(fixture->text, " method=x"));
    assert_memory_equal(strstr(fixture->text, " method=") + 8, expected, VALUE_MAX_BYTES);
    assert_memory_equal(strstr(fixture->text, " method=") + 8 + VALUE_MAX_BYTES, " path=x", 7);
}

static void a_value_that_just_fits_is_whole(void **state)
{
    struct fixture *fixture = *state;
    char value[VALUE_MAX_BYTES + 1];
    const char *found;

    fill(value, sizeof(value), "y");
    for (size_t len = VALUE_MAX_BYTES - 1; len <= VALUE_MAX_BYTES + 1; len++) {
        LOG_EVENT(&fixture->log, LOG_INFO, "x", {"k", {value, len}});
        found = strstr(fields_of(fixture), "=") + 1;
        assert_int_equal(strlen(found), len < VALUE_MAX_BYTES ? len : VALUE_MAX_BYTES);
    }
}

/* Number of bytes in the line of `fields` fields, each with a value of `len` bytes. */
static size_t line_length(struct fixture *fixture, const char *pattern, size_t fields, size_t len)
{
    static char value[9000];
    struct log_field field[12];

    fill(value, len, pattern);
    for (size_t i = 0; i < fields; i++)
        field[i] = (struct log_field){"key", {value, len}};
    log_event(&fixture->log, LOG_INFO, "x", field, fields);
    (void)written(fixture);
    return fixture->len;
}

static bool is_logfmt(struct str line)
{
    if (!str_ends_with(line, STR("\n")) || !utf8_is_valid(line))
        return false;
    for (line.len--; line.len > 0;) {
        struct str key = str_cut(&line, '=');

        if (key.len == 0 || !str_is_set(line) || line.len == 0 || str_has_byte(key, '"'))
            return false;
        if (line.data[0] != '"') {
            if (str_cut(&line, ' ').len == 0)
                return false;
            continue;
        }
        do
            line = (struct str){line.data + (line.data[0] == '\\' ? 2 : 1),
                                line.len - (line.data[0] == '\\' ? 2 : 1)};
        while (line.len > 0 && line.data[0] != '"');
        if (line.len == 0)
            return false;
        line = (struct str){line.data + 1, line.len - 1};
        if (line.len > 0 && line.data[0] != ' ')
            return false;
        line = str_trim(line);
    }
    return true;
}

/* Plain values, escapes and characters of four bytes, of every length around what fits. */
static void a_line_is_cut_at_4096_bytes_and_is_well_formed_still(void **state)
{
    static const char *const patterns[] = {"p", "two words ", "\n", "\"", "\\", "\xF0\x9F\x98\x80"};
    struct fixture *fixture = *state;
    size_t longest = 0;

    for (size_t i = 0; i < ARRAY_LENGTH(patterns); i++) {
        for (size_t fields = 1; fields <= 12; fields++) {
            for (size_t len = 0; len < 1100; len += fields < 4 ? 97 : 7) {
                size_t length = line_length(fixture, patterns[i], fields, len);

                assert_true(length <= LINE_MAX_BYTES);
                longest = length > longest ? length : longest;
                if (!is_logfmt((struct str){fixture->text, fixture->len}))
                    fail_msg("not logfmt: %s", fixture->text);
            }
        }
    }
    assert_int_equal(longest, LINE_MAX_BYTES);
}

static void a_log_that_cannot_be_written_to_is_no_failure(void **state)
{
    struct fixture *fixture = *state;
    struct log closed = {.descriptor = -1, .level = LOG_INFO};
    char value[VALUE_MAX_BYTES];

    log_event(&closed, LOG_ERROR, "x", NULL, 0);
    /* full: nobody reads, and a write would wait */
    assert_int_equal(fcntl(fixture->log.descriptor, F_SETFL, 0), 0);
    fill(value, sizeof(value), "z");
    for (int i = 0; i < 80; i++)
        LOG_EVENT(&fixture->log, LOG_INFO, "x", {"k", {value, sizeof(value)}});
    /* gone; the programs ignore SIGPIPE as well */
    assert_true(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    (void)close(fixture->reader);
    log_event(&fixture->log, LOG_ERROR, "x", NULL, 0);
    assert_true(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
}

/* ---- lines that cannot be written as a whole */

/* A file to append to, and how long it may get. */
struct file {
    struct log_memory memory;
    struct log log;
    struct rlimit before;
    char text[32 * 1024 + 1];
};

static int set_up_file(void **state)
{
    struct file *file = calloc(1, sizeof(*file));
    char path[] = "/tmp/log_test.XXXXXX";

    assert_non_null(file);
    file->log = (struct log){mkostemp(path, O_APPEND), LOG_DEBUG, &file->memory, true};
    assert_true(file->log.descriptor >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &file->before), 0);
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    *state = file;
    return 0;
}

static int tear_down_file(void **state)
{
    struct file *file = *state;

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &file->before), 0);
    assert_true(signal(SIGXFSZ, SIG_DFL) != SIG_ERR);
    (void)close(file->log.descriptor);
    free(file);
    return 0;
}

static void limit_file(struct file *file, rlim_t bytes)
{
    struct rlimit limit = {bytes, file->before.rlim_max};

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static const char *content_of(struct file *file)
{
    ssize_t got = pread(file->log.descriptor, file->text, sizeof(file->text) - 1, 0);

    assert_true(got >= 0);
    file->text[got] = '\0';
    return file->text;
}

static size_t count_lines(const char *text)
{
    size_t count = 0;

    for (; *text != '\0'; text++)
        count += *text == '\n';
    return count;
}

/* Lines until the file is at its limit, which none of them ends at; how many are lost. */
static size_t write_to_the_limit(struct file *file, size_t lines, rlim_t bytes)
{
    limit_file(file, bytes);
    for (size_t i = 0; i < lines; i++)
        LOG_EVENT(&file->log, LOG_INFO, "x", {"k", STR("0123456789")});
    limit_file(file, file->before.rlim_cur);
    return lines - count_lines(content_of(file));
}

static void a_line_that_was_cut_short_is_taken_back(void **state)
{
    struct file *file = *state;
    size_t lost = write_to_the_limit(file, 20, 1000), len = strlen(file->text);
    char expected[64];

    assert_true(lost > 0 && lost < 20 && len < 1000);
    assert_int_equal(file->text[len - 1], '\n');
    LOG_EVENT(&file->log, LOG_INFO, "x", {"k", STR("1")});
    LOG_EVENT(&file->log, LOG_INFO, "x", {"k", STR("2")});
    (void)snprintf(expected, sizeof(expected), " event=x lost=%zu k=1\n", lost);
    assert_contains(content_of(file) + len, expected);
    assert_contains(file->text, " event=x k=2\n");
    for (struct str rest = str_from(file->text); rest.len > 0;) {
        struct str line = str_cut(&rest, '\n');

        assert_true(is_logfmt((struct str){line.data, line.len + 1}));
    }
}

/* As where a web server made the file, for itself and others. */
static void after_one_that_stays_cut_the_next_begins_anew(void **state)
{
    struct file *file = *state;
    size_t lost, len;
    char expected[64];

    file->log.is_own_file = false;
    lost = write_to_the_limit(file, 20, 1000);
    len = strlen(file->text);
    assert_int_equal(len, 1000);
    assert_int_not_equal(file->text[len - 1], '\n');
    LOG_EVENT(&file->log, LOG_INFO, "x", {"k", STR("1")});
    (void)snprintf(expected, sizeof(expected), " event=x lost=%zu k=1\n", lost);
    assert_memory_equal(content_of(file) + len, "\ntime=", 6);
    assert_contains(file->text + len, expected);
    assert_int_equal(count_lines(file->text + len), 2);
}

/* What stands behind it is another process's: the place of a line that is cut is not the file's end. */
static void nothing_of_others_is_taken_back(void **state)
{
    struct file *file = *state;
    char others[500];

    memset(others, '#', sizeof(others));
    assert_int_equal(write(file->log.descriptor, others, sizeof(others)), sizeof(others));
    assert_int_equal(fcntl(file->log.descriptor, F_SETFL, 0), 0); /* no more at the end */
    assert_int_equal(lseek(file->log.descriptor, 0, SEEK_SET), 0);
    limit_file(file, 40);
    LOG_EVENT(&file->log, LOG_INFO, "x", {"k", STR("1")});
    assert_int_equal(strlen(content_of(file)), sizeof(others));
    assert_true(file->memory.is_torn && file->memory.lost == 1);
}

static void without_a_memory_a_line_is_taken_back_all_the_same(void **state)
{
    struct file *file = *state;
    size_t len;

    file->log.memory = NULL;
    assert_true(write_to_the_limit(file, 20, 1000) > 0);
    len = strlen(file->text);
    assert_int_equal(file->text[len - 1], '\n');
    LOG_EVENT(&file->log, LOG_INFO, "x", {"k", STR("1")});
    assert_contains(content_of(file) + len, " event=x k=1\n");
}

/* All that is in the pipe, with a NUL behind it; how much that is. */
static size_t drain(const struct fixture *fixture, char *text, size_t size)
{
    size_t len = 0;
    ssize_t got;

    while ((got = read(fixture->reader, text + len, size - 1 - len)) > 0)
        len += (size_t)got;
    text[len] = '\0';
    return len;
}

/* The system writes as much as a line to a pipe as a whole, or nothing of it. */
static void a_pipe_that_is_nearly_full_gets_whole_lines(void **state)
{
    enum { LINES = 60, PATIENCE_MS = 20, SLACK_MS = 5000, ROOM = LINE_MAX_BYTES + 100 };
    static char text[1024 * 1024];
    struct fixture *fixture = *state;
    struct log_memory memory = {0};
    char block[512], expected[64];
    size_t len;
    int64_t begun_us = clock_monotonic_us();

    memset(block, '#', sizeof(block));
    while (write(fixture->log.descriptor, block, sizeof(block)) > 0)
        ;
    assert_int_equal(read(fixture->reader, text, ROOM), ROOM);
    fixture->log.memory = &memory;
    for (int i = 0; i < LINES; i++)
        LOG_EVENT(&fixture->log, LOG_INFO, "x", {"k", STR("0123456789")});
    assert_true(clock_monotonic_us() - begun_us < (LINES * PATIENCE_MS + SLACK_MS) * 1000);
    assert_true(memory.lost > 0 && memory.lost < LINES);
    len = drain(fixture, text, sizeof(text));
    assert_int_equal(text[len - 1], '\n');
    assert_int_equal(count_lines(text) + (size_t)memory.lost, LINES);
    (void)snprintf(expected, sizeof(expected), " event=x lost=%lld k=1\n", (long long)memory.lost);
    LOG_EVENT(&fixture->log, LOG_INFO, "x", {"k", STR("1")});
    assert_contains(written(fixture), expected);
    assert_int_equal(memory.lost, 0);
}

#define FILE_TEST(function) cmocka_unit_test_setup_teardown(function, set_up_file, tear_down_file)
#define LOG_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(a_line_has_time_level_process_and_event),
        LOG_TEST(writes_the_fields_in_their_order),
        LOG_TEST(an_event_needs_no_fields),
        LOG_TEST(a_field_without_a_value_is_left_out_and_an_empty_one_is_not),
        LOG_TEST(what_is_less_urgent_is_left_out),
        LOG_TEST(quotes_and_escapes_what_is_not_plain),
        LOG_TEST(no_byte_ends_the_line),
        LOG_TEST(a_long_value_is_cut_and_hides_nothing),
        LOG_TEST(a_value_that_just_fits_is_whole),
        LOG_TEST(a_line_is_cut_at_4096_bytes_and_is_well_formed_still),
        LOG_TEST(a_log_that_cannot_be_written_to_is_no_failure),
        FILE_TEST(a_line_that_was_cut_short_is_taken_back),
        FILE_TEST(after_one_that_stays_cut_the_next_begins_anew),
        FILE_TEST(nothing_of_others_is_taken_back),
        FILE_TEST(without_a_memory_a_line_is_taken_back_all_the_same),
        LOG_TEST(a_pipe_that_is_nearly_full_gets_whole_lines),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
