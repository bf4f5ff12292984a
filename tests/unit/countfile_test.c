#include "process/countfile.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"
#include "unit.h"

/* Two counts and a level. */
enum { COUNTS = 3, LEVELS = 1, CHILDREN = 4, WRITES = 20000 };

struct place {
    char *folder;
    char path[FOLDER_PATH_BYTES];
    struct countfile_place file;
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof(*place));

    assert_non_null(place);
    place->folder = folder_new();
    (void)folder_path(place->folder, "counts", place->path);
    place->file = (struct countfile_place){place->path, COUNTS, 1, LEVELS};
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

static struct countfile *open_good(const struct place *place)
{
    struct err err = {""};
    struct countfile *file = countfile_open(&place->file, &err);

    assert_string_equal(err.text, "");
    assert_non_null(file);
    return file;
}

struct sum {
    uint64_t counts[COUNTS];
    int slots, alive;
};

static void add(void *context, const uint64_t *counts, bool is_alive)
{
    struct sum *sum = context;

    for (int i = 0; i < COUNTS; i++)
        sum->counts[i] += counts[i];
    sum->slots++;
    sum->alive += is_alive ? 1 : 0;
}

static struct sum sum_of(struct countfile *file)
{
    struct sum sum = {.slots = 0};

    assert_true(countfile_read(file, add, &sum));
    return sum;
}

/* As another process sees it. */
static struct sum sum_in(const struct place *place)
{
    struct err err = {""};
    struct countfile *file = countfile_open_to_read(&place->file, &err);
    struct sum sum;

    assert_string_equal(err.text, "");
    sum = sum_of(file);
    countfile_close(file);
    return sum;
}

static void write_good(struct countfile *file, uint64_t one, uint64_t two, uint64_t level)
{
    assert_true(countfile_write(file, (const uint64_t[COUNTS]){one, two, level}));
}

static void assert_refused(const struct place *place, const char *why)
{
    struct err err = {""};

    assert_null(countfile_open(&place->file, &err));
    assert_contains(err.text, why);
    assert_contains(err.text, place->path);
}

/* ---- counting */

static void is_made_for_its_user_and_group(void **state)
{
    struct countfile *file = open_good(*state);
    const struct place *place = *state;
    struct stat info;

    assert_int_equal(stat(place->path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_true(info.st_blocks * 512 < 64 * 1024); /* slots that nobody took cost nothing */
    countfile_close(file);
}

/* In another container, with which the folder is shared, there are the same process numbers. */
static void what_a_process_of_the_same_number_makes_is_left_alone(void **state)
{
    const struct place *place = *state;
    char made[FOLDER_PATH_BYTES + 16];
    struct countfile *file;
    struct stat info;

    (void)snprintf(made, sizeof(made), "%s.%ld", place->path, (long)getpid());
    assert_int_equal(mkfifo(made, 0600), 0);
    file = open_good(place);
    assert_int_equal(lstat(made, &info), 0);
    countfile_close(file);
}

static void sums_processes_that_run(void **state)
{
    struct countfile *one = open_good(*state), *two = open_good(*state);
    struct sum sum;

    write_good(one, 1, 10, 5);
    write_good(two, 2, 20, 6);
    write_good(one, 3, 30, 7);
    sum = sum_of(two);
    assert_int_equal(sum.counts[0], 5);
    assert_int_equal(sum.counts[1], 50);
    assert_int_equal(sum.counts[2], 13);
    assert_int_equal(sum.slots, 2);
    assert_int_equal(sum.alive, 2);
    assert_int_equal(sum_in(*state).alive, 2);
    countfile_close(one);
    countfile_close(two);
}

static void keeps_the_counts_of_the_dead_and_not_their_levels(void **state)
{
    struct countfile *file = open_good(*state);
    struct sum sum;

    write_good(file, 7, 70, 9);
    countfile_close(file);
    sum = sum_in(*state);
    assert_int_equal(sum.counts[0], 7);
    assert_int_equal(sum.alive, 0);
    file = open_good(*state);
    write_good(file, 1, 1, 2);
    sum = sum_in(*state);
    assert_int_equal(sum.slots, 1); /* the slot was taken over */
    assert_int_equal(sum.counts[0], 8);
    assert_int_equal(sum.counts[1], 71);
    assert_int_equal(sum.counts[2], 2);
    countfile_close(file);
}

static void waits_for_a_slot_where_all_are_taken(void **state)
{
    struct countfile *files[COUNTFILE_SLOTS], *late;

    for (int i = 0; i < COUNTFILE_SLOTS; i++) {
        files[i] = open_good(*state);
        write_good(files[i], 1, 0, 0);
    }
    late = open_good(*state);
    assert_false(countfile_write(late, (const uint64_t[COUNTS]){1, 0, 0}));
    assert_int_equal(sum_of(late).counts[0], COUNTFILE_SLOTS);
    countfile_close(files[COUNTFILE_SLOTS / 2]);
    write_good(late, 3, 0, 0);
    assert_int_equal(sum_of(late).counts[0], COUNTFILE_SLOTS + 3);
    countfile_close(late);
    for (int i = 0; i < COUNTFILE_SLOTS; i++)
        if (i != COUNTFILE_SLOTS / 2)
            countfile_close(files[i]);
}

/* ---- processes that die */

static void count_until_killed(const struct place *place, int told)
{
    struct countfile *file = countfile_open(&place->file, NULL);

    for (uint64_t i = 1; file != NULL; i++)
        if (!countfile_write(file, (const uint64_t[COUNTS]){i, i * 2, 1}) ||
            (i == WRITES / 10 && write(told, "x", 1) != 1))
            break;
    _exit(1);
}

static pid_t start(const struct place *place, int told)
{
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0)
        count_until_killed(place, told);
    return pid;
}

/* Killed in the midst of writing, and read in the midst of writing: nothing is ever less than
 * before, and the two counts of a slot, written together, belong together. */
static void never_falls_whoever_is_killed(void **state)
{
    const struct place *place = *state;
    struct countfile *reader = open_good(place);
    uint64_t last = 0;

    for (int round = 0; round < 5; round++) {
        pid_t children[CHILDREN];
        int told[2];
        char byte;

        assert_int_equal(pipe(told), 0);
        for (int i = 0; i < CHILDREN; i++)
            children[i] = start(place, told[1]);
        for (int i = 0; i < CHILDREN; i++)
            assert_int_equal(read(told[0], &byte, 1), 1);
        for (int i = 0; i < 300 + CHILDREN; i++) {
            struct sum sum = sum_of(reader);

            assert_true(sum.counts[0] >= last);
            assert_int_equal(sum.counts[1], sum.counts[0] * 2);
            last = sum.counts[0];
            if (i >= 300) {
                assert_int_equal(kill(children[i - 300], SIGKILL), 0);
                assert_int_equal(waitpid(children[i - 300], NULL, 0), children[i - 300]);
            }
        }
        (void)close(told[0]);
        (void)close(told[1]);
        assert_int_equal(sum_of(reader).alive, 0); /* the reader itself wrote nothing yet */
    }
    assert_int_equal(sum_of(reader).slots, CHILDREN);
    countfile_close(reader);
}

/* ---- damage */

static void is_made_anew_with_all_that_is_known(const struct place *place, struct countfile *one,
                                                struct countfile *two)
{
    const uint64_t first[COUNTS] = {3, 30, 1}, second[COUNTS] = {4, 40, 1};
    struct sum sum;

    countfile_keep_up(one, first);
    countfile_keep_up(two, second);
    sum = sum_in(place);
    assert_int_equal(sum.counts[0], 7);
    assert_int_equal(sum.counts[1], 70);
    assert_int_equal(sum.alive, 2);
}

enum damage { CUT, EMPTIED, SCRIBBLED, LENGTHENED, REMOVED, REPLACED, DAMAGE__MAX };

static void do_damage(const struct place *place, enum damage damage)
{
    char bytes[4096];
    int descriptor = open(place->path, O_RDWR);

    assert_true(descriptor >= 0);
    memset(bytes, 0xa5, sizeof(bytes));
    if (damage == CUT)
        assert_int_equal(ftruncate(descriptor, 5000), 0);
    if (damage == EMPTIED)
        assert_int_equal(ftruncate(descriptor, 0), 0);
    if (damage == SCRIBBLED)
        assert_int_equal(pwrite(descriptor, bytes, sizeof(bytes), 0), sizeof(bytes));
    if (damage == LENGTHENED)
        assert_int_equal(ftruncate(descriptor, 1 << 28), 0);
    (void)close(descriptor);
    if (damage == REMOVED || damage == REPLACED)
        assert_int_equal(unlink(place->path), 0);
    if (damage == REPLACED)
        folder_add(place->folder, "counts", STR("something else"), 0644);
}

static void survives_damage(void **state)
{
    const struct place *place = *state;
    const uint64_t first[COUNTS] = {3, 30, 1};

    for (enum damage damage = 0; damage < DAMAGE__MAX; damage++) {
        struct countfile *one, *two;
        struct sum sum = {.slots = 0};

        (void)unlink(place->path);
        one = open_good(place);
        two = open_good(place);
        write_good(one, 1, 10, 1);
        write_good(two, 4, 40, 1);
        do_damage(place, damage);
        /* None of these may crash; whether a file that is gone is written to matters to nobody. */
        (void)countfile_write(one, first);
        assert_int_equal(countfile_read(one, add, &sum), damage == REMOVED || damage == REPLACED);
        is_made_anew_with_all_that_is_known(place, one, two);
        countfile_close(one);
        countfile_close(two);
    }
}

static void a_slot_that_was_scribbled_over_is_written_again(void **state)
{
    const struct place *place = *state;
    struct countfile *file = open_good(place);
    int descriptor = open(place->path, O_RDWR);
    char bytes[4096];

    write_good(file, 5, 50, 1);
    memset(bytes, 0xa5, sizeof(bytes));
    assert_int_equal(pwrite(descriptor, bytes, sizeof(bytes), 4096), sizeof(bytes));
    assert_int_equal(sum_in(place).slots, 0);
    write_good(file, 6, 60, 1);
    assert_int_equal(sum_in(place).counts[0], 6);
    (void)close(descriptor);
    countfile_close(file);
}

static void one_place_of_a_slot_makes_up_for_the_other(void **state)
{
    const struct place *place = *state;
    struct countfile *file = open_good(place);
    int descriptor = open(place->path, O_RDWR);
    size_t entry = sizeof(uint64_t) * (2 + COUNTS);

    write_good(file, 5, 50, 1); /* number 1: in the second place */
    write_good(file, 6, 60, 1);
    assert_int_equal(pwrite(descriptor, "xx", 2, 4096 + (off_t)entry - 2), 2);
    assert_int_equal(sum_in(place).counts[0], 5);
    (void)close(descriptor);
    countfile_close(file);
}

/* ---- what is not taken */

static void a_link_is_not_followed(void **state)
{
    const struct place *place = *state;
    char target[FOLDER_PATH_BYTES];

    folder_add(place->folder, "precious", STR("precious"), 0600);
    assert_int_equal(symlink(folder_path(place->folder, "precious", target), place->path), 0);
    assert_refused(place, "is a symbolic link");
}

static void another_kind_of_file_is_not_taken(void **state)
{
    const struct place *place = *state;

    assert_int_equal(mkfifo(place->path, 0600), 0);
    assert_refused(place, "is not a regular file");
    assert_int_equal(unlink(place->path), 0);
    assert_int_equal(mkdir(place->path, 0700), 0);
    assert_refused(place, "Is a directory");
}

static void a_file_that_others_can_write_is_not_taken(void **state)
{
    const struct place *place = *state;

    countfile_close(open_good(place));
    assert_int_equal(chmod(place->path, 0660), 0);
    assert_refused(place, "its mode is 0660");
}

static void another_users_file_is_not_taken_but_read(void **state)
{
    const struct place *place = *state;
    struct countfile *file;

    if (geteuid() != 0)
        skip_because("only root can give a file away");
    file = open_good(place);
    write_good(file, 5, 50, 1);
    assert_int_equal(chown(place->path, 65534, 65534), 0);
    assert_refused(place, "is another user's");
    assert_int_equal(sum_in(place).counts[0], 5);
    countfile_close(file);
}

static void a_folder_that_is_not_there_is_told(void **state)
{
    struct place place = *(struct place *)*state;

    (void)folder_path(place.folder, "none/counts", place.path);
    place.file.path = place.path;
    assert_refused(&place, "No such file or directory");
}

/* The name under which it is made would be longer than it. */
static void a_path_as_long_as_can_be_is_refused(void **state)
{
    struct place place = *(struct place *)*state;
    char *path = folder_long_path(place.folder, "counts", PATH_MAX - 2);

    (void)folder_path(place.folder, ".", place.path); /* of what is told the end is cut off */
    place.file.path = path;
    assert_refused(&place, "/./.");
    assert_int_equal(access(path, F_OK), -1);
    free(path);
}

static void another_layout_is_replaced_and_left_alone_then(void **state)
{
    const struct place *place = *state;
    const uint64_t counts[COUNTS] = {6, 60, 1};
    struct countfile_place newer = place->file;
    struct countfile *old = open_good(place), *new;
    struct sum sum = {.slots = 0};
    struct err err = {""};

    newer.layout++;
    write_good(old, 5, 50, 1);
    new = countfile_open(&newer, &err);
    assert_non_null(new);
    write_good(new, 1, 10, 1);
    countfile_keep_up(old, counts); /* goes on in its own */
    assert_null(countfile_open_to_read(&place->file, &err));
    assert_contains(err.text, "another version");
    assert_true(countfile_read(new, add, &sum));
    assert_int_equal(sum.counts[0], 1);
    countfile_close(old);
    countfile_close(new);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(is_made_for_its_user_and_group),
        TEST(what_a_process_of_the_same_number_makes_is_left_alone),
        TEST(sums_processes_that_run),
        TEST(keeps_the_counts_of_the_dead_and_not_their_levels),
        TEST(waits_for_a_slot_where_all_are_taken),
        TEST(never_falls_whoever_is_killed),
        TEST(survives_damage),
        TEST(a_slot_that_was_scribbled_over_is_written_again),
        TEST(one_place_of_a_slot_makes_up_for_the_other),
        TEST(a_link_is_not_followed),
        TEST(another_kind_of_file_is_not_taken),
        TEST(a_file_that_others_can_write_is_not_taken),
        TEST(another_users_file_is_not_taken_but_read),
        TEST(a_folder_that_is_not_there_is_told),
        TEST(a_path_as_long_as_can_be_is_refused),
        TEST(another_layout_is_replaced_and_left_alone_then),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
