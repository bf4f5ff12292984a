#include "base/digest.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#include "unit.h"

static int set_up(void **state)
{
    *state = digest_new();
    return *state == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    digest_free(*state);
    return 0;
}

static void assert_digest(struct digest *digest, struct str bytes, const char *expected)
{
    unsigned char out[DIGEST_BYTES];
    char hex[2 * DIGEST_BYTES + 1];

    assert_true(digest_of(digest, bytes, out));
    for (size_t i = 0; i < DIGEST_BYTES; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", out[i]);
    assert_string_equal(hex, expected);
}

static const char of_nothing[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char of_abc[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

/* The examples that NIST gives for FIPS 180-4. */
static void gives_the_digests_of_the_standard(void **state)
{
    assert_digest(*state, STR(""), of_nothing);
    assert_digest(*state, STR("abc"), of_abc);
    assert_digest(*state, STR("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void digests_a_million_bytes(void **state)
{
    enum { MILLION = 1000000 };
    char *bytes = malloc(MILLION);

    assert_non_null(bytes);
    memset(bytes, 'a', MILLION);
    assert_digest(*state, (struct str){bytes, MILLION},
                  "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(bytes);
}

static void one_object_digests_again_and_again(void **state)
{
    for (int i = 0; i < 3; i++) {
        assert_digest(*state, STR("abc"), of_abc);
        assert_digest(*state, STR(""), of_nothing);
    }
}

static void no_value_is_as_an_empty_one(void **state)
{
    assert_digest(*state, STR_NONE, of_nothing);
}

static void a_nul_counts(void **state)
{
    unsigned char with[DIGEST_BYTES], without[DIGEST_BYTES];

    assert_true(digest_of(*state, STR("abc\0"), with));
    assert_true(digest_of(*state, STR("abc"), without));
    assert_memory_not_equal(with, without, DIGEST_BYTES);
}

static void two_objects_do_not_meet(void **state)
{
    struct digest *other = digest_new();

    assert_non_null(other);
    assert_digest(other, STR("abc"), of_abc);
    assert_digest(*state, STR(""), of_nothing);
    digest_free(other);
    assert_digest(*state, STR("abc"), of_abc);
}

static void leaves_no_error_behind(void **state)
{
    assert_digest(*state, STR("abc"), of_abc);
    assert_int_equal(ERR_peek_error(), 0);
}

static void none_can_be_freed(void **state)
{
    (void)state;
    digest_free(NULL);
}

#define DIGEST_TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DIGEST_TEST(gives_the_digests_of_the_standard),
        DIGEST_TEST(digests_a_million_bytes),
        DIGEST_TEST(one_object_digests_again_and_again),
        DIGEST_TEST(no_value_is_as_an_empty_one),
        DIGEST_TEST(a_nul_counts),
        DIGEST_TEST(two_objects_do_not_meet),
        DIGEST_TEST(leaves_no_error_behind),
        DIGEST_TEST(none_can_be_freed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
