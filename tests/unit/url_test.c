#include "profile/url.h"

#include "judge.h"
#include "unit.h"

static void judges_urls(void **state)
{
    (void)state;
    judge_vectors("url.tsv", 240, validate_url);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_urls),
        cmocka_unit_test(takes_urls_of_2048_bytes),
        cmocka_unit_test(knows_the_characters_of_each_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
