#include "profile/recordjson.h"

#include <json-c/json.h>

#include "format/jsonvalue.h"
#include "judge.h"
#include "unit.h"

enum { ARENA_MAX_BYTES = 1024 * 1024, TEXT_MAX_BYTES = 64 * 1024 };

#define ADA "\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"name\":\"Ada\""
#define T "\"createdAt\":\"2025-07-03T02:14:22.094Z\",\"updatedAt\":\"2025-08-01T00:00:00.000Z\""

static const int64_t now_ms = 1751508862094;

/* What a test of one line needs. */
struct line {
    struct record_reader reader;
    struct record_change change;
    struct record before, after;
};

static void begin(struct line *line)
{
    *line = (struct line){.reader = {.zoneinfo = "/usr/share/zoneinfo"}};
    line->reader.arena = arena_new(ARENA_MAX_BYTES);
    assert_non_null(line->reader.arena);
}

static void end(struct line *line)
{
    arena_free(line->reader.arena);
}

static void read_change(struct line *line, struct str text)
{
    struct json_object *object = NULL;

    assert_int_equal(jsonvalue_parse_object(text, &object, NULL), STRICTJSON_OK);
    assert_true(recordjson_read(&line->reader, object, &line->change));
    json_object_put(object);
}

static enum record_outcome apply(struct line *line)
{
    return recordchange_apply(&line->reader, &line->before, &line->change, now_ms, &line->after);
}

/* "emails[0].id name" */
static void show_places(const struct record_fault *fault, struct buf *out)
{
    for (; fault != NULL; fault = fault->next) {
        if (out->len > 0)
            buf_append_byte(out, ' ');
        buf_append_str(out, fault->where);
        assert_true(fault->why != NULL && fault->why[0] != '\0');
    }
    if (out->len == 0)
        buf_append_text(out, "accept");
    buf_append_byte(out, '\0');
}

static void expand(struct str text, struct buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        bool is_mark = text.data[i] == '@' && i == 1;

        if (is_mark)
            buf_append_text(out, ADA);
        else
            buf_append_byte(out, text.data[i]);
    }
}

static bool judge(const struct vector *vector, void *context)
{
    struct buf text, places;
    struct line line;
    bool good;

    (void)context;
    buf_init(&text, TEXT_MAX_BYTES);
    buf_init(&places, TEXT_MAX_BYTES);
    begin(&line);
    expand(vector->field[1], &text);
    read_change(&line, buf_str(&text));
    if (line.reader.first == NULL) {
        enum record_outcome outcome = apply(&line);

        assert_int_equal(outcome, line.reader.first == NULL ? RECORD_ADDED : RECORD_REFUSED);
    }
    show_places(line.reader.first, &places);
    good = str_equal(vector->field[0], str_from(places.data)) ||
           vector_wrong(vector, "other places", places.data);
    end(&line);
    buf_free(&text);
    buf_free(&places);
    return good;
}

static void judges_users_by_vectors(void **state)
{
    (void)state;
    vectors_run("recordjson.tsv", 75, judge, NULL);
}

static const char whole[] =
    "{" ADA ",\"bio\":\"\"," T ",\"emails\":[{\"id\":\"00000000-0000-4000-8000-000000000001\","
    "\"userId\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"email\":\"a@example.com\","
    "\"verified\":true,\"passwordSet\":false,\"tokenSet\":true,\"default\":true," T "}],"
    "\"identities\":[{\"id\":\"sub/\xC3\xA9\",\"issuer\":\"https://i.example.com\","
    "\"name\":\"A\",\"email\":\"b@example.com\",\"avatarUrl\":\"http://c/\",\"provider\":\"p\"," T
    "}],\"avatarUrl\":\"https://example.com/a?b#c\",\"phoneNumbers\":[{"
    "\"id\":\"00000000-0000-4000-8000-000000000002\","
    "\"userId\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"phoneNumber\":\"+14155550100\","
    "\"verified\":false,\"primary\":false," T "}],\"locale\":\"en-US\","
    "\"timezone\":\"Europe/Berlin\",\"badges\":[\"a:b\"],\"userFraudInformation\":{\"score\":-1,"
    "\"userId\":\"01890a5d-ac96-774b-bcce-b302099a8057\"},\"sessions\":[{\"id\":\"s\","
    "\"createdAt\":\"2025-07-03T02:14:22.094Z\",\"expiresAt\":\"2026-07-03T02:14:22.094Z\","
    "\"revokedAt\":\"2025-07-04T00:00:00.000Z\"}]}";

static void assert_rendered(const struct record *record, enum record_sessions sessions,
                            const char *expected)
{
    struct buf out;

    buf_init(&out, TEXT_MAX_BYTES);
    assert_true(recordjson_render(record, sessions, &out));
    assert_str_equal(buf_str(&out), expected);
    buf_free(&out);
}

static void renders_what_it_read_byte_for_byte(void **state)
{
    static const char first[] = "{" ADA;
    struct line line;
    struct buf text;

    (void)state;
    begin(&line);
    buf_init(&text, TEXT_MAX_BYTES);
    /* the status of a new user stands between id and name */
    buf_append_text(&text, "{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"status\":\"active\","
                           "\"name\":\"Ada\"");
    buf_append_text(&text, whole + sizeof(first) - 1);
    buf_append_byte(&text, '\0');
    read_change(&line, str_from(whole));
    assert_int_equal(apply(&line), RECORD_ADDED);
    assert_rendered(&line.after, RECORD_WITH_SESSIONS, text.data);
    buf_free(&text);
    end(&line);
}

static void leaves_out_what_is_unset_and_sessions_unless_asked(void **state)
{
    struct line line;

    (void)state;
    begin(&line);
    read_change(&line, STR("{" ADA "," T ",\"sessions\":[{\"id\":\"s\","
                           "\"expiresAt\":\"2026-07-03T02:14:22Z\"}]}"));
    assert_int_equal(apply(&line), RECORD_ADDED);
    assert_rendered(&line.after, RECORD_WITHOUT_SESSIONS,
                    "{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"status\":\"active\","
                    "\"name\":\"Ada\"," T ",\"emails\":[],\"identities\":[],\"phoneNumbers\":[],"
                    "\"badges\":[]}");
    end(&line);
}

static void fails_where_the_text_does_not_fit(void **state)
{
    struct line line;
    struct buf out;

    (void)state;
    begin(&line);
    read_change(&line, str_from(whole));
    assert_int_equal(apply(&line), RECORD_ADDED);
    buf_init(&out, 100);
    assert_false(recordjson_render(&line.after, RECORD_WITH_SESSIONS, &out));
    buf_free(&out);
    end(&line);
}

static void an_array_that_is_not_there_tells_nothing(void **state)
{
    struct line line;

    (void)state;
    begin(&line);
    read_change(&line, STR("{" ADA ",\"badges\":[]}"));
    assert_int_equal(line.change.modes[RECORD_USERS], RECORD_REPLACE);
    assert_int_equal(line.change.modes[RECORD_EMAILS], RECORD_KEEP);
    assert_int_equal(line.change.modes[RECORD_BADGES], RECORD_REPLACE);
    assert_int_equal(line.change.modes[RECORD_SESSIONS], RECORD_KEEP);
    /* what export leaves out where there is none */
    assert_int_equal(line.change.modes[RECORD_FRAUD], RECORD_REPLACE);
    end(&line);
}

static void takes_the_locale_in_its_canonical_case(void **state)
{
    size_t locale = record_field_find(RECORD_USERS, STR("locale"));
    struct line line;

    (void)state;
    begin(&line);
    read_change(&line, STR("{" ADA ",\"locale\":\"EN-us\"}"));
    assert_str_equal(line.change.tables[RECORD_USERS].rows[0].values[locale].text, "en-US");
    end(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_users_by_vectors),
        cmocka_unit_test(renders_what_it_read_byte_for_byte),
        cmocka_unit_test(leaves_out_what_is_unset_and_sessions_unless_asked),
        cmocka_unit_test(fails_where_the_text_does_not_fit),
        cmocka_unit_test(an_array_that_is_not_there_tells_nothing),
        cmocka_unit_test(takes_the_locale_in_its_canonical_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
