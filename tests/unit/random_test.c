#include "base/random.h"

#include <errno.h>
#include <sys/random.h>

#include "base/uuid.h"
#include "unit.h"

/* The kernel's generator, by the linker's --wrap: as it is, or as it may be. */
enum kernel { KERNEL_AS_IT_IS, KERNEL_STINGY, KERNEL_WITHOUT };
static enum kernel kernel;
static int calls;

ssize_t __real_getrandom(void *out, size_t len, unsigned flags);
ssize_t __wrap_getrandom(void *out, size_t len, unsigned flags);

/* Stingy: three bytes at most, and interrupted every other time. */
ssize_t __wrap_getrandom(void *out, size_t len, unsigned flags)
{
    calls++;
    if (kernel == KERNEL_AS_IT_IS)
        return __real_getrandom(out, len, flags);
    if (kernel == KERNEL_WITHOUT || calls % 2 == 1) {
        errno = kernel == KERNEL_WITHOUT ? ENOSYS : EINTR;
        return -1;
    }
    return __real_getrandom(out, len < 3 ? len : 3, flags);
}

static int tear_down(void **state)
{
    (void)state;
    kernel = KERNEL_AS_IT_IS;
    return 0;
}

static void fills_all_bytes_and_none_behind(void **state)
{
    unsigned char bytes[300], all_set[300], all_clear[300] = {0};

    (void)state;
    memset(all_set, 0xFF, sizeof(all_set));
    for (int round = 0; round < 200; round++) {
        memset(bytes, 0, sizeof(bytes));
        assert_true(random_bytes(bytes, 299));
        assert_int_equal(bytes[299], 0);
        for (size_t i = 0; i < 299; i++) {
            all_set[i] &= bytes[i];
            all_clear[i] |= bytes[i];
        }
    }
    for (size_t i = 0; i < 299; i++) {
        assert_int_equal(all_set[i], 0);
        assert_int_equal(all_clear[i], 0xFF);
    }
}

static void asks_again_for_what_is_missing(void **state)
{
    unsigned char bytes[11], all_set[11], all_clear[11] = {0};

    (void)state;
    kernel = KERNEL_STINGY;
    memset(all_set, 0xFF, sizeof(all_set));
    for (int round = 0; round < 200; round++) {
        calls = 0;
        memset(bytes, 0, sizeof(bytes));
        assert_true(random_bytes(bytes, 10));
        assert_int_equal(calls, 8);
        assert_int_equal(bytes[10], 0);
        for (size_t i = 0; i < 10; i++) {
            all_set[i] &= bytes[i];
            all_clear[i] |= bytes[i];
        }
    }
    for (size_t i = 0; i < 10; i++) {
        assert_int_equal(all_set[i], 0);
        assert_int_equal(all_clear[i], 0xFF);
    }
}

static void without_a_generator_it_fails(void **state)
{
    unsigned char bytes[16];
    struct uuid uuid;

    (void)state;
    kernel = KERNEL_WITHOUT;
    assert_false(random_bytes(bytes, sizeof(bytes)));
    assert_false(uuid_new(0, &uuid));
    assert_int_equal(random_below(10), 0);
}

static void no_bytes_are_no_failure(void **state)
{
    (void)state;
    kernel = KERNEL_WITHOUT;
    assert_true(random_bytes(NULL, 0));
}

static void two_calls_differ(void **state)
{
    unsigned char first[16], second[16];

    (void)state;
    assert_true(random_bytes(first, sizeof(first)));
    assert_true(random_bytes(second, sizeof(second)));
    assert_memory_not_equal(first, second, sizeof(first));
}

static void jitter_stays_below_its_limit_and_reaches_all_below(void **state)
{
    for (uint32_t limit = 1; limit <= 10; limit++) {
        unsigned seen = 0;

        for (int i = 0; i < 1000; i++) {
            uint32_t value = random_below(limit);

            assert_true(value < limit);
            seen |= 1U << value;
        }
        assert_int_equal(seen, (1U << limit) - 1);
    }
    (void)state;
}

static void jitter_below_nothing_is_nothing(void **state)
{
    (void)state;
    assert_int_equal(random_below(0), 0);
    assert_int_equal(random_below(1), 0);
}

static void jitter_takes_the_whole_range(void **state)
{
    uint32_t all_clear = 0, all_set = UINT32_MAX;

    (void)state;
    for (int i = 0; i < 200; i++) {
        uint32_t value = random_below(UINT32_MAX);

        all_clear |= value;
        all_set &= value;
    }
    assert_int_equal(all_clear, UINT32_MAX);
    assert_int_equal(all_set, 0);
}

#define RANDOM_TEST(function) cmocka_unit_test_teardown(function, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RANDOM_TEST(fills_all_bytes_and_none_behind),
        RANDOM_TEST(asks_again_for_what_is_missing),
        RANDOM_TEST(without_a_generator_it_fails),
        RANDOM_TEST(no_bytes_are_no_failure),
        RANDOM_TEST(two_calls_differ),
        RANDOM_TEST(jitter_stays_below_its_limit_and_reaches_all_below),
        RANDOM_TEST(jitter_below_nothing_is_nothing),
        RANDOM_TEST(jitter_takes_the_whole_range),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
