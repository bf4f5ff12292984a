#include "api/swapping.h"

#include "profile/representation.h"

/* By how much what is taken for the database's clock may differ from it. */
enum { CLOCK_AHEAD_MAX_MS = 100, CLOCK_BEHIND_MAX_MS = 1000 };

/* What is kept, taken apart as far as a change needs it. */
struct former {
    struct kept_entry entry;
    struct representation_parts parts;
    struct profile profile; /* id, updated_ms, and what a patch can change */
};

static bool take_apart(struct exchange *exchange, struct former *out)
{
    out->profile = (struct profile){.id = out->entry.user, .updated_ms = out->entry.updated_ms};
    return representation_split(out->entry.body, &out->parts) &&
           representation_read(&out->parts, exchange->service->arena, &out->profile);
}

/* Only where it holds: that it does not is the answer of who has proved what there is. */
static bool holds_precondition(const struct exchange *exchange, const struct kept_entry *entry)
{
    const struct rendered current = {entry->body, entry->etag};

    return !rendered_is_other(exchange, &current) && !rendered_is_known(exchange, &current);
}

/* Nothing is to be written: it is shown, where it is right. */
static enum store_result show(struct exchange *exchange, const struct kept_entry *entry,
                              struct rendered *out)
{
    struct service *service = exchange->service;
    struct profile_probe probe;
    enum store_result result =
        profiles_probe(service->database, &entry->user, &probe, &exchange->err);

    if (result == STORE_NOT_FOUND)
        return STORE_CONFLICT;
    if (result != STORE_OK)
        return result;
    *out = (struct rendered){entry->body, entry->etag};
    return kept_is_current(service->kept, service->database, entry, &probe) ? STORE_OK
                                                                            : STORE_CONFLICT;
}

static bool render(struct exchange *exchange, const struct patch *patch,
                   const struct former *former, struct rendered *out)
{
    struct buf *body = &exchange->service->body_out;

    buf_reset(body);
    return representation_amend(&former->parts, patch, &former->profile, body) &&
           rendered_take(exchange, out);
}

static void keep(struct exchange *exchange, const struct former *former, int64_t revision,
                 const struct rendered *rendered)
{
    struct service *service = exchange->service;
    struct kept_entry entry = former->entry;

    entry.revision = revision;
    entry.updated_ms = former->profile.updated_ms;
    entry.etag = rendered->etag;
    entry.body = rendered->body;
    kept_put(service->kept, service->database, &exchange->access, &entry);
}

static int64_t later(int64_t one, int64_t other)
{
    return one > other ? one : other;
}

static int64_t sooner(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

/*
 * updatedAt and the revision are known before they are written: by the database's clock as it was
 * told lately, which the statement then compares with itself.
 */
static struct profile_swap plan(const struct exchange *exchange, struct former *former)
{
    const struct kept_entry *entry = &former->entry;
    int64_t now_us = kept_now_us(exchange->service->kept), now_ms = now_us / 1000;

    former->profile.updated_ms = later(now_ms, entry->updated_ms + 1);
    return (struct profile_swap){
        .profile = &former->profile,
        .old_revision = entry->revision,
        .new_revision = later(now_us, entry->revision + 1),
        .since_ms = later(entry->since_ms, now_ms - CLOCK_AHEAD_MAX_MS),
        .until_ms = sooner(entry->until_ms, now_ms + CLOCK_BEHIND_MAX_MS),
    };
}

/* What the one statement could not do for whatever reason the transaction may do; it says what is
 * wrong where it cannot either. */
static enum store_result result_of(enum store_result result)
{
    return result == STORE_OK || result == STORE_IN_DOUBT || result == STORE_UNAVAILABLE
               ? result
               : STORE_CONFLICT;
}

static enum store_result swap(struct exchange *exchange, const struct patch *patch,
                              struct former *former, struct rendered *out)
{
    struct profile_swap swap;
    enum store_result result;

    /* None can follow. The transaction is told by the database what is wrong. */
    if (former->entry.revision == INT64_MAX)
        return STORE_CONFLICT;
    swap = plan(exchange, former);
    if (!render(exchange, patch, former, out))
        return STORE_FAILED;
    result = result_of(profiles_swap(exchange->service->database, &swap, &exchange->err));
    if (result == STORE_OK)
        keep(exchange, former, swap.new_revision, out);
    return result;
}

static enum store_result change(struct exchange *exchange, const struct patch *patch,
                                struct rendered *out)
{
    struct service *service = exchange->service;
    struct former former;
    enum store_result result = kept_find(service->kept, service->database, &exchange->access,
                                         &former.entry, &exchange->err);

    if (result != STORE_OK)
        return result == STORE_NOT_FOUND ? STORE_CONFLICT : result;
    if (service->settings->audit.level != SETTINGS_AUDIT_OFF ||
        !holds_precondition(exchange, &former.entry) || !take_apart(exchange, &former))
        return STORE_CONFLICT;
    return patch_apply(patch, &former.profile) ? swap(exchange, patch, &former, out)
                                               : show(exchange, &former.entry, out);
}

enum store_result swapping_try(struct exchange *exchange, const struct patch *patch,
                               struct rendered *out)
{
    enum store_result result = change(exchange, patch, out);

    if (result == STORE_CONFLICT)
        err_clear(&exchange->err);
    return result;
}
