#include "store/diagnosis.h"

#include "base/compiler.h"
#include "unit.h"

static void knows_mariadb_from_10_3_on(void **state)
{
    static const struct {
        const char *version;
        bool is_known;
    } rows[] = {
        {"10.3.0-MariaDB", true},
        {"10.11.19-MariaDB-0+deb12u1", true},
        {"11.8.2-MariaDB-ubu2404-log", true},
        {"10.2.44-MariaDB", false},
        {"5.5.68-MariaDB", false},
        {"8.0.36", false},
        {"8.0.36-0ubuntu0.22.04.1", false},
        {"MariaDB", false},
        {"", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        if (diagnosis_knows_version(rows[i].version) != rows[i].is_known)
            fail_msg("%s", rows[i].version);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_mariadb_from_10_3_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
