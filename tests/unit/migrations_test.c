#include "store/migrations.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/compiler.h"
#include "folder.h"
#include "store/migration_file.h"
#include "store/schema_data.h"
#include "unit.h"

static struct migration_file read_good(const char *text)
{
    struct migration_file file;
    struct err err = {{0}};
    if (!migration_file_read("schema/0007_more.sql", str_from(text), &file, &err))
        fail_msg("%s", err.text);
    return file;
}

static void assert_refused(const char *path, struct str text, const char *why)
{
    struct migration_file file;
    struct err err = {{0}};
    assert_false(migration_file_read(path, text, &file, &err));
    assert_contains(err.text, why);
    assert_null(file.statements);
}

static void splits_at_semicolons_that_end_a_line(void **state)
{
    struct migration_file file = read_good("CREATE TABLE a (\n  b INT\n);\n"
                                           "INSERT INTO a VALUES (1), (';');  \t\r\n"
                                           "\n  DROP TABLE a; -- not the end\n  ;\n");
    (void)state;
    assert_int_equal(file.count, 3);
    assert_str_equal(file.statements[0].sql, "CREATE TABLE a (\n  b INT\n)");
    assert_int_equal(file.statements[0].line, 1);
    assert_str_equal(file.statements[1].sql, "INSERT INTO a VALUES (1), (';')");
    assert_int_equal(file.statements[1].line, 4);
    assert_str_equal(file.statements[2].sql, "DROP TABLE a; -- not the end");
    assert_int_equal(file.statements[2].line, 6);
    migration_file_free(&file);
}

static void comments_between_statements_are_no_part_of_them(void **state)
{
    struct migration_file file =
        read_good("-- one;\n\n-- two;\nDO 1;\n-- three;\nDO\n  -- 4;\n  2;\n");
    (void)state;
    assert_int_equal(file.count, 2);
    assert_str_equal(file.statements[0].sql, "DO 1");
    assert_int_equal(file.statements[0].line, 4);
    assert_str_equal(file.statements[1].sql, "DO\n  -- 4;\n  2");
    assert_int_equal(file.statements[1].line, 6);
    migration_file_free(&file);
}

static void empty_statements_are_none(void **state)
{
    struct migration_file file = read_good(";\nDO 1;\n ;\n");
    (void)state;
    assert_int_equal(file.count, 1);
    migration_file_free(&file);
}

static void takes_the_name_apart(void **state)
{
    struct migration_file file = read_good("DO 1;");
    (void)state;
    assert_int_equal(file.version, 7);
    assert_string_equal(file.name, "more");
    migration_file_free(&file);
}

static void refuses_what_is_no_migration(void **state)
{
    static const char *const names[] = {
        "schema/1_a.sql",
        "0000_a.sql",
        "0001a.sql",
        "0001_.sql",
        "0001_A.sql",
        "0001_a.SQL",
        "0001_a.sql.old",
        "x0001_a.sql",
        "0001_a/0001-a.sql",
        "00012_a.sql",
        "",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
        assert_refused(names[i], STR("DO 1;"), "NNNN_name.sql");
}

static void refuses_a_statement_without_end(void **state)
{
    (void)state;
    assert_refused("0001_a.sql", STR("DO 1;\n\nDO 2"), "0001_a.sql:3:");
    assert_refused("0001_a.sql", STR("DO 1; -- one\n"), "0001_a.sql:1:");
}

static void refuses_files_without_statements_and_with_nul(void **state)
{
    (void)state;
    assert_refused("0001_a.sql", STR(""), "no statement");
    assert_refused("0001_a.sql", STR("-- nothing;\n"), "no statement");
    assert_refused("0001_a.sql", STR("DO 1;\0\n"), "NUL");
}

static void the_checksum_is_that_of_sha256sum(void **state)
{
    struct migration_file file = read_good("DO 1;\n");
    char sum[MIGRATION_CHECKSUM_LEN + 1];
    (void)state;
    assert_true(migration_file_checksum(&file, sum));
    assert_string_equal(sum, "d273f3f5d4ed78e5356c9d74effc128631e28fe25d0d686f187950f834441a4b");
    migration_file_free(&file);
}

static void the_partial_checksum_is_of_the_statements_done(void **state)
{
    struct migration_file one = read_good("DO 1;\nDO 2;\nDO 3;\n");
    struct migration_file same = read_good("-- mended\nDO 1;\nDO 2;\nDO 4;\nDO 5;\n");
    struct migration_file other = read_good("DO 1\nDO 2;\nDO 3;\n");
    char a[MIGRATION_CHECKSUM_LEN + 1], b[MIGRATION_CHECKSUM_LEN + 1];
    (void)state;
    assert_true(migration_file_partial_checksum(&one, 2, a));
    assert_true(migration_file_partial_checksum(&same, 2, b));
    assert_string_equal(a, b);
    assert_true(migration_file_partial_checksum(&other, 1, b));
    assert_string_not_equal(a, b);
    assert_true(migration_file_partial_checksum(&one, 3, a));
    assert_true(migration_file_partial_checksum(&same, 3, b));
    assert_string_not_equal(a, b);
    migration_file_free(&one);
    migration_file_free(&same);
    migration_file_free(&other);
}

/* What is told of one is its first comment, as one line. */
static void an_optional_file_says_what_for(void **state)
{
    static const struct {
        const char *text, *said;
    } rows[] = {
        {"DO 1;\n", NULL},
        {"-- a comment\n-- optional: no\nDO 1;\n", NULL},
        {"-- optional: it takes a right\nDO 1;\n", "it takes a right"},
        {"-- optional: one,\n--   two  \r\n--\n-- three\nDO 1;\n", "one, two"},
        {"-- optional: one\n\n-- two\nDO 1;\n", "one"},
        {"-- optional:\nDO 1;\n", ""},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct migration_file file = read_good(rows[i].text);
        if (rows[i].said == NULL)
            assert_null(file.optional);
        else
            assert_string_equal(file.optional, rows[i].said);
        migration_file_free(&file);
    }
}

static bool begins_as_a_statement(struct str sql)
{
    static const struct str verbs[] = {STR("CREATE "), STR("ALTER "), STR("DROP "), STR("RENAME ")};
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
        if (str_starts_with(sql, verbs[i]))
            return true;
    return false;
}

/* A `;` that ended a line of a comment or text would cut a statement in two: the halves would not
 * look like this. */
static void the_schema_is_split_into_whole_statements(void **state)
{
    (void)state;
    assert_true(schema_file_count > 0);
    for (size_t i = 0; i < schema_file_count; i++) {
        struct migration_file file;
        struct err err = {{0}};
        struct str text = {schema_files[i].text, schema_files[i].len};
        assert_int_equal(strlen(schema_files[i].text), schema_files[i].len);
        if (!migration_file_read(schema_files[i].name, text, &file, &err))
            fail_msg("%s", err.text);
        assert_int_equal(file.version, i + 1);
        for (size_t j = 0; j < file.count; j++)
            assert_true(begins_as_a_statement(file.statements[j].sql));
        migration_file_free(&file);
    }
}

struct folder {
    char path[64];
};

static void write_file(const struct folder *folder, const char *name, const char *text)
{
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/%s", folder->path, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
    static struct folder folder;
    (void)snprintf(folder.path, sizeof(folder.path), "/tmp/migrations_test.XXXXXX");
    *state = &folder;
    return mkdtemp(folder.path) == NULL;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"0001_a.sql", "0001_b.sql", "openapi.yaml", "bad.sql"};
    const struct folder *folder = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        char path[128];
        (void)snprintf(path, sizeof(path), "%s/%s", folder->path, names[i]);
        (void)unlink(path);
    }
    return rmdir(folder->path);
}

static void assert_folder_refused(const struct folder *folder, const char *why)
{
    struct err err = {{0}};
    assert_null(migrations_open(folder->path, &err));
    assert_contains(err.text, why);
}

static void a_folder_is_judged_as_a_whole(void **state)
{
    const struct folder *folder = *state;
    struct err err = {{0}};
    assert_folder_refused(folder, "holds no migration");
    write_file(folder, "openapi.yaml", "not SQL");
    assert_folder_refused(folder, "holds no migration");
    write_file(folder, "0001_a.sql", "DO 1;\n");
    struct migrations *migrations = migrations_open(folder->path, &err);
    assert_non_null(migrations);
    migrations_close(migrations);
    write_file(folder, "0001_b.sql", "DO 2;\n");
    assert_folder_refused(folder, "have the same number");
    write_file(folder, "bad.sql", "DO 2;\n");
    assert_folder_refused(folder, "bad.sql");
}

static void a_folder_that_is_not_there_is_named(void **state)
{
    const struct folder folder = {"/nonexistent"};
    (void)state;
    assert_folder_refused(&folder, "/nonexistent: No such file");
}

static void a_file_whose_path_is_too_long_is_told(void **state)
{
    const struct folder *folder = *state;
    struct err err = {{0}};
    char *path = folder_long_path(folder->path, "", PATH_MAX - 4);
    write_file(folder, "0001_a.sql", "DO 1;\n");
    assert_null(migrations_open(path, &err));
    assert_contains(err.text, folder->path);
    free(path);
}

static void every_state_has_a_name(void **state)
{
    (void)state;
    for (enum migration_state i = MIGRATION_PENDING; i < MIGRATION_STATE__MAX; i++)
        assert_non_null(migration_state_name(i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_at_semicolons_that_end_a_line),
        cmocka_unit_test(comments_between_statements_are_no_part_of_them),
        cmocka_unit_test(empty_statements_are_none),
        cmocka_unit_test(takes_the_name_apart),
        cmocka_unit_test(refuses_what_is_no_migration),
        cmocka_unit_test(refuses_a_statement_without_end),
        cmocka_unit_test(refuses_files_without_statements_and_with_nul),
        cmocka_unit_test(the_checksum_is_that_of_sha256sum),
        cmocka_unit_test(the_partial_checksum_is_of_the_statements_done),
        cmocka_unit_test(an_optional_file_says_what_for),
        cmocka_unit_test(the_schema_is_split_into_whole_statements),
        cmocka_unit_test_setup_teardown(a_folder_is_judged_as_a_whole, make_folder, remove_folder),
        cmocka_unit_test(a_folder_that_is_not_there_is_named),
        cmocka_unit_test_setup_teardown(a_file_whose_path_is_too_long_is_told, make_folder,
                                        remove_folder),
        cmocka_unit_test(every_state_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
