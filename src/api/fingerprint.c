#include "config.h"

#include "api/fingerprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "base/base64url.h"
#include "base/random.h"
#include "token/hmac.h"
#include "token/keyset.h"

enum {
    NONCE_BYTES = 16,
    DIGEST_PART_BYTES = 3, /* of each line: enough to be no accident, short enough for a header */
    AGE_MAX_S = 60,
    SECRET_MAX_BYTES = HMAC_SECRET_MAX_BYTES + 2,
    LINE_MAX_BYTES = 8192,
    TIME_MAX_S = 253402300799 / 2 /* far enough */
};

struct fingerprint {
    const struct settings *settings;
    struct hmac *hmac;
};

static struct hmac *read_secret(const char *path, enum file_readers readers, struct err *err)
{
    struct hmac *hmac = NULL;
    struct buf text;

    buf_init(&text, SECRET_MAX_BYTES);
    if (file_read(path, readers, &text, err)) {
        hmac = hmac_new(keyset_secret_of_file(buf_str(&text)), err);
        if (hmac == NULL)
            err_prefix(err, "%s", path);
    }
    buf_free_secret(&text);
    if (hmac == NULL)
        err_prefix(err, "doctor.secret_file");
    return hmac;
}

struct fingerprint *fingerprint_new(const struct settings *settings, enum file_readers readers,
                                    struct err *err)
{
    struct fingerprint *fingerprint = calloc(1, sizeof(*fingerprint));

    if (fingerprint == NULL) {
        err_set(err, "out of memory");
        return NULL;
    }
    fingerprint->settings = settings;
    fingerprint->hmac = read_secret(settings->doctor.secret_file, readers, err);
    if (fingerprint->hmac != NULL)
        return fingerprint;
    fingerprint_free(fingerprint);
    return NULL;
}

void fingerprint_free(struct fingerprint *fingerprint)
{
    if (fingerprint == NULL)
        return;
    hmac_free(fingerprint->hmac);
    free(fingerprint);
}

/* ---- the question */

/* What the MAC is over: its purpose, so that no other use of the secret can make one, and the text.
 */
static bool mac_of(struct fingerprint *fingerprint, struct str text, unsigned char out[HMAC_BYTES])
{
    struct buf input;
    bool good;

    buf_init(&input, FINGERPRINT_QUESTION_MAX_BYTES);
    buf_append_text(&input, "me-fcgi question\n");
    buf_append_str(&input, text);
    good = buf_is_good(&input) && hmac_of(fingerprint->hmac, buf_str(&input), out);
    buf_free(&input);
    return good;
}

bool fingerprint_ask(struct fingerprint *fingerprint, int64_t now_ms, struct buf *out)
{
    unsigned char nonce[NONCE_BYTES], mac[HMAC_BYTES];

    if (!random_bytes(nonce, sizeof(nonce)))
        return false;
    buf_append_format(out, "%lld.", (long long)(now_ms / 1000));
    base64url_encode((struct str){(const char *)nonce, sizeof(nonce)}, out);
    if (!mac_of(fingerprint, buf_str(out), mac))
        return false;
    buf_append_byte(out, '.');
    base64url_encode((struct str){(const char *)mac, sizeof(mac)}, out);
    return buf_is_good(out);
}

struct question {
    struct str time, nonce, mac;
    struct str signed_part; /* time and nonce */
};

static bool cut_question(struct str text, struct question *out)
{
    struct str rest = text;

    if (!str_is_set(text) || text.len > FINGERPRINT_QUESTION_MAX_BYTES)
        return false;
    out->time = str_cut(&rest, '.');
    out->nonce = str_cut(&rest, '.');
    out->mac = rest;
    if (!str_is_set(out->nonce) || !str_is_set(out->mac))
        return false;
    out->signed_part = (struct str){text.data, text.len - out->mac.len - 1};
    return true;
}

static bool is_fresh(struct str time, int64_t now_ms)
{
    int64_t time_s;

    return str_to_number(time, TIME_MAX_S, &time_s) && llabs(now_ms / 1000 - time_s) <= AGE_MAX_S;
}

static bool is_signed(struct fingerprint *fingerprint, const struct question *question)
{
    unsigned char mac[HMAC_BYTES];
    struct buf sent;
    bool good;

    buf_init(&sent, HMAC_BYTES);
    good = base64url_decode(question->mac, &sent) && sent.len == HMAC_BYTES &&
           mac_of(fingerprint, question->signed_part, mac) &&
           CRYPTO_memcmp(mac, sent.data, HMAC_BYTES) == 0;
    buf_free(&sent);
    return good;
}

/* ---- the answer */

/*
 * The settings as settings_print writes them, to be freed; NULL: out of memory. process.socket is
 * the same in all: it belongs to whoever starts the worker, as lighttpd, and not to the file.
 */
static char *print_settings(const struct settings *settings)
{
    struct settings common = *settings;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    bool good;

    if (out == NULL)
        return NULL;
    common.process.socket = SETTINGS_SOCKET_SHARED;
    good = settings_print(&common, out);
    if (fclose(out) == 0 && good)
        return text;
    free(text);
    return NULL;
}

/* With its number, so that lines which are the same do not look the same. */
static bool append_digest(struct fingerprint *fingerprint, struct str nonce, size_t number,
                          struct str line, struct buf *out)
{
    unsigned char mac[HMAC_BYTES];
    struct buf input;
    bool good;

    buf_init(&input, LINE_MAX_BYTES);
    buf_append_format(&input, "me-fcgi setting\n%.*s\n%zu\n", STR_ARGS(nonce), number);
    buf_append_str(&input, line);
    good = buf_is_good(&input) && hmac_of(fingerprint->hmac, buf_str(&input), mac);
    buf_append(out, mac, good ? DIGEST_PART_BYTES : 0);
    buf_free(&input);
    return good && buf_is_good(out);
}

static bool append_digests(struct fingerprint *fingerprint, struct str nonce, struct buf *out)
{
    char *text = print_settings(fingerprint->settings);
    struct str rest = str_from(text);
    struct buf digests;
    bool good = text != NULL;

    buf_init(&digests, FINGERPRINT_ANSWER_MAX_BYTES);
    for (size_t i = 0; good && str_is_set(rest); i++)
        good = append_digest(fingerprint, nonce, i, str_cut(&rest, '\n'), &digests);
    base64url_encode(buf_str(&digests), out);
    buf_free(&digests);
    free(text);
    return good && buf_is_good(out);
}

bool fingerprint_answer(struct fingerprint *fingerprint, struct str question, int64_t now_ms,
                        struct buf *out)
{
    struct question asked;

    if (!cut_question(question, &asked) || !is_fresh(asked.time, now_ms) ||
        !is_signed(fingerprint, &asked))
        return false;
    buf_append_text(out, PACKAGE_VERSION " ");
    return append_digests(fingerprint, asked.nonce, out);
}

/* ---- the comparison */

struct str fingerprint_version(struct str answer)
{
    return str_cut(&answer, ' ');
}

static bool cut_digests(struct str answer, struct buf *out)
{
    (void)str_cut(&answer, ' ');
    return str_is_set(answer) && base64url_decode(answer, out);
}

/* "[log]" begins a section, "level = info" is a setting of it. */
static void visit_line(struct str line, struct str *section, fingerprint_visit *visit,
                       void *context)
{
    struct str key = str_trim(str_cut(&line, '='));
    struct buf name;

    if (!str_is_set(line))
        return;
    buf_init(&name, LINE_MAX_BYTES);
    buf_append_format(&name, "%.*s.%.*s", STR_ARGS(*section), STR_ARGS(key));
    visit(context, buf_str(&name));
    buf_free(&name);
}

static void visit_differences(struct str text, const char *ours, const char *theirs,
                              fingerprint_visit *visit, void *context)
{
    struct str section = STR("");

    for (size_t at = 0; str_is_set(text); at += DIGEST_PART_BYTES) {
        struct str line = str_cut(&text, '\n'), head = line;

        if (str_starts_with(line, STR("["))) {
            (void)str_cut(&head, '[');
            section = str_cut(&head, ']');
        } else if (memcmp(ours + at, theirs + at, DIGEST_PART_BYTES) != 0) {
            visit_line(line, &section, visit, context);
        }
    }
}

bool fingerprint_compare(const struct fingerprint *fingerprint, struct str ours, struct str theirs,
                         fingerprint_visit *visit, void *context)
{
    char *text = print_settings(fingerprint->settings);
    struct buf mine, other;
    bool good;

    buf_init(&mine, FINGERPRINT_ANSWER_MAX_BYTES);
    buf_init(&other, FINGERPRINT_ANSWER_MAX_BYTES);
    good = text != NULL && cut_digests(ours, &mine) && cut_digests(theirs, &other) &&
           mine.len == other.len &&
           str_equal(fingerprint_version(ours), fingerprint_version(theirs));
    if (good)
        visit_differences(str_from(text), mine.data, other.data, visit, context);
    buf_free(&mine);
    buf_free(&other);
    free(text);
    return good;
}
