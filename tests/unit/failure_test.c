#include "store/failure.h"

#include "base/compiler.h"
#include "unit.h"

/* The numbers stand here as the documentation of MariaDB has them, not by the names of its headers.
 */
static void errors_become_results(void **state)
{
    static const struct {
        unsigned int number;
        enum store_result result;
    } rows[] = {
        {1213, STORE_CONFLICT},    {1205, STORE_CONFLICT},    {1020, STORE_CONFLICT},
        {1062, STORE_DUPLICATE},   {4025, STORE_REFUSED},     {1452, STORE_REFUSED},
        {1406, STORE_REFUSED},     {2006, STORE_LOST},        {2013, STORE_LOST},
        {1927, STORE_LOST},        {1040, STORE_UNAVAILABLE}, {1203, STORE_UNAVAILABLE},
        {1226, STORE_UNAVAILABLE}, {1180, STORE_UNAVAILABLE}, {1047, STORE_UNAVAILABLE},
        {1053, STORE_UNAVAILABLE}, {1146, STORE_UNAVAILABLE}, {1054, STORE_UNAVAILABLE},
        {1045, STORE_UNAVAILABLE}, {1044, STORE_UNAVAILABLE}, {1142, STORE_UNAVAILABLE},
        {1143, STORE_UNAVAILABLE}, {1449, STORE_UNAVAILABLE}, {2001, STORE_UNAVAILABLE},
        {2002, STORE_UNAVAILABLE}, {2003, STORE_UNAVAILABLE}, {2004, STORE_UNAVAILABLE},
        {2026, STORE_UNAVAILABLE}, {1064, STORE_FAILED},      {2014, STORE_FAILED},
        {1690, STORE_FAILED},      {1129, STORE_UNAVAILABLE}, {1461, STORE_UNAVAILABLE},
        {1820, STORE_UNAVAILABLE}, {1862, STORE_UNAVAILABLE}, {4151, STORE_UNAVAILABLE},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        if (failure_of(rows[i].number)->result != rows[i].result)
            fail_msg("error %u is %s, not %s", rows[i].number,
                     store_result_name(failure_of(rows[i].number)->result),
                     store_result_name(rows[i].result));
}

static void a_lost_connection_is_broken_and_its_commit_in_doubt(void **state)
{
    static const unsigned int numbers[] = {2006, 2013, 1053, 1927, 1180};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
        assert_true(failure_of(numbers[i])->is_broken);
        assert_true(failure_of(numbers[i])->is_ambiguous);
    }
}

static void an_error_that_the_server_told_leaves_no_doubt(void **state)
{
    (void)state;
    assert_false(failure_of(1213)->is_ambiguous);
    assert_false(failure_of(1047)->is_ambiguous);
    assert_false(failure_of(1064)->is_ambiguous);
}

/* The client library's own errors leave the protocol in a state that nobody knows. */
static void unknown_errors_of_the_client_break_the_connection(void **state)
{
    (void)state;
    assert_true(failure_of(2998)->is_broken);
    assert_true(failure_of(5998)->is_ambiguous);
    assert_false(failure_of(1999)->is_broken);
    assert_false(failure_of(3000)->is_broken);
}

static void another_host_is_tried_where_this_one_cannot_serve(void **state)
{
    (void)state;
    assert_true(failure_of(1047)->is_elsewhere);
    assert_true(failure_of(1290)->is_elsewhere);
    assert_false(failure_of(1045)->is_elsewhere);
}

/* Many processes come and go at a limit; a right that is missing stays so. */
static void connections_become_free_where_there_are_too_many(void **state)
{
    static const unsigned int crowded[] = {1040, 1203, 1226}, others[] = {1045, 1047, 2002, 2059};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(crowded); i++)
        assert_true(failure_of(crowded[i])->is_crowded);
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        assert_false(failure_of(others[i])->is_crowded);
}

static void reports_say_what_to_do(void **state)
{
    struct err err = {{0}};
    (void)state;
    assert_int_equal(failure_report(1146, "profile_read", "Table 'me.users' doesn't exist", &err),
                     STORE_UNAVAILABLE);
    assert_string_equal(err.text, "profile_read: Table 'me.users' doesn't exist (error 1146): the "
                                  "schema is not migrated: run mectl migrate");
    assert_int_equal(failure_report(1064, "x", "syntax", &err), STORE_FAILED);
    assert_string_equal(err.text, "x: syntax (error 1064)");
    assert_int_equal(failure_report(1142, "x", "denied", &err), STORE_UNAVAILABLE);
    assert_contains(err.text, "--print-grants");
    assert_int_equal(failure_report(2059, "x", "Plugin caching_sha2_password could not", &err),
                     STORE_UNAVAILABLE);
    assert_contains(err.text, "IDENTIFIED VIA mysql_native_password");
}

/* What a user wrote is in a message of the server's, but never in ours. */
static void values_are_not_reported(void **state)
{
    static const unsigned int numbers[] = {1292, 1366};
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
        struct err err = {{0}};
        assert_int_equal(failure_report(numbers[i], "audit_add",
                                        "Incorrect string value: 'my secret' for column", &err),
                         STORE_REFUSED);
        assert_null(strstr(err.text, "secret"));
        assert_contains(err.text, "audit_add: a value does not fit");
    }
}

static void a_failure_without_a_number_breaks_the_connection(void **state)
{
    (void)state;
    assert_int_equal(failure_number(1064), 1064);
    assert_true(failure_of(failure_number(0))->is_broken);
    assert_true(failure_of(failure_number(0))->is_ambiguous);
    assert_int_equal(failure_of(failure_number(0))->result, STORE_FAILED);
}

static void every_result_has_a_name(void **state)
{
    (void)state;
    for (enum store_result i = STORE_OK; i < STORE__MAX; i++)
        assert_non_null(store_result_name(i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_become_results),
        cmocka_unit_test(a_lost_connection_is_broken_and_its_commit_in_doubt),
        cmocka_unit_test(an_error_that_the_server_told_leaves_no_doubt),
        cmocka_unit_test(unknown_errors_of_the_client_break_the_connection),
        cmocka_unit_test(another_host_is_tried_where_this_one_cannot_serve),
        cmocka_unit_test(connections_become_free_where_there_are_too_many),
        cmocka_unit_test(reports_say_what_to_do),
        cmocka_unit_test(values_are_not_reported),
        cmocka_unit_test(a_failure_without_a_number_breaks_the_connection),
        cmocka_unit_test(every_result_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
