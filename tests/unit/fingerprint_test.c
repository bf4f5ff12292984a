#include "api/fingerprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/compiler.h"
#include "unit.h"

static const int64_t now_ms = INT64_C(1795600000000);

/* One holder of a secret: its file and its settings. */
struct holder {
    char path[64];
    struct settings settings;
    struct fingerprint *fingerprint;
};

static void write_secret(struct holder *holder, const char *secret)
{
    int file;

    (void)snprintf(holder->path, sizeof(holder->path), "/tmp/fingerprint_test.XXXXXX");
    file = mkstemp(holder->path);
    assert_true(file >= 0);
    assert_int_equal(write(file, secret, strlen(secret)), strlen(secret));
    assert_int_equal(close(file), 0);
}

static void load(struct holder *holder, char *variable)
{
    char named[128];
    char *const environment[] = {named, variable, NULL};
    struct err err = {""};

    (void)snprintf(named, sizeof(named), "ME_DOCTOR_SECRET_FILE=%s", holder->path);
    assert_true(settings_load(NULL, environment, FILE_READERS_ANY, &holder->settings, &err));
}

/* `variable` is one setting of the environment, as "ME_LOG_LEVEL=debug"; NULL: none. */
static void make(struct holder *holder, const char *secret, char *variable)
{
    struct err err = {""};

    write_secret(holder, secret);
    load(holder, variable);
    holder->fingerprint = fingerprint_new(&holder->settings, FILE_READERS_OWN_GROUP, &err);
    assert_non_null(holder->fingerprint);
}

static void forget(struct holder *holder)
{
    fingerprint_free(holder->fingerprint);
    settings_free(&holder->settings);
    assert_int_equal(unlink(holder->path), 0);
}

static const char secret[] = "0123456789abcdef0123456789abcdef\n";
static const char other_secret[] = "fedcba9876543210fedcba9876543210\n";

struct dialogue {
    struct buf question, ours, theirs;
};

static void begin(struct dialogue *dialogue)
{
    buf_init(&dialogue->question, FINGERPRINT_QUESTION_MAX_BYTES);
    buf_init(&dialogue->ours, FINGERPRINT_ANSWER_MAX_BYTES);
    buf_init(&dialogue->theirs, FINGERPRINT_ANSWER_MAX_BYTES);
}

static void end(struct dialogue *dialogue)
{
    buf_free(&dialogue->question);
    buf_free(&dialogue->ours);
    buf_free(&dialogue->theirs);
}

/* What the one asks, both answer. */
static void talk(struct dialogue *dialogue, const struct holder *one, const struct holder *other)
{
    assert_true(fingerprint_ask(one->fingerprint, now_ms, &dialogue->question));
    assert_true(fingerprint_answer(one->fingerprint, buf_str(&dialogue->question), now_ms,
                                   &dialogue->ours));
    assert_true(fingerprint_answer(other->fingerprint, buf_str(&dialogue->question), now_ms,
                                   &dialogue->theirs));
}

static void same_settings_give_the_same_answer(void **state)
{
    struct holder one, other;
    struct dialogue dialogue;

    (void)state;
    make(&one, secret, NULL);
    make(&other, secret, NULL);
    /* The file of the secret is a setting as well. */
    other.settings.doctor.secret_file = one.path;
    /* Whoever starts the worker has this one. */
    other.settings.process.socket = SETTINGS_SOCKET_OWN;
    begin(&dialogue);
    talk(&dialogue, &one, &other);
    assert_true(str_equal(buf_str(&dialogue.ours), buf_str(&dialogue.theirs)));
    end(&dialogue);
    forget(&one);
    forget(&other);
}

static void collect(void *context, struct str setting)
{
    struct buf *names = context;

    buf_append_format(names, "%.*s ", STR_ARGS(setting));
}

static void other_settings_are_named(void **state)
{
    static char level[] = "ME_LOG_LEVEL=debug";
    struct holder one, other;
    struct dialogue dialogue;
    struct buf names;

    (void)state;
    make(&one, secret, NULL);
    make(&other, secret, level);
    begin(&dialogue);
    buf_init(&names, 1024);
    talk(&dialogue, &one, &other);
    assert_true(fingerprint_compare(one.fingerprint, buf_str(&dialogue.ours),
                                    buf_str(&dialogue.theirs), collect, &names));
    assert_str_equal(buf_str(&names), "log.level doctor.secret_file ");
    buf_free(&names);
    end(&dialogue);
    forget(&one);
    forget(&other);
}

static void no_question_is_answered_the_same_twice(void **state)
{
    struct holder one;
    struct dialogue first, second;

    (void)state;
    make(&one, secret, NULL);
    begin(&first);
    begin(&second);
    talk(&first, &one, &one);
    talk(&second, &one, &one);
    assert_false(str_equal(buf_str(&first.question), buf_str(&second.question)));
    assert_false(str_equal(buf_str(&first.ours), buf_str(&second.ours)));
    end(&first);
    end(&second);
    forget(&one);
}

static void ask(const struct holder *holder, struct buf *question)
{
    buf_init(question, FINGERPRINT_QUESTION_MAX_BYTES);
    assert_true(fingerprint_ask(holder->fingerprint, now_ms, question));
}

static bool answers(const struct holder *holder, struct str question, int64_t at_ms)
{
    struct buf answer;
    bool good;

    buf_init(&answer, FINGERPRINT_ANSWER_MAX_BYTES);
    good = fingerprint_answer(holder->fingerprint, question, at_ms, &answer);
    assert_true(good || answer.len == 0);
    buf_free(&answer);
    return good;
}

static void a_question_is_good_for_a_minute(void **state)
{
    struct holder one;
    struct buf question;

    (void)state;
    make(&one, secret, NULL);
    ask(&one, &question);
    assert_true(answers(&one, buf_str(&question), now_ms + 60000));
    assert_true(answers(&one, buf_str(&question), now_ms - 60000));
    assert_false(answers(&one, buf_str(&question), now_ms + 61000));
    assert_false(answers(&one, buf_str(&question), now_ms - 61000));
    buf_free(&question);
    forget(&one);
}

static void another_secret_gets_no_answer(void **state)
{
    struct holder one, stranger;
    struct buf question;

    (void)state;
    make(&one, secret, NULL);
    make(&stranger, other_secret, NULL);
    ask(&stranger, &question);
    assert_false(answers(&one, buf_str(&question), now_ms));
    buf_free(&question);
    forget(&one);
    forget(&stranger);
}

/* Every byte of it counts, and every cut of it is refused. */
static void a_question_that_was_changed_gets_no_answer(void **state)
{
    struct holder one;
    struct buf question;

    (void)state;
    make(&one, secret, NULL);
    ask(&one, &question);
    for (size_t i = 0; i < question.len; i++) {
        char kept = question.data[i];

        question.data[i] = kept == 'A' ? 'B' : 'A';
        assert_false(answers(&one, buf_str(&question), now_ms));
        question.data[i] = kept;
        assert_false(answers(&one, (struct str){question.data, i}, now_ms));
    }
    assert_true(answers(&one, buf_str(&question), now_ms));
    buf_free(&question);
    forget(&one);
}

static void what_is_no_question_gets_no_answer(void **state)
{
    static const char *const rows[] = {
        "",
        ".",
        "..",
        "...",
        "1795600000..",
        "1795600000.AAAA.",
        "-1795600000.AAAA.AAAA",
        "179560000000000000000000.AAAA.AAAA",
        "doctor",
    };
    struct holder one;

    (void)state;
    make(&one, secret, NULL);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        assert_false(answers(&one, str_from(rows[i]), now_ms));
    assert_false(answers(&one, STR_NONE, now_ms));
    forget(&one);
}

static void ignore(void *context, struct str setting)
{
    (void)context;
    (void)setting;
}

static void another_version_cannot_be_compared(void **state)
{
    static const char *const rows[] = {"", "9.9.9", "9.9.9 ", "9.9.9 AAAA", "9.9.9 =="};
    struct holder one;
    struct dialogue dialogue;

    (void)state;
    make(&one, secret, NULL);
    begin(&dialogue);
    talk(&dialogue, &one, &one);
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
        assert_false(fingerprint_compare(one.fingerprint, buf_str(&dialogue.ours),
                                         str_from(rows[i]), ignore, NULL));
    assert_str_equal(fingerprint_version(STR("9.9.9 AAAA")), "9.9.9");
    end(&dialogue);
    forget(&one);
}

static void a_short_secret_is_refused(void **state)
{
    struct holder one = {.fingerprint = NULL};
    struct err err = {""};

    (void)state;
    write_secret(&one, "short\n");
    load(&one, NULL);
    assert_null(fingerprint_new(&one.settings, FILE_READERS_OWN_GROUP, &err));
    assert_contains(err.text, "doctor.secret_file");
    assert_contains(err.text, one.path);
    forget(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_settings_give_the_same_answer),
        cmocka_unit_test(other_settings_are_named),
        cmocka_unit_test(no_question_is_answered_the_same_twice),
        cmocka_unit_test(a_question_is_good_for_a_minute),
        cmocka_unit_test(another_secret_gets_no_answer),
        cmocka_unit_test(a_question_that_was_changed_gets_no_answer),
        cmocka_unit_test(what_is_no_question_gets_no_answer),
        cmocka_unit_test(another_version_cannot_be_compared),
        cmocka_unit_test(a_short_secret_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
