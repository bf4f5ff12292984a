#include "base/randompool.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

enum { ID_BYTES = 16, ROUNDS = 1000 };

/* The kernel, by the linker's --wrap: what it refuses. */
static bool refuses_pages, refuses_wiping, refuses_bytes;
static int draws, unmapped;
static void *page; /* the last that was given */

void *__real_mmap(void *at, size_t len, int protection, int flags, int descriptor, off_t offset);
void *__wrap_mmap(void *at, size_t len, int protection, int flags, int descriptor, off_t offset);

void *__wrap_mmap(void *at, size_t len, int protection, int flags, int descriptor, off_t offset)
{
    if (refuses_pages) {
        errno = ENOMEM;
        return MAP_FAILED;
    }
    return page = __real_mmap(at, len, protection, flags, descriptor, offset);
}

int __real_munmap(void *at, size_t len);
int __wrap_munmap(void *at, size_t len);

int __wrap_munmap(void *at, size_t len)
{
    unmapped++;
    return __real_munmap(at, len);
}

int __real_madvise(void *at, size_t len, int advice);
int __wrap_madvise(void *at, size_t len, int advice);

int __wrap_madvise(void *at, size_t len, int advice)
{
    if (!refuses_wiping)
        return __real_madvise(at, len, advice);
    errno = EINVAL;
    return -1;
}

ssize_t __real_getrandom(void *out, size_t len, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t len, unsigned flags);

ssize_t __wrap_getrandom(void *out, size_t len, unsigned flags)
{
    draws++;
    if (!refuses_bytes)
        return __real_getrandom(out, len, flags);
    errno = ENOSYS;
    return -1;
}

static int tear_down(void **state)
{
    (void)state;
    refuses_pages = refuses_wiping = refuses_bytes = false;
    draws = unmapped = 0;
    return 0;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, ID_BYTES);
}

static void assert_all_differ(unsigned char (*ids)[ID_BYTES], size_t count)
{
    qsort(ids, count, ID_BYTES, compare);
    for (size_t i = 1; i < count; i++)
        assert_memory_not_equal(ids[i - 1], ids[i], ID_BYTES);
}

static void no_bytes_are_given_twice(void **state)
{
    static unsigned char ids[ROUNDS][ID_BYTES];
    struct randompool *pool = randompool_new();

    (void)state;
    assert_non_null(pool);
    for (size_t i = 0; i < ROUNDS; i++)
        assert_true(randompool_bytes(pool, ids[i], ID_BYTES));
    assert_all_differ(ids, ROUNDS);
    randompool_free(pool);
}

static void many_are_drawn_at_a_time(void **state)
{
    struct randompool *pool = randompool_new();
    unsigned char id[ID_BYTES];

    (void)state;
    for (int i = 0; i < 160; i++)
        assert_true(randompool_bytes(pool, id, sizeof(id)));
    assert_int_equal(draws, 10);
    randompool_free(pool);
}

/* Each bit of each byte is both, whatever is asked for, and nothing behind it is touched. */
static void all_bytes_are_filled_and_none_behind(void **state)
{
    static const size_t lengths[] = {1, 7, 16, 100, 255, 256, 257, 1000};
    struct randompool *pool = randompool_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(lengths); i++) {
        unsigned char bytes[1001], all_set[1000], all_clear[1000] = {0};

        memset(all_set, 0xFF, sizeof(all_set));
        for (int round = 0; round < 200; round++) {
            memset(bytes, 0, sizeof(bytes));
            assert_true(randompool_bytes(pool, bytes, lengths[i]));
            assert_int_equal(bytes[lengths[i]], 0);
            for (size_t j = 0; j < lengths[i]; j++) {
                all_set[j] &= bytes[j];
                all_clear[j] |= bytes[j];
            }
        }
        for (size_t j = 0; j < lengths[i]; j++) {
            assert_int_equal(all_set[j], 0);
            assert_int_equal(all_clear[j], 0xFF);
        }
    }
    randompool_free(pool);
}

/* What the page of a pool holds, where it is no more than one. */
static bool holds(const unsigned char *id)
{
    return memmem(page, (size_t)sysconf(_SC_PAGESIZE), id, ID_BYTES) != NULL;
}

static void what_was_given_is_wiped(void **state)
{
    struct randompool *pool = randompool_new();
    unsigned char id[ID_BYTES];

    (void)state;
    for (int i = 0; i < 100; i++) {
        assert_true(randompool_bytes(pool, id, sizeof(id)));
        assert_false(holds(id));
    }
    randompool_free(pool);
}

/* The next id of a child of a fork. */
static void id_of_child(struct randompool *pool, unsigned char id[ID_BYTES])
{
    int ends[2], status;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(randompool_bytes(pool, id, ID_BYTES) && write(ends[1], id, ID_BYTES) == ID_BYTES ? 0
                                                                                               : 1);
    assert_int_equal(read(ends[0], id, ID_BYTES), ID_BYTES);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

static void a_child_of_a_fork_has_others(void **state)
{
    static unsigned char ids[64][ID_BYTES];
    struct randompool *pool = randompool_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(ids); i += 2) {
        id_of_child(pool, ids[i]);
        assert_true(randompool_bytes(pool, ids[i + 1], ID_BYTES));
    }
    assert_all_differ(ids, ARRAY_LENGTH(ids));
    randompool_free(pool);
}

static void without_a_page_that_is_its_own_there_is_no_pool(void **state)
{
    unsigned char id[ID_BYTES];

    (void)state;
    refuses_pages = true;
    assert_null(randompool_new());
    refuses_pages = false;
    refuses_wiping = true;
    assert_null(randompool_new());
    assert_int_equal(unmapped, 1);
    /* and all goes on without */
    assert_true(randompool_bytes(NULL, id, sizeof(id)));
    assert_int_equal(draws, 1);
    randompool_free(NULL);
}

static void without_a_generator_it_fails_until_there_is_one(void **state)
{
    struct randompool *pool = randompool_new();
    unsigned char ids[2][ID_BYTES];

    (void)state;
    refuses_bytes = true;
    assert_false(randompool_bytes(pool, ids[0], ID_BYTES));
    assert_false(randompool_bytes(NULL, ids[0], ID_BYTES));
    refuses_bytes = false;
    assert_true(randompool_bytes(pool, ids[0], ID_BYTES));
    refuses_bytes = true;
    assert_true(randompool_bytes(pool, ids[1], ID_BYTES)); /* it was drawn before */
    assert_memory_not_equal(ids[0], ids[1], ID_BYTES);
    randompool_free(pool);
}

#define POOL_TEST(function) cmocka_unit_test_teardown(function, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        POOL_TEST(no_bytes_are_given_twice),
        POOL_TEST(many_are_drawn_at_a_time),
        POOL_TEST(all_bytes_are_filled_and_none_behind),
        POOL_TEST(what_was_given_is_wiped),
        POOL_TEST(a_child_of_a_fork_has_others),
        POOL_TEST(without_a_page_that_is_its_own_there_is_no_pool),
        POOL_TEST(without_a_generator_it_fails_until_there_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
