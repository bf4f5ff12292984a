#include "token/rollover.h"

#include <json-c/json.h>
#include <stdlib.h>

#include "format/jsonvalue.h"
#include "token/jwk.h"

enum { THUMBPRINT_BYTES = 43 /* a SHA-256 in base64url */ };

struct entry {
    const struct key *key; /* borrowed from its set */
    int64_t end_ms;
    char thumbprint[THUMBPRINT_BYTES];
};

struct entries {
    struct entry items[KEYSET_KEYS_MAX * 2];
    size_t count;
};

/* ---- keys that are the same */

static struct str thumbprint_of(const struct entry *entry)
{
    return (struct str){entry->thumbprint, sizeof(entry->thumbprint)};
}

static int compare_keys(const struct entry *a, const struct entry *b)
{
    int by_kid = str_compare(key_id(a->key), key_id(b->key));

    if (str_is_set(key_id(a->key)) != str_is_set(key_id(b->key)))
        return str_is_set(key_id(a->key)) ? 1 : -1;
    return by_kid != 0 ? by_kid : str_compare(thumbprint_of(a), thumbprint_of(b));
}

static bool has(const struct entries *entries, const struct entry *entry)
{
    for (size_t i = 0; i < entries->count; i++)
        if (compare_keys(&entries->items[i], entry) == 0)
            return true;
    return false;
}

/* ---- sets into entries */

static bool take_thumbprint(struct entry *entry)
{
    struct buf text;
    bool good;

    buf_init(&text, THUMBPRINT_BYTES);
    good = key_thumbprint(entry->key, &text) && text.len == THUMBPRINT_BYTES;
    for (size_t i = 0; good && i < THUMBPRINT_BYTES; i++)
        entry->thumbprint[i] = text.data[i];
    buf_free(&text);
    return good;
}

/* The public keys of a set, each once. */
static bool collect(const struct keyset *set, struct entries *out, size_t *secrets)
{
    size_t count = set == NULL ? 0 : keyset_count(set);

    for (size_t i = 0; i < count; i++) {
        struct entry *entry = &out->items[out->count];

        entry->key = keyset_key(set, i);
        entry->end_ms = key_end_ms(entry->key);
        if (key_algorithm(entry->key) != KEY_RS256)
            ++*secrets;
        else if (!take_thumbprint(entry))
            return false;
        else if (!has(out, entry))
            out->count++;
    }
    return true;
}

/* ---- what stays */

static void keep_listed(const struct rollover *rollover, const struct entries *listed,
                        const struct entries *before, struct entries *out,
                        struct rollover_counts *counts)
{
    for (size_t i = 0; i < listed->count; i++) {
        const struct entry *entry = &listed->items[i];

        if (entry->end_ms <= rollover->now_ms)
            continue; /* an issuer may tell of its past */
        counts->listed++;
        counts->added += !has(before, entry);
        out->items[out->count++] = *entry;
    }
}

static void keep_withdrawn(const struct rollover *rollover, const struct entries *listed,
                           const struct entries *before, struct entries *out,
                           struct rollover_counts *counts)
{
    int64_t grace_end_ms = rollover->now_ms + rollover->grace_ms;

    for (size_t i = 0; i < before->count; i++) {
        struct entry entry = before->items[i];

        if (has(listed, &entry))
            continue;
        if (entry.end_ms > grace_end_ms)
            entry.end_ms = grace_end_ms;
        if (entry.end_ms <= rollover->now_ms) {
            counts->dropped++;
            continue;
        }
        *(before->items[i].end_ms == INT64_MAX ? &counts->withdrawn : &counts->ending) += 1;
        out->items[out->count++] = entry;
    }
}

/* Those without an end first; there is no more to the order than that it is always the same. */
static int compare_entries(const void *a_item, const void *b_item)
{
    const struct entry *a = a_item, *b = b_item;
    bool a_ends = a->end_ms != INT64_MAX, b_ends = b->end_ms != INT64_MAX;

    return a_ends != b_ends ? a_ends - b_ends : compare_keys(a, b);
}

/* ---- the text */

static bool append_key(const struct entry *entry, struct buf *out)
{
    struct json_object *jwk = jwk_new(entry->key, key_id(entry->key), entry->end_ms);
    bool good = jwk != NULL && jsonvalue_append(jwk, out);

    json_object_put(jwk);
    return good;
}

/* One key a line, for those who compare such files. */
static bool append_set(const struct entries *entries, struct buf *out)
{
    bool good = true;

    buf_append_text(out, "{\"keys\":[");
    for (size_t i = 0; good && i < entries->count; i++) {
        buf_append_text(out, i == 0 ? "\n" : ",\n");
        good = append_key(&entries->items[i], out);
    }
    buf_append_text(out, "\n]}\n");
    return good && buf_is_good(out);
}

static bool is_sound(const struct entries *kept, const struct rollover_counts *counts,
                     struct err *err)
{
    if (counts->listed == 0)
        err_set(err, "there is no public key in it that is of use");
    else if (kept->count > KEYSET_KEYS_MAX)
        err_set(err,
                "with the %zu keys that were withdrawn there would be more than the %d that a file "
                "may hold: shorten the grace time",
                kept->count - counts->listed, KEYSET_KEYS_MAX);
    else
        return true;
    return false;
}

struct work {
    struct entries listed, before, kept;
};

static bool merge(const struct rollover *rollover, struct work *work,
                  struct rollover_counts *counts)
{
    size_t secrets_before = 0;

    if (!collect(rollover->listed, &work->listed, &counts->secrets) ||
        !collect(rollover->before, &work->before, &secrets_before))
        return false;
    keep_listed(rollover, &work->listed, &work->before, &work->kept, counts);
    keep_withdrawn(rollover, &work->listed, &work->before, &work->kept, counts);
    qsort(work->kept.items, work->kept.count, sizeof(work->kept.items[0]), compare_entries);
    return true;
}

bool rollover_write(const struct rollover *rollover, struct buf *out,
                    struct rollover_counts *counts, struct err *err)
{
    struct work *work = calloc(1, sizeof(*work));
    bool good = false;

    *counts = (struct rollover_counts){.listed = 0};
    if (work == NULL || !merge(rollover, work, counts))
        err_set(err, "out of memory");
    else if (is_sound(&work->kept, counts, err)) {
        good = append_set(&work->kept, out);
        if (!good)
            err_set(err, "out of memory, or the keys are too large together");
    }
    free(work);
    return good;
}
