#include "process/logfile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

/* A folder of each test's own, and the standard error that the tests had before. */
struct place {
    char folder[32], path[64];
    int standard_error;
    struct logfile file;
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));

    assert_non_null(place);
    (void)snprintf(place->folder, sizeof(place->folder), "/tmp/logfile_test.XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    (void)snprintf(place->path, sizeof(place->path), "%s/log", place->folder);
    place->standard_error = dup(STDERR_FILENO);
    place->file = (struct logfile){place->path, 4096, 2};
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    char command[64];

    assert_int_equal(dup2(place->standard_error, STDERR_FILENO), STDERR_FILENO);
    (void)close(place->standard_error);
    (void)snprintf(command, sizeof(command), "rm -rf %s", place->folder);
    assert_int_equal(system(command), 0);
    free(place);
    return 0;
}

static void write_bytes(size_t count)
{
    char line[1024];

    memset(line, 'x', sizeof(line));
    for (line[sizeof(line) - 1] = '\n'; count > 0; count -= sizeof(line))
        assert_int_equal(write(STDERR_FILENO, line, sizeof(line)), sizeof(line));
}

/* -1: there is none. */
static long size_of(const struct place *place, const char *end)
{
    struct stat info;
    char path[80];

    (void)snprintf(path, sizeof(path), "%s%s", place->path, end);
    return stat(path, &info) == 0 ? (long)info.st_size : -1;
}

static void takes_the_place_of_standard_error(void **state)
{
    struct place *place = *state;
    struct err err = {""};
    struct stat info;

    (void)umask(022);
    assert_true(logfile_open(&place->file, &err));
    write_bytes(1024);
    assert_int_equal(size_of(place, ""), 1024);
    assert_int_equal(stat(place->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
}

static void goes_on_at_the_end_of_a_file_that_is_there(void **state)
{
    struct place *place = *state;
    struct err err = {""};

    for (int i = 1; i <= 3; i++) {
        assert_true(logfile_open(&place->file, &err));
        write_bytes(1024);
        assert_int_equal(size_of(place, ""), 1024 * i);
    }
}

static void without_a_path_standard_error_stays(void **state)
{
    const struct logfile none = {NULL, 4096, 2};
    struct stat before, after;
    struct err err = {""};

    (void)state;
    assert_int_equal(fstat(STDERR_FILENO, &before), 0);
    assert_true(logfile_open(&none, &err));
    logfile_keep_up(&none);
    assert_int_equal(fstat(STDERR_FILENO, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    struct place *place = *state;
    struct logfile file = place->file;
    struct err err = {""};

    file.path = "/tmp/logfile_test.nothing/log";
    assert_false(logfile_open(&file, &err));
    assert_contains(err.text, "log.file: /tmp/logfile_test.nothing/log: No such file");
    file.path = place->folder;
    assert_false(logfile_open(&file, &err));
    assert_contains(err.text, "log.file");
    file.path = "/dev/null";
    assert_false(logfile_open(&file, &err));
    assert_contains(err.text, "log.file: /dev/null: is not a regular file");
    assert_int_equal(mkfifo(place->path, 0600), 0);
    file.path = place->path;
    assert_false(logfile_open(&file, &err));
}

static void a_full_file_is_put_away_and_the_oldest_goes(void **state)
{
    struct place *place = *state;
    struct err err = {""};

    assert_true(logfile_open(&place->file, &err));
    write_bytes(3072);
    logfile_keep_up(&place->file);
    assert_int_equal(size_of(place, ".1"), -1); /* it was not full yet */
    for (int i = 1; i <= 4; i++) {
        write_bytes(4096 + 1024 * (size_t)i);
        logfile_keep_up(&place->file);
        assert_int_equal(size_of(place, ""), 0);
    }
    assert_int_equal(size_of(place, ".1"), 4096 + 4096);
    assert_int_equal(size_of(place, ".2"), 4096 + 3072);
    assert_int_equal(size_of(place, ".3"), -1);
}

static void with_none_kept_a_full_file_goes(void **state)
{
    struct place *place = *state;
    struct err err = {""};

    place->file.kept = 0;
    assert_true(logfile_open(&place->file, &err));
    write_bytes(5120);
    logfile_keep_up(&place->file);
    assert_int_equal(size_of(place, ""), 0);
    assert_int_equal(size_of(place, ".1"), -1);
}

static void a_file_that_was_moved_away_is_begun_anew(void **state)
{
    struct place *place = *state;
    struct err err = {""};
    char moved[80];

    assert_true(logfile_open(&place->file, &err));
    write_bytes(1024);
    (void)snprintf(moved, sizeof(moved), "%s.moved", place->path);
    assert_int_equal(rename(place->path, moved), 0);
    logfile_keep_up(&place->file);
    write_bytes(2048);
    assert_int_equal(size_of(place, ""), 2048);
    assert_int_equal(size_of(place, ".moved"), 1024);
}

static void where_no_new_one_can_be_made_the_old_one_goes_on(void **state)
{
    struct place *place = *state;
    struct err err = {""};
    char moved[80];

    assert_true(logfile_open(&place->file, &err));
    (void)snprintf(moved, sizeof(moved), "%s.moved", place->path);
    assert_int_equal(rename(place->path, moved), 0);
    assert_int_equal(mkdir(place->path, 0700), 0);
    logfile_keep_up(&place->file);
    write_bytes(1024);
    assert_int_equal(size_of(place, ".moved"), 1024);
}

enum { WRITERS = 6, LINES = 400, LINE_BYTES = 100 };

/* Lines of one length, each by one write, as the log writes them. */
static void write_lines(const struct place *place, int writer)
{
    char line[2 * LINE_BYTES]; /* what the compiler believes that two ints may take */
    struct err err;

    if (!logfile_open(&place->file, &err))
        _exit(1);
    for (int i = 0; i < LINES; i++) {
        (void)snprintf(line, sizeof(line), "%02d %06d %*d\n", writer, i, LINE_BYTES - 11, 0);
        logfile_keep_up(&place->file);
        if (write(STDERR_FILENO, line, LINE_BYTES) != LINE_BYTES)
            _exit(1);
    }
    _exit(0);
}

static void many_processes_lose_no_line_and_break_none(void **state)
{
    struct place *place = *state;
    long bytes = 0;
    int status;

    place->file.kept = 99;
    for (int writer = 0; writer < WRITERS; writer++)
        if (fork() == 0)
            write_lines(place, writer);
    for (int writer = 0; writer < WRITERS; writer++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    for (int number = 0; number <= 99; number++) {
        char end[8] = "";
        long size;

        if (number > 0)
            (void)snprintf(end, sizeof(end), ".%d", number);
        size = size_of(place, end);
        assert_true(size < 0 || size % LINE_BYTES == 0);
        bytes += size > 0 ? size : 0;
    }
    assert_int_equal(bytes, WRITERS * LINES * LINE_BYTES);
    assert_true(size_of(place, ".2") > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(takes_the_place_of_standard_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(goes_on_at_the_end_of_a_file_that_is_there, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(without_a_path_standard_error_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_folder_that_is_not_there_is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_full_file_is_put_away_and_the_oldest_goes, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(with_none_kept_a_full_file_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_file_that_was_moved_away_is_begun_anew, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(where_no_new_one_can_be_made_the_old_one_goes_on, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(many_processes_lose_no_line_and_break_none, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
