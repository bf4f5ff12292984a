#include "base/arena.h"

#include <stdalign.h>

#include "memory.h"
#include "unit.h"

enum { KIB = 1024, FIRST_BLOCK_BYTES = 16 * KIB, PLENTY_BYTES = 1024 * KIB };

static const char secret[] = "correct horse battery staple";

static int set_up(void **state)
{
    *state = arena_new(PLENTY_BYTES);
    return *state == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    memory_is_plenty();
    memory_watch(NULL);
    arena_free(*state);
    return 0;
}

static bool is_zero(const unsigned char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* Allocates, and writes to all of it. */
static void *fill(struct arena *arena, size_t size)
{
    void *at = arena_alloc(arena, size);

    assert_non_null(at);
    memset(at, 0xA5, size);
    return at;
}

static void what_it_gives_is_zeroed_and_aligned_for_any_type(void **state)
{
    for (size_t size = 1; size < 3000; size = size * 3 / 2 + 1) {
        unsigned char *at = arena_alloc(*state, size);

        assert_non_null(at);
        assert_int_equal((uintptr_t)at % alignof(max_align_t), 0);
        assert_true(is_zero(at, size));
        memset(at, 0xA5, size);
    }
}

static void pieces_do_not_overlap(void **state)
{
    enum { PIECES = 500, PIECE_BYTES = 100 };
    unsigned char *pieces[PIECES];

    for (int i = 0; i < PIECES; i++) {
        pieces[i] = arena_alloc(*state, PIECE_BYTES);
        assert_non_null(pieces[i]);
        memset(pieces[i], i, PIECE_BYTES);
    }
    for (int i = 0; i < PIECES; i++)
        for (int j = 0; j < PIECE_BYTES; j++)
            assert_int_equal(pieces[i][j], (unsigned char)i);
}

static void a_piece_larger_than_a_block_is_one_piece(void **state)
{
    unsigned char *large = arena_alloc(*state, 10 * FIRST_BLOCK_BYTES);

    assert_non_null(large);
    assert_true(is_zero(large, 10 * FIRST_BLOCK_BYTES));
    (void)fill(*state, 16);
    (void)fill(*state, FIRST_BLOCK_BYTES);
    assert_true(is_zero(large, 10 * FIRST_BLOCK_BYTES));
}

static void a_reset_gives_the_first_block_again_zeroed(void **state)
{
    unsigned char *before = fill(*state, 1000), *after;

    arena_reset(*state);
    after = arena_alloc(*state, 1000);
    assert_ptr_equal(after, before);
    assert_true(is_zero(after, 1000));
}

static void a_usual_request_allocates_nothing(void **state)
{
    memory_allows(0);
    for (int request = 0; request < 3; request++) {
        for (int i = 0; i < 16; i++)
            (void)fill(*state, FIRST_BLOCK_BYTES / 16);
        arena_reset(*state);
    }
}

static void nothing_is_freed_that_was_not_wiped(void **state)
{
    struct str copy;

    memory_watch(secret);
    for (int i = 0; i < 5; i++) {
        assert_true(arena_copy(*state, str_from(secret), &copy));
        (void)fill(*state, FIRST_BLOCK_BYTES);
    }
    arena_reset(*state);
    assert_true(memory_frees() >= 4);
    assert_true(arena_copy(*state, str_from(secret), &copy));
    arena_free(*state);
    *state = NULL;
    assert_int_equal(memory_leaks(), 0);
}

static void takes_up_to_its_cap_and_no_byte_more(void **state)
{
    static const size_t caps[] = {0,
                                  16,
                                  64,
                                  FIRST_BLOCK_BYTES - 16,
                                  FIRST_BLOCK_BYTES,
                                  FIRST_BLOCK_BYTES + 16,
                                  FIRST_BLOCK_BYTES * 2,
                                  FIRST_BLOCK_BYTES * 2 + KIB};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(caps); i++) {
        struct arena *arena = arena_new(caps[i]);

        assert_non_null(arena);
        for (int round = 0; round < 2; round++) {
            for (size_t taken = 0; taken < caps[i]; taken += 16)
                (void)fill(arena, 16);
            assert_null(arena_alloc(arena, 1));
            arena_reset(arena);
        }
        arena_free(arena);
    }
}

static void a_refusal_takes_nothing_away(void **state)
{
    assert_null(arena_alloc(*state, PLENTY_BYTES));
    assert_null(arena_alloc(*state, SIZE_MAX));
    assert_null(arena_alloc(*state, SIZE_MAX - 16));
    (void)fill(*state, FIRST_BLOCK_BYTES);
    (void)fill(*state, PLENTY_BYTES - FIRST_BLOCK_BYTES);
    assert_null(arena_alloc(*state, 1));
}

static void an_arena_without_a_cap_does_not_overflow(void **state)
{
    struct arena *arena = arena_new(SIZE_MAX);

    (void)state;
    assert_non_null(arena);
    assert_null(arena_alloc(arena, SIZE_MAX));
    assert_null(arena_alloc(arena, SIZE_MAX - 40));
    (void)fill(arena, 4 * FIRST_BLOCK_BYTES);
    arena_free(arena);
}

static void an_array_whose_size_overflows_is_refused(void **state)
{
    assert_null(arena_array(*state, SIZE_MAX / 2 + 1, 2));
    assert_null(arena_array(*state, 2, SIZE_MAX / 2 + 1));
    assert_null(arena_array(*state, SIZE_MAX, SIZE_MAX));
}

static void an_array_is_zeroed(void **state)
{
    int64_t *numbers;

    (void)fill(*state, 64);
    arena_reset(*state);
    numbers = arena_array(*state, 8, sizeof(*numbers));
    assert_non_null(numbers);
    assert_true(is_zero((const unsigned char *)numbers, 8 * sizeof(*numbers)));
}

static void an_array_of_nothing_is_no_failure(void **state)
{
    assert_non_null(arena_array(*state, 0, sizeof(int)));
    assert_non_null(arena_array(*state, SIZE_MAX, 0));
}

static void a_copy_is_its_own_and_ends_in_nul(void **state)
{
    char text[] = {'a', '\0', 'b', 'x'};
    struct str copy;

    (void)fill(*state, 64);
    arena_reset(*state);
    assert_true(arena_copy(*state, (struct str){text, 3}, &copy));
    text[0] = '!';
    assert_true(str_equal(copy, STR("a\0b")));
    assert_int_equal(copy.data[3], '\0');
}

static void the_nul_of_a_copy_is_its_own_too(void **state)
{
    static const char text[] = "0123456789abcdef0123456789abcdef";

    for (size_t len = 1; len < sizeof(text); len++) {
        struct str copy;

        assert_true(arena_copy(*state, (struct str){text, len}, &copy));
        (void)fill(*state, 16);
        assert_memory_equal(copy.data, text, len);
        assert_int_equal(copy.data[len], '\0');
    }
}

static void no_value_and_an_empty_one_stay_what_they_are(void **state)
{
    struct str copy = STR("x");

    assert_true(arena_copy(*state, STR_NONE, &copy));
    assert_false(str_is_set(copy));
    assert_true(arena_copy(*state, STR(""), &copy));
    assert_str_equal(copy, "");
    assert_int_equal(copy.data[0], '\0');
}

static void a_copy_past_the_cap_gives_no_value(void **state)
{
    static const char text[PLENTY_BYTES] = "";
    struct str copy = STR("x");

    assert_false(arena_copy(*state, (struct str){text, sizeof(text)}, &copy));
    assert_false(str_is_set(copy));
}

static void out_of_memory_is_told(void **state)
{
    for (size_t allowed = 0; allowed < 2; allowed++) {
        memory_allows(allowed);
        assert_null(arena_new(PLENTY_BYTES));
    }
    memory_allows(0);
    assert_null(arena_alloc(*state, FIRST_BLOCK_BYTES + 1));
    memory_is_plenty();
    (void)fill(*state, FIRST_BLOCK_BYTES + 1);
}

static void no_arena_can_be_freed(void **state)
{
    (void)state;
    arena_free(NULL);
}

#define ARENA_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ARENA_TEST(what_it_gives_is_zeroed_and_aligned_for_any_type),
        ARENA_TEST(pieces_do_not_overlap),
        ARENA_TEST(a_piece_larger_than_a_block_is_one_piece),
        ARENA_TEST(a_reset_gives_the_first_block_again_zeroed),
        ARENA_TEST(a_usual_request_allocates_nothing),
        ARENA_TEST(nothing_is_freed_that_was_not_wiped),
        ARENA_TEST(takes_up_to_its_cap_and_no_byte_more),
        ARENA_TEST(a_refusal_takes_nothing_away),
        ARENA_TEST(an_arena_without_a_cap_does_not_overflow),
        ARENA_TEST(an_array_whose_size_overflows_is_refused),
        ARENA_TEST(an_array_is_zeroed),
        ARENA_TEST(an_array_of_nothing_is_no_failure),
        ARENA_TEST(a_copy_is_its_own_and_ends_in_nul),
        ARENA_TEST(the_nul_of_a_copy_is_its_own_too),
        ARENA_TEST(no_value_and_an_empty_one_stay_what_they_are),
        ARENA_TEST(a_copy_past_the_cap_gives_no_value),
        ARENA_TEST(out_of_memory_is_told),
        ARENA_TEST(no_arena_can_be_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
