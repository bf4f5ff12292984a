#include "profile/timezone.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "judge.h"
#include "profile/zone.h"
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

    vectors_run("timezone.tsv", 150, judge_timezone, *state);
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

/* What is no folder, or none that can be looked into. */
static void assert_list_alone(const char *zoneinfo)
{
    assert_int_equal(validate_timezone(STR("Asia/Calcutta"), zoneinfo), VIOLATION_NONE);
    assert_int_equal(validate_timezone(STR("asia/Calcutta"), zoneinfo), VIOLATION_INVALID_TIMEZONE);
    assert_int_equal(validate_timezone(STR("Atlantis/Poseidonis"), zoneinfo),
                     VIOLATION_INVALID_TIMEZONE);
}

static void knows_the_list_alone_without_a_folder(void **state)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/Nowhere", (const char *)*state);
    assert_list_alone(path);
    (void)snprintf(path, sizeof(path), "%s/UTC", (const char *)*state);
    assert_list_alone(path);
    assert_list_alone("");
    assert_int_equal(validate_timezone(STR("Atlantis/Poseidonis"), *state), VIOLATION_NONE);
}

static void takes_every_name_of_the_list_without_a_folder(void **state)
{
    (void)state;
    for (size_t i = 0; i < zone_list.count; i++) {
        struct str name = str_from(wordlist_word(&zone_list, i));

        if (validate_timezone(name, "") != VIOLATION_NONE)
            fail_msg("%s is refused", name.data);
    }
}

static void knows_a_new_timezone_at_once(void **state)
{
    const struct str name = STR("Atlantis/New_Town");

    assert_int_equal(validate_timezone(name, *state), VIOLATION_INVALID_TIMEZONE);
    zoneinfo_add_zone(*state, name.data);
    assert_int_equal(validate_timezone(name, *state), VIOLATION_NONE);
}

/* ---- against the system's own folder */

static const char system_zoneinfo[] = "/usr/share/zoneinfo";
static size_t system_zones;

static bool is_time_zone_file(const char *path)
{
    char bytes[4] = "";
    FILE *file = fopen(path, "r");
    bool is_zone;

    if (file == NULL)
        return false;
    is_zone =
        fread(bytes, 1, sizeof(bytes), file) == sizeof(bytes) && memcmp(bytes, "TZif", 4) == 0;
    assert_int_equal(fclose(file), 0);
    return is_zone;
}

/* What names no zone though it has the form of one. */
static bool is_no_name(const char *name)
{
    return strncmp(name, "posix/", 6) == 0 || strncmp(name, "right/", 6) == 0 ||
           strcmp(name, "posixrules") == 0 || strcmp(name, "localtime") == 0;
}

static int judge_entry(const char *path, const struct stat *info, int type, struct FTW *place)
{
    const char *name = path + sizeof(system_zoneinfo);
    bool is_zone = type != FTW_D && is_time_zone_file(path) && !is_no_name(name);

    (void)info;
    if (place->level == 0)
        return 0;
    if ((validate_timezone(str_from(name), system_zoneinfo) == VIOLATION_NONE) != is_zone)
        fail_msg("%s is %s", name, is_zone ? "refused" : "taken");
    system_zones += is_zone;
    return 0;
}

static void knows_the_timezones_of_the_system_and_nothing_else_there(void **state)
{
    struct stat info;

    (void)state;
    if (stat("/usr/share/zoneinfo/Europe/Berlin", &info) != 0)
        skip_because("there is no tzdata here");
    assert_int_equal(nftw(system_zoneinfo, judge_entry, 16, 0), 0);
    assert_true(system_zones > 300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(judges_timezones_and_leaves_nothing_open, make_zoneinfo,
                                        remove_zoneinfo),
        cmocka_unit_test_setup_teardown(takes_timezones_of_64_bytes, make_zoneinfo,
                                        remove_zoneinfo),
        cmocka_unit_test_setup_teardown(knows_the_list_alone_without_a_folder, make_zoneinfo,
                                        remove_zoneinfo),
        cmocka_unit_test(takes_every_name_of_the_list_without_a_folder),
        cmocka_unit_test_setup_teardown(knows_a_new_timezone_at_once, make_zoneinfo,
                                        remove_zoneinfo),
        cmocka_unit_test(knows_the_timezones_of_the_system_and_nothing_else_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
