#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/keptplace.h"

static const char *const hosts[] = {"/run/a.sock", "b.example.com"};

static struct settings settings_of(const char *file, const char *name, size_t host_count)
{
    struct settings settings = {.file = file};

    settings.database.name = name;
    settings.database.host = (struct settings_list){hosts, host_count};
    settings.cache.size_mib = 2;
    return settings;
}

static struct keptplace choose(const struct settings *settings)
{
    struct digest *digest = digest_new();
    struct keptplace out;
    struct err err = {""};

    assert_non_null(digest);
    if (!keptplace_choose(settings, digest, &out, &err))
        fail_msg("%s", err.text);
    digest_free(digest);
    out.place.path = out.path; /* it was copied */
    return out;
}

static bool is_same_identity(const struct keptplace *a, const struct keptplace *b)
{
    return memcmp(a->place.identity, b->place.identity, sizeof(a->place.identity)) == 0;
}

static void takes_the_path_and_size_that_are_set(void **state)
{
    struct settings settings = settings_of("/etc/me.conf", "me", 2);
    struct keptplace out;

    (void)state;
    settings.cache.path = "/run/me/kept";
    out = choose(&settings);
    assert_string_equal(out.path, "/run/me/kept");
    assert_int_equal(out.place.size_bytes, 2 * 1024 * 1024);
}

static void names_a_file_in_memory_that_is_this_users(void **state)
{
    const struct settings settings = settings_of(NULL, "me", 1);
    struct keptplace out;
    char start[64];

    (void)state;
    if (access("/dev/shm", W_OK) != 0)
        skip_because("nothing can be made in /dev/shm");
    out = choose(&settings);
    (void)snprintf(start, sizeof(start), "/dev/shm/me-fcgi-%lu-", (unsigned long)geteuid());
    assert_true(str_starts_with(str_from(out.path), str_from(start)));
}

/* Two configurations never have one file, one has the same each time. */
static void tells_configurations_apart(void **state)
{
    const struct settings all[] = {
        settings_of("/etc/me.conf", "me", 2),
        settings_of("/etc/me2.conf", "me", 2),
        settings_of("/etc/me.conf", "me2", 2),
        settings_of("/etc/me.conf", "me", 1),
        settings_of(NULL, "me", 2),
        settings_of("/etc/me.con", "fme", 2),
        settings_of("/etc/me.conf2:me", "", 2),
    };

    (void)state;
    if (access("/dev/shm", W_OK) != 0)
        skip_because("nothing can be made in /dev/shm");
    for (size_t i = 0; i < ARRAY_LENGTH(all); i++)
        for (size_t j = 0; j < ARRAY_LENGTH(all); j++) {
            struct keptplace one = choose(&all[i]), other = choose(&all[j]);

            assert_int_equal(strcmp(one.path, other.path) == 0, i == j);
            assert_int_equal(is_same_identity(&one, &other), i == j);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_path_and_size_that_are_set),
        cmocka_unit_test(names_a_file_in_memory_that_is_this_users),
        cmocka_unit_test(tells_configurations_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
