#include "gateway/environment.h"

#include <stdio.h>

#include "unit.h"

#define READ(request, ...) environment_read((char *const[]){__VA_ARGS__, NULL}, "", (request))

static char method[] = "REQUEST_METHOD=GET";
static char script[] = "SCRIPT_NAME=/me";

static void takes_method_path_and_headers(void **state)
{
    char accept[] = "HTTP_ACCEPT=text/html", match[] = "HTTP_IF_MATCH=\"a=b\"";
    struct request request;

    (void)state;
    READ(&request, method, script, accept, match);
    assert_str_equal(request.method, "GET");
    assert_str_equal(request.path, "/me");
    assert_str_equal(request.header[REQUEST_ACCEPT], "text/html");
    assert_str_equal(request.header[REQUEST_IF_MATCH], "\"a=b\"");
    assert_false(str_is_set(request.header[REQUEST_IF_NONE_MATCH]));
}

static void a_missing_method_is_empty(void **state)
{
    struct request request;

    (void)state;
    READ(&request, script);
    assert_str_equal(request.method, "");
}

static void finds_authorization_under_its_names(void **state)
{
    static const char *const names[] = {
        "HTTP_AUTHORIZATION=Bearer x",
        "Authorization=Bearer x",
        "REDIRECT_HTTP_AUTHORIZATION=Bearer x",
        "REDIRECT_REDIRECT_REDIRECT_HTTP_AUTHORIZATION=Bearer x",
        "REDIRECT_Authorization=Bearer x",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(names); i++) {
        char variable[128];
        struct request request;

        (void)snprintf(variable, sizeof(variable), "%s", names[i]);
        READ(&request, variable);
        assert_str_equal(request.header[REQUEST_AUTHORIZATION], "Bearer x");
    }
}

static void the_authorization_with_the_fewest_prefixes_wins(void **state)
{
    char far[] = "REDIRECT_REDIRECT_HTTP_AUTHORIZATION=far";
    char near[] = "REDIRECT_HTTP_AUTHORIZATION=near", own[] = "HTTP_AUTHORIZATION=own";
    struct request request;

    (void)state;
    READ(&request, far, near);
    assert_str_equal(request.header[REQUEST_AUTHORIZATION], "near");
    READ(&request, own, near);
    assert_str_equal(request.header[REQUEST_AUTHORIZATION], "own");
}

static void an_empty_authorization_hides_no_other(void **state)
{
    char empty[] = "HTTP_AUTHORIZATION=", other[] = "REDIRECT_HTTP_AUTHORIZATION=Bearer x";
    struct request request;

    (void)state;
    READ(&request, empty, other);
    assert_str_equal(request.header[REQUEST_AUTHORIZATION], "Bearer x");
}

static void a_similar_name_is_no_authorization(void **state)
{
    char proxy[] = "HTTP_PROXY_AUTHORIZATION=Bearer x", cut[] = "REDIRECT_=x", none[] = "NOVALUE";
    struct request request;

    (void)state;
    READ(&request, proxy, cut, none);
    assert_false(str_is_set(request.header[REQUEST_AUTHORIZATION]));
}

static void takes_the_configured_header(void **state)
{
    char name[ENVIRONMENT_NAME_MAX_BYTES], variable[] = "HTTP_X_ACCESS_TOKEN=abc";
    char *const variables[] = {variable, NULL};
    struct request request;

    (void)state;
    assert_true(environment_name_of_header("X-Access-Token", name));
    assert_string_equal(name, "HTTP_X_ACCESS_TOKEN");
    environment_read(variables, name, &request);
    assert_str_equal(request.header[REQUEST_TOKEN], "abc");
    assert_true(environment_name_of_header(NULL, name));
    environment_read(variables, name, &request);
    assert_false(str_is_set(request.header[REQUEST_TOKEN]));
}

static void refuses_a_header_name_that_is_too_long(void **state)
{
    char name[ENVIRONMENT_NAME_MAX_BYTES], header[ENVIRONMENT_NAME_MAX_BYTES];

    (void)state;
    memset(header, 'x', sizeof(header));
    header[ENVIRONMENT_NAME_MAX_BYTES - 1] = '\0';
    assert_false(environment_name_of_header(header, name));
    header[ENVIRONMENT_NAME_MAX_BYTES - 6] = '\0';
    assert_true(environment_name_of_header(header, name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_method_path_and_headers),
        cmocka_unit_test(a_missing_method_is_empty),
        cmocka_unit_test(finds_authorization_under_its_names),
        cmocka_unit_test(the_authorization_with_the_fewest_prefixes_wins),
        cmocka_unit_test(an_empty_authorization_hides_no_other),
        cmocka_unit_test(a_similar_name_is_no_authorization),
        cmocka_unit_test(takes_the_configured_header),
        cmocka_unit_test(refuses_a_header_name_that_is_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
