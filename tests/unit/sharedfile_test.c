#include "base/sharedfile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "unit.h"

enum { STRANGER = 12345 };

/* A file is good where it begins with this letter. */
struct place {
    char *folder;
    char path[FOLDER_PATH_BYTES];
    struct sharedfile file;
    char good;
    int filled, error; /* 0: filling succeeds */
    bool is_overtaken; /* by another that is made meanwhile */
};

static bool is_good(void *context, int descriptor)
{
    const struct place *place = context;
    char letter = '\0';

    return pread(descriptor, &letter, 1, 0) == 1 && letter == place->good;
}

static void overtake(const struct place *place)
{
    char other[FOLDER_PATH_BYTES];

    folder_add(place->folder, "other", STR("another's"), 0600);
    assert_int_equal(rename(folder_path(place->folder, "other", other), place->path), 0);
}

static bool fill(void *context, int descriptor)
{
    struct place *place = context;

    place->filled++;
    if (place->is_overtaken)
        overtake(place);
    errno = place->error;
    return place->error == 0 && pwrite(descriptor, &place->good, 1, 0) == 1;
}

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));

    assert_non_null(place);
    place->folder = folder_new();
    place->good = 'g';
    place->file = (struct sharedfile){
        .path = folder_path(place->folder, "shared", place->path),
        .setting = "some.path",
        .mode = 0640,
        .forbidden = S_IWGRP | S_IRWXO,
        .is_good = is_good,
        .fill = fill,
        .context = place,
    };
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;

    folder_remove(place->folder);
    free(place);
    return 0;
}

static int open_well(const struct place *place)
{
    struct err err = {"old"};
    int descriptor = sharedfile_open(&place->file, &err);

    assert_string_equal(err.text, "");
    assert_true(descriptor > STDERR_FILENO);
    return descriptor;
}

static void assert_refused(const struct place *place, const char *why)
{
    struct err err = {""};

    assert_int_equal(sharedfile_open(&place->file, &err), -1);
    assert_true(str_starts_with(str_from(err.text), str_from(place->file.path)));
    assert_contains(err.text, why);
}

static int count_files(const struct place *place)
{
    DIR *folder = opendir(place->folder);
    int count = -2; /* `.` and `..` */

    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    (void)closedir(folder);
    return count;
}

/* ---- making and finding */

static void the_first_makes_it_and_the_others_find_it(void **state)
{
    struct place *place = *state;
    mode_t umask_before = umask(0777);
    int first = open_well(place), second;
    char link[FOLDER_PATH_BYTES], name[FOLDER_PATH_BYTES] = "";
    struct stat info;

    (void)umask(umask_before);
    second = open_well(place);
    assert_int_equal(place->filled, 1);
    assert_int_equal(fstat(first, &info), 0);
    assert_int_equal(info.st_mode & 07777U, 0640);
    assert_true(is_good(place, second));
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", first);
    assert_true(readlink(link, name, sizeof(name) - 1) > 0);
    assert_string_equal(name, place->path); /* as /proc shows it to people */
    assert_int_equal(pwrite(second, "x", 1, 1), 1);
    assert_int_equal(count_files(place), 1);
    assert_int_equal(close(first) + close(second), 0);
}

static void one_that_is_no_good_is_replaced(void **state)
{
    struct place *place = *state;
    int before = open_well(place), after;

    place->good = 'h';
    after = open_well(place);
    assert_int_equal(place->filled, 2);
    assert_true(is_good(place, after) && !is_good(place, before));
    assert_true(sharedfile_is_in_place(place->path, after));
    assert_false(sharedfile_is_in_place(place->path, before));
    assert_int_equal(unlink(place->path), 0);
    assert_false(sharedfile_is_in_place(place->path, after));
    assert_int_equal(count_files(place), 0);
    assert_int_equal(close(before) + close(after), 0);
}

static void what_cannot_be_made_leaves_nothing(void **state)
{
    struct place *place = *state;

    place->error = ENOSPC;
    assert_refused(place, "cannot be made: No space left on device");
    assert_int_equal(count_files(place), 0);
    place->file.path = folder_path(place->folder, "none/shared", place->path);
    assert_refused(place, "cannot be made: No such file or directory");
}

/* The one that is there when it is done is another one each time. */
static void who_is_always_overtaken_gives_up(void **state)
{
    struct place *place = *state;

    place->is_overtaken = true;
    assert_refused(place, "again and again");
    assert_int_equal(place->filled, 8);
    assert_int_equal(count_files(place), 1);
}

/* ---- what is not taken */

static void one_that_others_can_open_is_not_taken(void **state)
{
    static const mode_t modes[] = {0660, 0604, 0602, 0601};
    struct place *place = *state;

    place->file.path = folder_path(place->folder, "it's shared", place->path);
    for (size_t i = 0; i < ARRAY_LENGTH(modes); i++) {
        folder_add(place->folder, "it's shared", STR("good"), modes[i]);
        assert_refused(place, "take it away, or run: chmod 0640 '");
        assert_refused(place, "/it'\\''s shared'");
    }
    folder_add(place->folder, "it's shared", STR("good"), 0640);
    assert_int_equal(close(open_well(place)), 0);
    assert_int_equal(place->filled, 0);
}

static void another_users_is_not_taken(void **state)
{
    struct place *place = *state;

    if (geteuid() != 0)
        skip_because("only root can give a file away");
    folder_add(place->folder, "shared", STR("good"), 0600);
    assert_int_equal(chown(place->path, STRANGER, STRANGER), 0);
    assert_refused(place, "is another user's: name another some.path");
    folder_add(place->folder, "shared", STR("bad"), 0600);
    assert_int_equal(chown(place->path, STRANGER, STRANGER), 0);
    assert_refused(place, "is another user's");
    assert_int_equal(place->filled, 0);
}

static void what_is_no_file_is_not_taken(void **state)
{
    struct place *place = *state;
    char target[FOLDER_PATH_BYTES];

    folder_add(place->folder, "precious", STR("good"), 0600);
    assert_int_equal(symlink(folder_path(place->folder, "precious", target), place->path), 0);
    assert_refused(place, "is a symbolic link");
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(mkfifo(place->path, 0600), 0);
    assert_refused(place, "is not a regular file");
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(mkdir(place->path, 0700), 0);
    assert_refused(place, "Is a directory");
    assert_int_equal(place->filled, 0);
}

/* ---- reading */

static void a_reader_takes_another_users_and_makes_none(void **state)
{
    struct place *place = *state;
    struct err err = {""};
    int descriptor;

    assert_int_equal(sharedfile_open_to_read(&place->file, &err), -1);
    assert_contains(err.text, "No such file or directory");
    folder_add(place->folder, "shared", STR("bad"), 0604);
    assert_int_equal(sharedfile_open_to_read(&place->file, &err), -1);
    assert_contains(err.text, "its mode is 0604");
    assert_int_equal(chmod(place->path, 0600), 0);
    if (geteuid() == 0)
        assert_int_equal(chown(place->path, STRANGER, STRANGER), 0);
    descriptor = sharedfile_open_to_read(&place->file, &err);
    assert_true(descriptor >= 0);
    assert_int_equal(pwrite(descriptor, "x", 1, 0), -1);
    assert_int_equal(close(descriptor), 0);
    assert_int_equal(place->filled, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_makes_it_and_the_others_find_it),
        TEST(one_that_is_no_good_is_replaced),
        TEST(what_cannot_be_made_leaves_nothing),
        TEST(who_is_always_overtaken_gives_up),
        TEST(one_that_others_can_open_is_not_taken),
        TEST(another_users_is_not_taken),
        TEST(what_is_no_file_is_not_taken),
        TEST(a_reader_takes_another_users_and_makes_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
