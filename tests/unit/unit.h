/*
 * What every unit test includes: cmocka and the headers that it needs before it, and a few asserts
 * on our own types.
 */
#ifndef ME_TESTS_UNIT_UNIT_H
#define ME_TESTS_UNIT_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/str.h"

#define assert_str_equal(actual, expected)                                                         \
    do {                                                                                           \
        struct str actual_ = (actual), expected_ = str_from(expected);                             \
        assert_true(str_is_set(actual_));                                                          \
        if (!str_equal(actual_, expected_))                                                        \
            fail_msg("is \"%.*s\", not \"%.*s\"", STR_ARGS(actual_), STR_ARGS(expected_));         \
    } while (0)

/* Ends the test; scripts/test prints the reason. */
#define skip_because(reason)                                                                       \
    do {                                                                                           \
        print_message("skipped: %s\n", (reason));                                                  \
        skip();                                                                                    \
    } while (0)

#define assert_contains(text, part)                                                                \
    do {                                                                                           \
        if (strstr((text), (part)) == NULL)                                                        \
            fail_msg("\"%s\" does not hold \"%s\"", (text), (part));                               \
    } while (0)

#endif
