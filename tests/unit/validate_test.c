#include "profile/validate.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "unit.h"
#include "vectors.h"
#include "zoneinfo.h"

/* A copy with nothing behind it: an address sanitizer sees who reads past the length. */
static struct str exact_copy(struct str text)
{
    char *copy = malloc(text.len == 0 ? 1 : text.len);

    assert_non_null(copy);
    if (text.len == 0)
        return (struct str){copy + 1, 0};
    memcpy(copy, text.data, text.len);
    return (struct str){copy, text.len};
}

static void free_copy(struct str copy)
{
    free((char *)(uintptr_t)copy.data - (copy.len == 0 ? 1 : 0));
}

static bool is_as_expected(const struct vector *vector, enum violation violation)
{
    const char *verdict = violation == VIOLATION_NONE ? "accept" : violation_code(violation);
    char expected[64];

    if (str_equal(vector->field[0], str_from(verdict)))
        return true;
    (void)snprintf(expected, sizeof(expected), "%.*s", STR_ARGS(vector->field[0]));
    return vector_wrong(vector, expected, verdict);
}

typedef enum violation validator(struct str text);

static bool judge_text(const struct vector *vector, void *context)
{
    validator *const *validate = context;
    struct str copy = exact_copy(vector->field[1]);
    enum violation violation = (*validate)(copy);

    free_copy(copy);
    return is_as_expected(vector, violation);
}

static void run(const char *file, size_t least, validator *validate)
{
    vectors_run(file, least, judge_text, &validate);
}

/* `count` times the text, to be freed with buf_free. */
static void repeat(struct buf *out, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        buf_append_text(out, text);
    assert_true(buf_is_good(out));
}

/* Judges `prefix`, then `count` times `text`. */
static enum violation judge_repeated(validator *validate, const char *prefix, const char *text,
                                     size_t count)
{
    struct buf buf;
    enum violation violation;

    buf_init(&buf, 65536);
    buf_append_text(&buf, prefix);
    repeat(&buf, text, count);
    violation = validate(buf_str(&buf));
    buf_free(&buf);
    return violation;
}

/* ---- name and bio */

static void judges_names(void **state)
{
    (void)state;
    run("name.tsv", 20, validate_name);
}

static void counts_a_name_in_code_points(void **state)
{
    (void)state;
    assert_int_equal(judge_repeated(validate_name, "", "x", 255), VIOLATION_NONE);
    assert_int_equal(judge_repeated(validate_name, "", "x", 256), VIOLATION_TOO_LONG);
    assert_int_equal(judge_repeated(validate_name, "", "\xF0\x9F\x98\x80", 255), VIOLATION_NONE);
    assert_int_equal(judge_repeated(validate_name, "", "\xF0\x9F\x98\x80", 256),
                     VIOLATION_TOO_LONG);
    assert_int_equal(judge_repeated(validate_name, "", " ", 256), VIOLATION_TOO_LONG);
    assert_int_equal(judge_repeated(validate_name, "\x01", "x", 256), VIOLATION_CONTROL_CHARACTER);
}

/* Against the list of Unicode, PropList.txt, written out here once more. */
static void knows_all_white_space(void **state)
{
    static const uint32_t white[] = {0x20,   0xA0,   0x1680, 0x2000, 0x2001, 0x2002, 0x2003,
                                     0x2004, 0x2005, 0x2006, 0x2007, 0x2008, 0x2009, 0x200A,
                                     0x2028, 0x2029, 0x202F, 0x205F, 0x3000};
    size_t blanks = 0;

    (void)state;
    for (uint32_t code_point = 0x20; code_point <= 0x10FFFF; code_point++) {
        char bytes[4];
        size_t len = utf8_encode(code_point, bytes);

        if (len > 0 && validate_name((struct str){bytes, len}) == VIOLATION_BLANK) {
            assert_true(blanks < ARRAY_LENGTH(white));
            assert_int_equal(code_point, white[blanks++]);
        }
    }
    assert_int_equal(blanks, ARRAY_LENGTH(white));
}

static void judges_bios(void **state)
{
    (void)state;
    run("bio.tsv", 20, validate_bio);
}

static void counts_a_bio_in_code_points(void **state)
{
    (void)state;
    assert_int_equal(judge_repeated(validate_bio, "", "x", 4096), VIOLATION_NONE);
    assert_int_equal(judge_repeated(validate_bio, "", "x", 4097), VIOLATION_TOO_LONG);
    assert_int_equal(judge_repeated(validate_bio, "", "\xF0\x9F\x98\x80", 4096), VIOLATION_NONE);
    assert_int_equal(judge_repeated(validate_bio, "", "\xF0\x9F\x98\x80", 4097),
                     VIOLATION_TOO_LONG);
}

static void refuses_all_control_characters(void **state)
{
    (void)state;
    for (uint32_t code_point = 0; code_point < 0x100; code_point++) {
        bool is_control = code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0);
        bool is_layout = code_point == '\t' || code_point == '\n';
        char bytes[6] = {'a'};
        struct str text = {bytes, 1 + utf8_encode(code_point, bytes + 1)};

        assert_int_equal(validate_name(text),
                         is_control ? VIOLATION_CONTROL_CHARACTER : VIOLATION_NONE);
        assert_int_equal(validate_bio(text),
                         is_control && !is_layout ? VIOLATION_CONTROL_CHARACTER : VIOLATION_NONE);
    }
}

/* ---- URL */

static void judges_urls(void **state)
{
    (void)state;
    run("url.tsv", 60, validate_url);
}

static void takes_urls_of_2048_bytes(void **state)
{
    const char *prefix = "https://example.com/";
    size_t rest = AVATAR_URL_MAX_BYTES - strlen(prefix);

    (void)state;
    assert_int_equal(judge_repeated(validate_url, prefix, "a", rest), VIOLATION_NONE);
    assert_int_equal(judge_repeated(validate_url, prefix, "a", rest + 1), VIOLATION_TOO_LONG);
    assert_int_equal(judge_repeated(validate_url, "", " ", AVATAR_URL_MAX_BYTES + 1),
                     VIOLATION_TOO_LONG);
}

/* The bytes that may stand between `before` and `after`, in order. */
static void assert_url_bytes(const char *before, const char *after, const char *allowed)
{
    struct buf accepted;

    buf_init(&accepted, 256);
    for (int byte = 0; byte < 256; byte++) {
        struct buf url;

        buf_init(&url, 256);
        buf_append_text(&url, before);
        buf_append_byte(&url, (char)byte);
        buf_append_text(&url, after);
        if (validate_url(buf_str(&url)) == VIOLATION_NONE)
            buf_append_byte(&accepted, (char)byte);
        buf_free(&url);
    }
    assert_str_equal(buf_str(&accepted), allowed);
    buf_free(&accepted);
}

#define DIGITS "0123456789"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"

static void knows_the_characters_of_each_part(void **state)
{
    (void)state;
    /* `:` before the digit makes a port of it; `/`, `?` and `#` end the host. */
    assert_url_bytes("http://a", "1/", "!#$&'()*+,-./" DIGITS ":;=?" UPPER "_" LOWER "~");
    assert_url_bytes("http://a/", "g", "!#$&'()*+,-./" DIGITS ":;=?@" UPPER "_" LOWER "~");
    assert_url_bytes("http://a/?", "g", "!#$&'()*+,-./" DIGITS ":;=?@" UPPER "_" LOWER "~");
    assert_url_bytes("http://a/#", "g", "!$&'()*+,-./" DIGITS ":;=?@" UPPER "_" LOWER "~");
    assert_url_bytes("http://a/%A", "",
                     DIGITS "ABCDEF"
                            "abcdef");
    assert_url_bytes("http://a:1", "/", "#/" DIGITS "?");
}

/* ---- locale */

static bool judge_locale(const struct vector *vector, void *context)
{
    char canonical[LOCALE_MAX_BYTES + 1], again[LOCALE_MAX_BYTES + 1];
    struct str copy = exact_copy(vector->field[1]);
    enum violation violation;

    (void)context;
    memset(canonical, 'x', sizeof(canonical));
    violation = validate_locale(copy, canonical);
    free_copy(copy);
    if (!is_as_expected(vector, violation))
        return false;
    if (violation != VIOLATION_NONE)
        return canonical[0] == '\0' || vector_wrong(vector, "an empty canonical form", "another");
    if (!str_equal(vector->field[2], str_from(canonical)))
        return vector_wrong(vector, "the canonical form of the row", canonical);
    return (validate_locale(str_from(canonical), again) == VIOLATION_NONE &&
            strcmp(again, canonical) == 0) ||
           vector_wrong(vector, "the canonical form to be its own", again);
}

static void judges_locales(void **state)
{
    (void)state;
    vectors_run("locale.tsv", 80, judge_locale, NULL);
}

static void takes_locales_of_255_bytes(void **state)
{
    char canonical[LOCALE_MAX_BYTES + 1];
    struct buf tag;

    (void)state;
    buf_init(&tag, 1024);
    repeat(&tag, "x", 1);
    repeat(&tag, "-1", 127);
    assert_int_equal(tag.len, LOCALE_MAX_BYTES);
    assert_int_equal(validate_locale(buf_str(&tag), canonical), VIOLATION_NONE);
    assert_int_equal(strlen(canonical), LOCALE_MAX_BYTES);
    buf_append_text(&tag, "1");
    assert_int_equal(validate_locale(buf_str(&tag), canonical), VIOLATION_INVALID_LOCALE);
    assert_int_equal(canonical[0], '\0');
    buf_free(&tag);
}

static void takes_an_unset_value_as_an_empty_one(void **state)
{
    char canonical[LOCALE_MAX_BYTES + 1];

    (void)state;
    assert_int_equal(validate_name(STR_NONE), VIOLATION_BLANK);
    assert_int_equal(validate_bio(STR_NONE), VIOLATION_NONE);
    assert_int_equal(validate_url(STR_NONE), VIOLATION_INVALID_URL);
    assert_int_equal(validate_locale(STR_NONE, canonical), VIOLATION_INVALID_LOCALE);
    assert_int_equal(validate_timezone(STR_NONE, "/"), VIOLATION_INVALID_TIMEZONE);
    assert_int_equal(validate_email(STR_NONE), VIOLATION_INVALID_EMAIL);
    assert_int_equal(validate_phone_number(STR_NONE), VIOLATION_INVALID_PHONE_NUMBER);
    assert_int_equal(validate_badge(STR_NONE), VIOLATION_INVALID_BADGE);
}

/* ---- time zone */

static int make_zoneinfo(void **state)
{
    *state = zoneinfo_new();
    return 0;
}

static int remove_zoneinfo(void **state)
{
    zoneinfo_remove(*state);
    return 0;
}

static bool judge_timezone(const struct vector *vector, void *context)
{
    struct str copy = exact_copy(vector->field[1]);
    enum violation violation = validate_timezone(copy, context);

    free_copy(copy);
    return is_as_expected(vector, violation);
}

static size_t open_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    assert_int_equal(closedir(folder), 0);
    return count;
}

static void judges_timezones_and_leaves_nothing_open(void **state)
{
    size_t before = open_descriptors();

    vectors_run("timezone.tsv", 30, judge_timezone, *state);
    assert_int_equal(open_descriptors(), before);
}

static void takes_timezones_of_64_bytes(void **state)
{
    const char *longest = "Longest/abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcd";
    char longer[80];

    assert_int_equal(strlen(longest), TIMEZONE_MAX_BYTES);
    (void)snprintf(longer, sizeof(longer), "%se", longest);
    zoneinfo_add_zone(*state, longest);
    zoneinfo_add_zone(*state, longer);
    assert_int_equal(validate_timezone(str_from(longest), *state), VIOLATION_NONE);
    assert_int_equal(validate_timezone(str_from(longer), *state), VIOLATION_INVALID_TIMEZONE);
}

static void knows_no_timezone_without_a_folder(void **state)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/Nowhere", (const char *)*state);
    assert_int_equal(validate_timezone(STR("UTC"), path), VIOLATION_INVALID_TIMEZONE);
    (void)snprintf(path, sizeof(path), "%s/UTC", (const char *)*state);
    assert_int_equal(validate_timezone(STR("UTC"), path), VIOLATION_INVALID_TIMEZONE);
    assert_int_equal(validate_timezone(STR("UTC"), ""), VIOLATION_INVALID_TIMEZONE);
}

static void knows_the_timezones_of_the_system(void **state)
{
    const char *zoneinfo = "/usr/share/zoneinfo";
    struct stat info;

    (void)state;
    if (stat("/usr/share/zoneinfo/Europe/Berlin", &info) != 0)
        skip();
    assert_int_equal(validate_timezone(STR("Europe/Berlin"), zoneinfo), VIOLATION_NONE);
    assert_int_equal(validate_timezone(STR("UTC"), zoneinfo), VIOLATION_NONE);
    assert_int_equal(validate_timezone(STR("zone1970.tab"), zoneinfo), VIOLATION_INVALID_TIMEZONE);
    assert_int_equal(validate_timezone(STR("leapseconds"), zoneinfo), VIOLATION_INVALID_TIMEZONE);
    assert_int_equal(validate_timezone(STR("localtime"), zoneinfo), VIOLATION_INVALID_TIMEZONE);
    assert_int_equal(validate_timezone(STR("Europe"), zoneinfo), VIOLATION_INVALID_TIMEZONE);
}

/* ---- addresses and badges */

static void judges_emails(void **state)
{
    (void)state;
    run("email.tsv", 30, validate_email);
}

/* local@label.label…, with a local part, a first label and a last label of the given lengths. */
static enum violation judge_email(size_t local, size_t first, size_t labels_of_63, size_t last)
{
    struct buf address;
    enum violation violation;

    buf_init(&address, 1024);
    repeat(&address, "a", local);
    repeat(&address, "@", 1);
    repeat(&address, "b", first);
    for (size_t i = 0; i < labels_of_63; i++) {
        repeat(&address, ".", 1);
        repeat(&address, "c", 63);
    }
    repeat(&address, ".", 1);
    repeat(&address, "d", last);
    violation = validate_email(buf_str(&address));
    buf_free(&address);
    return violation;
}

static void limits_the_parts_of_an_email(void **state)
{
    (void)state;
    assert_int_equal(judge_email(64, 1, 0, 1), VIOLATION_NONE);
    assert_int_equal(judge_email(65, 1, 0, 1), VIOLATION_INVALID_EMAIL);
    assert_int_equal(judge_email(1, 63, 0, 63), VIOLATION_NONE);
    assert_int_equal(judge_email(1, 64, 0, 1), VIOLATION_INVALID_EMAIL);
    assert_int_equal(judge_email(1, 1, 0, 64), VIOLATION_INVALID_EMAIL);
    /* 63 + 1 + 62 + 64 + 64 = 254 bytes. */
    assert_int_equal(judge_email(63, 60, 2, 1), VIOLATION_NONE);
    assert_int_equal(judge_email(64, 60, 2, 1), VIOLATION_INVALID_EMAIL);
}

static void judges_phone_numbers(void **state)
{
    (void)state;
    run("phone.tsv", 15, validate_phone_number);
}

static void judges_badges(void **state)
{
    (void)state;
    run("badge.tsv", 10, validate_badge);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_names),
        cmocka_unit_test(counts_a_name_in_code_points),
        cmocka_unit_test(knows_all_white_space),
        cmocka_unit_test(judges_bios),
        cmocka_unit_test(counts_a_bio_in_code_points),
        cmocka_unit_test(refuses_all_control_characters),
        cmocka_unit_test(judges_urls),
        cmocka_unit_test(takes_urls_of_2048_bytes),
        cmocka_unit_test(knows_the_characters_of_each_part),
        cmocka_unit_test(judges_locales),
        cmocka_unit_test(takes_locales_of_255_bytes),
        cmocka_unit_test(takes_an_unset_value_as_an_empty_one),
        cmocka_unit_test_setup_teardown(judges_timezones_and_leaves_nothing_open, make_zoneinfo,
                                        remove_zoneinfo),
        cmocka_unit_test_setup_teardown(takes_timezones_of_64_bytes, make_zoneinfo,
                                        remove_zoneinfo),
        cmocka_unit_test_setup_teardown(knows_no_timezone_without_a_folder, make_zoneinfo,
                                        remove_zoneinfo),
        cmocka_unit_test(knows_the_timezones_of_the_system),
        cmocka_unit_test(judges_emails),
        cmocka_unit_test(limits_the_parts_of_an_email),
        cmocka_unit_test(judges_phone_numbers),
        cmocka_unit_test(judges_badges),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
