#include "store/statement.h"

#include "base/compiler.h"
#include "unit.h"

typedef void check_statement(const struct statement *statement);

static void for_each(check_statement *check)
{
    for (enum statement_id id = (enum statement_id)0; id < STATEMENT__MAX; id++)
        check(statement_get(id));
}

static size_t count_of(const char *text, char byte)
{
    size_t count = 0;
    for (; *text != '\0'; text++)
        count += *text == byte;
    return count;
}

static void check_is_filled_in(const struct statement *statement)
{
    assert_non_null(statement->name);
    assert_non_null(statement->sql);
}

static void every_number_has_a_statement(void **state)
{
    (void)state;
    for_each(check_is_filled_in);
}

static void check_placeholders(const struct statement *statement)
{
    if (count_of(statement->sql, '?') != statement_column_count(statement->in))
        fail_msg("%s: %zu placeholders, %zu columns in", statement->name,
                 count_of(statement->sql, '?'), statement_column_count(statement->in));
}

static void every_placeholder_has_a_column(void **state)
{
    (void)state;
    for_each(check_placeholders);
}

static void check_columns(const struct statement *statement,
                          const struct column columns[STATEMENT_COLUMNS_MAX])
{
    size_t count = statement_column_count(columns);
    for (size_t i = 0; i < STATEMENT_COLUMNS_MAX; i++) {
        const struct column *column = &columns[i];
        bool is_text = column->type == VALUE_TEXT || column->type == VALUE_BYTES;
        if ((i < count) != (column->name != NULL) || is_text != (column->max_bytes > 0) ||
            (i >= count && column->type != 0))
            fail_msg("%s: column %zu is not as it should be", statement->name, i);
    }
}

static void check_all_columns(const struct statement *statement)
{
    check_columns(statement, statement->in);
    check_columns(statement, statement->out);
}

static void texts_have_a_limit_and_nothing_else_has(void **state)
{
    (void)state;
    for_each(check_all_columns);
}

static void check_kind(const struct statement *statement)
{
    bool selects = strncmp(statement->sql, "SELECT ", 7) == 0 ||
                   strncmp(statement->sql, "SHOW ", 5) == 0 ||
                   strncmp(statement->sql, "WITH RECURSIVE ", 15) == 0;
    if (selects == statement->writes || selects != (statement_column_count(statement->out) > 0))
        fail_msg("%s: it is marked as what it is not", statement->name);
}

static void reads_return_rows_and_writes_do_not(void **state)
{
    (void)state;
    for_each(check_kind);
}

static void names_are_unique(void **state)
{
    (void)state;
    for (size_t i = 0; i < STATEMENT__MAX; i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(statement_get((enum statement_id)i)->name,
                                    statement_get((enum statement_id)j)->name);
}

static void the_profile_has_its_documented_columns(void **state)
{
    (void)state;
    assert_int_equal(statement_column_count(statement_get(STATEMENT_PROFILE_READ)->out),
                     PROFILE_COLUMN__MAX);
}

/* SQL promises no order of the rows of a UNION, and sorting them in the database costs it a table.
 */
static void the_profile_is_not_sorted_by_the_database(void **state)
{
    (void)state;
    assert_null(strstr(statement_get(STATEMENT_PROFILE_READ)->sql, "ORDER BY"));
}

static void values_that_are_not_set_are_null(void **state)
{
    (void)state;
    assert_true(value_text(STR_NONE).is_null);
    assert_true(value_uuid(NULL).is_null);
    assert_false(value_text(STR("")).is_null);
    assert_false(value_number(0).is_null);
    assert_false(value_time(0).is_null);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_has_a_statement),
        cmocka_unit_test(every_placeholder_has_a_column),
        cmocka_unit_test(texts_have_a_limit_and_nothing_else_has),
        cmocka_unit_test(reads_return_rows_and_writes_do_not),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(the_profile_has_its_documented_columns),
        cmocka_unit_test(the_profile_is_not_sorted_by_the_database),
        cmocka_unit_test(values_that_are_not_set_are_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
