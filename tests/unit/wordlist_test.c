#include "profile/wordlist.h"

#include <strings.h>

#include "judge.h"
#include "profile/subtag.h"
#include "profile/timezone.h"
#include "profile/zone.h"
#include "unit.h"

static const char some[][6] = {"-", "1", "a", "A-b", "ab", "abc", "B", "b_", "ba", "Zulu"};
static const struct wordlist words = WORDLIST(some);

/* In memory of exactly its length. */
static const char *find(const struct wordlist *list, struct str text)
{
    struct str copy = exact_copy(text);
    const char *found = wordlist_find(list, copy);

    free_copy(copy);
    return found;
}

static void finds_every_word(void **state)
{
    (void)state;
    for (size_t i = 0; i < words.count; i++) {
        assert_ptr_equal(wordlist_word(&words, i), some[i]);
        assert_ptr_equal(find(&words, str_from(some[i])), some[i]);
    }
}

static void finds_a_word_in_any_case(void **state)
{
    (void)state;
    assert_ptr_equal(find(&words, STR("ABC")), some[5]);
    assert_ptr_equal(find(&words, STR("aBc")), some[5]);
    assert_ptr_equal(find(&words, STR("a-B")), some[3]);
    assert_ptr_equal(find(&words, STR("zULU")), some[9]);
}

static void finds_nothing_else(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } others[] = {
        {"", 0},     {"0", 1},     {"ac", 2},    {"abcd", 4},
        {"c", 1},    {"Zul", 3},   {"Zulus", 5}, {"Zulu and more", 13},
        {"a", 2},    {"a\0b", 3},  {"", 1},      {"abc\0\0", 6},
        {"\xff", 1}, {"a\xff", 2}, {"@", 1},     {"b`", 2},
        {"b?", 2},   {"{", 1},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        assert_null(find(&words, (struct str){others[i].text, others[i].len}));
    assert_null(wordlist_find(&words, STR_NONE));
}

static void finds_nothing_in_an_empty_list(void **state)
{
    static const struct wordlist empty = {.words = "", .width = 1, .count = 0};

    (void)state;
    assert_null(find(&empty, STR("a")));
    assert_null(find(&empty, STR("")));
}

/* ---- the lists that are compiled in */

static void assert_row(const struct wordlist *list, size_t number)
{
    const char *word = wordlist_word(list, number);
    size_t len = strnlen(word, list->width);

    assert_in_range(len, 1, list->width - 1);
    for (size_t i = len; i < list->width; i++)
        assert_int_equal(word[i], '\0');
    if (number > 0 && strcasecmp(wordlist_word(list, number - 1), word) >= 0)
        fail_msg("%s stands behind %s", word, wordlist_word(list, number - 1));
    assert_ptr_equal(find(list, str_from(word)), word);
}

static void assert_list(const struct wordlist *list, size_t least)
{
    assert_true(list->count >= least);
    for (size_t i = 0; i < list->count; i++)
        assert_row(list, i);
}

/* The registries take nothing back: no list may become shorter than it was when this was written.
 */
static void the_lists_of_subtags_are_sorted_and_whole(void **state)
{
    static const size_t least[SUBTAG__MAX] = {
        [SUBTAG_LANGUAGE] = 8787, [SUBTAG_EXTLANG] = 256, [SUBTAG_SCRIPT] = 274,
        [SUBTAG_REGION] = 343,    [SUBTAG_VARIANT] = 134, [SUBTAG_GRANDFATHERED] = 26,
    };

    (void)state;
    for (size_t kind = 0; kind < SUBTAG__MAX; kind++)
        assert_list(&subtag_lists[kind], least[kind]);
}

static void the_list_of_zones_is_sorted_and_whole(void **state)
{
    (void)state;
    assert_list(&zone_list, 598);
    assert_in_range(zone_list.width, 1, TIMEZONE_MAX_BYTES + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_every_word),
        cmocka_unit_test(finds_a_word_in_any_case),
        cmocka_unit_test(finds_nothing_else),
        cmocka_unit_test(finds_nothing_in_an_empty_list),
        cmocka_unit_test(the_lists_of_subtags_are_sorted_and_whole),
        cmocka_unit_test(the_list_of_zones_is_sorted_and_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
