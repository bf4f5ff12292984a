/* The one statement that reads a user, who may be served, and the write of what a user may change.
 */
#include "fixture.h"

#include <mysql.h>

#include "base/buf.h"
#include "store/profiles.h"
#include "store/statement.h"

#define ANN FIXTURE_ID("01")
#define BOB FIXTURE_ID("02")

static void add_ann(struct fixture *fixture)
{
    fixture_sql(fixture,
                "INSERT INTO users (id, status, name, created_at, updated_at) VALUES (" ANN
                ", 'active', 'Ann', '2025-07-03 02:14:22.094', '2025-07-04 02:14:22.001')");
}

static void add_bob(struct fixture *fixture)
{
    fixture_sql(fixture, "INSERT INTO users (id, status, name) VALUES (" BOB ", 'active', 'Bob')");
}

static void add_session(struct fixture *fixture, const char *id, int end_s, const char *revoked)
{
    fixture_sql(fixture,
                "INSERT INTO sessions (user_id, id, expires_at, revoked_at) VALUES (" ANN
                ", '%s', UTC_TIMESTAMP(3) + INTERVAL %d SECOND, %s)",
                id, end_s, revoked);
}

static struct profile_load load(struct fixture *fixture, struct str session)
{
    struct profile_load out;
    const struct access_request request = {.user = fixture_id(1), .session = session};
    assert_stored(fixture,
                  profiles_load(fixture->database, &request, fixture->arena, &out, &fixture->err));
    return out;
}

static void assert_access(struct fixture *fixture, struct str session, enum access expected)
{
    struct profile_load out = load(fixture, session);
    if (out.access != expected)
        fail_msg("access is %s, not %s", access_name(out.access), access_name(expected));
    if (expected != ACCESS_GRANTED)
        assert_false(str_is_set(out.profile.name));
}

static void reads_the_columns_of_the_user(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    fixture_sql(fixture, "UPDATE users SET bio = 'B', avatar_url = 'https://example.com/a',"
                         " locale = 'en-US', timezone = 'Europe/Amsterdam'");
    fixture_sql(fixture,
                "INSERT INTO user_fraud_information (user_id, score) VALUES (" ANN ", -7)");
    struct profile_load out = load(fixture, STR_NONE);
    struct uuid id = fixture_id(1);
    assert_int_equal(out.access, ACCESS_GRANTED);
    assert_true(uuid_equal(&out.profile.id, &id));
    assert_int_equal(out.profile.status, USER_ACTIVE);
    assert_str_equal(out.profile.name, "Ann");
    assert_str_equal(out.profile.bio, "B");
    assert_str_equal(out.profile.avatar_url, "https://example.com/a");
    assert_str_equal(out.profile.locale, "en-US");
    assert_str_equal(out.profile.timezone, "Europe/Amsterdam");
    assert_int_equal(out.profile.created_ms, 1751508862094);
    assert_int_equal(out.profile.updated_ms, 1751595262001);
    assert_true(out.profile.has_fraud_score);
    assert_int_equal(out.profile.fraud_score, -7);
}

static void what_is_null_is_not_set(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    struct profile_load out = load(fixture, STR_NONE);
    assert_false(str_is_set(out.profile.bio));
    assert_false(str_is_set(out.profile.avatar_url));
    assert_false(str_is_set(out.profile.locale));
    assert_false(str_is_set(out.profile.timezone));
    assert_false(out.profile.has_fraud_score);
    assert_int_equal(out.profile.email_count + out.profile.identity_count +
                         out.profile.phone_count + out.profile.badge_count,
                     0);
}

static void reads_emails_and_phones(void **state)
{
    struct fixture *fixture = *state;
    struct uuid email = fixture_id(0x11), phone = fixture_id(0x22);
    add_ann(fixture);
    fixture_sql(fixture,
                "INSERT INTO user_emails VALUES (" FIXTURE_ID(
                    "11") ", " ANN ", 'ann@example.com', 1, 0, 1, 1, '2025-01-01 00:00:00.001',"
                          " '2025-01-01 00:00:00.002', DEFAULT, DEFAULT)");
    fixture_sql(fixture,
                "INSERT INTO user_phone_numbers VALUES (" FIXTURE_ID(
                    "22") ", " ANN ", '+31612345678', 0, 1, '2025-01-01', '2025-01-01', DEFAULT)");
    struct profile out = load(fixture, STR_NONE).profile;
    assert_int_equal(out.email_count, 1);
    assert_true(uuid_equal(&out.emails[0].id, &email));
    assert_str_equal(out.emails[0].address, "ann@example.com");
    assert_true(out.emails[0].verified && !out.emails[0].password_set && out.emails[0].token_set &&
                out.emails[0].is_default);
    assert_int_equal(out.emails[0].created_ms, 1735689600001);
    assert_int_equal(out.emails[0].updated_ms, 1735689600002);
    assert_int_equal(out.phone_count, 1);
    assert_true(uuid_equal(&out.phones[0].id, &phone));
    assert_str_equal(out.phones[0].number, "+31612345678");
    assert_true(!out.phones[0].verified && out.phones[0].is_primary);
}

/* The client library leaves what the row before had in the place of a NULL. */
static void a_null_never_shows_the_row_before(void **state)
{
    struct fixture *fixture = *state;
    size_t set = 0;
    add_ann(fixture);
    fixture_sql(fixture, "UPDATE users SET bio = 'B', avatar_url = 'https://example.com/a'");
    for (int i = 0; i < 6; i++)
        fixture_sql(fixture,
                    "INSERT INTO user_identities (user_id, id, issuer, subject, provider, name,"
                    " email, avatar_url) VALUES (" ANN ", UNHEX(LPAD(%d, 32, '0')), 'i', 's%d',"
                    " 'p', %s)",
                    i, i,
                    i % 2 == 0 ? "'N', 'n@example.com', 'https://example.com/n'"
                               : "NULL, NULL, NULL");
    struct profile out = load(fixture, STR_NONE).profile;
    assert_int_equal(out.identity_count, 6);
    for (size_t i = 0; i < 6; i++) {
        struct profile_identity *identity = &out.identities[i];
        bool even = (identity->subject.data[1] - '0') % 2 == 0;
        assert_int_equal(str_is_set(identity->name), even);
        assert_int_equal(str_is_set(identity->email), even);
        assert_int_equal(str_is_set(identity->avatar_url), even);
        set += even;
    }
    assert_int_equal(set, 3);
}

static void reads_many_rows_of_each_kind(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    fixture_sql(fixture, "INSERT INTO user_badges (user_id, scope, name)"
                         " SELECT " ANN ", 's', CONCAT('n', seq) FROM seq_1_to_100");
    fixture_sql(fixture, "INSERT INTO user_emails (user_id, id, email) SELECT " ANN
                         ", UNHEX(LPAD(seq, 32, '0')), CONCAT(seq, '@example.com')"
                         " FROM seq_1_to_100");
    struct profile out = load(fixture, STR_NONE).profile;
    assert_int_equal(out.badge_count, 100);
    assert_int_equal(out.email_count, 100);
    for (size_t i = 0; i < 100; i++) {
        assert_true(str_starts_with(out.badges[i], STR("s:n")));
        assert_true(i == 0 || str_compare(out.badges[i - 1], out.badges[i]) < 0);
        assert_true(str_ends_with(out.emails[i].address, STR("@example.com")));
    }
}

/* 4 bytes for a character, and as many characters as the column takes. */
static void text_that_fills_its_column_comes_whole(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    fixture_sql(fixture, "UPDATE users SET name = REPEAT('\xF0\x9F\x98\x80', 255),"
                         " bio = REPEAT('\xF0\x9F\x98\x81', 4096),"
                         " avatar_url = REPEAT('\xF0\x9F\x98\x82', 2048),"
                         " locale = REPEAT('\xF0\x9F\x98\x83', 255),"
                         " timezone = REPEAT('\xF0\x9F\x98\x84', 64)");
    struct profile out = load(fixture, STR_NONE).profile;
    assert_int_equal(out.name.len, 255 * 4);
    assert_int_equal(out.bio.len, 4096 * 4);
    assert_int_equal(out.avatar_url.len, 2048 * 4);
    assert_int_equal(out.locale.len, 255 * 4);
    assert_int_equal(out.timezone.len, 64 * 4);
    for (size_t i = 0; i < out.bio.len; i++)
        assert_int_equal((unsigned char)out.bio.data[i], (unsigned char)"\xF0\x9F\x98\x81"[i % 4]);
}

static void refuse_load(struct fixture *fixture, const char *part)
{
    struct profile_load out;
    const struct access_request request = {.user = fixture_id(1)};
    assert_refused(fixture, STORE_FAILED,
                   profiles_load(fixture->database, &request, fixture->arena, &out, &fixture->err),
                   part);
    assert_false(str_is_set(out.profile.name));
}

static void text_that_does_not_fit_is_an_error_that_names_it(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    fixture_sql(fixture, "ALTER TABLE users MODIFY bio VARCHAR(4097)");
    fixture_sql(fixture, "UPDATE users SET bio = REPEAT('\xF0\x9F\x98\x80', 4097)");
    refuse_load(fixture, "column bio");
    fixture_sql(fixture, "UPDATE users SET bio = REPEAT('\xF0\x9F\x98\x80', 4096)");
    assert_access(fixture, STR_NONE, ACCESS_GRANTED);
    fixture_sql(fixture, "ALTER TABLE users MODIFY bio VARCHAR(4096)");
}

static void a_zero_date_is_an_error_that_names_it(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    fixture_sql(fixture, "SET sql_mode = ''");
    fixture_sql(fixture, "UPDATE users SET created_at = '0000-00-00'");
    fixture_sql(fixture, "SET sql_mode = 'STRICT_ALL_TABLES'");
    refuse_load(fixture, "created_at");
}

static void status_decides_who_is_served(void **state)
{
    static const struct {
        const char *status;
        enum access access;
    } rows[] = {
        {"pending", ACCESS_GRANTED},    {"active", ACCESS_GRANTED},
        {"invited", ACCESS_GRANTED},    {"deleted", ACCESS_USER_DELETED},
        {"banned", ACCESS_USER_BANNED},
    };
    struct fixture *fixture = *state;
    assert_access(fixture, STR_NONE, ACCESS_USER_UNKNOWN);
    add_ann(fixture);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        fixture_sql(fixture, "UPDATE users SET status = '%s'", rows[i].status);
        assert_access(fixture, STR_NONE, rows[i].access);
    }
}

static void a_session_must_be_the_users_and_live(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    add_bob(fixture);
    add_session(fixture, "live", 60, "NULL");
    add_session(fixture, "ended", -1, "NULL");
    add_session(fixture, "revoked", 60, "UTC_TIMESTAMP(3)");
    add_session(fixture, "both", -1, "UTC_TIMESTAMP(3)");
    fixture_sql(fixture, "INSERT INTO sessions (user_id, id, expires_at) VALUES (" BOB
                         ", 'bobs', '2999-01-01')");
    assert_access(fixture, STR("live"), ACCESS_GRANTED);
    assert_access(fixture, STR("ended"), ACCESS_SESSION_EXPIRED);
    assert_access(fixture, STR("revoked"), ACCESS_SESSION_REVOKED);
    assert_access(fixture, STR("both"), ACCESS_SESSION_REVOKED);
    assert_access(fixture, STR("bobs"), ACCESS_SESSION_UNKNOWN);
    assert_access(fixture, STR("none"), ACCESS_SESSION_UNKNOWN);
    assert_access(fixture, STR(""), ACCESS_SESSION_UNKNOWN);
}

static void session_ids_are_compared_bytewise(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    add_session(fixture, "s1", 60, "NULL");
    assert_access(fixture, STR("s1 "), ACCESS_SESSION_UNKNOWN);
    assert_access(fixture, STR("S1"), ACCESS_SESSION_UNKNOWN);
    assert_access(fixture, STR("s\xEF\xBC\x91"), ACCESS_SESSION_UNKNOWN); /* full-width 1 */
    assert_access(fixture, STR("s1\0"), ACCESS_SESSION_UNKNOWN);
    assert_access(fixture, STR("s1"), ACCESS_GRANTED);
}

static void a_session_id_that_no_row_can_hold_is_unknown(void **state)
{
    static char id[5000];
    struct fixture *fixture = *state;
    add_ann(fixture);
    memset(id, 'x', sizeof(id));
    assert_access(fixture, (struct str){id, sizeof(id)}, ACCESS_SESSION_UNKNOWN);
    assert_access(fixture, (struct str){id, 256}, ACCESS_SESSION_UNKNOWN);
}

/* 401 comes before 403. */
static void an_ended_session_of_a_banned_user_is_told_first(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    add_session(fixture, "live", 60, "NULL");
    fixture_sql(fixture, "UPDATE users SET status = 'banned'");
    assert_access(fixture, STR("none"), ACCESS_SESSION_UNKNOWN);
    assert_access(fixture, STR("live"), ACCESS_USER_BANNED);
    fixture_sql(fixture, "UPDATE users SET status = 'deleted'");
    assert_access(fixture, STR("live"), ACCESS_USER_DELETED);
}

static void tells_which_sessions_are_active_and_until_when(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    assert_int_equal(load(fixture, STR("c")).sessions.next_end_ms, 0); /* access was refused */
    assert_int_equal(load(fixture, STR_NONE).sessions.next_end_ms, INT64_MAX);
    add_session(fixture, "a", 60, "NULL");
    add_session(fixture, "b", 50, "NULL");
    add_session(fixture, "c", -1, "NULL");
    add_session(fixture, "d", 10, "UTC_TIMESTAMP(3)");
    struct profile_load out = load(fixture, STR("a"));
    assert_int_equal(out.sessions.count, 2);
    assert_false(out.sessions.has_more);
    assert_in_range(out.sessions.next_end_ms - out.now_ms, 45000, 50000);
    fixture_sql(fixture, "INSERT INTO sessions (user_id, id, expires_at) SELECT " ANN
                         ", CONCAT('s', seq), '2999-01-01' FROM seq_1_to_255");
    out = load(fixture, STR("a"));
    assert_true(out.sessions.has_more);
    assert_int_equal(out.profile.active_sessions, 257);
}

static void active_sessions_are_counted_now(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    add_session(fixture, "a", 60, "NULL");
    add_session(fixture, "b", 60, "NULL");
    add_session(fixture, "c", -1, "NULL");
    add_session(fixture, "d", 60, "UTC_TIMESTAMP(3)");
    assert_int_equal(load(fixture, STR_NONE).profile.active_sessions, 2);
    assert_int_equal(load(fixture, STR("a")).profile.active_sessions, 2);
    fixture_sql(fixture, "UPDATE sessions SET expires_at = UTC_TIMESTAMP(3) WHERE id = 'a'");
    assert_int_equal(load(fixture, STR_NONE).profile.active_sessions, 1);
}

static void tells_the_time_of_the_database(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    int64_t before_ms = fixture_number(fixture, "SELECT FLOOR(UNIX_TIMESTAMP(NOW(3)) * 1000)");
    int64_t now_ms = load(fixture, STR_NONE).now_ms;
    assert_in_range(now_ms, before_ms, before_ms + 5000);
}

static void a_profile_too_large_for_the_request_is_an_error(void **state)
{
    struct fixture *fixture = *state;
    struct arena *small = arena_new(4096);
    struct profile_load out;
    const struct access_request request = {.user = fixture_id(1)};
    assert_non_null(small);
    add_ann(fixture);
    fixture_sql(fixture, "UPDATE users SET bio = REPEAT('\xF0\x9F\x98\x80', 4096)");
    assert_refused(fixture, STORE_FAILED,
                   profiles_load(fixture->database, &request, small, &out, &fixture->err),
                   "memory");
    arena_free(small);
}

static void reads_for_the_operator_whatever_the_status_is(void **state)
{
    struct fixture *fixture = *state;
    struct profile out;
    struct uuid ann = fixture_id(1), nobody = fixture_id(9);
    add_ann(fixture);
    fixture_sql(fixture, "UPDATE users SET status = 'deleted'");
    assert_stored(fixture,
                  profiles_read(fixture->database, &ann, fixture->arena, &out, &fixture->err));
    assert_str_equal(out.name, "Ann");
    assert_refused(fixture, STORE_NOT_FOUND,
                   profiles_read(fixture->database, &nobody, fixture->arena, &out, &fixture->err),
                   "no such user");
}

/* What a PATCH does. */
static enum store_result work_patch(struct database *database, void *context, struct err *err)
{
    struct fixture *fixture = context;
    struct profile_load out;
    const struct access_request request = {.user = fixture_id(1)};
    enum store_result result = profiles_load_locked(database, &request, fixture->arena, &out, err);
    if (result != STORE_OK)
        return result;
    out.profile.name = STR("\xF0\x9F\x98\x80 Ann's");
    out.profile.bio = STR("");
    out.profile.locale = STR_NONE;
    out.profile.updated_ms = 1767225599999;
    return profiles_update(database, &out.profile, err);
}

static void writes_the_five_members_and_the_time(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    add_bob(fixture);
    fixture_sql(fixture, "UPDATE users SET locale = 'nl', timezone = 'UTC' WHERE name = 'Ann'");
    assert_stored(fixture,
                  database_transact(fixture->database, work_patch, fixture, &fixture->err));
    struct profile out = load(fixture, STR_NONE).profile;
    assert_str_equal(out.name, "\xF0\x9F\x98\x80 Ann's");
    assert_str_equal(out.bio, "");
    assert_false(str_is_set(out.locale));
    assert_str_equal(out.timezone, "UTC");
    assert_int_equal(out.updated_ms, 1767225599999);
    assert_int_equal(out.created_ms, 1751508862094);
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM users WHERE name = 'Bob'"), 1);
}

/* An UPDATE to equal values has found its row all the same. */
static void writing_what_is_there_is_no_missing_row(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    assert_stored(fixture,
                  database_transact(fixture->database, work_patch, fixture, &fixture->err));
    assert_stored(fixture,
                  database_transact(fixture->database, work_patch, fixture, &fixture->err));
}

static void writing_a_user_that_is_gone_is_not_found(void **state)
{
    struct fixture *fixture = *state;
    struct profile profile = {.id = fixture_id(9), .name = STR("N")};
    assert_refused(fixture, STORE_NOT_FOUND,
                   profiles_update(fixture->database, &profile, &fixture->err), "no such user");
}

static void a_value_that_does_not_fit_is_refused_by_name(void **state)
{
    static char text[255 * 4 + 1];
    struct fixture *fixture = *state;
    struct profile profile = {.id = fixture_id(1)};
    add_ann(fixture);
    memset(text, 'x', sizeof(text));
    profile.name = (struct str){text, sizeof(text)};
    assert_refused(fixture, STORE_REFUSED,
                   profiles_update(fixture->database, &profile, &fixture->err), "name is too long");
    profile.name.len = 256;
    assert_refused(fixture, STORE_REFUSED,
                   profiles_update(fixture->database, &profile, &fixture->err), "'name'");
    assert_str_equal(load(fixture, STR_NONE).profile.name, "Ann");
}

/* The load that locked the row is read by nobody else until the transaction ends. */
static enum store_result work_look_for_lock(struct database *database, void *context,
                                            struct err *err)
{
    struct fixture *fixture = context;
    struct profile_load out;
    const struct access_request request = {.user = fixture_id(1)};
    enum store_result result = profiles_load_locked(database, &request, fixture->arena, &out, err);
    assert_int_equal(out.access, ACCESS_GRANTED);
    fixture_sql(fixture, "SET innodb_lock_wait_timeout = 0");
    assert_int_equal(fixture_sql_error(fixture, "UPDATE users SET name = 'X'"), 1205);
    fixture_sql(fixture, "SET innodb_lock_wait_timeout = DEFAULT");
    return result;
}

static void the_locked_load_locks(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    assert_stored(fixture,
                  database_transact(fixture->database, work_look_for_lock, fixture, &fixture->err));
    assert_int_equal(fixture_sql_error(fixture, "UPDATE users SET name = 'X'"), 0);
}

static void the_locked_load_of_nobody_tells_so(void **state)
{
    struct fixture *fixture = *state;
    struct profile_load out;
    const struct access_request request = {.user = fixture_id(9)};
    assert_stored(fixture, profiles_load_locked(fixture->database, &request, fixture->arena, &out,
                                                &fixture->err));
    assert_int_equal(out.access, ACCESS_USER_UNKNOWN);
}

/* ---- by an identity */

#define ISSUER "https://id.example.com"

static void add_identity(struct fixture *fixture, const char *user, const char *issuer,
                         const char *subject)
{
    fixture_sql(fixture,
                "INSERT INTO user_identities (user_id, id, issuer, subject, provider)"
                " VALUES (%s, UNHEX(MD5(CONCAT('%s', '%s'))), '%s', '%s', 'p')",
                user, issuer, subject, issuer, subject);
}

static struct profile_load load_identity(struct fixture *fixture, struct str issuer,
                                         struct str subject, struct str session)
{
    struct profile_load out;
    const struct access_request request = {
        .issuer = issuer, .subject = subject, .session = session};
    assert_stored(fixture,
                  profiles_load(fixture->database, &request, fixture->arena, &out, &fixture->err));
    return out;
}

static void an_identity_reads_what_its_user_does(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    add_bob(fixture);
    add_identity(fixture, ANN, ISSUER, "ann");
    add_identity(fixture, ANN, ISSUER, "ann again");
    add_identity(fixture, BOB, ISSUER, "bob");
    add_session(fixture, "s", 60, "NULL");
    fixture_sql(fixture, "UPDATE users SET bio = CONCAT('of ', name), avatar_url = 'https://a',"
                         " locale = 'nl', timezone = 'UTC'");
    fixture_sql(fixture, "INSERT INTO user_fraud_information (user_id, score) VALUES (" ANN
                         ", 7), (" BOB ", 8)");
    fixture_sql(fixture, "INSERT INTO user_badges (user_id, scope, name) VALUES (" ANN
                         ", 'a', 'b'), (" BOB ", 'c', 'd')");
    fixture_sql(fixture,
                "INSERT INTO user_emails (user_id, id, email, is_default) VALUES (" ANN ", " ANN
                ", 'ann@example.com', 1), (" BOB ", " BOB ", 'bob@example.com', 1)");
    fixture_sql(fixture, "INSERT INTO user_phone_numbers (user_id, id, number) VALUES (" ANN
                         ", " ANN ", '+12'), (" BOB ", " BOB ", '+13')");
    struct profile by_id = load(fixture, STR_NONE).profile;
    struct profile out = load_identity(fixture, STR(ISSUER), STR("ann"), STR_NONE).profile;
    assert_true(uuid_equal(&out.id, &by_id.id));
    assert_str_equal(out.bio, "of Ann");
    assert_int_equal(out.fraud_score, 7);
    assert_int_equal(out.active_sessions, 1);
    assert_int_equal(out.created_ms, by_id.created_ms);
    assert_int_equal(out.updated_ms, by_id.updated_ms);
    assert_int_equal(out.identity_count, 2);
    assert_int_equal(out.email_count, 1);
    assert_str_equal(out.emails[0].address, "ann@example.com");
    assert_int_equal(out.phone_count, 1);
    assert_str_equal(out.phones[0].number, "+12");
    assert_int_equal(out.badge_count, 1);
    assert_str_equal(out.badges[0], "a:b");
    out = load_identity(fixture, STR(ISSUER), STR("ann again"), STR_NONE).profile;
    assert_str_equal(out.name, "Ann");
    out = load_identity(fixture, STR(ISSUER), STR("bob"), STR_NONE).profile;
    assert_str_equal(out.name, "Bob");
}

static void an_identity_is_compared_bytewise(void **state)
{
    static const struct {
        struct str issuer, subject;
    } others[] = {
        {STR(ISSUER), STR("S1")},
        {STR(ISSUER), STR("s1 ")},
        {STR(ISSUER), STR(" s1")},
        {STR(ISSUER), STR("s")},
        {STR(ISSUER), STR("s%")},
        {STR(ISSUER), STR("s\xEF\xBC\x91")},  /* full-width 1 */
        {STR(ISSUER), STR("s1\xE2\x80\x8B")}, /* zero-width space */
        {STR(ISSUER), STR("s1\0")},
        {STR(ISSUER), STR("")},
        {STR(ISSUER "/"), STR("s1")},
        {STR("HTTPS://id.example.com"), STR("s1")},
        {STR("s1"), STR(ISSUER)},
        {STR(""), STR("s1")},
    };
    struct fixture *fixture = *state;
    add_ann(fixture);
    add_identity(fixture, ANN, ISSUER, "s1");
    for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
        if (load_identity(fixture, others[i].issuer, others[i].subject, STR_NONE).access !=
            ACCESS_USER_UNKNOWN)
            fail_msg("%.*s of %.*s is somebody", STR_ARGS(others[i].subject),
                     STR_ARGS(others[i].issuer));
    assert_int_equal(load_identity(fixture, STR(ISSUER), STR("s1"), STR_NONE).access,
                     ACCESS_GRANTED);
}

static void a_subject_of_another_issuer_is_another_user(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    add_bob(fixture);
    add_identity(fixture, ANN, "https://one.example.com", "s");
    add_identity(fixture, BOB, "https://two.example.com", "s");
    assert_str_equal(
        load_identity(fixture, STR("https://one.example.com"), STR("s"), STR_NONE).profile.name,
        "Ann");
    assert_str_equal(
        load_identity(fixture, STR("https://two.example.com"), STR("s"), STR_NONE).profile.name,
        "Bob");
    assert_int_equal(
        load_identity(fixture, STR("https://three.example.com"), STR("s"), STR_NONE).access,
        ACCESS_USER_UNKNOWN);
}

static void status_and_session_of_an_identity_are_judged(void **state)
{
    static const struct {
        const char *status, *session;
        enum access access;
    } rows[] = {
        {"active", NULL, ACCESS_GRANTED},
        {"active", "live", ACCESS_GRANTED},
        {"active", "ended", ACCESS_SESSION_EXPIRED},
        {"active", "revoked", ACCESS_SESSION_REVOKED},
        {"active", "bobs", ACCESS_SESSION_UNKNOWN},
        {"active", "none", ACCESS_SESSION_UNKNOWN},
        {"pending", "live", ACCESS_GRANTED},
        {"banned", "live", ACCESS_USER_BANNED},
        {"banned", "revoked", ACCESS_SESSION_REVOKED},
        {"deleted", "live", ACCESS_USER_DELETED},
    };
    struct fixture *fixture = *state;
    add_ann(fixture);
    add_bob(fixture);
    add_identity(fixture, ANN, ISSUER, "s");
    add_session(fixture, "live", 60, "NULL");
    add_session(fixture, "ended", -1, "NULL");
    add_session(fixture, "revoked", 60, "UTC_TIMESTAMP(3)");
    fixture_sql(fixture, "INSERT INTO sessions (user_id, id, expires_at) VALUES (" BOB
                         ", 'bobs', '2999-01-01')");
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        fixture_sql(fixture, "UPDATE users SET status = '%s'", rows[i].status);
        struct profile_load out =
            load_identity(fixture, STR(ISSUER), STR("s"), str_from(rows[i].session));
        if (out.access != rows[i].access)
            fail_msg("%s with %s: access is %s", rows[i].status, rows[i].session,
                     access_name(out.access));
        assert_int_equal(str_is_set(out.profile.name), rows[i].access == ACCESS_GRANTED);
    }
}

/* What a PATCH by an identity does first; how often, and who was found. */
struct locking {
    struct fixture *fixture;
    const char *subject;
    int tries;
    struct profile_load out;
    bool looks_for_lock;
};

static enum store_result work_lock_identity(struct database *database, void *context,
                                            struct err *err)
{
    struct locking *locking = context;
    struct fixture *fixture = locking->fixture;
    const struct access_request request = {.issuer = STR(ISSUER),
                                           .subject = str_from(locking->subject)};
    locking->tries++;
    enum store_result result =
        profiles_load_locked(database, &request, fixture->arena, &locking->out, err);
    if (result == STORE_OK && locking->looks_for_lock) {
        fixture_sql(fixture, "SET innodb_lock_wait_timeout = 0");
        assert_int_equal(fixture_sql_error(fixture, "UPDATE users SET name = 'X' WHERE id = " ANN),
                         1205);
        assert_int_equal(fixture_sql_error(fixture, "UPDATE users SET name = 'X' WHERE id = " BOB),
                         0);
        fixture_sql(fixture, "SET innodb_lock_wait_timeout = DEFAULT");
    }
    return result;
}

static void the_locked_load_of_an_identity_locks_its_user_alone(void **state)
{
    struct fixture *fixture = *state;
    struct locking locking = {.fixture = fixture, .subject = "ann", .looks_for_lock = true};
    add_ann(fixture);
    add_bob(fixture);
    add_identity(fixture, ANN, ISSUER, "ann");
    assert_stored(
        fixture, database_transact(fixture->database, work_lock_identity, &locking, &fixture->err));
    assert_int_equal(locking.out.access, ACCESS_GRANTED);
    assert_str_equal(locking.out.profile.name, "Ann");
    assert_int_equal(locking.tries, 1);
    assert_int_equal(fixture_sql_error(fixture, "UPDATE users SET name = 'X'"), 0);
}

static void the_locked_load_of_an_unknown_identity_tells_so(void **state)
{
    struct fixture *fixture = *state;
    struct locking locking = {.fixture = fixture, .subject = "nobody"};
    add_ann(fixture);
    assert_stored(
        fixture, database_transact(fixture->database, work_lock_identity, &locking, &fixture->err));
    assert_int_equal(locking.out.access, ACCESS_USER_UNKNOWN);
}

static void an_identity_that_moves_before_the_lock_is_looked_up_again(void **state)
{
    static const char *const hold[] = {"START TRANSACTION",
                                       "UPDATE users SET bio = 'held' WHERE id = " ANN, NULL};
    static const char *const move[] = {"UPDATE user_identities SET user_id = " BOB, "COMMIT", NULL};
    struct fixture *fixture = *state;
    struct settings settings = fixture->settings;
    struct locking locking = {.fixture = fixture, .subject = "s"};
    add_ann(fixture);
    add_bob(fixture);
    add_identity(fixture, ANN, ISSUER, "s");
    settings.database.read_timeout_s = 10; /* and so a wait for a lock is one that lasts */
    struct database *database = fixture_database(fixture, &settings);
    pid_t rival = fixture_rival(fixture, hold, move);
    assert_stored(fixture,
                  database_transact(database, work_lock_identity, &locking, &fixture->err));
    fixture_join(rival);
    database_free(database);
    assert_true(locking.tries >= 2);
    assert_str_equal(locking.out.profile.name, "Bob");
}

/* ---- what it costs */

/* The statement as text, each of its values one that is there. */
static void write_out(const struct statement *statement, struct buf *out)
{
    size_t column = 0;
    for (const char *c = statement->sql; *c != '\0'; c++) {
        if (*c != '?') {
            buf_append_byte(out, *c);
            continue;
        }
        const char *name = statement->in[column++].name;
        buf_append_text(out, strcmp(name, "issuer") == 0    ? "'" ISSUER "'"
                             : strcmp(name, "subject") == 0 ? "'subject 50'"
                             : strcmp(name, "session") == 0 ? "'s 50'"
                                                            : "UNHEX(LPAD(50, 32, '0'))");
    }
}

/* Every table of the plan is read by a key, from which at most a user's own rows come. */
static void assert_reads_by_key(struct fixture *fixture, enum statement_id id)
{
    struct buf sql;
    MYSQL_ROW row;
    buf_init(&sql, 100000);
    buf_append_text(&sql, "EXPLAIN ");
    write_out(statement_get(id), &sql);
    assert_true(buf_is_good(&sql));
    assert_int_equal(mysql_real_query(fixture->root, sql.data, sql.len), 0);
    MYSQL_RES *plan = mysql_store_result(fixture->root);
    assert_non_null(plan);
    assert_true(mysql_num_rows(plan) >= 1);
    while ((row = mysql_fetch_row(plan)) != NULL) {
        const char *type = row[3];
        if (type == NULL || strcmp(type, "const") == 0 || strcmp(type, "ref") == 0)
            continue;
        fail_msg("%s: table %s is read by %s", statement_get(id)->name, row[2], type);
    }
    mysql_free_result(plan);
    buf_free(&sql);
}

static void what_a_request_reads_is_read_by_keys(void **state)
{
    static const enum statement_id requests[] = {
        STATEMENT_PROFILE_READ, STATEMENT_PROFILE_READ_OF_IDENTITY, STATEMENT_PROFILE_PROBE,
        STATEMENT_USER_FIND, STATEMENT_USER_LOCK};
    static const char *const rows[] = {
        "users (id, status, name) SELECT UNHEX(LPAD(seq, 32, '0')), 'active', 'N'",
        "user_identities (user_id, id, issuer, subject, provider) SELECT"
        " UNHEX(LPAD(seq, 32, '0')), UNHEX(LPAD(seq, 32, '0')), '" ISSUER
        "', CONCAT('subject ', seq), 'p'",
        "user_emails (user_id, id, email) SELECT UNHEX(LPAD(seq, 32, '0')),"
        " UNHEX(LPAD(seq, 32, '0')), CONCAT(seq, '@example.com')",
        "user_phone_numbers (user_id, id, number) SELECT UNHEX(LPAD(seq, 32, '0')),"
        " UNHEX(LPAD(seq, 32, '0')), '+12'",
        "user_badges (user_id, scope, name) SELECT UNHEX(LPAD(seq, 32, '0')), 'a', 'b'",
        "user_fraud_information (user_id, score) SELECT UNHEX(LPAD(seq, 32, '0')), 1",
        "sessions (user_id, id, expires_at) SELECT UNHEX(LPAD(seq, 32, '0')),"
        " CONCAT('s ', seq), '2999-01-01'",
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        fixture_sql(fixture, "INSERT INTO %s FROM seq_1_to_200", rows[i]);
    fixture_sql(fixture, "ANALYZE TABLE users, user_identities, user_emails, user_phone_numbers,"
                         " user_badges, user_fraud_information, sessions");
    for (size_t i = 0; i < ARRAY_LENGTH(requests); i++)
        assert_reads_by_key(fixture, requests[i]);
}

/* What the store's own connection counted so far. */
static int64_t questions(struct fixture *fixture)
{
    assert_stored(fixture, database_run_text(fixture->database,
                                             STR("REPLACE INTO counted SELECT VARIABLE_VALUE FROM"
                                                 " information_schema.SESSION_STATUS"
                                                 " WHERE VARIABLE_NAME = 'QUESTIONS'"),
                                             &fixture->err));
    return fixture_number(fixture, "SELECT MAX(questions) FROM counted");
}

static void one_round_trip_reads_everything(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    fixture_sql(fixture, "CREATE TABLE counted (questions BIGINT NOT NULL)");
    (void)load(fixture, STR_NONE); /* connects and prepares */
    int64_t before = questions(fixture);
    (void)load(fixture, STR_NONE);
    assert_int_equal(questions(fixture) - before, 2); /* the load, and the question itself */
    add_identity(fixture, ANN, ISSUER, "s");
    (void)load_identity(fixture, STR(ISSUER), STR("s"), STR("t")); /* prepares */
    before = questions(fixture);
    (void)load_identity(fixture, STR(ISSUER), STR("s"), STR("t"));
    assert_int_equal(questions(fixture) - before, 2);
    fixture_sql(fixture, "DROP TABLE counted");
}

/* ---- what goes by the revision */

static struct profile_probe probe(struct fixture *fixture)
{
    struct profile_probe out;
    const struct uuid ann = fixture_id(1);
    assert_stored(fixture, profiles_probe(fixture->database, &ann, &out, &fixture->err));
    return out;
}

static void the_probe_tells_revision_and_time(void **state)
{
    struct fixture *fixture = *state;
    struct profile_probe out;
    const struct uuid nobody = fixture_id(9);
    add_ann(fixture);
    struct profile_load loaded = load(fixture, STR_NONE);
    assert_int_equal(probe(fixture).revision, loaded.revision);
    assert_in_range(probe(fixture).now_ms, loaded.now_ms, loaded.now_ms + 5000);
    fixture_sql(fixture, "UPDATE users SET bio = 'x'");
    assert_true(probe(fixture).revision > loaded.revision);
    assert_int_equal(profiles_probe(fixture->database, &nobody, &out, &fixture->err),
                     STORE_NOT_FOUND);
}

/* A change of Ann as she was loaded, good for ten seconds. */
static struct profile_swap swap_of(struct profile_load *loaded)
{
    loaded->profile.bio = STR("swapped");
    loaded->profile.updated_ms = 1767225599999;
    return (struct profile_swap){.profile = &loaded->profile,
                                 .old_revision = loaded->revision,
                                 .new_revision = loaded->revision + 5,
                                 .since_ms = loaded->now_ms,
                                 .until_ms = loaded->now_ms + 10000};
}

static void the_swap_writes_what_it_says(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    add_bob(fixture);
    struct profile_load loaded = load(fixture, STR_NONE);
    struct profile_swap swap = swap_of(&loaded);
    swap.until_ms = INT64_MAX;
    assert_stored(fixture, profiles_swap(fixture->database, &swap, &fixture->err));
    struct profile_load now = load(fixture, STR_NONE);
    assert_int_equal(now.revision, loaded.revision + 5);
    assert_int_equal(now.profile.updated_ms, 1767225599999);
    assert_str_equal(now.profile.bio, "swapped");
    assert_str_equal(now.profile.name, "Ann");
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM users WHERE bio IS NULL"), 1);
}

static void assert_swaps_nothing(struct fixture *fixture, const struct profile_swap *swap)
{
    assert_int_equal(profiles_swap(fixture->database, swap, &fixture->err), STORE_CONFLICT);
    assert_true(fixture->err.text[0] != '\0');
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM users WHERE bio IS NULL"), 1);
}

static void the_swap_is_made_of_what_was_kept_alone(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    struct profile_load loaded = load(fixture, STR_NONE);
    struct profile_swap swap = swap_of(&loaded);
    swap.old_revision--;
    assert_swaps_nothing(fixture, &swap);
    swap = swap_of(&loaded);
    swap.since_ms = loaded.now_ms + 60000;
    swap.until_ms = INT64_MAX;
    assert_swaps_nothing(fixture, &swap);
    swap = swap_of(&loaded);
    swap.until_ms = loaded.now_ms;
    assert_swaps_nothing(fixture, &swap);
    swap = swap_of(&loaded);
    fixture_sql(fixture,
                "INSERT INTO user_badges (user_id, scope, name) VALUES (" ANN ", 'a', 'b')");
    assert_swaps_nothing(fixture, &swap);
}

/* The server would answer that it was done, and it would be taken back with the connection. */
static void the_swap_is_not_done_where_autocommit_is_off(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    struct profile_load loaded = load(fixture, STR_NONE);
    const struct profile_swap swap = swap_of(&loaded);
    assert_true(database_is_settled(fixture->database));
    assert_stored(fixture,
                  database_run_text(fixture->database, STR("SET autocommit = 0"), &fixture->err));
    assert_swaps_nothing(fixture, &swap);
    assert_stored(fixture, profiles_swap(fixture->database, &swap, &fixture->err));
}

static void a_look_up_where_autocommit_is_off_is_not_settled(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    (void)probe(fixture);
    assert_true(database_is_settled(fixture->database));
    assert_stored(fixture,
                  database_run_text(fixture->database, STR("SET autocommit = 0"), &fixture->err));
    (void)probe(fixture);
    assert_false(database_is_settled(fixture->database));
}

/* Else nobody could say whether it was done. */
static void the_swap_is_not_sent_to_who_hung_up(void **state)
{
    struct fixture *fixture = *state;
    add_ann(fixture);
    struct profile_load loaded = load(fixture, STR_NONE);
    const struct profile_swap swap = swap_of(&loaded);
    struct database_link link = database_link(fixture->database);
    fixture_kill_connections(fixture);
    assert_swaps_nothing(fixture, &swap);
    assert_stored(fixture, profiles_swap(fixture->database, &swap, &fixture->err));
    assert_true(database_link(fixture->database).number > link.number);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reads_the_columns_of_the_user, fixture_reset),
        cmocka_unit_test_setup(what_is_null_is_not_set, fixture_reset),
        cmocka_unit_test_setup(reads_emails_and_phones, fixture_reset),
        cmocka_unit_test_setup(a_null_never_shows_the_row_before, fixture_reset),
        cmocka_unit_test_setup(reads_many_rows_of_each_kind, fixture_reset),
        cmocka_unit_test_setup(text_that_fills_its_column_comes_whole, fixture_reset),
        cmocka_unit_test_setup(text_that_does_not_fit_is_an_error_that_names_it, fixture_reset),
        cmocka_unit_test_setup(a_zero_date_is_an_error_that_names_it, fixture_reset),
        cmocka_unit_test_setup(status_decides_who_is_served, fixture_reset),
        cmocka_unit_test_setup(a_session_must_be_the_users_and_live, fixture_reset),
        cmocka_unit_test_setup(session_ids_are_compared_bytewise, fixture_reset),
        cmocka_unit_test_setup(a_session_id_that_no_row_can_hold_is_unknown, fixture_reset),
        cmocka_unit_test_setup(an_ended_session_of_a_banned_user_is_told_first, fixture_reset),
        cmocka_unit_test_setup(active_sessions_are_counted_now, fixture_reset),
        cmocka_unit_test_setup(tells_which_sessions_are_active_and_until_when, fixture_reset),
        cmocka_unit_test_setup(the_probe_tells_revision_and_time, fixture_reset),
        cmocka_unit_test_setup(the_swap_writes_what_it_says, fixture_reset),
        cmocka_unit_test_setup(the_swap_is_made_of_what_was_kept_alone, fixture_reset),
        cmocka_unit_test_setup(the_swap_is_not_done_where_autocommit_is_off, fixture_reset),
        cmocka_unit_test_setup(a_look_up_where_autocommit_is_off_is_not_settled, fixture_reset),
        cmocka_unit_test_setup(the_swap_is_not_sent_to_who_hung_up, fixture_reset),
        cmocka_unit_test_setup(tells_the_time_of_the_database, fixture_reset),
        cmocka_unit_test_setup(a_profile_too_large_for_the_request_is_an_error, fixture_reset),
        cmocka_unit_test_setup(reads_for_the_operator_whatever_the_status_is, fixture_reset),
        cmocka_unit_test_setup(writes_the_five_members_and_the_time, fixture_reset),
        cmocka_unit_test_setup(writing_what_is_there_is_no_missing_row, fixture_reset),
        cmocka_unit_test_setup(writing_a_user_that_is_gone_is_not_found, fixture_reset),
        cmocka_unit_test_setup(a_value_that_does_not_fit_is_refused_by_name, fixture_reset),
        cmocka_unit_test_setup(the_locked_load_locks, fixture_reset),
        cmocka_unit_test_setup(the_locked_load_of_nobody_tells_so, fixture_reset),
        cmocka_unit_test_setup(an_identity_reads_what_its_user_does, fixture_reset),
        cmocka_unit_test_setup(an_identity_is_compared_bytewise, fixture_reset),
        cmocka_unit_test_setup(a_subject_of_another_issuer_is_another_user, fixture_reset),
        cmocka_unit_test_setup(status_and_session_of_an_identity_are_judged, fixture_reset),
        cmocka_unit_test_setup(the_locked_load_of_an_identity_locks_its_user_alone, fixture_reset),
        cmocka_unit_test_setup(the_locked_load_of_an_unknown_identity_tells_so, fixture_reset),
        cmocka_unit_test_setup(an_identity_that_moves_before_the_lock_is_looked_up_again,
                               fixture_reset),
        cmocka_unit_test_setup(what_a_request_reads_is_read_by_keys, fixture_reset),
        cmocka_unit_test_setup(one_round_trip_reads_everything, fixture_reset),
    };
    return fixture_is_possible() ? cmocka_run_group_tests(tests, fixture_open, fixture_close)
                                 : FIXTURE_SKIPPED;
}
