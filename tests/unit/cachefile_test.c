#include "cache/cachefile.h"

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

struct fixture {
    char folder[40], path[64];
    struct cachefile_place place;
    struct cachefile *cache;
};

static int set_up(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct err err = {""};

    assert_non_null(fixture);
    (void)snprintf(fixture->folder, sizeof(fixture->folder), "/tmp/cachefile_test.XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    (void)snprintf(fixture->path, sizeof(fixture->path), "%s/cache", fixture->folder);
    fixture->place = (struct cachefile_place){fixture->path, 2 * CACHEFILE_MIN_BYTES, {'i', 'd'}};
    fixture->cache = cachefile_open(&fixture->place, &err);
    assert_non_null(fixture->cache);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    char command[64];

    cachefile_close(fixture->cache);
    (void)snprintf(command, sizeof(command), "rm -rf %s", fixture->folder);
    assert_int_equal(system(command), 0);
    free(fixture);
    return 0;
}

static struct cachefile_key key_of(uint64_t number)
{
    struct cachefile_key key = {{0}};

    memcpy(key.bytes, &number, sizeof(number));
    return key;
}

/* Bytes that tell the number, the version and the length: no other value is a part of it. */
static struct str value_of(uint64_t number, uint64_t version, size_t len, char *out)
{
    uint64_t word = number * 0x9E3779B97F4A7C15 + version * 0xC2B2AE3D27D4EB4F + len;

    for (size_t i = 0; i < len; i++) {
        if (i % 8 == 0)
            word = word * 6364136223846793005 + 1442695040888963407;
        out[i] = (char)(word >> (8 * (i % 8)));
    }
    return (struct str){out, len};
}

static void put(struct cachefile *cache, uint64_t number, uint64_t version, size_t len,
                int64_t now_s)
{
    struct cachefile_key key = key_of(number);
    char *bytes = malloc(len + 1);

    assert_non_null(bytes);
    cachefile_put(cache, &key, now_s, value_of(number, version, len, bytes));
    free(bytes);
}

/* 1: the value; 0: none; anything else fails. */
static int get(struct cachefile *cache, uint64_t number, uint64_t version, size_t len,
               int64_t now_s)
{
    struct cachefile_key key = key_of(number);
    char *bytes = malloc(len + 1);
    struct buf out;
    int found = 0;

    assert_non_null(bytes);
    buf_init(&out, CACHEFILE_VALUE_MAX_BYTES);
    if (cachefile_get(cache, &key, now_s, &out)) {
        assert_true(str_equal(buf_str(&out), value_of(number, version, len, bytes)));
        found = 1;
    }
    buf_free(&out);
    free(bytes);
    return found;
}

static void gives_what_was_put(void **state)
{
    static const size_t lengths[] = {0,    1,    7,    8,    1024,  1025,
                                     2048, 2049, 4096, 5000, 65536, CACHEFILE_VALUE_MAX_BYTES};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        assert_int_equal(get(fixture->cache, i, 1, lengths[i], 5), 0);
        put(fixture->cache, i, 1, lengths[i], 5);
        assert_int_equal(get(fixture->cache, i, 1, lengths[i], 5), 1);
    }
}

static void what_is_too_long_is_not_kept(void **state)
{
    struct fixture *fixture = *state;

    put(fixture->cache, 1, 1, CACHEFILE_VALUE_MAX_BYTES + 1, 5);
    assert_int_equal(get(fixture->cache, 1, 1, CACHEFILE_VALUE_MAX_BYTES + 1, 5), 0);
}

static void the_later_value_is_the_one_whatever_its_class(void **state)
{
    static const size_t lengths[] = {100, 1500, 60000, 3000, 900, 10000, 10};
    struct fixture *fixture = *state;

    for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
        put(fixture->cache, 7, i, lengths[i], 5);
        assert_int_equal(get(fixture->cache, 7, i, lengths[i], 5), 1);
    }
}

static void another_process_sees_it(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {""};
    int status;
    pid_t child;

    child = fork();
    if (child == 0) {
        struct cachefile *cache = cachefile_open(&fixture->place, &err);

        put(cache, 3, 1, 1500, 5);
        cachefile_close(cache);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(get(fixture->cache, 3, 1, 1500, 5), 1);
}

static void the_one_that_was_not_used_for_the_longest_time_goes(void **state)
{
    struct fixture *fixture = *state;
    int kept = 0, old = 0;

    for (uint64_t i = 0; i < 6000; i++) {
        put(fixture->cache, i, 1, 1500, 10 + (int64_t)i);
        (void)get(fixture->cache, 0, 1, 1500, 10 + (int64_t)i); /* always in use */
    }
    for (uint64_t i = 0; i < 6000; i++) {
        int found = get(fixture->cache, i, 1, 1500, 9000);

        kept += found;
        old += found && i < 3000;
    }
    assert_int_equal(get(fixture->cache, 0, 1, 1500, 9000), 1);
    assert_true(kept > 300); /* 2 MiB, 45 of 100 for this size */
    assert_true(old <= kept / 4);
}

/* ---- marks */

static void mark(struct cachefile *cache, uint64_t number, int64_t now_s)
{
    struct cachefile_key key = key_of(number);

    cachefile_put_mark(cache, &key, now_s);
}

static bool is_marked(struct cachefile *cache, uint64_t number, int64_t now_s)
{
    struct cachefile_key key = key_of(number);

    return cachefile_has_mark(cache, &key, now_s);
}

static void a_mark_is_there_once_it_was_put(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {""};
    struct cachefile *other;

    for (uint64_t i = 0; i < 100; i++)
        assert_false(is_marked(fixture->cache, i, 5));
    for (uint64_t i = 0; i < 100; i++)
        mark(fixture->cache, i, 5);
    mark(fixture->cache, 7, 6);
    other = cachefile_open(&fixture->place, &err);
    assert_non_null(other);
    for (uint64_t i = 0; i < 100; i++)
        assert_true(is_marked(other, i, 5));
    assert_false(is_marked(other, 100, 5));
    cachefile_close(other);
}

/* Each bit counts, and a place that was never used holds no mark of zeros. */
static void a_mark_is_all_of_its_bits(void **state)
{
    struct fixture *fixture = *state;
    struct cachefile_key key = {{0}};

    assert_false(cachefile_has_mark(fixture->cache, &key, 5));
    for (size_t i = 0; i < sizeof(key.bytes); i++)
        key.bytes[i] = (unsigned char)(i * 7);
    cachefile_put_mark(fixture->cache, &key, 5);
    for (size_t bit = 0; bit < sizeof(key.bytes) * 8; bit++) {
        struct cachefile_key other = key;

        other.bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
        assert_false(cachefile_has_mark(fixture->cache, &other, 5));
    }
    assert_true(cachefile_has_mark(fixture->cache, &key, 5));
}

static void marks_and_values_do_not_meet(void **state)
{
    struct fixture *fixture = *state;

    put(fixture->cache, 1, 1, 100, 5);
    mark(fixture->cache, 2, 5);
    assert_false(is_marked(fixture->cache, 1, 5));
    assert_int_equal(get(fixture->cache, 2, 1, 100, 5), 0);
    for (uint64_t i = 0; i < 20000; i++) /* more than there is room for */
        mark(fixture->cache, i, 6);
    assert_int_equal(get(fixture->cache, 1, 1, 100, 5), 1);
    for (uint64_t i = 0; i < 3000; i++)
        put(fixture->cache, i, 1, 2000, 7);
    assert_true(is_marked(fixture->cache, 19999, 6));
}

static void the_mark_that_was_not_used_for_the_longest_time_goes(void **state)
{
    struct fixture *fixture = *state;
    int kept = 0, old = 0;

    for (uint64_t i = 0; i < 6000; i++) {
        mark(fixture->cache, i, 10 + (int64_t)i);
        assert_true(is_marked(fixture->cache, 0, 10 + (int64_t)i)); /* always in use */
    }
    for (uint64_t i = 0; i < 6000; i++) {
        bool found = is_marked(fixture->cache, i, 9000);

        kept += found;
        old += found && i < 3000;
    }
    assert_in_range(kept, 1000, 1160); /* 2 of 100 of 2 MiB, 36 bytes each */
    assert_true(old <= kept / 4);
}

static void marks_of_a_file_cut_short_are_none(void **state)
{
    struct fixture *fixture = *state;

    mark(fixture->cache, 1, 5);
    assert_int_equal(truncate(fixture->path, 4096), 0);
    assert_false(is_marked(fixture->cache, 1, 5));
    mark(fixture->cache, 1, 5);
    assert_false(is_marked(fixture->cache, 1, 5));
    assert_false(cachefile_is_whole(fixture->cache));
}

/* ---- damage */

static void a_file_cut_short_is_a_miss(void **state)
{
    struct fixture *fixture = *state;

    for (uint64_t i = 0; i < 50; i++)
        put(fixture->cache, i, 1, 1500, 5);
    assert_int_equal(truncate(fixture->path, 5000), 0);
    for (uint64_t i = 0; i < 50; i++) {
        (void)get(fixture->cache, i, 1, 1500, 5);
        put(fixture->cache, i, 2, 1500, 5);
        (void)get(fixture->cache, i, 2, 1500, 5);
    }
}

static void a_bit_that_falls_over_is_a_miss(void **state)
{
    struct fixture *fixture = *state;
    int descriptor = open(fixture->path, O_RDWR), misses = 0;
    struct stat info;
    unsigned seed = 1;

    assert_true(descriptor >= 0);
    assert_int_equal(fstat(descriptor, &info), 0);
    for (uint64_t i = 0; i < 200; i++)
        put(fixture->cache, i, 1, 900 + i * 7, 5);
    for (int flip = 0; flip < 40000; flip++) {
        off_t at = 4096 + (off_t)((unsigned)rand_r(&seed) % (unsigned)(info.st_size - 4096));
        unsigned char byte;

        assert_int_equal(pread(descriptor, &byte, 1, at), 1);
        byte ^= (unsigned char)(1 << rand_r(&seed) % 8);
        assert_int_equal(pwrite(descriptor, &byte, 1, at), 1);
    }
    for (uint64_t i = 0; i < 200; i++)
        misses += 1 - get(fixture->cache, i, 1, 900 + i * 7, 5);
    assert_true(misses > 10); /* the flips did hit something */
    (void)close(descriptor);
}

static void another_identity_or_size_begins_anew(void **state)
{
    struct fixture *fixture = *state;
    struct cachefile_place other = fixture->place;
    struct err err = {""};
    struct cachefile *cache;

    put(fixture->cache, 1, 1, 100, 5);
    other.identity[5] = 1;
    cache = cachefile_open(&other, &err);
    assert_non_null(cache);
    assert_int_equal(get(cache, 1, 1, 100, 5), 0);
    put(cache, 1, 2, 100, 5);
    /* Who has the old file open goes on with it. */
    assert_int_equal(get(fixture->cache, 1, 1, 100, 5), 1);
    cachefile_close(cache);
    other = fixture->place;
    other.size_bytes += 4096;
    cache = cachefile_open(&other, &err);
    assert_non_null(cache);
    assert_int_equal(get(cache, 1, 2, 100, 5), 0);
    cachefile_close(cache);
}

/* Opens it as soon as all others are there, puts one value and ends. They put one after another, the
 * byte in the pipe going round: of two values put at once in one set one may be lost. */
static void begin_at(const struct fixture *fixture, const int *start, const int *turn,
                     uint64_t number)
{
    struct cachefile *cache;
    struct err err = {""};
    char byte;

    (void)close(start[1]);
    (void)!read(start[0], &byte, 1); /* nothing, once the parent has closed it */
    cache = cachefile_open(&fixture->place, &err);
    if (cache == NULL)
        _exit(1);
    if (read(turn[0], &byte, 1) != 1)
        _exit(2);
    put(cache, number, 1, 100, 10);
    cachefile_close(cache);
    _exit(write(turn[1], &byte, 1) == 1 ? 0 : 3);
}

static void begin_at_once(const struct fixture *fixture, uint64_t count)
{
    pid_t children[8];
    int start[2], turn[2], status;

    assert_in_range(count, 1, ARRAY_LENGTH(children));
    assert_int_equal(pipe(start), 0);
    assert_int_equal(pipe(turn), 0);
    assert_int_equal(write(turn[1], "", 1), 1);
    for (uint64_t i = 0; i < count; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0)
            begin_at(fixture, start, turn, i);
    }
    (void)close(start[0]);
    (void)close(start[1]);
    for (uint64_t i = 0; i < count; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    (void)close(turn[0]);
    (void)close(turn[1]);
}

static void processes_that_begin_at_once_share_one_file(void **state)
{
    enum { ROUNDS = 20, PROCESSES = 8 };
    struct fixture *fixture = *state;
    struct err err = {""};

    for (int round = 0; round < ROUNDS; round++) {
        cachefile_close(fixture->cache);
        assert_int_equal(unlink(fixture->path), 0);
        begin_at_once(fixture, PROCESSES);
        fixture->cache = cachefile_open(&fixture->place, &err);
        assert_non_null(fixture->cache);
        for (uint64_t i = 0; i < PROCESSES; i++)
            assert_int_equal(get(fixture->cache, i, 1, 100, 10), 1);
    }
}

static void a_file_of_rubbish_is_replaced(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {""};
    struct cachefile *cache;
    int descriptor;

    descriptor = open(fixture->path, O_WRONLY | O_TRUNC);
    assert_true(write(descriptor, "rubbish", 7) == 7);
    (void)close(descriptor);
    cache = cachefile_open(&fixture->place, &err);
    assert_non_null(cache);
    put(cache, 1, 1, 100, 5);
    assert_int_equal(get(cache, 1, 1, 100, 5), 1);
    cachefile_close(cache);
}

static void a_file_that_others_can_open_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {""};

    assert_int_equal(chmod(fixture->path, 0640), 0);
    assert_null(cachefile_open(&fixture->place, &err));
    assert_contains(err.text, "run: chmod 0600 ");
}

static void another_users_file_and_a_link_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {""};
    char other[80];

    (void)snprintf(other, sizeof(other), "%s.link", fixture->path);
    assert_int_equal(symlink(fixture->path, other), 0);
    fixture->place.path = other;
    assert_null(cachefile_open(&fixture->place, &err));
    fixture->place.path = fixture->path;
    if (geteuid() != 0)
        skip_because("only root can give a file away");
    assert_int_equal(chown(fixture->path, 12345, 12345), 0);
    assert_null(cachefile_open(&fixture->place, &err));
    assert_contains(err.text, "is another user's: name another cache.path");
}

static void no_room_is_no_cache(void **state)
{
    struct fixture *fixture = *state;
    struct err err = {""};

    fixture->place.path = "/dev/shm/nothing/cache";
    assert_null(cachefile_open(&fixture->place, &err));
    assert_contains(err.text, "/dev/shm/nothing/cache");
    fixture->place.path = fixture->path;
    fixture->place.size_bytes = INT64_C(1) << 50;
    assert_null(cachefile_open(&fixture->place, &err));
    assert_contains(err.text, "cannot be made");
}

/* The name under which it is made would be longer than it. */
static void a_path_as_long_as_can_be_is_no_cache(void **state)
{
    struct fixture *fixture = *state;
    char *path = folder_long_path(fixture->folder, "long", PATH_MAX - 2);
    struct err err = {""};

    fixture->place.path = path;
    assert_null(cachefile_open(&fixture->place, &err));
    assert_contains(err.text, fixture->folder);
    assert_int_equal(access(path, F_OK), -1);
    free(path);
}

/* Wherever a value comes to lie, it lies within the file. */
static void a_file_of_any_size_stays_as_long_as_it_is(void **state)
{
    static const size_t lengths[] = {1024, 2048, 4096, 16384, CACHEFILE_VALUE_MAX_BYTES};
    struct fixture *fixture = *state;
    struct err err = {""};

    for (int64_t size = CACHEFILE_MIN_BYTES; size <= 5 * (int64_t)CACHEFILE_MIN_BYTES;
         size += CACHEFILE_MIN_BYTES / 2) {
        cachefile_close(fixture->cache);
        fixture->place.size_bytes = size;
        fixture->cache = cachefile_open(&fixture->place, &err);
        assert_non_null(fixture->cache);
        for (uint64_t i = 0; i < 500; i++) {
            size_t len = lengths[i % (sizeof(lengths) / sizeof(*lengths))];

            put(fixture->cache, i, 1, len, 5);
            assert_int_equal(get(fixture->cache, i, 1, len, 5), 1);
            mark(fixture->cache, i, 5);
            assert_true(is_marked(fixture->cache, i, 5));
            assert_true(cachefile_is_whole(fixture->cache));
        }
    }
}

enum { WRITERS = 4, STORM_KEYS = 40, STORM_ROUNDS = 20000 };

/* Each value says what it is: version and length are in it, so a torn one is no value at all. */
static void storm(const struct fixture *fixture, unsigned seed)
{
    struct err err;
    struct cachefile *cache = cachefile_open(&fixture->place, &err);
    static char bytes[4096];
    struct buf out;

    if (cache == NULL)
        _exit(1);
    buf_init(&out, CACHEFILE_VALUE_MAX_BYTES);
    for (int round = 0; round < STORM_ROUNDS; round++) {
        uint64_t number = (uint64_t)rand_r(&seed) % STORM_KEYS, version;
        struct cachefile_key key = key_of(number);

        if (rand_r(&seed) % 2 == 0) {
            size_t len = 16 + (size_t)rand_r(&seed) % 3000;

            version = (uint64_t)rand_r(&seed);
            memcpy(bytes, &version, sizeof(version));
            (void)value_of(number, version, len, bytes + sizeof(version));
            cachefile_put(cache, &key, 5, (struct str){bytes, len + sizeof(version)});
            continue;
        }
        buf_reset(&out);
        if (!cachefile_get(cache, &key, 5, &out))
            continue;
        memcpy(&version, out.data, sizeof(version));
        (void)value_of(number, version, out.len - sizeof(version), bytes);
        if (memcmp(bytes, out.data + sizeof(version), out.len - sizeof(version)) != 0)
            _exit(2);
    }
    buf_free(&out);
    cachefile_close(cache);
    _exit(0);
}

static void many_processes_never_read_a_torn_value(void **state)
{
    struct fixture *fixture = *state;
    pid_t children[WRITERS];
    int status;

    for (unsigned i = 0; i < WRITERS; i++) {
        children[i] = fork();
        if (children[i] == 0)
            storm(fixture, i + 1);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
}

static void a_process_killed_while_it_writes_leaves_nothing_torn(void **state)
{
    struct fixture *fixture = *state;
    int status;

    for (int i = 0; i < 60; i++) {
        pid_t child = fork();

        if (child == 0)
            storm(fixture, (unsigned)i + 100);
        (void)usleep((unsigned)(i % 7) * 500);
        (void)kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
    }
    many_processes_never_read_a_torn_value(state);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(gives_what_was_put),
        CASE(what_is_too_long_is_not_kept),
        CASE(the_later_value_is_the_one_whatever_its_class),
        CASE(another_process_sees_it),
        CASE(the_one_that_was_not_used_for_the_longest_time_goes),
        CASE(a_mark_is_there_once_it_was_put),
        CASE(a_mark_is_all_of_its_bits),
        CASE(marks_and_values_do_not_meet),
        CASE(the_mark_that_was_not_used_for_the_longest_time_goes),
        CASE(marks_of_a_file_cut_short_are_none),
        CASE(a_file_cut_short_is_a_miss),
        CASE(a_bit_that_falls_over_is_a_miss),
        CASE(another_identity_or_size_begins_anew),
        CASE(processes_that_begin_at_once_share_one_file),
        CASE(a_file_of_rubbish_is_replaced),
        CASE(a_file_that_others_can_open_is_refused),
        CASE(another_users_file_and_a_link_are_refused),
        CASE(no_room_is_no_cache),
        CASE(a_path_as_long_as_can_be_is_no_cache),
        CASE(a_file_of_any_size_stays_as_long_as_it_is),
        CASE(many_processes_never_read_a_torn_value),
        CASE(a_process_killed_while_it_writes_leaves_nothing_torn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
