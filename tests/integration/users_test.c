/* What the operator's tool does to users, their child rows and sessions. */
#include "fixture.h"

#include "store/profiles.h"
#include "store/sessions.h"
#include "store/users.h"

static const struct uuid *ann(void)
{
    static struct uuid id;
    id = fixture_id(1);
    return &id;
}

static const struct uuid *bob(void)
{
    static struct uuid id;
    id = fixture_id(2);
    return &id;
}

static const struct uuid *nobody(void)
{
    static struct uuid id;
    id = fixture_id(9);
    return &id;
}

static void add_user(struct fixture *fixture, const struct uuid *id, struct str name)
{
    const struct profile profile = {.id = *id, .status = USER_INVITED, .name = name};
    assert_stored(fixture, users_add(fixture->database, &profile, &fixture->err));
}

static int reset_with_users(void **state)
{
    int result = fixture_reset(state);
    add_user(*state, ann(), STR("Ann"));
    add_user(*state, bob(), STR("Bob"));
    return result;
}

static struct profile show(struct fixture *fixture, const struct uuid *user)
{
    struct profile profile;
    assert_stored(fixture,
                  users_show(fixture->database, user, fixture->arena, &profile, &fixture->err));
    return profile;
}

static void a_user_is_added_with_all_its_members(void **state)
{
    struct fixture *fixture = *state;
    struct profile profile = {
        .id = fixture_id(3),
        .status = USER_PENDING,
        .name = STR("\xC3\x84nn"),
        .bio = STR("B"),
        .avatar_url = STR("https://example.com/a"),
        .locale = STR("de-CH"),
        .timezone = STR("Europe/Zurich"),
    };
    assert_stored(fixture, users_add(fixture->database, &profile, &fixture->err));
    struct profile out = show(fixture, &profile.id);
    assert_true(uuid_equal(&out.id, &profile.id));
    assert_int_equal(out.status, USER_PENDING);
    assert_str_equal(out.name, "\xC3\x84nn");
    assert_str_equal(out.bio, "B");
    assert_str_equal(out.avatar_url, "https://example.com/a");
    assert_str_equal(out.locale, "de-CH");
    assert_str_equal(out.timezone, "Europe/Zurich");
    assert_int_equal(out.created_ms, out.updated_ms);
    assert_refused(fixture, STORE_DUPLICATE, users_add(fixture->database, &profile, &fixture->err),
                   "already");
}

static void an_unknown_user_is_not_found(void **state)
{
    struct fixture *fixture = *state;
    struct profile out;
    const struct profile_email email = {.id = fixture_id(5), .address = STR("x@example.com")};
    assert_refused(fixture, STORE_NOT_FOUND,
                   users_show(fixture->database, nobody(), fixture->arena, &out, &fixture->err),
                   "no such user");
    assert_refused(fixture, STORE_NOT_FOUND,
                   users_set_status(fixture->database, nobody(), USER_ACTIVE, &fixture->err),
                   "no such user");
    assert_refused(fixture, STORE_NOT_FOUND,
                   users_add_email(fixture->database, nobody(), &email, &fixture->err),
                   "no such user");
    assert_refused(fixture, STORE_NOT_FOUND,
                   users_remove_badge(fixture->database, nobody(), STR("a:b"), &fixture->err),
                   "no such user");
    assert_refused(fixture, STORE_NOT_FOUND,
                   sessions_add(fixture->database, nobody(), STR("s"), 60, &fixture->err),
                   "no such user");
}

static void the_status_moves_the_time_only_when_it_changes(void **state)
{
    struct fixture *fixture = *state;
    fixture_sql(fixture, "UPDATE users SET updated_at = '2025-01-01'");
    assert_stored(fixture, users_set_status(fixture->database, ann(), USER_INVITED, &fixture->err));
    assert_int_equal(show(fixture, ann()).updated_ms, 1735689600000);
    assert_stored(fixture, users_set_status(fixture->database, ann(), USER_BANNED, &fixture->err));
    assert_int_equal(show(fixture, ann()).status, USER_BANNED);
    assert_true(show(fixture, ann()).updated_ms > 1735689600000);
    assert_int_equal(show(fixture, bob()).status, USER_INVITED);
}

static void a_time_is_never_set_back(void **state)
{
    struct fixture *fixture = *state;
    fixture_sql(fixture, "UPDATE users SET updated_at = '2999-01-01'");
    assert_stored(fixture, users_set_status(fixture->database, ann(), USER_BANNED, &fixture->err));
    assert_int_equal(fixture_number(fixture, "SELECT COUNT(*) FROM users"
                                             " WHERE updated_at = '2999-01-01 00:00:00.001'"),
                     1);
}

struct listed {
    size_t count, stop_at;
    struct user_row rows[8];
    char email[8][64];
};

static bool visit_user(void *context, const struct user_row *row)
{
    struct listed *listed = context;
    assert_true(listed->count < 8);
    listed->rows[listed->count] = *row;
    if (str_is_set(row->default_email))
        memcpy(listed->email[listed->count], row->default_email.data, row->default_email.len);
    listed->count++;
    return listed->count != listed->stop_at;
}

static struct listed list(struct fixture *fixture, const struct uuid *after,
                          const enum user_status *status, int64_t limit, size_t stop_at)
{
    struct listed listed = {.stop_at = stop_at};
    assert_stored(fixture, users_list(fixture->database, after, status, limit, visit_user, &listed,
                                      &fixture->err));
    return listed;
}

static void users_are_listed_by_id_in_pages(void **state)
{
    static const enum user_status banned = USER_BANNED, deleted = USER_DELETED;
    struct fixture *fixture = *state;
    const struct profile_email email = {
        .id = fixture_id(5), .address = STR("bob@example.com"), .is_default = true};
    struct uuid zero = fixture_id(0);
    add_user(fixture, &zero, STR("Zero"));
    assert_stored(fixture, users_add_email(fixture->database, bob(), &email, &fixture->err));
    assert_stored(fixture, users_set_status(fixture->database, bob(), USER_BANNED, &fixture->err));
    struct listed all = list(fixture, NULL, NULL, 10, 0);
    assert_int_equal(all.count, 3);
    assert_true(uuid_equal(&all.rows[0].id, &zero) && uuid_equal(&all.rows[2].id, bob()));
    assert_string_equal(all.email[2], "bob@example.com");
    assert_false(str_is_set(all.rows[1].default_email));
    assert_int_equal(all.rows[2].status, USER_BANNED);
    assert_int_equal(list(fixture, NULL, NULL, 2, 0).count, 2);
    assert_int_equal(list(fixture, &all.rows[1].id, NULL, 2, 0).count, 1);
    assert_int_equal(list(fixture, NULL, &banned, 10, 0).count, 1);
    assert_int_equal(list(fixture, NULL, &deleted, 10, 0).count, 0);
    assert_int_equal(list(fixture, NULL, NULL, 10, 1).count, 1);
    assert_int_equal(list(fixture, NULL, NULL, 10, 0).count, 3);
}

static void a_new_default_email_takes_the_role(void **state)
{
    struct fixture *fixture = *state;
    struct profile_email email = {
        .id = fixture_id(5), .address = STR("a@example.com"), .verified = true, .is_default = true};
    assert_stored(fixture, users_add_email(fixture->database, ann(), &email, &fixture->err));
    email.id = fixture_id(6);
    email.address = STR("b@example.com");
    email.password_set = email.token_set = true;
    assert_stored(fixture, users_add_email(fixture->database, ann(), &email, &fixture->err));
    struct profile profile = show(fixture, ann());
    assert_int_equal(profile.email_count, 2);
    assert_str_equal(profile.emails[0].address, "b@example.com");
    assert_true(profile.emails[0].is_default && profile.emails[0].verified &&
                profile.emails[0].password_set && profile.emails[0].token_set);
    assert_false(profile.emails[1].is_default || profile.emails[1].password_set);
}

static void an_address_is_taken_whatever_its_case(void **state)
{
    struct fixture *fixture = *state;
    struct profile_email email = {
        .id = fixture_id(5), .address = STR("Ann@example.com"), .is_default = true};
    assert_stored(fixture, users_add_email(fixture->database, ann(), &email, &fixture->err));
    email.id = fixture_id(6);
    email.address = STR("aNN@example.com");
    assert_refused(fixture, STORE_DUPLICATE,
                   users_add_email(fixture->database, bob(), &email, &fixture->err), "taken");
    assert_refused(fixture, STORE_DUPLICATE,
                   users_add_email(fixture->database, ann(), &email, &fixture->err), "taken");
    /* what failed gave the role of the default back */
    assert_true(show(fixture, ann()).emails[0].is_default);
    assert_refused(
        fixture, STORE_NOT_FOUND,
        users_remove_email(fixture->database, bob(), STR("ann@example.com"), &fixture->err),
        "no such email");
    assert_refused(
        fixture, STORE_NOT_FOUND,
        users_remove_email(fixture->database, ann(), STR("ann@example.com "), &fixture->err),
        "no such email");
    assert_stored(fixture, users_remove_email(fixture->database, ann(), STR("ANN@example.com"),
                                              &fixture->err));
    assert_int_equal(show(fixture, ann()).email_count, 0);
}

static void phones_have_one_primary(void **state)
{
    struct fixture *fixture = *state;
    struct profile_phone phone = {
        .id = fixture_id(5), .number = STR("+31612345678"), .verified = true, .is_primary = true};
    assert_stored(fixture, users_add_phone(fixture->database, ann(), &phone, &fixture->err));
    assert_stored(fixture, users_add_phone(fixture->database, bob(), &phone, &fixture->err));
    phone.id = fixture_id(6);
    assert_refused(fixture, STORE_DUPLICATE,
                   users_add_phone(fixture->database, ann(), &phone, &fixture->err), "already");
    phone.number = STR("+31612345679");
    assert_stored(fixture, users_add_phone(fixture->database, ann(), &phone, &fixture->err));
    struct profile profile = show(fixture, ann());
    assert_str_equal(profile.phones[0].number, "+31612345679");
    assert_true(profile.phones[0].is_primary && !profile.phones[1].is_primary);
    phone.number = STR("0612");
    assert_int_equal(users_add_phone(fixture->database, ann(), &phone, &fixture->err),
                     STORE_REFUSED);
    assert_stored(fixture,
                  users_remove_phone(fixture->database, ann(), STR("+31612345678"), &fixture->err));
    assert_refused(fixture, STORE_NOT_FOUND,
                   users_remove_phone(fixture->database, ann(), STR("+31612345678"), &fixture->err),
                   "no such phone");
    assert_int_equal(show(fixture, bob()).phone_count, 1);
}

static void an_identity_is_one_users(void **state)
{
    struct fixture *fixture = *state;
    struct profile_identity identity = {
        .subject = STR("s"), .provider = STR("p"), .name = STR("N"), .email = STR("n@example.com")};
    struct str issuer = STR("https://id.example.com");
    assert_stored(fixture,
                  users_add_identity(fixture->database, ann(), issuer, &identity, &fixture->err));
    assert_refused(fixture, STORE_DUPLICATE,
                   users_add_identity(fixture->database, bob(), issuer, &identity, &fixture->err),
                   "taken");
    identity.subject = STR("s ");
    assert_stored(fixture,
                  users_add_identity(fixture->database, bob(), issuer, &identity, &fixture->err));
    struct profile profile = show(fixture, bob());
    assert_str_equal(profile.identities[0].subject, "s ");
    assert_str_equal(profile.identities[0].provider, "p");
    assert_str_equal(profile.identities[0].name, "N");
    assert_str_equal(profile.identities[0].email, "n@example.com");
    assert_false(str_is_set(profile.identities[0].avatar_url));
    assert_refused(fixture, STORE_NOT_FOUND,
                   users_remove_identity(fixture->database, bob(), issuer, STR("s"), &fixture->err),
                   "no such identity");
    assert_stored(
        fixture, users_remove_identity(fixture->database, bob(), issuer, STR("s "), &fixture->err));
    assert_int_equal(show(fixture, bob()).identity_count, 0);
}

static void badges_come_and_go(void **state)
{
    struct fixture *fixture = *state;
    assert_stored(fixture,
                  users_add_badge(fixture->database, ann(), STR("example:cx"), &fixture->err));
    assert_refused(fixture, STORE_DUPLICATE,
                   users_add_badge(fixture->database, ann(), STR("example:cx"), &fixture->err),
                   "already");
    assert_str_equal(show(fixture, ann()).badges[0], "example:cx");
    assert_refused(fixture, STORE_NOT_FOUND,
                   users_remove_badge(fixture->database, ann(), STR("example:c"), &fixture->err),
                   "no such badge");
    assert_stored(fixture,
                  users_remove_badge(fixture->database, ann(), STR("example:cx"), &fixture->err));
    assert_int_equal(show(fixture, ann()).badge_count, 0);
}

static void a_score_is_set_and_removed(void **state)
{
    struct fixture *fixture = *state;
    assert_stored(fixture, users_set_fraud_score(fixture->database, ann(), 5, &fixture->err));
    assert_stored(fixture, users_set_fraud_score(fixture->database, ann(), 5, &fixture->err));
    assert_stored(fixture, users_set_fraud_score(fixture->database, ann(), -6, &fixture->err));
    assert_int_equal(show(fixture, ann()).fraud_score, -6);
    assert_int_equal(
        users_set_fraud_score(fixture->database, ann(), INT64_C(1) << 40, &fixture->err),
        STORE_REFUSED);
    assert_stored(fixture, users_remove_fraud_score(fixture->database, ann(), &fixture->err));
    assert_refused(fixture, STORE_NOT_FOUND,
                   users_remove_fraud_score(fixture->database, ann(), &fixture->err),
                   "no fraud score");
    assert_false(show(fixture, ann()).has_fraud_score);
}

struct seen {
    size_t count;
    struct session_row rows[4];
    char id[4][16];
};

static bool visit_session(void *context, const struct session_row *row)
{
    struct seen *seen = context;
    assert_true(seen->count < 4 && row->id.len < 16);
    seen->rows[seen->count] = *row;
    memcpy(seen->id[seen->count++], row->id.data, row->id.len);
    return true;
}

static struct seen sessions(struct fixture *fixture)
{
    struct seen seen = {0};
    assert_stored(fixture,
                  sessions_list(fixture->database, ann(), visit_session, &seen, &fixture->err));
    return seen;
}

static void add_session(struct fixture *fixture, const struct uuid *user, struct str id,
                        int64_t lifetime_s)
{
    assert_stored(fixture, sessions_add(fixture->database, user, id, lifetime_s, &fixture->err));
}

static void sessions_are_listed_by_creation(void **state)
{
    struct fixture *fixture = *state;
    add_session(fixture, ann(), STR("b"), 60);
    add_session(fixture, ann(), STR("a"), -60);
    add_session(fixture, bob(), STR("a"), 60);
    fixture_sql(fixture, "UPDATE sessions SET created_at = '2025-01-01' WHERE id = 'b'");
    struct seen seen = sessions(fixture);
    assert_int_equal(seen.count, 2);
    assert_string_equal(seen.id[0], "b");
    assert_string_equal(seen.id[1], "a");
    assert_true(seen.rows[0].is_active && !seen.rows[1].is_active && !seen.rows[1].is_revoked);
    assert_int_equal(seen.rows[1].expires_ms - seen.rows[1].created_ms, -60000);
    assert_refused(fixture, STORE_DUPLICATE,
                   sessions_add(fixture->database, ann(), STR("a"), 60, &fixture->err), "already");
}

static void a_session_is_revoked_once(void **state)
{
    struct fixture *fixture = *state;
    int64_t count = 0;
    add_session(fixture, ann(), STR("a"), 60);
    add_session(fixture, ann(), STR("a "), 60);
    assert_stored(fixture,
                  sessions_revoke(fixture->database, ann(), STR("a"), &count, &fixture->err));
    assert_int_equal(count, 1);
    fixture_sql(fixture, "UPDATE sessions SET revoked_at = '2025-01-01' WHERE id = 'a'");
    assert_stored(fixture,
                  sessions_revoke(fixture->database, ann(), STR("a"), &count, &fixture->err));
    assert_int_equal(count, 0);
    struct seen seen = sessions(fixture);
    assert_true(seen.rows[0].is_revoked && !seen.rows[0].is_active);
    assert_int_equal(seen.rows[0].revoked_ms, 1735689600000);
    assert_true(seen.rows[1].is_active);
    assert_refused(fixture, STORE_NOT_FOUND,
                   sessions_revoke(fixture->database, ann(), STR("c"), &count, &fixture->err),
                   "no such session");
    assert_refused(fixture, STORE_NOT_FOUND,
                   sessions_revoke(fixture->database, nobody(), STR_NONE, &count, &fixture->err),
                   "no such user");
}

static void all_sessions_of_one_user_are_revoked(void **state)
{
    struct fixture *fixture = *state;
    int64_t count = 0;
    add_session(fixture, ann(), STR("a"), 60);
    add_session(fixture, ann(), STR("b"), 60);
    add_session(fixture, bob(), STR("a"), 60);
    assert_stored(fixture,
                  sessions_revoke(fixture->database, ann(), STR("a"), &count, &fixture->err));
    assert_stored(fixture,
                  sessions_revoke(fixture->database, ann(), STR_NONE, &count, &fixture->err));
    assert_int_equal(count, 1);
    assert_int_equal(show(fixture, ann()).active_sessions, 0);
    assert_int_equal(show(fixture, bob()).active_sessions, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_user_is_added_with_all_its_members, reset_with_users),
        cmocka_unit_test_setup(an_unknown_user_is_not_found, reset_with_users),
        cmocka_unit_test_setup(the_status_moves_the_time_only_when_it_changes, reset_with_users),
        cmocka_unit_test_setup(a_time_is_never_set_back, reset_with_users),
        cmocka_unit_test_setup(users_are_listed_by_id_in_pages, reset_with_users),
        cmocka_unit_test_setup(a_new_default_email_takes_the_role, reset_with_users),
        cmocka_unit_test_setup(an_address_is_taken_whatever_its_case, reset_with_users),
        cmocka_unit_test_setup(phones_have_one_primary, reset_with_users),
        cmocka_unit_test_setup(an_identity_is_one_users, reset_with_users),
        cmocka_unit_test_setup(badges_come_and_go, reset_with_users),
        cmocka_unit_test_setup(a_score_is_set_and_removed, reset_with_users),
        cmocka_unit_test_setup(sessions_are_listed_by_creation, reset_with_users),
        cmocka_unit_test_setup(a_session_is_revoked_once, reset_with_users),
        cmocka_unit_test_setup(all_sessions_of_one_user_are_revoked, reset_with_users),
    };
    return fixture_is_possible() ? cmocka_run_group_tests(tests, fixture_open, fixture_close)
                                 : FIXTURE_SKIPPED;
}
