#include "base/newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "folder.h"
#include "unit.h"

/* A folder for each test, and the names that it uses in it. */
struct place {
    char folder[64];
    char file[96], new[96], lock[96], link[96];
};

static int make_place(void **state)
{
    struct place *place = calloc(1, sizeof(*place));

    if (place == NULL)
        return -1;
    (void)snprintf(place->folder, sizeof(place->folder), "/tmp/newfile_test.XXXXXX");
    if (mkdtemp(place->folder) == NULL)
        return -1;
    (void)snprintf(place->file, sizeof(place->file), "%s/file", place->folder);
    (void)snprintf(place->new, sizeof(place->new), "%s/file.new", place->folder);
    (void)snprintf(place->lock, sizeof(place->lock), "%s/file.lock", place->folder);
    (void)snprintf(place->link, sizeof(place->link), "%s/link", place->folder);
    *state = place;
    return 0;
}

static int remove_place(void **state)
{
    struct place *place = *state;

    (void)unlink(place->file);
    (void)unlink(place->new);
    (void)unlink(place->lock);
    (void)unlink(place->link);
    (void)rmdir(place->file);
    assert_int_equal(rmdir(place->folder), 0); /* nothing else was left behind */
    free(place);
    return 0;
}

static void assert_holds(const char *path, const char *expected)
{
    struct err err = {""};
    struct buf text;

    buf_init(&text, 4096);
    assert_true(file_read(path, FILE_READERS_ANY, &text, &err));
    assert_str_equal(buf_str(&text), expected);
    buf_free(&text);
}

static mode_t mode_of(const char *path)
{
    struct stat info;

    assert_int_equal(stat(path, &info), 0);
    return info.st_mode & 07777U;
}

static void creates_with_the_mode_whatever_the_umask_is(void **state)
{
    const struct place *place = *state;
    mode_t umask_before = umask(0777);
    struct err err = {""};

    assert_true(newfile_create(place->file, NEWFILE_SECRET, STR("one"), &err));
    (void)umask(umask_before);
    assert_holds(place->file, "one");
    assert_int_equal(mode_of(place->file), 0600);
}

static void creates_nothing_where_a_file_is(void **state)
{
    const struct place *place = *state;
    struct err err = {""};

    assert_true(newfile_create(place->file, NEWFILE_PUBLIC, STR("one"), &err));
    assert_false(newfile_create(place->file, NEWFILE_PUBLIC, STR("two"), &err));
    assert_contains(err.text, place->file);
    assert_contains(err.text, "remove it first");
    assert_holds(place->file, "one");
}

static void creates_nothing_where_a_link_leads(void **state)
{
    const struct place *place = *state;
    struct err err = {""};

    assert_int_equal(symlink(place->file, place->link), 0);
    assert_false(newfile_create(place->link, NEWFILE_PUBLIC, STR("one"), &err));
    assert_false(file_exists(place->file));
}

static void replaces_what_is_not_there(void **state)
{
    const struct place *place = *state;
    struct err err = {""};

    assert_true(newfile_replace(place->file, STR("one"), &err));
    assert_holds(place->file, "one");
    assert_int_equal(mode_of(place->file), 0644);
    assert_false(file_exists(place->new));
}

static void replaces_by_another_file_of_the_same_mode(void **state)
{
    const struct place *place = *state;
    struct file_stamp before, after;
    struct err err = {""};

    assert_true(newfile_create(place->file, NEWFILE_PUBLIC, STR("one"), &err));
    assert_int_equal(chmod(place->file, 0640), 0);
    assert_true(file_stamp_of(place->file, &before));
    assert_true(newfile_replace(place->file, STR("two"), &err));
    assert_true(file_stamp_of(place->file, &after));
    assert_holds(place->file, "two");
    assert_int_equal(mode_of(place->file), 0640);
    assert_true(before.inode != after.inode);
}

static void keeps_the_owner_where_root_replaces(void **state)
{
    const struct place *place = *state;
    struct err err = {""};
    struct stat info;

    if (geteuid() != 0)
        skip_because("only root can give a file to another user");
    assert_true(newfile_create(place->file, NEWFILE_PUBLIC, STR("one"), &err));
    assert_int_equal(chown(place->file, 12345, 23456), 0);
    assert_true(newfile_replace(place->file, STR("two"), &err));
    assert_int_equal(stat(place->file, &info), 0);
    assert_int_equal(info.st_uid, 12345);
    assert_int_equal(info.st_gid, 23456);
}

static void replaces_what_a_link_leads_to(void **state)
{
    const struct place *place = *state;
    struct err err = {""};
    struct stat info;

    assert_true(newfile_create(place->file, NEWFILE_PUBLIC, STR("one"), &err));
    assert_int_equal(symlink("file", place->link), 0);
    assert_true(newfile_replace(place->link, STR("two"), &err));
    assert_holds(place->file, "two");
    assert_int_equal(lstat(place->link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
}

static void does_not_mind_what_a_killed_one_left(void **state)
{
    const struct place *place = *state;
    struct err err = {""};

    assert_true(newfile_create(place->file, NEWFILE_PUBLIC, STR("one"), &err));
    assert_true(newfile_create(place->new, NEWFILE_PUBLIC, STR("half of tw"), &err));
    assert_true(newfile_replace(place->file, STR("two"), &err));
    assert_holds(place->file, "two");
    assert_false(file_exists(place->new));
}

static void replaces_no_folder(void **state)
{
    const struct place *place = *state;
    struct err err = {""};

    assert_int_equal(mkdir(place->file, 0700), 0);
    assert_false(newfile_replace(place->file, STR("one"), &err));
    assert_contains(err.text, "is not a regular file");
    assert_false(file_exists(place->new));
}

static void says_what_to_do_where_there_is_no_folder(void **state)
{
    const struct place *place = *state;
    struct err err = {""};
    char path[128];

    (void)snprintf(path, sizeof(path), "%s/missing/file", place->folder);
    assert_false(newfile_replace(path, STR("one"), &err));
    assert_contains(err.text, "make the folder first");
    assert_int_equal(newfile_lock(path, 0, &err), -1);
    assert_contains(err.text, "make the folder first");
}

/* The name beside it, which it has until it is whole, would be longer than a path may be. */
static void a_path_as_long_as_can_be_is_not_written(void **state)
{
    const struct place *place = *state;
    char *path = folder_long_path(place->folder, "file", PATH_MAX - 2);
    struct err err = {""};

    assert_false(newfile_replace(path, STR("one"), &err));
    assert_contains(err.text, place->folder);
    assert_int_equal(newfile_lock(path, 0, &err), -1);
    assert_int_equal(access(place->file, F_OK), -1);
    free(path);
}

static void only_one_has_the_lock(void **state)
{
    const struct place *place = *state;
    struct err err = {""};
    int first = newfile_lock(place->file, 0, &err), second;

    assert_true(first >= 0);
    assert_int_equal(mode_of(place->lock), 0600);
    assert_int_equal(newfile_lock(place->file, 100000, &err), -1);
    assert_contains(err.text, place->lock);
    assert_int_equal(close(first), 0);
    second = newfile_lock(place->file, 0, &err);
    assert_true(second >= 0);
    assert_int_equal(close(second), 0);
}

static uid_t owner_of(const char *path)
{
    struct stat info;

    assert_int_equal(stat(path, &info), 0);
    return info.st_uid;
}

static void the_lock_that_root_makes_is_the_folders_owners(void **state)
{
    const struct place *place = *state;
    struct err err = {""};
    int lock;

    if (geteuid() != 0)
        skip_because("only root can give a file to another user");
    assert_int_equal(chown(place->folder, 12345, 23456), 0);
    lock = newfile_lock(place->file, 0, &err);
    assert_true(lock >= 0);
    assert_int_equal(close(lock), 0);
    assert_int_equal(owner_of(place->lock), 12345);
}

/* Or else whoever has the folder has any file that root locks there under another's name. */
static void root_gives_away_no_file_that_was_there(void **state)
{
    const struct place *place = *state;
    struct err err = {""};
    int lock;

    if (geteuid() != 0)
        skip_because("only root can give a file to another user");
    assert_true(newfile_create(place->file, NEWFILE_SECRET, STR("root's"), &err));
    assert_int_equal(link(place->file, place->lock), 0);
    assert_int_equal(chown(place->folder, 12345, 23456), 0);
    lock = newfile_lock(place->file, 0, &err);
    assert_true(lock >= 0);
    assert_int_equal(close(lock), 0);
    assert_int_equal(owner_of(place->file), 0);
}

static void a_link_is_no_lock(void **state)
{
    const struct place *place = *state;
    struct err err = {""};

    assert_int_equal(symlink(place->file, place->lock), 0);
    assert_int_equal(newfile_lock(place->file, 0, &err), -1);
    assert_contains(err.text, place->lock);
    assert_false(file_exists(place->file));
}

static void a_file_has_one_lock_by_all_its_names(void **state)
{
    const struct place *place = *state;
    struct err err = {""};
    int lock;

    assert_true(newfile_create(place->file, NEWFILE_PUBLIC, STR("one"), &err));
    assert_int_equal(symlink("file", place->link), 0);
    lock = newfile_lock(place->link, 0, &err);
    assert_true(lock >= 0);
    assert_int_equal(newfile_lock(place->file, 0, &err), -1);
    assert_int_equal(close(lock), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(creates_with_the_mode_whatever_the_umask_is, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(creates_nothing_where_a_file_is, make_place, remove_place),
        cmocka_unit_test_setup_teardown(creates_nothing_where_a_link_leads, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(replaces_what_is_not_there, make_place, remove_place),
        cmocka_unit_test_setup_teardown(replaces_by_another_file_of_the_same_mode, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(keeps_the_owner_where_root_replaces, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(replaces_what_a_link_leads_to, make_place, remove_place),
        cmocka_unit_test_setup_teardown(does_not_mind_what_a_killed_one_left, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(replaces_no_folder, make_place, remove_place),
        cmocka_unit_test_setup_teardown(says_what_to_do_where_there_is_no_folder, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(a_path_as_long_as_can_be_is_not_written, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(only_one_has_the_lock, make_place, remove_place),
        cmocka_unit_test_setup_teardown(the_lock_that_root_makes_is_the_folders_owners, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(root_gives_away_no_file_that_was_there, make_place,
                                        remove_place),
        cmocka_unit_test_setup_teardown(a_link_is_no_lock, make_place, remove_place),
        cmocka_unit_test_setup_teardown(a_file_has_one_lock_by_all_its_names, make_place,
                                        remove_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
