#include "profile/timezone.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "judge.h"
#include "unit.h"
#include "zoneinfo.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(judges_timezones_and_leaves_nothing_open, make_zoneinfo,
                                        remove_zoneinfo),
        cmocka_unit_test_setup_teardown(takes_timezones_of_64_bytes, make_zoneinfo,
                                        remove_zoneinfo),
        cmocka_unit_test_setup_teardown(knows_no_timezone_without_a_folder, make_zoneinfo,
                                        remove_zoneinfo),
        cmocka_unit_test(knows_the_timezones_of_the_system),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
