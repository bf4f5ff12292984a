#include "api/subject.h"

#include "token/jwt.h"
#include "unit.h"

#define ID "01890a5d-ac96-774b-bcce-b302099a8057"

static char long_text[IDENTITY_MAX_BYTES + 2];

static struct str text_of(size_t len)
{
    memset(long_text, 'x', sizeof(long_text));
    return (struct str){long_text, len};
}

static enum subject_verdict judge(enum settings_subject subject, struct str iss, struct str sub,
                                  struct access_request *request)
{
    const struct jwt_claims claims = {.issuer = iss, .subject = sub};

    *request = (struct access_request){.session = STR("kept")};
    return subject_judge(&claims, subject, request);
}

static void assert_verdict(enum settings_subject subject, struct str iss, struct str sub,
                           enum subject_verdict expected)
{
    struct access_request request;
    enum subject_verdict verdict = judge(subject, iss, sub, &request);

    if (verdict != expected)
        fail_msg("%.*s of %.*s: is %s, not %s", STR_ARGS(sub), STR_ARGS(iss),
                 subject_reason(verdict)->code, subject_reason(expected)->code);
    assert_str_equal(request.session, "kept");
    if (expected != SUBJECT_NAMED)
        assert_false(str_is_set(request.issuer) || str_is_set(request.subject));
}

static void a_user_is_named_by_a_uuid(void **state)
{
    static const struct {
        const char *sub;
        enum subject_verdict verdict;
    } rows[] = {
        {ID, SUBJECT_NAMED},
        {"01890A5D-AC96-774B-BCCE-B302099A8057", SUBJECT_NAMED},
        {"01890a5dac96774bbcceb302099a8057", SUBJECT_NOT_UUID},
        {ID " ", SUBJECT_NOT_UUID},
        {" " ID, SUBJECT_NOT_UUID},
        {"{" ID "}", SUBJECT_NOT_UUID},
        {"urn:uuid:" ID, SUBJECT_NOT_UUID},
        {"01890a5d-ac96-774b-bcce-b302099a805\xEF\xBC\x97", SUBJECT_NOT_UUID},
        {"auth0|5f7c8ec7c33c6c004bbafe82", SUBJECT_NOT_UUID},
        {"42", SUBJECT_NOT_UUID},
        {"", SUBJECT_NOT_UUID},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        assert_verdict(SETTINGS_SUBJECT_USER, STR_NONE, str_from(rows[i].sub), rows[i].verdict);
        assert_verdict(SETTINGS_SUBJECT_USER, STR("i"), str_from(rows[i].sub), rows[i].verdict);
    }
}

static void a_user_is_no_identity(void **state)
{
    struct access_request request;
    struct uuid id;

    (void)state;
    assert_int_equal(judge(SETTINGS_SUBJECT_USER, STR("i"), STR(ID), &request), SUBJECT_NAMED);
    assert_true(uuid_parse(STR(ID), &id) && uuid_equal(&request.user, &id));
    assert_false(str_is_set(request.issuer) || str_is_set(request.subject));
}

static void an_identity_is_named_by_its_issuer_and_subject(void **state)
{
    struct access_request request;

    (void)state;
    assert_int_equal(judge(SETTINGS_SUBJECT_IDENTITY, STR("i"), STR(ID), &request), SUBJECT_NAMED);
    assert_str_equal(request.issuer, "i");
    assert_str_equal(request.subject, ID);
    assert_verdict(SETTINGS_SUBJECT_IDENTITY, STR("i"), STR(" \xC3\xA9 "), SUBJECT_NAMED);
}

static void an_identity_needs_an_issuer(void **state)
{
    (void)state;
    assert_verdict(SETTINGS_SUBJECT_IDENTITY, STR_NONE, STR("s"), SUBJECT_NO_ISSUER);
    assert_verdict(SETTINGS_SUBJECT_IDENTITY, STR(""), STR("s"), SUBJECT_BAD_ISSUER);
}

static void what_no_key_can_hold_is_refused(void **state)
{
    static const struct str bad[] = {
        STR(""),      STR("a\0b"),     STR("\0"),           STR("\xFF"),
        STR("a\xC3"), STR("\xC0\x80"), STR("\xED\xA0\x80"), STR("\xF4\x90\x80\x80"),
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
        assert_verdict(SETTINGS_SUBJECT_IDENTITY, STR("i"), bad[i], SUBJECT_BAD_SUBJECT);
        assert_verdict(SETTINGS_SUBJECT_IDENTITY, bad[i], STR("s"), SUBJECT_BAD_ISSUER);
    }
}

static void a_key_has_255_bytes_at_most(void **state)
{
    (void)state;
    assert_verdict(SETTINGS_SUBJECT_IDENTITY, STR("i"), text_of(255), SUBJECT_NAMED);
    assert_verdict(SETTINGS_SUBJECT_IDENTITY, STR("i"), text_of(256), SUBJECT_BAD_SUBJECT);
    assert_verdict(SETTINGS_SUBJECT_IDENTITY, text_of(255), STR("s"), SUBJECT_NAMED);
    assert_verdict(SETTINGS_SUBJECT_IDENTITY, text_of(256), STR("s"), SUBJECT_BAD_ISSUER);
}

static void every_verdict_has_a_code_of_its_own_and_a_sentence(void **state)
{
    (void)state;
    for (size_t i = 0; i < SUBJECT__MAX; i++) {
        const struct subject_reason *reason = subject_reason((enum subject_verdict)i);

        assert_non_null(reason->code);
        assert_non_null(reason->detail);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(reason->code, subject_reason((enum subject_verdict)j)->code);
        for (size_t j = 0; j < JWT__MAX; j++)
            assert_string_not_equal(reason->code, jwt_reason((enum jwt_verdict)j)->code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_user_is_named_by_a_uuid),
        cmocka_unit_test(a_user_is_no_identity),
        cmocka_unit_test(an_identity_is_named_by_its_issuer_and_subject),
        cmocka_unit_test(an_identity_needs_an_issuer),
        cmocka_unit_test(what_no_key_can_hold_is_refused),
        cmocka_unit_test(a_key_has_255_bytes_at_most),
        cmocka_unit_test(every_verdict_has_a_code_of_its_own_and_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
