/* Users whom their first token brings, added by the account that can do nothing else. */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/grants.h"
#include "store/newcomers.h"
#include "store/profiles.h"

#define ISSUER "https://login.example.com"
#define ANN FIXTURE_ID("01")

enum { SQL_MAX_BYTES = 64 * 1024 };

/* The account, made as an administrator would make it, by what mectl prints. */
static struct settings settings;
static char password_path[] = "/tmp/newcomers_test.XXXXXX", account[64];
static struct database *provisioning;

static void write_password(void)
{
    int file = mkstemp(password_path);
    assert_true(file >= 0);
    assert_int_equal(write(file, "a password\n", 11), 11);
    assert_int_equal(close(file), 0);
}

static void run_script(struct fixture *fixture, struct str script)
{
    while (script.len > 0) {
        struct str line = str_cut(&script, '\n');
        if (line.len > 0 && !str_starts_with(line, STR("--")))
            fixture_sql(fixture, "%.*s", STR_ARGS(line));
    }
}

static void grant(struct fixture *fixture)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX_BYTES);
    if (!grants_print(&settings, DATABASE_PROVISION, FILE_READERS_ANY, &sql, &fixture->err))
        fail_msg("%s", fixture->err.text);
    run_script(fixture, buf_str(&sql));
    buf_free(&sql);
}

static int open_all(void **state)
{
    int result = fixture_open(state);
    struct fixture *fixture = *state;
    (void)snprintf(account, sizeof(account), "me_test_p%ld", (long)getpid());
    settings = fixture->settings;
    settings.database.read_timeout_s = 10; /* and so a wait for a lock is one that lasts */
    settings.provision.user = account;
    settings.provision.password_file = password_path;
    write_password();
    grant(fixture);
    provisioning = database_new(&settings, DATABASE_PROVISION, FILE_READERS_ANY, &fixture->err);
    assert_non_null(provisioning);
    return result;
}

static int close_all(void **state)
{
    struct fixture *fixture = *state;
    database_free(provisioning);
    fixture_sql(fixture, "DROP USER '%s'@'localhost'", account);
    assert_int_equal(unlink(password_path), 0);
    return fixture_close(state);
}

/* ---- newcomers */

/* Adds somebody with this subject, email address and number, each of the latter where it is set. */
struct addition {
    struct str subject, address, number;
    bool address_is_taken;
};

static enum store_result add(struct fixture *fixture, struct addition *addition)
{
    struct profile_identity identity = {.subject = addition->subject,
                                        .provider = STR("login.example.com")};
    struct profile_email email = {
        .address = addition->address, .verified = true, .is_default = true};
    struct profile_phone phone = {.number = addition->number, .is_primary = true};
    struct newcomer newcomer = {
        .issuer = STR(ISSUER),
        .profile = {.status = USER_ACTIVE,
                    .name = STR("New"),
                    .identities = &identity,
                    .identity_count = 1,
                    .emails = &email,
                    .email_count = str_is_set(addition->address),
                    .phones = &phone,
                    .phone_count = str_is_set(addition->number)},
    };
    return newcomers_add(provisioning, &newcomer, &addition->address_is_taken, &fixture->err);
}

static struct profile load(struct fixture *fixture, struct str subject)
{
    const struct access_request request = {.issuer = STR(ISSUER), .subject = subject};
    struct profile_load out;
    assert_stored(fixture,
                  profiles_load(fixture->database, &request, fixture->arena, &out, &fixture->err));
    assert_int_equal(out.access, ACCESS_GRANTED);
    return out.profile;
}

static void assert_rows(struct fixture *fixture, int64_t users, int64_t children)
{
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM users"), users);
    assert_int_equal(fixture_number(fixture, "SELECT (SELECT COUNT(*) FROM user_identities)"
                                             " + (SELECT COUNT(*) FROM user_emails)"
                                             " + (SELECT COUNT(*) FROM user_phone_numbers)"),
                     children);
}

static void add_ann(struct fixture *fixture)
{
    fixture_sql(fixture, "INSERT INTO users (id, status, name) VALUES (" ANN ", 'active', 'Ann')");
    fixture_sql(fixture, "INSERT INTO user_emails (user_id, id, email, is_default) VALUES (" ANN
                         ", " ANN ", 'Ann@example.com', 1)");
}

static void a_newcomer_has_everything_it_brings(void **state)
{
    struct fixture *fixture = *state;
    struct profile_identity identity = {
        .subject = STR("sub|\xC3\xA9"),
        .provider = STR("login.example.com"),
        .name = STR("N"),
        .email = STR("n@example.com"),
        .avatar_url = STR("https://example.com/i"),
    };
    struct profile_email email = {
        .address = STR("New@example.com"), .verified = true, .is_default = true};
    struct profile_phone phone = {
        .number = STR("+31612345678"), .verified = true, .is_primary = true};
    bool address_is_taken = true;
    struct newcomer newcomer = {.issuer = STR(ISSUER)};
    newcomer.profile = (struct profile){
        .status = USER_ACTIVE,
        .name = STR("N\xC3\xA9w"),
        .avatar_url = STR("https://example.com/a"),
        .locale = STR("nl-NL"),
        .timezone = STR("Europe/Amsterdam"),
        .identities = &identity,
        .identity_count = 1,
        .emails = &email,
        .email_count = 1,
        .phones = &phone,
        .phone_count = 1,
    };
    assert_stored(fixture,
                  newcomers_add(provisioning, &newcomer, &address_is_taken, &fixture->err));
    assert_false(address_is_taken);
    struct profile out = load(fixture, STR("sub|\xC3\xA9"));
    assert_true(uuid_equal(&out.id, &newcomer.profile.id));
    assert_int_equal(out.status, USER_ACTIVE);
    assert_str_equal(out.name, "N\xC3\xA9w");
    assert_str_equal(out.avatar_url, "https://example.com/a");
    assert_str_equal(out.locale, "nl-NL");
    assert_str_equal(out.timezone, "Europe/Amsterdam");
    assert_false(str_is_set(out.bio));
    assert_int_equal(out.created_ms, out.updated_ms);
    assert_int_equal(out.identity_count, 1);
    assert_str_equal(out.identities[0].provider, "login.example.com");
    assert_str_equal(out.identities[0].name, "N");
    assert_str_equal(out.identities[0].email, "n@example.com");
    assert_str_equal(out.identities[0].avatar_url, "https://example.com/i");
    assert_int_equal(out.email_count, 1);
    assert_str_equal(out.emails[0].address, "New@example.com");
    assert_true(out.emails[0].verified && out.emails[0].is_default);
    assert_false(out.emails[0].password_set || out.emails[0].token_set);
    assert_int_equal(out.phone_count, 1);
    assert_str_equal(out.phones[0].number, "+31612345678");
    assert_true(out.phones[0].verified && out.phones[0].is_primary);
}

static void a_newcomer_may_bring_nothing_but_itself(void **state)
{
    struct fixture *fixture = *state;
    struct addition nobody = {.subject = STR("s")};
    assert_stored(fixture, add(fixture, &nobody));
    assert_rows(fixture, 1, 1);
}

static void an_identity_is_added_once(void **state)
{
    struct fixture *fixture = *state;
    struct addition first = {.subject = STR("s"), .address = STR("a@example.com")};
    struct addition second = {.subject = STR("s"), .address = STR("b@example.com")};
    assert_stored(fixture, add(fixture, &first));
    assert_int_equal(add(fixture, &second), STORE_DUPLICATE);
    assert_rows(fixture, 1, 2);
    assert_str_equal(load(fixture, STR("s")).emails[0].address, "a@example.com");
}

static void whose_identity_it_is_does_not_depend_on_the_status(void **state)
{
    static const char *const statuses[] = {"deleted", "banned", "pending", "invited"};
    struct fixture *fixture = *state;
    struct addition one = {.subject = STR("s")};
    assert_stored(fixture, add(fixture, &one));
    for (size_t i = 0; i < ARRAY_LENGTH(statuses); i++) {
        fixture_sql(fixture, "UPDATE users SET status = '%s'", statuses[i]);
        assert_int_equal(add(fixture, &one), STORE_DUPLICATE);
    }
    assert_rows(fixture, 1, 1);
}

static void identities_are_told_apart_bytewise(void **state)
{
    static const char *const subjects[] = {"s", "S", "s ", " s", "\xC3\x9F", "ss", "\xEF\xBD\x93"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(subjects); i++) {
        struct addition one = {.subject = str_from(subjects[i])};
        assert_stored(fixture, add(fixture, &one));
    }
    assert_rows(fixture, ARRAY_LENGTH(subjects), ARRAY_LENGTH(subjects));
}

static void an_address_of_another_user_stays_there(void **state)
{
    static const char *const addresses[] = {"Ann@example.com", "ann@example.com",
                                            "ANN@EXAMPLE.COM"};
    struct fixture *fixture = *state;
    add_ann(fixture);
    for (size_t i = 0; i < ARRAY_LENGTH(addresses); i++) {
        struct addition thief = {.subject = str_from(addresses[i]),
                                 .address = str_from(addresses[i]),
                                 .number = STR("+12")};
        assert_stored(fixture, add(fixture, &thief));
        assert_true(thief.address_is_taken);
        struct profile out = load(fixture, str_from(addresses[i]));
        assert_int_equal(out.email_count, 0);
        assert_int_equal(out.phone_count, 1);
    }
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM user_emails WHERE user_id = " ANN
                                             " AND email = 'Ann@example.com' AND is_default"),
                     1);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM user_identities"
                                             " WHERE user_id = " ANN),
                     0);
}

/* A phone number is the last to be added: what fails there leaves nothing of all before it. */
static void a_newcomer_is_added_whole_or_not_at_all(void **state)
{
    struct fixture *fixture = *state;
    struct addition broken = {
        .subject = STR("s"), .address = STR("a@example.com"), .number = STR("no number")};
    assert_int_equal(add(fixture, &broken), STORE_REFUSED);
    assert_rows(fixture, 0, 0);
    broken.number = STR("+12");
    assert_stored(fixture, add(fixture, &broken));
    assert_rows(fixture, 1, 3);
}

/* ---- several at once */

/* What becomes of a newcomer while another worker adds the same, and then does `end`. */
static enum store_result add_meanwhile(struct fixture *fixture, const char *end)
{
    static const char *const insert[] = {
        "START TRANSACTION",
        "INSERT INTO users (id, status, name) VALUES (" ANN ", 'active', 'First')",
        "INSERT INTO user_identities (user_id, id, issuer, subject, provider)"
        " VALUES (" ANN ", " ANN ", '" ISSUER "', 's', 'p')",
        NULL};
    const char *const then[] = {end, NULL};
    struct addition one = {.subject = STR("s"), .address = STR("a@example.com")};
    pid_t rival = fixture_rival(fixture, insert, then);
    enum store_result result = add(fixture, &one);
    fixture_join(rival);
    return result;
}

static void of_two_at_once_the_second_learns_of_the_first(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(add_meanwhile(fixture, "COMMIT"), STORE_DUPLICATE);
    assert_rows(fixture, 1, 1);
    assert_str_equal(load(fixture, STR("s")).name, "First");
}

static void where_the_first_gives_up_the_second_adds(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(add_meanwhile(fixture, "ROLLBACK"), STORE_OK);
    assert_rows(fixture, 1, 2);
    assert_str_equal(load(fixture, STR("s")).name, "New");
}

/* ---- rights */

static void the_account_can_do_nothing_else(void **state)
{
    static const char *const refused[] = {
        "SELECT * FROM users",
        "SELECT user_id FROM user_identities",
        "SELECT email FROM user_emails",
        "UPDATE users SET name = 'x'",
        "UPDATE user_emails SET user_id = " ANN,
        "UPDATE user_identities SET user_id = " ANN,
        "DELETE FROM users",
        "DELETE FROM user_identities",
        "INSERT INTO user_badges (user_id, scope, name) VALUES (" ANN ", 'a', 'b')",
        "INSERT INTO user_fraud_information (user_id, score) VALUES (" ANN ", 0)",
        "INSERT INTO sessions (user_id, id, expires_at) VALUES (" ANN ", 's', '2999-01-01')",
        "INSERT INTO user_emails (user_id, id, email) VALUES (" ANN ", " ANN ", 'x@example.com')"
        " ON DUPLICATE KEY UPDATE user_id = " ANN,
        "REPLACE INTO users (id, name) VALUES (" ANN ", 'x')",
        "DROP TABLE sessions",
        "SELECT * FROM mysql.user",
        "CREATE DATABASE me_test_more",
    };
    struct fixture *fixture = *state;
    add_ann(fixture);
    for (size_t i = 0; i < ARRAY_LENGTH(refused); i++) {
        err_clear(&fixture->err);
        if (database_run_text(provisioning, str_from(refused[i]), &fixture->err) !=
                STORE_UNAVAILABLE ||
            strstr(fixture->err.text, "denied") == NULL)
            fail_msg("%s: %s", refused[i], fixture->err.text);
    }
    assert_rows(fixture, 1, 1);
}

static void an_account_without_rights_is_an_unavailable_service(void **state)
{
    struct fixture *fixture = *state;
    struct addition one = {.subject = STR("s")};
    fixture_sql(fixture, "REVOKE ALL PRIVILEGES, GRANT OPTION FROM '%s'@'localhost'", account);
    database_close(provisioning);
    assert_refused(fixture, STORE_UNAVAILABLE, add(fixture, &one), "--print-grants");
    grant(fixture);
    database_close(provisioning);
    assert_stored(fixture, add(fixture, &one));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_newcomer_has_everything_it_brings, fixture_reset),
        cmocka_unit_test_setup(a_newcomer_may_bring_nothing_but_itself, fixture_reset),
        cmocka_unit_test_setup(an_identity_is_added_once, fixture_reset),
        cmocka_unit_test_setup(whose_identity_it_is_does_not_depend_on_the_status, fixture_reset),
        cmocka_unit_test_setup(identities_are_told_apart_bytewise, fixture_reset),
        cmocka_unit_test_setup(an_address_of_another_user_stays_there, fixture_reset),
        cmocka_unit_test_setup(a_newcomer_is_added_whole_or_not_at_all, fixture_reset),
        cmocka_unit_test_setup(of_two_at_once_the_second_learns_of_the_first, fixture_reset),
        cmocka_unit_test_setup(where_the_first_gives_up_the_second_adds, fixture_reset),
        cmocka_unit_test_setup(the_account_can_do_nothing_else, fixture_reset),
        cmocka_unit_test_setup(an_account_without_rights_is_an_unavailable_service, fixture_reset),
    };
    return fixture_is_possible() ? cmocka_run_group_tests(tests, open_all, close_all)
                                 : FIXTURE_SKIPPED;
}
