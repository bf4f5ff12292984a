#include "api/kept.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/keptplace.h"
#include "base/clock.h"
#include "base/file.h"
#include "cache/cachefile.h"
#include "profile/representation.h"
#include "store/revision.h"

enum { PROOF_AGE_MAX_US = 1000000, AGAIN_US = 10 * 1000000, SIGNATURE_MAX_BYTES = 8 * 1024 };

/* When something was seen, by both clocks of the host. The one for durations begins anew with the
 * host, and in a container may be another one, and the time of day can be set: a moment is as late
 * as it seems where both say so. */
struct moment {
    int64_t monotonic_us, day_ms;
};

/* That the triggers stand, and what the database's clock was. */
struct proof {
    struct moment seen;
    struct revision_guard guard;
};

struct kept {
    const struct settings *settings; /* borrowed, as log and digest */
    const struct log *log;
    struct digest *digest;
    struct cachefile *file;                           /* NULL: not opened yet */
    unsigned char identity[CACHEFILE_IDENTITY_BYTES]; /* of the file */
    bool is_sought; /* whether it is there was looked at for a signature */
    bool is_asked;  /* whether the mark below was, and the file is open */
    struct cachefile_key asked;
    bool is_told;      /* that the file cannot be used was logged */
    int64_t again_us;  /* not tried before then: clock_monotonic_us */
    bool is_on;        /* of the last kept_find */
    struct moment now; /* and when that was */
    struct proof proof;
    struct database_link link; /* that the proof is about */
    struct buf found, made;
};

struct kept *kept_new(const struct settings *settings, const struct log *log, struct digest *digest)
{
    struct kept *kept = calloc(1, sizeof(*kept));

    if (kept == NULL)
        return NULL;
    kept->settings = settings;
    kept->log = log;
    kept->digest = digest;
    buf_init(&kept->found, CACHEFILE_VALUE_MAX_BYTES);
    buf_init(&kept->made, CACHEFILE_VALUE_MAX_BYTES);
    return kept;
}

void kept_free(struct kept *kept)
{
    if (kept == NULL)
        return;
    cachefile_close(kept->file);
    buf_free(&kept->found);
    buf_free(&kept->made);
    free(kept);
}

bool kept_is_wanted(const struct kept *kept)
{
    return kept->settings->cache.mode != SETTINGS_CACHE_OFF;
}

/* ---- keys: the first byte tells what is kept under it */

static struct cachefile_key key_of_proof(size_t host)
{
    struct cachefile_key key = {.bytes = {'p'}};

    memcpy(key.bytes + 1, &host, sizeof(host));
    return key;
}

static struct cachefile_key key_of_user(const struct uuid *user)
{
    struct cachefile_key key = {.bytes = {'u'}};

    memcpy(key.bytes + 1, user->bytes, sizeof(user->bytes));
    return key;
}

static bool key_of_identity(struct kept *kept, const struct access_request *request,
                            struct cachefile_key *out)
{
    unsigned char digest[DIGEST_BYTES];
    struct buf *text = &kept->made;

    buf_reset(text);
    buf_append_format(text, "%zu:", request->issuer.len);
    buf_append_str(text, request->issuer);
    buf_append_str(text, request->subject);
    if (!buf_is_good(text) || !digest_of(kept->digest, buf_str(text), digest))
        return false;
    *out = (struct cachefile_key){.bytes = {'i'}};
    memcpy(out->bytes + 1, digest, sizeof(out->bytes) - 1);
    return true;
}

static bool key_of(struct kept *kept, const struct access_request *request,
                   struct cachefile_key *out)
{
    if (str_is_set(request->subject))
        return key_of_identity(kept, request, out);
    *out = key_of_user(&request->user);
    return true;
}

static int64_t now_s(void)
{
    return clock_now_ms() / 1000;
}

/* Of kept_find. */
static int64_t found_s(const struct kept *kept)
{
    return kept->now.day_ms / 1000;
}

/* ---- the file */

/* For a while: a worker that tried at each request would be slower than without. What hindered it
 * may be mended then, or past, as where workers that began at once took all of the room. */
static void give_up(struct kept *kept, const struct err *err)
{
    if (!kept->is_told)
        LOG_EVENT(kept->log, LOG_WARNING, "profiles cannot be kept: each is read anew",
                  {"detail", str_from(err->text)});
    kept->is_told = true;
    kept->again_us = clock_monotonic_us() + AGAIN_US;
}

static bool has_given_up(const struct kept *kept)
{
    return kept->is_told && clock_monotonic_us() < kept->again_us;
}

/* Before the triggers were looked at only a file that is there is opened. */
static void open_file(struct kept *kept, bool may_make)
{
    struct keptplace place;
    struct err err = {""};

    if (kept->file != NULL && cachefile_is_whole(kept->file))
        return;
    cachefile_close(kept->file);
    kept->file = NULL;
    if (!keptplace_choose(kept->settings, kept->digest, &place, &err)) {
        give_up(kept, &err);
        return;
    }
    if (!may_make && !file_exists(place.path))
        return;
    kept->file = cachefile_open(&place.place, &err);
    memcpy(kept->identity, place.place.identity, sizeof(kept->identity));
    if (kept->file == NULL)
        give_up(kept, &err);
    else
        kept->is_told = false;
}

/* ---- the proof that the triggers stand */

static struct moment moment_now(void)
{
    return (struct moment){clock_monotonic_us(), clock_now_ms()};
}

static bool is_fresh(const struct proof *proof, const struct moment *now)
{
    int64_t age_us = now->monotonic_us - proof->seen.monotonic_us;
    int64_t day_ms = now->day_ms - proof->seen.day_ms;

    return age_us >= 0 && age_us < PROOF_AGE_MAX_US && day_ms > -PROOF_AGE_MAX_US / 1000 &&
           day_ms < PROOF_AGE_MAX_US / 1000;
}

/* What another worker saw. */
static bool read_proof(struct kept *kept, struct proof *out)
{
    struct cachefile_key key = key_of_proof(kept->link.host);

    buf_reset(&kept->found);
    if (kept->file == NULL || !cachefile_get(kept->file, &key, found_s(kept), &kept->found) ||
        kept->found.len != sizeof(*out))
        return false;
    memcpy(out, kept->found.data, sizeof(*out));
    return is_fresh(out, &kept->now);
}

/* For the other workers. */
static void share_proof(struct kept *kept)
{
    struct cachefile_key key = key_of_proof(kept->link.host);
    struct str proof = {(const char *)&kept->proof, sizeof(kept->proof)};

    if (kept->file != NULL)
        cachefile_put(kept->file, &key, now_s(), proof);
}

/* False: there was no answer, which says nothing of the triggers to others. */
static bool look(struct kept *kept, struct database *database)
{
    struct err ignored; /* without the view nothing is kept, and doctor says so */
    struct proof *proof = &kept->proof;
    bool is_answered;

    memset(proof, 0, sizeof(*proof));
    proof->seen = kept->now;
    is_answered = revision_guard_read(database, &proof->guard, &ignored) == STORE_OK;
    proof->guard.stands = proof->guard.stands && is_answered;
    kept->link = database_link(database); /* a lost one was made again, perhaps to another host */
    return is_answered;
}

static void prove(struct kept *kept, struct database *database)
{
    struct database_link link = database_link(database);
    bool is_same = link.number == kept->link.number;

    kept->now = moment_now();
    if (is_same && is_fresh(&kept->proof, &kept->now))
        return;
    kept->link = link;
    open_file(kept, false);
    if (!read_proof(kept, &kept->proof) && look(kept, database))
        share_proof(kept);
}

static bool turn_on(struct kept *kept, struct database *database)
{
    if (!kept_is_wanted(kept) || has_given_up(kept))
        return false;
    prove(kept, database);
    if (kept->proof.guard.stands && kept->file == NULL && !has_given_up(kept)) {
        open_file(kept, true);
        share_proof(kept);
    }
    return kept->proof.guard.stands && kept->file != NULL;
}

/* ---- entries: this head, the sessions, the body */

struct head {
    struct uuid user;
    int64_t epoch, revision, since_ms, until_ms, updated_ms;
    uint32_t sessions_len, body_len;
    char etag[REPRESENTATION_ETAG_LEN];
};

static bool decode(const struct kept *kept, struct head *head, struct kept_entry *out)
{
    const struct buf *found = &kept->found;

    if (found->len < sizeof(*head))
        return false;
    memcpy(head, found->data, sizeof(*head));
    if (found->len - sizeof(*head) != (size_t)head->sessions_len + head->body_len)
        return false;
    *out = (struct kept_entry){
        .user = head->user,
        .revision = head->revision,
        .since_ms = head->since_ms,
        .until_ms = head->until_ms,
        .updated_ms = head->updated_ms,
        .sessions = {found->data + sizeof(*head), head->sessions_len},
        .etag = {found->data + offsetof(struct head, etag), sizeof(head->etag)},
        .body = {found->data + sizeof(*head) + head->sessions_len, head->body_len},
    };
    return true;
}

static void encode(struct kept *kept, const struct kept_entry *entry)
{
    struct head head;

    memset(&head, 0, sizeof(head)); /* no byte of it is left to chance */
    head.user = entry->user;
    head.epoch = kept->proof.guard.epoch;
    head.revision = entry->revision;
    head.since_ms = entry->since_ms;
    head.until_ms = entry->until_ms;
    head.updated_ms = entry->updated_ms;
    head.sessions_len = (uint32_t)entry->sessions.len;
    head.body_len = (uint32_t)entry->body.len;
    memcpy(head.etag, entry->etag.data, sizeof(head.etag));
    buf_reset(&kept->made);
    buf_append(&kept->made, &head, sizeof(head));
    buf_append_str(&kept->made, entry->sessions);
    buf_append_str(&kept->made, entry->body);
}

/* Sessions are each a length of two bytes and the id. */
static bool cut_session(struct str *rest, struct str *id)
{
    uint16_t len;

    if (rest->len < sizeof(len))
        return false;
    memcpy(&len, rest->data, sizeof(len));
    if (rest->len - sizeof(len) < len)
        return false;
    *id = (struct str){rest->data + sizeof(len), len};
    *rest = (struct str){id->data + len, rest->len - sizeof(len) - len};
    return true;
}

static bool has_session(struct str sessions, struct str wanted)
{
    struct str id;

    while (cut_session(&sessions, &id))
        if (str_equal(id, wanted))
            return true;
    return false;
}

static void append_session(struct buf *out, struct str id)
{
    uint16_t len = (uint16_t)id.len;

    if (id.len > UINT16_MAX)
        out->failed = true;
    buf_append(out, &len, sizeof(len));
    buf_append_str(out, id);
}

/* ---- finding */

static bool find(struct kept *kept, const struct access_request *request, struct kept_entry *out)
{
    struct cachefile_key key;
    struct head head;

    if (!key_of(kept, request, &key))
        return false;
    buf_reset(&kept->found);
    return cachefile_get(kept->file, &key, found_s(kept), &kept->found) &&
           decode(kept, &head, out) && head.epoch == kept->proof.guard.epoch &&
           (!str_is_set(request->session) || has_session(out->sessions, request->session));
}

enum store_result kept_find(struct kept *kept, struct database *database,
                            const struct access_request *request, struct kept_entry *out,
                            struct err *err)
{
    enum store_result result;

    kept->is_on = false;
    if (!kept_is_wanted(kept) || has_given_up(kept))
        return STORE_NOT_FOUND;
    result = database_connect(database, err);
    if (result != STORE_OK)
        return result;
    kept->is_on = turn_on(kept, database);
    return kept->is_on && find(kept, request, out) ? STORE_OK : STORE_NOT_FOUND;
}

bool kept_is_on(const struct kept *kept)
{
    return kept->is_on;
}

enum kept_use kept_use(const struct kept *kept, bool was_right)
{
    if (was_right)
        return KEPT_HIT;
    return kept->is_on ? KEPT_MISS : KEPT_OFF;
}

const char *kept_use_name(enum kept_use use)
{
    static const char *const names[KEPT_USE__MAX] = {
        [KEPT_HIT] = "hit",
        [KEPT_MISS] = "miss",
        [KEPT_OFF] = "off",
    };

    return names[use];
}

int64_t kept_now_us(const struct kept *kept)
{
    return kept->proof.guard.now_us + clock_monotonic_us() - kept->proof.seen.monotonic_us;
}

/* The proof is about the host that this connection leads to, and no other. */
static bool is_proved(const struct kept *kept, const struct database *database)
{
    return kept->is_on && database_link(database).number == kept->link.number &&
           database_is_settled(database);
}

/* A program without this test is made for the tests alone: they have to find that it lacks it. */
static bool is_same_revision(const struct kept_entry *entry, const struct profile_probe *probe)
{
#ifdef KEPT_WITHOUT_REVISION
    (void)entry;
    (void)probe;
    return true;
#else
    return entry->revision == probe->revision;
#endif
}

bool kept_is_current(const struct kept *kept, const struct database *database,
                     const struct kept_entry *entry, const struct profile_probe *probe)
{
    return is_proved(kept, database) && is_same_revision(entry, probe) &&
           entry->since_ms <= probe->now_ms && probe->now_ms < entry->until_ms;
}

/* ---- keeping */

void kept_put(struct kept *kept, const struct database *database,
              const struct access_request *request, const struct kept_entry *entry)
{
    struct cachefile_key key;

    if (!is_proved(kept, database) || !key_of(kept, request, &key))
        return;
    encode(kept, entry);
    if (buf_is_good(&kept->made))
        cachefile_put(kept->file, &key, now_s(), buf_str(&kept->made));
}

void kept_put_loaded(struct kept *kept, const struct database *database,
                     const struct access_request *request, const struct profile_load *loaded,
                     struct str body, struct str etag)
{
    const struct profile_sessions *sessions = &loaded->sessions;
    struct buf packed;

    if (!kept->is_on || sessions->has_more)
        return;
    buf_init(&packed, CACHEFILE_VALUE_MAX_BYTES);
    for (size_t i = 0; i < sessions->count; i++)
        append_session(&packed, sessions->ids[i]);
    if (buf_is_good(&packed))
        kept_put(kept, database, request,
                 &(struct kept_entry){
                     .user = loaded->profile.id,
                     .revision = loaded->revision,
                     .since_ms = loaded->now_ms,
                     .until_ms = sessions->next_end_ms,
                     .updated_ms = loaded->profile.updated_ms,
                     .sessions = buf_str(&packed),
                     .etag = etag,
                     .body = body,
                 });
    buf_free(&packed);
}

/* ---- signatures */

/* Once, before anything else opens it: a worker without the file does not look again and again. */
static bool has_file(struct kept *kept)
{
    if (!kept_is_wanted(kept))
        return false;
    if (kept->file == NULL && !kept->is_sought)
        open_file(kept, false);
    kept->is_sought = true;
    return kept->file != NULL;
}

/* All parts but the secret have one length, so that no part runs into the next, and nothing can be
 * appended to what is known to be good. */
static bool mark_of(struct kept *kept, const struct database *database,
                    const struct known_signature *signature, struct cachefile_key *out)
{
    struct buf text;
    bool good;

    buf_init(&text, SIGNATURE_MAX_BYTES);
    buf_append(&text, kept->identity, sizeof(kept->identity));
    buf_append_str(&text, database_secret(database));
    buf_append_text(&text, signature->algorithm);
    buf_append(&text, signature->key, sizeof(signature->key));
    buf_append(&text, signature->token, DIGEST_BYTES);
    good = buf_is_good(&text) && digest_of(kept->digest, buf_str(&text), out->bytes);
    buf_free_secret(&text);
    return good;
}

bool kept_has_signature(struct kept *kept, const struct database *database,
                        const struct known_signature *signature)
{
    kept->is_asked = has_file(kept) && mark_of(kept, database, signature, &kept->asked);
    return kept->is_asked && cachefile_has_mark(kept->file, &kept->asked, now_s());
}

void kept_put_signature(struct kept *kept)
{
    if (kept->is_asked)
        cachefile_put_mark(kept->file, &kept->asked, now_s());
    kept->is_asked = false;
}
