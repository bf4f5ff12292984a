#include "base/file.h"

#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "folder.h"
#include "unit.h"

enum { CAP_BYTES = 10000, NOBODY = 65534, STRANGERS = 54321, GROUPS_MAX = 256 };

struct fixture {
    char *folder;
    char path[FOLDER_PATH_BYTES]; /* of the file "secret" in it */
    struct buf out;
    struct err err;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    fixture = (struct fixture){.folder = folder_new()};
    buf_init(&fixture.out, CAP_BYTES);
    (void)folder_path(fixture.folder, "secret", fixture.path);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    buf_free(&fixture->out);
    folder_remove(fixture->folder);
    return 0;
}

static bool read_secret(struct fixture *fixture, enum file_readers readers)
{
    buf_free(&fixture->out);
    err_clear(&fixture->err);
    return file_read(fixture->path, readers, &fixture->out, &fixture->err);
}

static bool reads_with_mode(struct fixture *fixture, mode_t mode, enum file_readers readers)
{
    folder_add(fixture->folder, "secret", STR("text"), mode);
    return read_secret(fixture, readers);
}

/* That it failed, naming the file, with these words. */
static void assert_refused(const struct fixture *fixture, const char *words)
{
    assert_true(str_starts_with(str_from(fixture->err.text), str_from(fixture->path)));
    assert_contains(fixture->err.text, words);
    assert_int_equal(buf_str(&fixture->out).len, 0);
}

static void reads_all_bytes(void **state)
{
    struct fixture *fixture = *state;

    folder_add(fixture->folder, "secret", STR("a\0b\r\n\xFF"), 0644);
    assert_true(read_secret(fixture, FILE_READERS_ANY));
    assert_true(str_equal(buf_str(&fixture->out), STR("a\0b\r\n\xFF")));
    assert_string_equal(fixture->err.text, "");
}

static void an_empty_file_is_no_failure(void **state)
{
    struct fixture *fixture = *state;

    folder_add(fixture->folder, "secret", STR(""), 0600);
    assert_true(read_secret(fixture, FILE_READERS_OWN_GROUP));
    assert_str_equal(buf_str(&fixture->out), "");
}

static void appends_to_what_is_there(void **state)
{
    struct fixture *fixture = *state;

    folder_add(fixture->folder, "secret", STR("behind"), 0600);
    buf_append_text(&fixture->out, "before,");
    assert_true(file_read(fixture->path, FILE_READERS_ANY, &fixture->out, &fixture->err));
    assert_str_equal(buf_str(&fixture->out), "before,behind");
}

static void reads_up_to_the_cap_and_no_byte_more(void **state)
{
    static char bytes[CAP_BYTES + 1];
    struct fixture *fixture = *state;

    memset(bytes, 'x', sizeof(bytes));
    for (size_t len = CAP_BYTES - 1; len <= CAP_BYTES; len++) {
        folder_add(fixture->folder, "secret", (struct str){bytes, len}, 0600);
        assert_true(read_secret(fixture, FILE_READERS_ANY));
        assert_int_equal(buf_str(&fixture->out).len, len);
    }
    folder_add(fixture->folder, "secret", (struct str){bytes, CAP_BYTES + 1}, 0600);
    assert_false(read_secret(fixture, FILE_READERS_ANY));
    assert_contains(fixture->err.text, fixture->path);
    assert_contains(fixture->err.text, "larger than the 10000 bytes");
}

/* Around the steps in which it reads. */
static void reads_files_of_every_size(void **state)
{
    static const size_t sizes[] = {1, 4095, 4096, 4097, 8191, 8192, 8193};
    static char bytes[8193];
    struct fixture *fixture = *state;

    memset(bytes, 'x', sizeof(bytes));
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        folder_add(fixture->folder, "secret", (struct str){bytes, sizes[i]}, 0600);
        assert_true(read_secret(fixture, FILE_READERS_ANY));
        assert_int_equal(buf_str(&fixture->out).len, sizes[i]);
        buf_free(&fixture->out);
        buf_init(&fixture->out, sizes[i] - 1);
        assert_false(read_secret(fixture, FILE_READERS_ANY));
        assert_contains(fixture->err.text, "larger than");
        buf_free(&fixture->out);
        buf_init(&fixture->out, CAP_BYTES);
    }
}

static void what_was_there_leaves_less_room(void **state)
{
    static char bytes[CAP_BYTES];
    struct fixture *fixture = *state;

    folder_add(fixture->folder, "secret", (struct str){bytes, CAP_BYTES}, 0600);
    buf_append_text(&fixture->out, "before,");
    assert_false(file_read(fixture->path, FILE_READERS_ANY, &fixture->out, &fixture->err));
    assert_contains(fixture->err.text, "larger than the 9993 bytes");
}

/* The kernel's file of our memory begins with pages that are not there. */
static void an_error_while_reading_is_named(void **state)
{
    struct fixture *fixture = *state;

    (void)snprintf(fixture->path, sizeof(fixture->path), "/proc/self/mem");
    assert_false(read_secret(fixture, FILE_READERS_ANY));
    assert_refused(fixture, "Input/output error");
}

static void a_device_is_no_file(void **state)
{
    struct fixture *fixture = *state;

    (void)snprintf(fixture->path, sizeof(fixture->path), "/dev/zero");
    assert_false(read_secret(fixture, FILE_READERS_ANY));
    assert_refused(fixture, "is not a regular file");
}

static void a_missing_file_is_named(void **state)
{
    struct fixture *fixture = *state;

    assert_false(read_secret(fixture, FILE_READERS_ANY));
    assert_refused(fixture, "No such file or directory");
    assert_false(file_read(fixture->path, FILE_READERS_ANY, &fixture->out, NULL));
}

static void a_folder_is_no_file(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(mkdir(fixture->path, 0700), 0);
    assert_false(read_secret(fixture, FILE_READERS_ANY));
    assert_refused(fixture, "is not a regular file");
}

/* With nobody at its other end: opening it must not wait for one. */
static void a_pipe_is_no_file_and_does_not_hang(void **state)
{
    struct fixture *fixture = *state;

    assert_int_equal(mkfifo(fixture->path, 0600), 0);
    (void)alarm(30);
    assert_false(read_secret(fixture, FILE_READERS_OWN_GROUP));
    (void)alarm(0);
    assert_refused(fixture, "is not a regular file");
}

static void a_socket_is_no_file(void **state)
{
    struct fixture *fixture = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(descriptor >= 0);
    assert_true(strlen(fixture->path) < sizeof(address.sun_path));
    memcpy(address.sun_path, fixture->path, strlen(fixture->path));
    assert_int_equal(bind(descriptor, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_false(read_secret(fixture, FILE_READERS_ANY));
    assert_contains(fixture->err.text, fixture->path);
    assert_int_equal(close(descriptor), 0);
}

static void a_link_is_judged_by_what_it_leads_to(void **state)
{
    struct fixture *fixture = *state;
    char target[FOLDER_PATH_BYTES];

    folder_add(fixture->folder, "target", STR("text"), 0600);
    assert_int_equal(symlink("target", fixture->path), 0);
    assert_true(read_secret(fixture, FILE_READERS_OWN_GROUP));
    assert_str_equal(buf_str(&fixture->out), "text");
    assert_int_equal(chmod(folder_path(fixture->folder, "target", target), 0644), 0);
    assert_false(read_secret(fixture, FILE_READERS_OWN_GROUP));
    assert_refused(fixture, "0644");
    assert_int_equal(unlink(target), 0);
    assert_false(read_secret(fixture, FILE_READERS_ANY));
    assert_false(file_exists(fixture->path));
}

static void what_is_no_secret_may_have_any_mode(void **state)
{
    static const mode_t modes[] = {0600, 0644, 0666, 0777, 0604, 04755};

    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++)
        assert_true(reads_with_mode(*state, modes[i], FILE_READERS_ANY));
}

static void a_secret_of_its_owner_and_our_group_is_taken(void **state)
{
    static const mode_t modes[] = {0400, 0600, 0440, 0640, 0660, 0700};

    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
        assert_true(reads_with_mode(*state, modes[i], FILE_READERS_OWN_GROUP));
        assert_true(reads_with_mode(*state, modes[i], FILE_READERS_ONE_GROUP));
    }
}

/* Also where others could only write or enter it: the mode is no secret's. */
static void a_secret_of_all_others_is_refused_with_the_chmod(void **state)
{
    static const struct {
        mode_t mode;
        const char *text;
    } rows[] = {{0644, "0644"}, {0604, "0604"}, {0666, "0666"}, {0606, "0606"},
                {0601, "0601"}, {0602, "0602"}, {0777, "0777"}, {01644, "1644"}};
    struct fixture *fixture = *state;
    char remedy[FOLDER_PATH_BYTES + 32];

    (void)snprintf(remedy, sizeof(remedy), "run: chmod 0640 %s", fixture->path);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_false(reads_with_mode(fixture, rows[i].mode, FILE_READERS_OWN_GROUP));
        assert_refused(fixture, rows[i].text);
        assert_contains(fixture->err.text, "every user of the system can read it");
        assert_contains(fixture->err.text, remedy);
        assert_false(reads_with_mode(fixture, rows[i].mode, FILE_READERS_ONE_GROUP));
        assert_refused(fixture, remedy);
    }
}

static void what_mends_the_mode_is_told_of_a_long_path_too(void **state)
{
    struct fixture *fixture = *state;
    char name[256], remedy[FOLDER_PATH_BYTES + 32];

    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    folder_add(fixture->folder, name, STR("text"), 0644);
    (void)folder_path(fixture->folder, name, fixture->path);
    (void)snprintf(remedy, sizeof(remedy), "run: chmod 0640 %s", fixture->path);
    assert_false(read_secret(fixture, FILE_READERS_OWN_GROUP));
    assert_refused(fixture, remedy);
}

/* A shell would run what stands in the name of a file otherwise. */
static void what_mends_the_mode_is_for_a_shell(void **state)
{
    struct fixture *fixture = *state;

    folder_add(fixture->folder, "it's $(mine)", STR("text"), 0644);
    (void)folder_path(fixture->folder, "it's $(mine)", fixture->path);
    assert_false(read_secret(fixture, FILE_READERS_OWN_GROUP));
    assert_refused(fixture, "/it'\\''s $(mine)'");
}

/* ---- groups and owners: only root can give files away */

static void a_secret_of_another_group_is_refused(void **state)
{
    struct fixture *fixture = *state;

    if (geteuid() != 0)
        skip_because("only root can give a file to another group");
    folder_add(fixture->folder, "secret", STR("text"), 0640);
    assert_int_equal(chown(fixture->path, 0, STRANGERS), 0);
    assert_false(read_secret(fixture, FILE_READERS_OWN_GROUP));
    assert_refused(fixture, "a group that is not the worker's own can read it");
    assert_contains(fixture->err.text, "run: chmod 0600 ");
    assert_true(read_secret(fixture, FILE_READERS_ONE_GROUP));
    assert_int_equal(chown(fixture->path, NOBODY, STRANGERS), 0);
    assert_false(read_secret(fixture, FILE_READERS_OWN_GROUP));
    assert_refused(fixture, "run: chmod 0600 ");
    assert_int_equal(chmod(fixture->path, 0600), 0);
    assert_true(read_secret(fixture, FILE_READERS_OWN_GROUP));
}

/* For an operator who is root, the group of the file is the worker's: 0600 would lock it out. */
static void root_is_not_told_to_lock_the_worker_out(void **state)
{
    struct fixture *fixture = *state;

    if (geteuid() != 0)
        skip_because("only root can give a file to another group");
    folder_add(fixture->folder, "secret", STR("text"), 0644);
    assert_int_equal(chown(fixture->path, 0, STRANGERS), 0);
    assert_false(read_secret(fixture, FILE_READERS_ONE_GROUP));
    assert_refused(fixture, "run: chmod 0640 ");
}

/* Reads as a user who owns nothing, with one group besides their own. */
static bool read_as_nobody(struct fixture *fixture, enum file_readers readers, gid_t other_group)
{
    gid_t groups[GROUPS_MAX];
    int count = getgroups(GROUPS_MAX, groups);
    bool good;

    assert_true(count >= 0);
    assert_int_equal(chmod(fixture->folder, 0755), 0);
    assert_int_equal(setgroups(1, &other_group), 0);
    assert_int_equal(setegid(NOBODY), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    good = read_secret(fixture, readers);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(setegid(0), 0);
    assert_int_equal(setgroups((size_t)count, groups), 0);
    return good;
}

static void a_secret_of_one_of_our_further_groups_is_taken(void **state)
{
    struct fixture *fixture = *state;

    if (geteuid() != 0)
        skip_because("only root can give a file to another group");
    folder_add(fixture->folder, "secret", STR("text"), 0640);
    assert_int_equal(chown(fixture->path, 0, STRANGERS), 0);
    assert_true(read_as_nobody(fixture, FILE_READERS_OWN_GROUP, STRANGERS));
    assert_str_equal(buf_str(&fixture->out), "text");
    assert_false(read_as_nobody(fixture, FILE_READERS_OWN_GROUP, NOBODY));
    assert_refused(fixture, "Permission denied");
}

/* 0600 would lock out a worker that does not own the file: its group has to be given to it. */
static void a_worker_that_does_not_own_the_secret_is_given_its_group(void **state)
{
    struct fixture *fixture = *state;
    char remedy[3 * FOLDER_PATH_BYTES];

    if (geteuid() != 0)
        skip_because("only root can give a file to another group");
    folder_add(fixture->folder, "secret", STR("text"), 0644);
    (void)snprintf(remedy, sizeof(remedy), "run: chgrp %d %s && chmod 0640 %s", NOBODY,
                   fixture->path, fixture->path);
    assert_false(read_as_nobody(fixture, FILE_READERS_OWN_GROUP, NOBODY));
    assert_refused(fixture, remedy);
    assert_int_equal(chown(fixture->path, 0, NOBODY), 0);
    assert_int_equal(chmod(fixture->path, 0640), 0);
    assert_true(read_as_nobody(fixture, FILE_READERS_OWN_GROUP, NOBODY));
}

static void an_owner_of_a_secret_of_another_group_keeps_it_alone(void **state)
{
    struct fixture *fixture = *state;

    if (geteuid() != 0)
        skip_because("only root can give a file to another group");
    folder_add(fixture->folder, "secret", STR("text"), 0640);
    assert_int_equal(chown(fixture->path, NOBODY, STRANGERS), 0);
    assert_false(read_as_nobody(fixture, FILE_READERS_OWN_GROUP, NOBODY));
    assert_refused(fixture, "run: chmod 0600 ");
}

static void an_operator_demands_one_group_as_root_and_else_their_own(void **state)
{
    (void)state;
    assert_int_equal(file_readers_of_operator(),
                     geteuid() == 0 ? FILE_READERS_ONE_GROUP : FILE_READERS_OWN_GROUP);
    if (geteuid() != 0)
        return;
    assert_int_equal(seteuid(NOBODY), 0);
    assert_int_equal(file_readers_of_operator(), FILE_READERS_OWN_GROUP);
    assert_int_equal(seteuid(0), 0);
}

/* ---- stamps */

static struct file_stamp stamp_of(const struct fixture *fixture)
{
    struct file_stamp stamp = {.inode = 0};

    assert_true(file_stamp_of(fixture->path, &stamp));
    return stamp;
}

/* That the file is told apart from what it was at `before`, and from itself not. */
static void assert_changed(const struct fixture *fixture, const struct file_stamp *before)
{
    struct file_stamp now = stamp_of(fixture), again = stamp_of(fixture);

    assert_false(file_stamp_equal(before, &now));
    assert_true(file_stamp_equal(&now, &again));
}

static void a_file_that_stays_keeps_its_stamp(void **state)
{
    struct fixture *fixture = *state;
    struct file_stamp before, read;

    folder_add(fixture->folder, "secret", STR("text"), 0600);
    before = stamp_of(fixture);
    assert_int_equal(before.size, 4);
    assert_true(file_read_stamped(fixture->path, FILE_READERS_OWN_GROUP, &fixture->out, &read,
                                  &fixture->err));
    assert_str_equal(buf_str(&fixture->out), "text");
    assert_true(file_stamp_equal(&before, &read));
}

/* The file system counts in ticks of a few milliseconds: two changes within one are the same. */
static void wait_for_another_tick(void)
{
    assert_int_equal(usleep(30000), 0);
}

static void a_file_that_changes_gets_another_stamp(void **state)
{
    struct fixture *fixture = *state;
    struct file_stamp before;
    char other[FOLDER_PATH_BYTES];
    int descriptor;

    folder_add(fixture->folder, "secret", STR("text"), 0600);
    before = stamp_of(fixture);
    wait_for_another_tick();
    assert_int_equal(chmod(fixture->path, 0640), 0);
    assert_changed(fixture, &before);
    before = stamp_of(fixture);
    wait_for_another_tick();
    descriptor = open(fixture->path, O_WRONLY | O_CLOEXEC);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, "TEXT", 4), 4);
    assert_int_equal(close(descriptor), 0);
    assert_changed(fixture, &before);
    before = stamp_of(fixture);
    folder_add(fixture->folder, "other", STR("text"), 0640);
    assert_int_equal(rename(folder_path(fixture->folder, "other", other), fixture->path), 0);
    assert_changed(fixture, &before);
}

/* As a copy that keeps times would make it: only the time of the change of the inode tells. */
static void times_that_were_set_back_do_not_hide_a_change(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;
    struct file_stamp before;

    folder_add(fixture->folder, "secret", STR("text"), 0600);
    assert_int_equal(stat(fixture->path, &info), 0);
    before = stamp_of(fixture);
    wait_for_another_tick();
    assert_int_equal(utimensat(AT_FDCWD, fixture->path,
                               (const struct timespec[]){info.st_atim, info.st_mtim}, 0),
                     0);
    assert_changed(fixture, &before);
    assert_true(stamp_of(fixture).modified_ns == before.modified_ns);
}

static void each_part_of_a_stamp_counts(void **state)
{
    const struct file_stamp stamp = {1, 2, 3, 4, 5};
    const struct file_stamp others[] = {
        {0, 2, 3, 4, 5}, {1, 0, 3, 4, 5}, {1, 2, 0, 4, 5}, {1, 2, 3, 0, 5}, {1, 2, 3, 4, 0}};

    (void)state;
    assert_true(file_stamp_equal(&stamp, &stamp));
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        assert_false(file_stamp_equal(&stamp, &others[i]));
}

static void what_is_not_there_has_a_stamp_of_zeroes(void **state)
{
    const struct file_stamp zeroes = {.inode = 0};
    struct file_stamp stamp = {1, 2, 3, 4, 5};
    struct fixture *fixture = *state;

    assert_false(file_stamp_of(fixture->path, &stamp));
    assert_true(file_stamp_equal(&stamp, &zeroes));
}

static void whether_a_file_is_kept_is_judged_as_it_is_read(void **state)
{
    struct fixture *fixture = *state;
    char reason[sizeof(fixture->err.text)];

    folder_add(fixture->folder, "secret", STR("text"), 0640);
    assert_true(file_is_kept_from_others(fixture->path, FILE_READERS_OWN_GROUP, &fixture->err));
    assert_int_equal(chmod(fixture->path, 0644), 0);
    assert_true(file_is_kept_from_others(fixture->path, FILE_READERS_ANY, &fixture->err));
    assert_false(file_is_kept_from_others(fixture->path, FILE_READERS_OWN_GROUP, &fixture->err));
    (void)snprintf(reason, sizeof(reason), "%s", fixture->err.text);
    assert_false(read_secret(fixture, FILE_READERS_OWN_GROUP));
    assert_string_equal(fixture->err.text, reason);
    assert_int_equal(unlink(fixture->path), 0);
    assert_false(file_is_kept_from_others(fixture->path, FILE_READERS_ANY, &fixture->err));
    assert_refused(fixture, "No such file or directory");
}

static void files_and_folders_exist(void **state)
{
    struct fixture *fixture = *state;

    assert_false(file_exists(fixture->path));
    assert_true(file_exists(fixture->folder));
    folder_add(fixture->folder, "secret", STR(""), 0000);
    assert_true(file_exists(fixture->path));
    assert_false(file_exists(""));
}

static void what_may_not_be_looked_at_is_not_missing(void **state)
{
    struct fixture *fixture = *state;
    char below[FOLDER_PATH_BYTES + 8];
    bool is_missing;

    assert_true(file_is_missing(fixture->path));
    assert_true(file_is_missing(""));
    folder_add(fixture->folder, "secret", STR("text"), 0600);
    assert_false(file_is_missing(fixture->path));
    assert_false(file_is_missing(fixture->folder));
    (void)snprintf(below, sizeof(below), "%s/below", fixture->path);
    assert_true(file_is_missing(below));
    if (geteuid() != 0)
        skip_because("only root becomes somebody else");
    assert_int_equal(chmod(fixture->folder, 0700), 0);
    assert_int_equal(seteuid(NOBODY), 0);
    is_missing = file_is_missing(fixture->path);
    assert_false(read_secret(fixture, FILE_READERS_ANY));
    assert_int_equal(seteuid(0), 0);
    assert_false(is_missing);
    assert_refused(fixture, "Permission denied: user 65534 may not read it");
}

#define FILE_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(what_may_not_be_looked_at_is_not_missing),
        FILE_TEST(reads_all_bytes),
        FILE_TEST(an_empty_file_is_no_failure),
        FILE_TEST(appends_to_what_is_there),
        FILE_TEST(reads_up_to_the_cap_and_no_byte_more),
        FILE_TEST(reads_files_of_every_size),
        FILE_TEST(what_was_there_leaves_less_room),
        FILE_TEST(an_error_while_reading_is_named),
        FILE_TEST(a_device_is_no_file),
        FILE_TEST(a_missing_file_is_named),
        FILE_TEST(a_folder_is_no_file),
        FILE_TEST(a_pipe_is_no_file_and_does_not_hang),
        FILE_TEST(a_socket_is_no_file),
        FILE_TEST(a_link_is_judged_by_what_it_leads_to),
        FILE_TEST(what_is_no_secret_may_have_any_mode),
        FILE_TEST(a_secret_of_its_owner_and_our_group_is_taken),
        FILE_TEST(a_secret_of_all_others_is_refused_with_the_chmod),
        FILE_TEST(what_mends_the_mode_is_told_of_a_long_path_too),
        FILE_TEST(what_mends_the_mode_is_for_a_shell),
        FILE_TEST(a_secret_of_another_group_is_refused),
        FILE_TEST(root_is_not_told_to_lock_the_worker_out),
        FILE_TEST(a_secret_of_one_of_our_further_groups_is_taken),
        FILE_TEST(a_worker_that_does_not_own_the_secret_is_given_its_group),
        FILE_TEST(an_owner_of_a_secret_of_another_group_keeps_it_alone),
        FILE_TEST(an_operator_demands_one_group_as_root_and_else_their_own),
        FILE_TEST(a_file_that_stays_keeps_its_stamp),
        FILE_TEST(a_file_that_changes_gets_another_stamp),
        FILE_TEST(times_that_were_set_back_do_not_hide_a_change),
        FILE_TEST(each_part_of_a_stamp_counts),
        FILE_TEST(what_is_not_there_has_a_stamp_of_zeroes),
        FILE_TEST(whether_a_file_is_kept_is_judged_as_it_is_read),
        FILE_TEST(files_and_folders_exist),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
