#include "profile/recordcsv.h"

#include "profile/recordchange.h"
#include "unit.h"

enum { ARENA_MAX_BYTES = 1024 * 1024, TEXT_MAX_BYTES = 64 * 1024 };

#define ADA "01890a5d-ac96-774b-bcce-b302099a8057"

/* A header and one line behind it. */
struct file {
    struct record_reader reader;
    struct recordcsv columns;
    struct uuid user;
    bool has_user;
    struct record_row row;
};

static struct csv_record split(struct file *file, const char *text)
{
    struct csv_record record;

    assert_int_equal(csv_read(str_from(text), true, file->reader.arena, &record), CSV_OK);
    return record;
}

static void begin(struct file *file, enum record_table table, const char *header)
{
    struct csv_record record;

    *file = (struct file){.reader = {.zoneinfo = "/usr/share/zoneinfo", .is_bare = true}};
    file->reader.arena = arena_new(ARENA_MAX_BYTES);
    assert_non_null(file->reader.arena);
    record = split(file, header);
    recordcsv_read_header(&file->reader, table, &record, &file->columns);
}

static void read_line(struct file *file, const char *text)
{
    struct csv_record record = split(file, text);

    recordcsv_read_row(&file->reader, &file->columns, &record, &file->user, &file->has_user,
                       &file->row);
}

static void end(struct file *file)
{
    arena_free(file->reader.arena);
}

static void assert_fault(const struct file *file, const char *where, const char *why)
{
    if (file->reader.first == NULL)
        fail_msg("no fault of %s", where);
    assert_str_equal(file->reader.first->where, where);
    assert_contains(file->reader.first->why, why);
}

static const struct record_value *value_of(const struct file *file, const char *field)
{
    size_t i = record_field_find(file->columns.table, str_from(field));

    assert_true(i < RECORD_FIELDS_MAX);
    return &file->row.values[i];
}

static void the_headers_of_all_tables(void **state)
{
    static const char *const headers[RECORD_TABLE__MAX] = {
        [RECORD_USERS] = "id,status,name,bio,createdAt,updatedAt,avatarUrl,locale,timezone\r\n",
        [RECORD_EMAILS] = "userId,id,email,verified,passwordSet,tokenSet,default,createdAt,"
                          "updatedAt\r\n",
        [RECORD_IDENTITIES] = "userId,id,issuer,name,email,avatarUrl,provider,createdAt,"
                              "updatedAt\r\n",
        [RECORD_PHONES] = "userId,id,phoneNumber,verified,primary,createdAt,updatedAt\r\n",
        [RECORD_BADGES] = "userId,badge\r\n",
        [RECORD_FRAUD] = "userId,score\r\n",
        [RECORD_SESSIONS] = "userId,id,createdAt,expiresAt,revokedAt\r\n",
    };
    struct file file;
    struct buf out;

    (void)state;
    for (size_t i = 0; i < RECORD_TABLE__MAX; i++) {
        buf_init(&out, TEXT_MAX_BYTES);
        recordcsv_write_header((enum record_table)i, &out);
        assert_str_equal(buf_str(&out), headers[i]);
        begin(&file, (enum record_table)i, headers[i]);
        assert_null(file.reader.first);
        end(&file);
        buf_free(&out);
    }
}

static void refuses_headers_that_are_no_use(void **state)
{
    static const struct {
        enum record_table table;
        const char *header, *where, *why;
    } cases[] = {
        {RECORD_USERS, "name", "id", "has to be there"},
        {RECORD_USERS, "id,nickname", "nickname", "is no column"},
        {RECORD_USERS, "id,userId", "userId", "is no column"},
        {RECORD_USERS, "id,ID", "ID", "is no column"},
        {RECORD_USERS, "id, name", " name", "is no column"},
        {RECORD_USERS, "id,name,id", "id", "twice"},
        {RECORD_USERS, "", "", "is no column"},
        {RECORD_EMAILS, "id,email", "userId", "has to be there"},
        {RECORD_EMAILS, "userId,id", "email", "has to be there"},
        {RECORD_EMAILS, "userId,email,userId", "userId", "twice"},
        {RECORD_IDENTITIES, "userId,id,provider", "issuer", "has to be there"},
        {RECORD_IDENTITIES, "userId,id,issuer,rowId", "rowId", "is no column"},
        {RECORD_BADGES, "userId", "badge", "has to be there"},
    };
    struct file file;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        begin(&file, cases[i].table, cases[i].header);
        assert_fault(&file, cases[i].where, cases[i].why);
        end(&file);
    }
}

static void a_row_may_do_without_an_id_or_a_score(void **state)
{
    struct file file;

    (void)state;
    begin(&file, RECORD_EMAILS, "email,userId");
    assert_null(file.reader.first);
    end(&file);
    begin(&file, RECORD_FRAUD, "userId");
    assert_null(file.reader.first);
    end(&file);
}

static void columns_come_in_any_order(void **state)
{
    struct file file;

    (void)state;
    begin(&file, RECORD_EMAILS, "default,email,userId,verified");
    read_line(&file, "t,a@example.com," ADA ",0\n");
    assert_null(file.reader.first);
    assert_true(file.has_user);
    assert_int_equal(file.user.bytes[0], 0x01);
    assert_str_equal(value_of(&file, "email")->text, "a@example.com");
    assert_int_equal(value_of(&file, "default")->number, 1);
    assert_true(value_of(&file, "verified")->is_told);
    assert_int_equal(value_of(&file, "verified")->number, 0);
    assert_false(value_of(&file, "tokenSet")->is_told); /* not among the columns */
    end(&file);
}

static void flags_of_other_programs(void **state)
{
    static const struct {
        const char *text;
        int number;
    } cases[] = {{"true", 1}, {"1", 1},    {"t", 1},     {"false", 0}, {"0", 0},  {"f", 0},
                 {"", 0},     {"\"\"", 0}, {"TRUE", -1}, {"yes", -1},  {"2", -1}, {" 1", -1}};
    struct file file;
    struct buf line;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        begin(&file, RECORD_EMAILS, "userId,email,verified");
        buf_init(&line, TEXT_MAX_BYTES);
        buf_append_format(&line, ADA ",a@example.com,%s\n", cases[i].text);
        buf_append_byte(&line, '\0');
        read_line(&file, line.data);
        if (cases[i].number < 0)
            assert_fault(&file, "verified", "neither true nor false");
        else
            assert_int_equal(value_of(&file, "verified")->number, cases[i].number);
        assert_int_equal(file.reader.first == NULL, cases[i].number >= 0);
        buf_free(&line);
        end(&file);
    }
}

static void nothing_is_unset_and_empty_quotes_are_an_empty_text(void **state)
{
    struct file file;

    (void)state;
    begin(&file, RECORD_USERS, "id,name,bio,avatarUrl,createdAt,status");
    read_line(&file, ADA ",Ada,,,,\n");
    assert_null(file.reader.first);
    assert_true(value_of(&file, "bio")->is_told);
    assert_false(value_of(&file, "bio")->is_set);
    assert_false(value_of(&file, "createdAt")->is_told); /* it stays, or is the time of now */
    assert_false(value_of(&file, "status")->is_told);
    read_line(&file, ADA ",Ada,\"\",\"\",\"\",\"\"\n");
    assert_null(file.reader.first);
    assert_true(value_of(&file, "bio")->is_set);
    assert_str_equal(value_of(&file, "bio")->text, "");
    assert_false(value_of(&file, "avatarUrl")->is_set); /* there is no empty URL */
    assert_false(value_of(&file, "createdAt")->is_told);
    end(&file);
}

static void complains_by_column(void **state)
{
    static const struct {
        enum record_table table;
        const char *header, *line, *where, *why;
    } cases[] = {
        {RECORD_USERS, "id,name", ",Ada\n", "id", "is missing"},
        {RECORD_USERS, "id,name", "\"\",Ada\n", "id", "is missing"},
        {RECORD_USERS, "id,name", "1,Ada\n", "id", "is not a UUID"},
        {RECORD_USERS, "id,name", ADA ",\n", "name", "is missing"},
        {RECORD_USERS, "id,name", ADA ",\xFF\n", "name", "is not UTF-8"},
        {RECORD_USERS, "id,name", ADA "\n", "", "not as many fields"},
        {RECORD_USERS, "id,name", ADA ",Ada,\n", "", "not as many fields"},
        {RECORD_USERS, "id,createdAt", ADA ",2025-07-03 02:14:22\n", "createdAt", "is no time"},
        {RECORD_EMAILS, "userId,email", ",a@example.com\n", "userId", "is missing"},
        {RECORD_EMAILS, "userId,email", "x,a@example.com\n", "userId", "is not a UUID"},
        {RECORD_EMAILS, "userId,email", ADA ",a\n", "email", "is not an email"},
        {RECORD_FRAUD, "userId,score", ADA ",\n", "score", "is missing"},
        {RECORD_FRAUD, "userId,score", ADA ",1.0\n", "score", "whole number"},
        {RECORD_FRAUD, "userId,score", ADA ",2147483648\n", "score", "whole number"},
        {RECORD_FRAUD, "userId,score", ADA ",-2147483649\n", "score", "whole number"},
        {RECORD_FRAUD, "userId,score", ADA ",--1\n", "score", "whole number"},
        {RECORD_SESSIONS, "userId,id", ADA ",a\tb\xFF\n", "id", "1 to 255 characters"},
    };
    struct file file;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        begin(&file, cases[i].table, cases[i].header);
        assert_null(file.reader.first);
        read_line(&file, cases[i].line);
        assert_fault(&file, cases[i].where, cases[i].why);
        end(&file);
    }
}

static void a_text_with_nul_is_none(void **state)
{
    const struct str text = STR(ADA ",a\0b\n");
    struct csv_record record;
    struct file file;

    (void)state;
    begin(&file, RECORD_SESSIONS, "userId,id");
    assert_int_equal(csv_read(text, true, file.reader.arena, &record), CSV_OK);
    recordcsv_read_row(&file.reader, &file.columns, &record, &file.user, &file.has_user, &file.row);
    assert_fault(&file, "id", "1 to 255 characters");
    end(&file);
}

static void writes_what_it_reads(void **state)
{
    static const struct {
        enum record_table table;
        const char *header, *line;
    } cases[] = {
        {RECORD_USERS, "id,status,name,bio,createdAt,updatedAt,avatarUrl,locale,timezone",
         ADA ",active,\"a \"\"b\"\", c\",\"\",2025-07-03T02:14:22.094Z,2025-08-01T00:00:00.000Z,"
             "https://example.com/a,en-US,Europe/Berlin\r\n"},
        {RECORD_USERS, "id,status,name,bio,createdAt,updatedAt,avatarUrl,locale,timezone",
         ADA ",banned,Zo\xC3\xAB,\"one\n\ttwo\",2025-07-03T02:14:22.094Z,"
             "2025-08-01T00:00:00.000Z,,,\r\n"},
        {RECORD_EMAILS, "userId,id,email,verified,passwordSet,tokenSet,default,createdAt,updatedAt",
         ADA "," ADA ",a@example.com,true,false,true,false,2025-07-03T02:14:22.094Z,"
             "2025-08-01T00:00:00.000Z\r\n"},
        {RECORD_BADGES, "userId,badge", ADA ",a:b\r\n"},
        {RECORD_FRAUD, "userId,score", ADA ",-2147483648\r\n"},
        {RECORD_SESSIONS, "userId,id,createdAt,expiresAt,revokedAt",
         ADA ",s 1,2025-07-03T02:14:22.094Z,2025-08-01T00:00:00.000Z,\r\n"},
    };
    struct file file;
    struct buf out;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
        begin(&file, cases[i].table, cases[i].header);
        read_line(&file, cases[i].line);
        assert_null(file.reader.first);
        buf_init(&out, TEXT_MAX_BYTES);
        recordcsv_write_row(cases[i].table, &file.user, &file.row, &out);
        assert_str_equal(buf_str(&out), cases[i].line);
        buf_free(&out);
        end(&file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_headers_of_all_tables),
        cmocka_unit_test(refuses_headers_that_are_no_use),
        cmocka_unit_test(a_row_may_do_without_an_id_or_a_score),
        cmocka_unit_test(columns_come_in_any_order),
        cmocka_unit_test(flags_of_other_programs),
        cmocka_unit_test(nothing_is_unset_and_empty_quotes_are_an_empty_text),
        cmocka_unit_test(complains_by_column),
        cmocka_unit_test(a_text_with_nul_is_none),
        cmocka_unit_test(writes_what_it_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
