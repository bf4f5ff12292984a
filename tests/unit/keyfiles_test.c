#include "token/keyfiles.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "allocations.h"
#include "folder.h"
#include "template.h"
#include "testkeys.h"
#include "unit.h"

enum { TEXT_MAX_BYTES = 1024 * 1024, FILES_MAX = 3 };

/* When files were written, as their times say, and when they are looked at. */
static const int64_t written_ms = INT64_C(1700000000000), now_ms = INT64_C(1800000000000);

/* ---- a folder of key files, and what is told of them */

struct fixture {
    char *folder;
    char path[FILES_MAX][FOLDER_PATH_BYTES];
    const char *names[FILES_MAX]; /* of the settings */
    struct settings settings;
    struct keyfiles *files;
    int64_t monotonic_us;
    struct buf told; /* one line for each event */
    struct err err;
};

static void tell(void *context, enum keyfiles_event event, const char *path, const char *detail)
{
    static const char *const names[KEYFILES_EVENT__MAX] = {
        [KEYFILES_CHANGED] = "changed",
        [KEYFILES_FAILED] = "failed",
        [KEYFILES_PASSED] = "passed",
        [KEYFILES_SKIPPED] = "skipped",
    };
    struct fixture *f = context;
    const char *name = strrchr(path, '/');

    buf_append_format(&f->told, "%s %s: %s\n", names[event], name == NULL ? path : name + 1,
                      detail);
}

static void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.folder = folder_new(), .monotonic_us = 5000000};
    buf_init(&f->told, TEXT_MAX_BYTES);
}

static void fixture_free(struct fixture *f)
{
    keyfiles_close(f->files);
    folder_remove(f->folder);
    buf_free(&f->told);
}

static void set_time(struct fixture *f, const char *name, int64_t modified_ms)
{
    const struct timespec times[2] = {
        {.tv_nsec = UTIME_OMIT},
        {.tv_sec = modified_ms / 1000, .tv_nsec = modified_ms % 1000 * 1000000}};
    char path[FOLDER_PATH_BYTES];

    assert_int_equal(utimensat(AT_FDCWD, folder_path(f->folder, name, path), times, 0), 0);
}

static void write_text(struct fixture *f, const char *name, struct str text)
{
    folder_add(f->folder, name, text, 0600);
    set_time(f, name, written_ms);
}

static void write_template(struct fixture *f, const char *name, const char *template)
{
    struct buf text;

    buf_init(&text, TEXT_MAX_BYTES);
    template_expand(str_from(template), &text);
    write_text(f, name, buf_str(&text));
    buf_free(&text);
}

/* A set with keys of these kids, separated by blanks. */
static void write_jwks(struct fixture *f, const char *name, const char *kids)
{
    struct str rest = str_from(kids);
    struct buf template;

    buf_init(&template, TEXT_MAX_BYTES);
    buf_append_text(&template, "{\"keys\":[");
    while (str_is_set(rest)) {
        struct str kid = str_cut(&rest, ' ');

        buf_append_format(&template, "{\"kty\":\"oct\",\"k\":\"$k\",\"kid\":\"%.*s\"}%s",
                          STR_ARGS(kid), str_is_set(rest) ? "," : "");
    }
    buf_append_text(&template, "]}");
    buf_append_byte(&template, '\0');
    write_template(f, name, template.data);
    buf_free(&template);
}

static void name_files(struct fixture *f, struct settings_list *list, const char *a, const char *b)
{
    const char *names[] = {a, b};

    for (size_t i = 0; i < 2 && names[i] != NULL; i++)
        f->names[i] = folder_path(f->folder, names[i], f->path[i]);
    *list = (struct settings_list){f->names, b == NULL ? 1 : 2};
}

static bool open_files(struct fixture *f)
{
    f->files =
        keyfiles_open(&f->settings, FILE_READERS_OWN_GROUP, f->monotonic_us, tell, f, &f->err);
    return f->files != NULL;
}

/* A fixture with one JWKS, or two. */
static void open_jwks(struct fixture *f, const char *kids, const char *other_kids)
{
    fixture_init(f);
    write_jwks(f, "a.jwks", kids);
    if (other_kids != NULL)
        write_jwks(f, "b.jwks", other_kids);
    name_files(f, &f->settings.token.jwks_file, "a.jwks", other_kids == NULL ? NULL : "b.jwks");
    if (!open_files(f))
        fail_msg("%s", f->err.text);
    assert_int_equal(f->told.len, 0);
}

/* The next look. */
static void look_at(struct fixture *f, int64_t at_ms)
{
    f->monotonic_us += 1000000;
    keyfiles_refresh(f->files, at_ms, f->monotonic_us);
}

static void look(struct fixture *f)
{
    look_at(f, now_ms);
}

/* ---- what is asserted of it */

/* The kids of the keys in force, in their order; `-` for a key without one. */
static void assert_keys(const struct fixture *f, const char *expected)
{
    const struct keyring *ring = keyfiles_keyring(f->files);
    struct buf kids;

    buf_init(&kids, TEXT_MAX_BYTES);
    for (size_t i = 0; i < keyring_count(ring); i++) {
        struct str kid = key_id(keyring_key(ring, i));

        buf_append_text(&kids, i == 0 ? "" : " ");
        buf_append_str(&kids, str_is_set(kid) ? kid : STR("-"));
    }
    assert_str_equal(buf_str(&kids), expected);
    buf_free(&kids);
}

/* What was told since the last time, whole. */
static void assert_told(struct fixture *f, const char *expected)
{
    assert_str_equal(buf_str(&f->told), expected);
    buf_reset(&f->told);
}

/* The same, of one event whose text has more in it than is of interest. */
static void assert_told_once(struct fixture *f, const char *start, const char *part)
{
    size_t lines = 0;

    buf_append_byte(&f->told, '\0');
    for (const char *at = f->told.data; *at != '\0'; at++)
        lines += *at == '\n';
    if (lines != 1 || strstr(f->told.data, start) != f->told.data)
        fail_msg("told is not '%s', once: %s", start, f->told.data);
    assert_contains(f->told.data, part);
    buf_reset(&f->told);
}

#define CHANGED(name) "changed " name ": 1 keys of it are in force\n"

/* ---- opening */

static void reads_each_kind_in_the_order_of_the_settings(void **state)
{
    EVP_PKEY *pair = testkeys_pair("rfc7515");
    struct fixture f;
    struct buf pem;

    (void)state;
    fixture_init(&f);
    buf_init(&pem, TEXT_MAX_BYTES);
    testkeys_pem(pair, TESTKEYS_SPKI, &pem);
    write_text(&f, "secret", STR("0123456789abcdef0123456789abcdef\n"));
    folder_add(f.folder, "public.pem", buf_str(&pem), 0644);
    write_jwks(&f, "a.jwks", "one two");
    for (size_t i = 0; i < FILES_MAX; i++)
        f.names[i] =
            folder_path(f.folder, (const char *[]){"a.jwks", "public.pem", "secret"}[i], f.path[i]);
    f.settings.token.jwks_file = (struct settings_list){f.names, 1};
    f.settings.token.public_key_file = (struct settings_list){f.names + 1, 1};
    f.settings.token.secret_file = (struct settings_list){f.names + 2, 1};
    assert_true(open_files(&f));
    assert_keys(&f, "- - one two");
    assert_int_equal(key_algorithm(keyring_key(keyfiles_keyring(f.files), 0)), KEY_HS256);
    assert_int_equal(key_bits(keyring_key(keyfiles_keyring(f.files), 0)), 256);
    assert_int_equal(key_algorithm(keyring_key(keyfiles_keyring(f.files), 1)), KEY_RS256);
    assert_string_equal(keyring_origin(keyfiles_keyring(f.files), 3), f.path[0]);
    buf_free(&pem);
    EVP_PKEY_free(pair);
    fixture_free(&f);
}

static void refuses_settings_that_name_no_file(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    assert_false(open_files(&f));
    assert_contains(f.err.text, "there is no key to verify tokens with");
    fixture_free(&f);
}

/* ---- faults of a file: each as it is made, and what is told */

static void make_missing(struct fixture *f)
{
    char path[FOLDER_PATH_BYTES];

    assert_int_equal(remove(folder_path(f->folder, "a.jwks", path)), 0);
}

static void make_empty(struct fixture *f)
{
    write_text(f, "a.jwks", STR(""));
}

static void make_half_written(struct fixture *f)
{
    write_text(f, "a.jwks", STR("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AyM1SysPpby"));
}

static void make_too_open(struct fixture *f)
{
    char path[FOLDER_PATH_BYTES];

    assert_int_equal(chmod(folder_path(f->folder, "a.jwks", path), 0644), 0);
}

static void make_folder(struct fixture *f)
{
    char path[FOLDER_PATH_BYTES];

    make_missing(f);
    assert_int_equal(mkdir(folder_path(f->folder, "a.jwks", path), 0700), 0);
}

static void make_fifo(struct fixture *f)
{
    char path[FOLDER_PATH_BYTES];

    make_missing(f);
    assert_int_equal(mkfifo(folder_path(f->folder, "a.jwks", path), 0600), 0);
}

static void make_dangling(struct fixture *f)
{
    char path[FOLDER_PATH_BYTES];

    make_missing(f);
    assert_int_equal(symlink("nowhere", folder_path(f->folder, "a.jwks", path)), 0);
}

static void make_too_large(struct fixture *f)
{
    struct buf text;

    buf_init(&text, TEXT_MAX_BYTES);
    for (size_t i = 0; i <= (size_t)512 * 1024; i++)
        buf_append_byte(&text, ' ');
    write_text(f, "a.jwks", buf_str(&text));
    buf_free(&text);
}

static void make_useless(struct fixture *f)
{
    write_text(f, "a.jwks", STR("{\"keys\":[{\"kty\":\"EC\"}]}"));
}

static const struct fault {
    void (*make)(struct fixture *f);
    const char *told;
} faults[] = {
    {make_missing, "No such file or directory"},
    {make_empty, "line 1, column 1: it is empty"},
    {make_half_written, "it is not JSON"},
    {make_too_open, "chmod"},
    {make_folder, "is not a regular file"},
    {make_fifo, "is not a regular file"},
    {make_dangling, "No such file or directory"},
    {make_too_large, "is larger than the 524288 bytes"},
    {make_useless, "none of its 1 keys can be used here"},
};

/* Whatever stands in its place: the good file again. */
static void mend(struct fixture *f, const char *kids)
{
    char path[FOLDER_PATH_BYTES];

    (void)remove(folder_path(f->folder, "a.jwks", path));
    write_jwks(f, "a.jwks", kids);
}

static void opens_no_file_with_a_fault(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(faults); i++) {
        struct fixture f;

        fixture_init(&f);
        write_jwks(&f, "a.jwks", "one");
        name_files(&f, &f.settings.token.jwks_file, "a.jwks", NULL);
        faults[i].make(&f);
        assert_false(open_files(&f));
        assert_contains(f.err.text, "token.jwks_file");
        assert_contains(f.err.text, f.path[0]);
        assert_contains(f.err.text, faults[i].told);
        fixture_free(&f);
    }
}

static void keeps_the_last_good_keys_and_tells_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(faults); i++) {
        struct fixture f;
        uint64_t generation;

        open_jwks(&f, "one", NULL);
        generation = keyfiles_generation(f.files);
        faults[i].make(&f);
        look(&f);
        assert_told_once(&f, "failed a.jwks: ", faults[i].told);
        for (int j = 0; j < 5; j++)
            look(&f);
        assert_told(&f, "");
        assert_keys(&f, "one");
        assert_int_equal(keyfiles_generation(f.files), generation);
        fixture_free(&f);
    }
}

static void comes_back_with_the_same_keys_or_others(void **state)
{
    static const char *const kids[] = {"one", "two"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(faults) * 2; i++) {
        const char *mended = kids[i % 2];
        struct fixture f;

        open_jwks(&f, "one", NULL);
        look(&f);
        faults[i / 2].make(&f);
        look(&f);
        buf_reset(&f.told);
        mend(&f, mended);
        look(&f);
        assert_told(&f, CHANGED("a.jwks"));
        assert_keys(&f, mended);
        for (int j = 0; j < 3; j++)
            look(&f);
        assert_told(&f, "");
        fixture_free(&f);
    }
}

static void each_new_fault_is_told(void **state)
{
    struct fixture f;

    (void)state;
    open_jwks(&f, "one", NULL);
    make_missing(&f);
    look(&f);
    make_empty(&f);
    look(&f);
    look(&f);
    make_missing(&f);
    look(&f);
    buf_append_byte(&f.told, '\0');
    assert_contains(f.told.data, "No such file or directory: get it from the issuer with 'mectl "
                                 "keys fetch'\nfailed a.jwks: ");
    assert_contains(f.told.data, "it is empty\nfailed a.jwks: ");
    assert_keys(&f, "one");
    fixture_free(&f);
}

static void a_secret_that_is_missing_tells_how_to_make_one(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    name_files(&f, &f.settings.token.secret_file, "secret", NULL);
    assert_false(open_files(&f));
    assert_contains(f.err.text, "token.secret_file: ");
    assert_contains(f.err.text, "make one with 'mectl keys generate --secret /");
    assert_contains(f.err.text, "/secret'");
    write_text(&f, "secret", STR("short\n"));
    assert_false(open_files(&f));
    assert_contains(f.err.text, "the secret has 5 bytes");
    assert_contains(f.err.text, "make one with");
    fixture_free(&f);
}

/* A new one would be of no use, and the old one is there. */
static void a_secret_that_may_not_be_read_is_not_missing(void **state)
{
    struct fixture f;
    bool good;

    (void)state;
    if (geteuid() != 0) {
        print_message("only root becomes somebody else\n");
        skip();
    }
    fixture_init(&f);
    name_files(&f, &f.settings.token.secret_file, "secret", NULL);
    write_text(&f, "secret", STR("0123456789abcdef0123456789abcdef\n"));
    assert_int_equal(chmod(f.folder, 0700), 0);
    assert_int_equal(seteuid(65534), 0);
    good = open_files(&f);
    assert_int_equal(seteuid(0), 0);
    assert_false(good);
    assert_contains(f.err.text, "Permission denied: user 65534 may not read it");
    assert_null(strstr(f.err.text, "make one with"));
    fixture_free(&f);
}

/* ---- who may read what */

static void a_file_with_a_secret_is_kept_from_others(void **state)
{
    static const struct {
        const char *template;
        mode_t mode;
        bool good;
    } rows[] = {
        {"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"$n\",\"e\":\"AQAB\"}]}", 0644, true},
        {"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"$n\",\"e\":\"AQAB\"}]}", 0666, true},
        {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"$k\"}]}", 0644, false},
        {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"$k\"}]}", 0604, false},
        {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"$k\"}]}", 0602, false},
        {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"$k\"}]}", 0601, false},
        {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"$k\"}]}", 0640, true},
        {"{\"keys\":[{\"kty\":\"oct\",\"k\":\"$k\"}]}", 0600, true},
        {"{\"kty\":\"oct\",\"k\":\"$k\"}", 0644, false},
        {"{\"keys\":[{\"kty\":\"RSA\",\"n\":\"$n\",\"e\":\"AQAB\"},{\"kty\":\"oct\",\"k\":\"$k\"}]"
         "}",
         0644, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct fixture f;

        fixture_init(&f);
        write_template(&f, "a.jwks", rows[i].template);
        name_files(&f, &f.settings.token.jwks_file, "a.jwks", NULL);
        assert_int_equal(chmod(f.path[0], rows[i].mode), 0);
        assert_int_equal(open_files(&f), rows[i].good);
        if (!rows[i].good)
            assert_contains(f.err.text, "holds a secret");
        fixture_free(&f);
    }
}

/* The set was public, and is not any more. */
static void a_secret_that_comes_into_an_open_file_is_not_taken(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    write_template(&f, "a.jwks",
                   "{\"kty\":\"RSA\",\"n\":\"$n\",\"e\":\"AQAB\",\"kid\":\"public\"}");
    name_files(&f, &f.settings.token.jwks_file, "a.jwks", NULL);
    assert_int_equal(chmod(f.path[0], 0644), 0);
    assert_true(open_files(&f));
    write_jwks(&f, "a.jwks", "secret");
    assert_int_equal(chmod(f.path[0], 0644), 0);
    look(&f);
    assert_told_once(&f, "failed a.jwks: ", "holds a secret");
    assert_keys(&f, "public");
    assert_int_equal(chmod(f.path[0], 0600), 0);
    look(&f);
    assert_told(&f, CHANGED("a.jwks"));
    assert_keys(&f, "secret");
    fixture_free(&f);
}

/* ---- rotation */

static void looks_at_most_once_a_second(void **state)
{
    struct fixture f;
    int64_t start_us;

    (void)state;
    open_jwks(&f, "one", NULL);
    start_us = f.monotonic_us;
    mend(&f, "two");
    keyfiles_refresh(f.files, now_ms, start_us);
    keyfiles_refresh(f.files, now_ms, start_us + 999999);
    assert_keys(&f, "one");
    keyfiles_refresh(f.files, now_ms, start_us + 1000000);
    assert_keys(&f, "two");
    mend(&f, "three");
    keyfiles_refresh(f.files, now_ms, start_us + 1999999);
    assert_keys(&f, "two");
    keyfiles_refresh(f.files, now_ms, start_us + 7000000);
    assert_keys(&f, "three");
    mend(&f, "four");
    keyfiles_refresh(f.files, now_ms, start_us + 7999999);
    assert_keys(&f, "three");
    keyfiles_refresh(f.files, now_ms, start_us + 8000000);
    assert_keys(&f, "four");
    fixture_free(&f);
}

static void replace_by_rename(struct fixture *f)
{
    char from[FOLDER_PATH_BYTES], to[FOLDER_PATH_BYTES];

    write_jwks(f, "new", "two");
    assert_int_equal(
        rename(folder_path(f->folder, "new", from), folder_path(f->folder, "a.jwks", to)), 0);
}

/* The same file, with other bytes in it. */
static void overwrite(struct fixture *f, const char *kids, int64_t modified_ms)
{
    char path[FOLDER_PATH_BYTES];
    struct err err = {""};
    struct buf text;
    int descriptor;

    buf_init(&text, TEXT_MAX_BYTES);
    write_jwks(f, "new", kids);
    assert_true(file_read(folder_path(f->folder, "new", path), FILE_READERS_ANY, &text, &err));
    descriptor = open(folder_path(f->folder, "a.jwks", path), O_WRONLY | O_TRUNC);
    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text.data, text.len), text.len);
    assert_int_equal(close(descriptor), 0);
    set_time(f, "a.jwks", modified_ms);
    buf_free(&text);
}

static void replace_in_place(struct fixture *f)
{
    overwrite(f, "two", written_ms + 1);
}

/* Of the same size, and its time set back: its change of status alone tells. */
static void replace_in_secret(struct fixture *f)
{
    overwrite(f, "two", written_ms);
}

/* As a Kubernetes secret is. */
static void replace_by_link(struct fixture *f)
{
    char link[FOLDER_PATH_BYTES], to[FOLDER_PATH_BYTES];

    write_jwks(f, "version2", "two");
    assert_int_equal(symlink("version2", folder_path(f->folder, "link", link)), 0);
    assert_int_equal(rename(link, folder_path(f->folder, "a.jwks", to)), 0);
}

static void takes_new_keys_however_a_file_is_replaced(void **state)
{
    static void (*const ways[])(struct fixture * f) = {replace_by_rename, replace_in_place,
                                                       replace_in_secret, replace_by_link};
    static const struct timespec tick = {.tv_nsec = 20000000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(ways); i++) {
        struct fixture f;
        uint64_t generation;

        open_jwks(&f, "one", NULL);
        look(&f);
        look(&f); /* what has this stamp has these bytes, as far as is known */
        generation = keyfiles_generation(f.files);
        (void)nanosleep(&tick, NULL); /* the file system's clock moves on */
        ways[i](&f);
        look(&f);
        assert_told(&f, CHANGED("a.jwks"));
        assert_keys(&f, "two");
        assert_int_not_equal(keyfiles_generation(f.files), generation);
        generation = keyfiles_generation(f.files);
        for (int j = 0; j < 3; j++)
            look(&f);
        assert_told(&f, "");
        assert_int_equal(keyfiles_generation(f.files), generation);
        fixture_free(&f);
    }
}

/*
 * The times of a file may be no finer than some milliseconds, and then tell nothing of a change
 * within that time. Here the file is mapped: only the first write to a page tells.
 */
static void finds_a_change_that_the_times_do_not_tell(void **state)
{
    static const char *const kids[] = {"two", "six"};
    struct file_stamp before, after;
    struct fixture f;
    char path[FOLDER_PATH_BYTES], *text, *kid;
    int descriptor;

    (void)state;
    fixture_init(&f);
    write_jwks(&f, "a.jwks", "one");
    name_files(&f, &f.settings.token.jwks_file, "a.jwks", NULL);
    descriptor = open(folder_path(f.folder, "a.jwks", path), O_RDWR);
    text = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    assert_ptr_not_equal(text, MAP_FAILED);
    kid = strstr(text, "one");
    assert_non_null(kid);
    memcpy(kid, "one", 3);
    assert_true(open_files(&f));
    assert_true(file_stamp_of(path, &before));
    for (size_t i = 0; i < ARRAY_LENGTH(kids); i++) {
        memcpy(kid, kids[i], 3);
        assert_true(file_stamp_of(path, &after));
        assert_true(file_stamp_equal(&before, &after));
        look(&f);
        assert_told(&f, CHANGED("a.jwks"));
        assert_keys(&f, kids[i]);
    }
    assert_int_equal(munmap(text, 4096), 0);
    assert_int_equal(close(descriptor), 0);
    fixture_free(&f);
}

static void a_file_that_was_only_touched_has_not_changed(void **state)
{
    struct fixture f;
    uint64_t generation;

    (void)state;
    open_jwks(&f, "one", NULL);
    generation = keyfiles_generation(f.files);
    for (int i = 1; i < 5; i++) {
        set_time(&f, "a.jwks", written_ms + i);
        look(&f);
    }
    mend(&f, "one");
    look(&f);
    assert_told(&f, "");
    assert_int_equal(keyfiles_generation(f.files), generation);
    fixture_free(&f);
}

static void a_file_that_is_being_written_is_left_to_the_next_look(void **state)
{
    static const struct {
        int64_t age_ms;
        bool is_read;
    } rows[] = {{0, false},   {1, false}, {99, false},     {100, true},
                {5000, true}, {-1, true}, {-3600000, true}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
        struct fixture f;

        open_jwks(&f, "one", NULL);
        look(&f);
        mend(&f, "two");
        look_at(&f, written_ms + rows[i].age_ms);
        assert_keys(&f, rows[i].is_read ? "two" : "one");
        look(&f);
        assert_keys(&f, "two");
        assert_told(&f, CHANGED("a.jwks"));
        fixture_free(&f);
    }
}

/* Also a broken one: the writer may not be done. */
static void no_fault_is_told_of_a_file_that_is_being_written(void **state)
{
    struct fixture f;

    (void)state;
    open_jwks(&f, "one", NULL);
    look(&f);
    make_half_written(&f);
    look_at(&f, written_ms + 50);
    assert_told(&f, "");
    mend(&f, "two");
    look(&f);
    assert_told(&f, CHANGED("a.jwks"));
    fixture_free(&f);
}

static void each_file_keeps_its_own_last_good_keys(void **state)
{
    struct fixture f;

    (void)state;
    open_jwks(&f, "one", "other");
    make_empty(&f);
    look(&f);
    assert_told_once(&f, "failed a.jwks: ", "empty");
    write_jwks(&f, "b.jwks", "newer");
    look(&f);
    assert_told(&f, CHANGED("b.jwks"));
    assert_keys(&f, "one newer");
    write_jwks(&f, "b.jwks", "newer newest");
    look(&f);
    assert_told(&f, "changed b.jwks: 2 keys of it are in force\n");
    assert_keys(&f, "one newer newest");
    mend(&f, "two");
    look(&f);
    assert_told(&f, CHANGED("a.jwks"));
    assert_keys(&f, "two newer newest");
    fixture_free(&f);
}

static void both_files_change_at_one_look(void **state)
{
    struct fixture f;

    (void)state;
    open_jwks(&f, "one", "other");
    write_jwks(&f, "a.jwks", "two");
    write_jwks(&f, "b.jwks", "another");
    look(&f);
    assert_told(&f, CHANGED("a.jwks") CHANGED("b.jwks"));
    assert_keys(&f, "two another");
    fixture_free(&f);
}

/* ---- what is told of keys that are passed over */

static void keys_that_are_passed_over_are_told_once_a_load(void **state)
{
    static const char *const set = "{\"keys\":[{\"kty\":\"oct\",\"k\":\"$k\",\"kid\":\"%s\"},"
                                   "{\"kty\":\"EC\",\"kid\":\"ec\"},"
                                   "{\"kty\":\"RSA\",\"n\":\"AA\",\"e\":\"AQAB\"}]}";
    static const char *const told = "passed a.jwks: key 2 (kid 'ec'): its kty is neither RSA nor "
                                    "oct\nskipped a.jwks: key 3: it is an RSA key of 0 bits, but "
                                    "must have 2048 to 8192\n";
    struct fixture f;
    char text[512], both[512];

    (void)state;
    fixture_init(&f);
    (void)snprintf(text, sizeof(text), set, "one");
    write_template(&f, "a.jwks", text);
    name_files(&f, &f.settings.token.jwks_file, "a.jwks", NULL);
    assert_true(open_files(&f));
    assert_told(&f, told);
    for (int i = 0; i < 3; i++)
        look(&f);
    assert_told(&f, "");
    (void)snprintf(text, sizeof(text), set, "two");
    write_template(&f, "a.jwks", text);
    look(&f);
    (void)snprintf(both, sizeof(both), "%s%s", CHANGED("a.jwks"), told);
    assert_told(&f, both);
    look(&f);
    assert_told(&f, "");
    fixture_free(&f);
}

/* ---- a set that the ring does not take */

static void write_without_kid(struct fixture *f, const char *name, int count)
{
    struct buf template;

    buf_init(&template, TEXT_MAX_BYTES);
    buf_append_text(&template, "{\"keys\":[");
    for (int i = 0; i < count; i++)
        buf_append_format(&template, "%s{\"kty\":\"oct\",\"k\":\"$k\"}", i == 0 ? "" : ",");
    buf_append_text(&template, "]}");
    buf_append_byte(&template, '\0');
    write_template(f, name, template.data);
    buf_free(&template);
}

static void nine_keys_without_kid_are_refused(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    write_without_kid(&f, "a.jwks", 9);
    name_files(&f, &f.settings.token.jwks_file, "a.jwks", NULL);
    assert_false(open_files(&f));
    assert_contains(f.err.text, "without kid more than the 8 that are tried");
    assert_contains(f.err.text, "a.jwks");
    fixture_free(&f);
}

/* The other file has to make room first, and is found to have done so. */
static void what_the_ring_has_no_room_for_comes_in_when_it_has(void **state)
{
    struct fixture f;

    (void)state;
    fixture_init(&f);
    write_without_kid(&f, "a.jwks", 2);
    write_without_kid(&f, "b.jwks", 6);
    name_files(&f, &f.settings.token.jwks_file, "a.jwks", "b.jwks");
    assert_true(open_files(&f));
    write_without_kid(&f, "a.jwks", 3);
    for (int i = 0; i < 3; i++)
        look(&f);
    assert_told_once(&f, "failed a.jwks: ", "without kid more than the 8");
    assert_keys(&f, "- - - - - - - -");
    write_without_kid(&f, "b.jwks", 1);
    look(&f);
    look(&f);
    assert_told(&f, CHANGED("b.jwks") "changed a.jwks: 3 keys of it are in force\n");
    assert_keys(&f, "- - - -");
    fixture_free(&f);
}

/* ---- short memory */

/* Old keys or new ones, never fewer; and the new ones as soon as memory suffices. */
static void short_memory_loses_no_key(void **state)
{
    struct fixture f;
    size_t count, old = 0;

    (void)state;
    allocations_skip_where_none_can_fail();
    open_jwks(&f, "one two", "other");
    allocations_fail(1, 0);
    write_jwks(&f, "a.jwks", "one");
    look(&f);
    count = allocations_end();
    assert_true(count > 20);
    for (size_t i = 0; i < count; i++) {
        const char *kids = i % 2 == 0 ? "three four" : "five six";
        size_t keys;

        write_jwks(&f, "a.jwks", kids);
        allocations_fail(i, i % 3 == 0 ? SIZE_MAX : i);
        look(&f);
        (void)allocations_end();
        keys = keyring_count(keyfiles_keyring(f.files));
        assert_int_equal(keys, i == 0 && keys == 2 ? 2 : 3);
        old += strncmp(key_id(keyring_key(keyfiles_keyring(f.files), 0)).data, kids, 3) != 0;
        look(&f);
        look(&f);
        assert_keys(&f, i % 2 == 0 ? "three four other" : "five six other");
    }
    assert_true(old > 5);
    fixture_free(&f);
}

static void nothing_is_left_of_files_that_cannot_be_opened(void **state)
{
    struct fixture f;
    size_t count;

    (void)state;
    allocations_skip_where_none_can_fail();
    fixture_init(&f);
    write_jwks(&f, "a.jwks", "one");
    name_files(&f, &f.settings.token.jwks_file, "a.jwks", NULL);
    allocations_fail(1, 0);
    assert_true(open_files(&f));
    keyfiles_close(f.files);
    count = allocations_end();
    for (size_t i = 0; i < count; i++) {
        bool good;

        allocations_fail(i, SIZE_MAX);
        good = open_files(&f);
        (void)allocations_end();
        if (good)
            assert_keys(&f, "one");
        keyfiles_close(f.files);
    }
    f.files = NULL;
    fixture_free(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_each_kind_in_the_order_of_the_settings),
        cmocka_unit_test(refuses_settings_that_name_no_file),
        cmocka_unit_test(opens_no_file_with_a_fault),
        cmocka_unit_test(keeps_the_last_good_keys_and_tells_once),
        cmocka_unit_test(comes_back_with_the_same_keys_or_others),
        cmocka_unit_test(each_new_fault_is_told),
        cmocka_unit_test(a_secret_that_may_not_be_read_is_not_missing),
        cmocka_unit_test(a_secret_that_is_missing_tells_how_to_make_one),
        cmocka_unit_test(a_file_with_a_secret_is_kept_from_others),
        cmocka_unit_test(a_secret_that_comes_into_an_open_file_is_not_taken),
        cmocka_unit_test(looks_at_most_once_a_second),
        cmocka_unit_test(takes_new_keys_however_a_file_is_replaced),
        cmocka_unit_test(finds_a_change_that_the_times_do_not_tell),
        cmocka_unit_test(a_file_that_was_only_touched_has_not_changed),
        cmocka_unit_test(a_file_that_is_being_written_is_left_to_the_next_look),
        cmocka_unit_test(no_fault_is_told_of_a_file_that_is_being_written),
        cmocka_unit_test(each_file_keeps_its_own_last_good_keys),
        cmocka_unit_test(both_files_change_at_one_look),
        cmocka_unit_test(keys_that_are_passed_over_are_told_once_a_load),
        cmocka_unit_test(nine_keys_without_kid_are_refused),
        cmocka_unit_test(what_the_ring_has_no_room_for_comes_in_when_it_has),
        cmocka_unit_test(short_memory_loses_no_key),
        cmocka_unit_test(nothing_is_left_of_files_that_cannot_be_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
