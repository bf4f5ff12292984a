#include "cache/cachefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "base/sharedfile.h"

enum { HEAD_BYTES = 4096, WAYS = 8, MARKS_PERCENT = 2, LIKELY_COUNT = 4096 };

/* ---- the format */

static const char magic[8] = "me-c\r\n\x1a\x03"; /* the last byte is the version of the format */

struct head {
    char magic[sizeof(magic)];
    int64_t size_bytes;
    unsigned char identity[CACHEFILE_IDENTITY_BYTES];
    uint64_t seed; /* of the checksums */
};

struct label {
    uint64_t checksum; /* of key, length and bytes; 0: nothing is there */
    unsigned char key[CACHEFILE_KEY_BYTES];
    uint32_t len;
    uint32_t used_s; /* not under the checksum: written alone when the bytes are read */
};

struct mark {
    unsigned char key[CACHEFILE_KEY_BYTES];
    uint32_t used_s; /* 0: nothing is there */
};

/* The bytes that a slot has room for, and the share of what the marks leave of the file. One set of
 * each is less than CACHEFILE_MIN_BYTES. */
static const struct tier {
    size_t room_bytes;
    int64_t percent;
} tiers[] = {
    {1024, 15}, {2048, 45}, {4096, 15}, {16384, 10}, {CACHEFILE_VALUE_MAX_BYTES, 15},
};

struct range {
    int64_t offset;
    uint64_t sets;
};

struct cachefile {
    int descriptor;
    int64_t size_bytes;
    uint64_t seed;
    struct range marks, ranges[ARRAY_LENGTH(tiers)];
    unsigned char likely[LIKELY_COUNT]; /* the tier in which each was found last, by its sum */
};

static size_t set_bytes_of(const struct tier *tier)
{
    return WAYS * (sizeof(struct label) + tier->room_bytes);
}

/* The largest come first: in a small file one set of them is more than their share of it, and the
 * others divide what is left. */
static void place_ranges(struct cachefile *cache, int64_t size_bytes)
{
    uint64_t mark_sets = (uint64_t)size_bytes / 100 * MARKS_PERCENT / (WAYS * sizeof(struct mark));
    int64_t offset = HEAD_BYTES + (int64_t)(mark_sets * WAYS * sizeof(struct mark));
    int64_t percent_left = 100;

    cache->marks = (struct range){HEAD_BYTES, mark_sets};
    for (size_t i = ARRAY_LENGTH(tiers); i-- > 0;) {
        int64_t set_bytes = (int64_t)set_bytes_of(&tiers[i]);
        int64_t share = (size_bytes - offset) * tiers[i].percent / percent_left;
        int64_t sets = share > set_bytes ? share / set_bytes : 1;

        cache->ranges[i] = (struct range){offset, (uint64_t)sets};
        offset += sets * set_bytes;
        percent_left -= tiers[i].percent;
    }
}

/* ---- checksums: against what chance does to a file; who can write to it needs no chance */

static uint64_t mix(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return sum ^ sum >> 29;
}

static uint64_t word_at(const char *at)
{
    uint64_t word;

    memcpy(&word, at, sizeof(word));
    return word;
}

/* Of whole blocks. Four sums side by side: within one each multiplication waits for the one before.
 */
enum { LANES = 4, BLOCK_BYTES = LANES * sizeof(uint64_t) };

static uint64_t sum_of_blocks(uint64_t sum, const char *at, size_t blocks)
{
    uint64_t a = sum, b = ~sum, c = mix(sum, 1), d = mix(sum, 2);

    for (; blocks > 0; blocks--, at += BLOCK_BYTES) {
        a = mix(a, word_at(at));
        b = mix(b, word_at(at + 8));
        c = mix(c, word_at(at + 16));
        d = mix(d, word_at(at + 24));
    }
    return mix(mix(mix(a, b), c), d);
}

static uint64_t sum_of(uint64_t sum, const void *data, size_t len)
{
    const char *at = data;
    size_t blocks = len / BLOCK_BYTES;
    uint64_t word = 0;

    if (blocks > 1)
        sum = sum_of_blocks(sum, at, blocks);
    else
        blocks = 0;
    at += blocks * BLOCK_BYTES;
    len -= blocks * BLOCK_BYTES;
    for (; len >= sizeof(word); len -= sizeof(word), at += sizeof(word))
        sum = mix(sum, word_at(at));
    if (len > 0)
        memcpy(&word, at, len);
    return mix(sum, word);
}

static uint64_t checksum(const struct cachefile *cache, const struct label *label,
                         const void *value)
{
    uint64_t sum = mix(cache->seed, label->len);

    sum = sum_of(sum, label->key, sizeof(label->key));
    sum = sum_of(sum, value, label->len);
    return sum == 0 ? 1 : sum;
}

/* ---- opening */

/* One that is opened, or made. */
struct opening {
    struct cachefile *cache;
    const struct cachefile_place *place;
};

static bool read_head(void *context, int descriptor)
{
    const struct opening *opening = context;
    const struct cachefile_place *place = opening->place;
    struct head head;
    struct stat info;

    if (fstat(descriptor, &info) != 0 || info.st_size != place->size_bytes ||
        pread(descriptor, &head, sizeof(head), 0) != sizeof(head) ||
        memcmp(head.magic, magic, sizeof(magic)) != 0 || head.size_bytes != place->size_bytes ||
        memcmp(head.identity, place->identity, sizeof(head.identity)) != 0)
        return false;
    opening->cache->seed = head.seed;
    return true;
}

static bool fill(void *context, int descriptor)
{
    const struct opening *opening = context;
    struct head head = {.size_bytes = opening->place->size_bytes};
    int error = posix_fallocate(descriptor, 0, head.size_bytes);

    if (error != 0) {
        errno = error;
        return false;
    }
    memcpy(head.magic, magic, sizeof(magic));
    memcpy(head.identity, opening->place->identity, sizeof(head.identity));
    if (!random_bytes(&head.seed, sizeof(head.seed)))
        return false;
    opening->cache->seed = head.seed;
    return pwrite(descriptor, &head, sizeof(head), 0) == sizeof(head);
}

struct cachefile *cachefile_open(const struct cachefile_place *place, struct err *err)
{
    struct cachefile *cache = calloc(1, sizeof(*cache));
    struct opening opening = {cache, place};
    const struct sharedfile shared = {
        .path = place->path,
        .setting = "cache.path",
        .mode = S_IRUSR | S_IWUSR,
        .forbidden = S_IRWXG | S_IRWXO,
        .is_good = read_head,
        .fill = fill,
        .context = &opening,
    };

    if (cache == NULL) {
        err_set(err, "out of memory");
        return NULL;
    }
    cache->size_bytes = place->size_bytes;
    place_ranges(cache, place->size_bytes);
    cache->descriptor = sharedfile_open(&shared, err);
    if (cache->descriptor >= 0)
        return cache;
    cachefile_close(cache);
    return NULL;
}

void cachefile_close(struct cachefile *cache)
{
    if (cache == NULL)
        return;
    if (cache->descriptor >= 0)
        (void)close(cache->descriptor);
    free(cache);
}

bool cachefile_is_whole(const struct cachefile *cache)
{
    struct stat info;

    return fstat(cache->descriptor, &info) == 0 && info.st_size == cache->size_bytes;
}

/* ---- finding */

/* Which set of a range is the key's, is the remainder of this. */
static uint64_t sum_of_key(const struct cachefile *cache, const struct cachefile_key *key)
{
    return sum_of(cache->seed, key->bytes, sizeof(key->bytes));
}

/* A set of one tier, and its labels as they were read. */
struct set {
    size_t tier;
    int64_t offset;
    struct label labels[WAYS];
};

/* False: the file is shorter than it was. */
static bool read_set(const struct cachefile *cache, size_t tier, uint64_t key_sum, struct set *out)
{
    const struct range *range = &cache->ranges[tier];
    uint64_t number = key_sum % range->sets;

    out->tier = tier;
    out->offset = range->offset + (int64_t)(number * set_bytes_of(&tiers[tier]));
    return pread(cache->descriptor, out->labels, sizeof(out->labels), out->offset) ==
           sizeof(out->labels);
}

static int64_t label_offset(const struct set *set, size_t way)
{
    return set->offset + (int64_t)(way * sizeof(struct label));
}

static int64_t room_offset(const struct set *set, size_t way)
{
    return set->offset + (int64_t)(WAYS * sizeof(struct label) + way * tiers[set->tier].room_bytes);
}

/* WAYS: it is not there. */
static size_t find_way(const struct set *set, const struct cachefile_key *key)
{
    size_t way = 0;

    while (way < WAYS && (set->labels[way].checksum == 0 ||
                          memcmp(set->labels[way].key, key->bytes, sizeof(key->bytes)) != 0))
        way++;
    return way;
}

static size_t oldest_way(const struct set *set)
{
    size_t oldest = 0;

    for (size_t way = 0; way < WAYS; way++) {
        if (set->labels[way].checksum == 0)
            return way;
        if (set->labels[way].used_s < set->labels[oldest].used_s)
            oldest = way;
    }
    return oldest;
}

/* ---- reading */

static void touch(const struct cachefile *cache, const struct set *set, size_t way, int64_t now_s)
{
    uint32_t used_s = (uint32_t)now_s;

    if (set->labels[way].used_s == used_s)
        return;
    (void)!pwrite(cache->descriptor, &used_s, sizeof(used_s),
                  label_offset(set, way) + (int64_t)offsetof(struct label, used_s));
}

/* A program without this test is made for the tests alone: they have to find that it lacks it. */
static bool is_whole_value(const struct cachefile *cache, const struct label *label,
                           const char *value)
{
#ifdef CACHEFILE_WITHOUT_CHECKSUM
    (void)cache;
    (void)label;
    (void)value;
    return true;
#else
    return checksum(cache, label, value) == label->checksum;
#endif
}

static bool read_value(const struct cachefile *cache, const struct set *set, size_t way,
                       struct buf *out)
{
    const struct label *label = &set->labels[way];
    char *at = label->len > tiers[set->tier].room_bytes ? NULL : buf_reserve(out, label->len);

    if (at == NULL ||
        pread(cache->descriptor, at, label->len, room_offset(set, way)) != (ssize_t)label->len ||
        !is_whole_value(cache, label, at))
        return false;
    buf_added(out, label->len);
    return true;
}

/* The search begins in the tier in which it was found the last time: the bodies of a user are
 * mostly of one size. */
bool cachefile_get(struct cachefile *cache, const struct cachefile_key *key, int64_t now_s,
                   struct buf *out)
{
    uint64_t key_sum = sum_of_key(cache, key);
    unsigned char *likely = &cache->likely[key_sum % LIKELY_COUNT];
    struct set set;

    for (size_t i = 0; i < ARRAY_LENGTH(tiers); i++) {
        size_t tier = (*likely + i) % ARRAY_LENGTH(tiers), way;

        if (!read_set(cache, tier, key_sum, &set))
            return false;
        way = find_way(&set, key);
        if (way == WAYS)
            continue;
        if (!read_value(cache, &set, way, out))
            return false;
        *likely = (unsigned char)tier;
        touch(cache, &set, way, now_s);
        return true;
    }
    return false;
}

/* ---- writing */

/* What was there under the key in the other tiers is no longer what is to be found. */
static void drop(const struct cachefile *cache, const struct set *set, size_t way)
{
    const uint64_t nothing = 0;

    if (way < WAYS)
        (void)!pwrite(cache->descriptor, &nothing, sizeof(nothing), label_offset(set, way));
}

static void write_slot(const struct cachefile *cache, const struct set *set, size_t way,
                       const struct label *label, struct str value)
{
    if (pwrite(cache->descriptor, value.data, value.len, room_offset(set, way)) ==
        (ssize_t)value.len)
        (void)!pwrite(cache->descriptor, label, sizeof(*label), label_offset(set, way));
}

void cachefile_put(struct cachefile *cache, const struct cachefile_key *key, int64_t now_s,
                   struct str value)
{
    struct label label = {.len = (uint32_t)value.len, .used_s = (uint32_t)now_s};
    uint64_t key_sum = sum_of_key(cache, key);
    bool is_written = false;
    struct set set;

    if (value.len > CACHEFILE_VALUE_MAX_BYTES)
        return;
    memcpy(label.key, key->bytes, sizeof(label.key));
    label.checksum = checksum(cache, &label, value.data);
    for (size_t tier = 0; tier < ARRAY_LENGTH(tiers); tier++) {
        size_t way;

        if (!read_set(cache, tier, key_sum, &set))
            return;
        way = find_way(&set, key);
        if (is_written || value.len > tiers[tier].room_bytes) {
            drop(cache, &set, way);
            continue;
        }
        write_slot(cache, &set, way < WAYS ? way : oldest_way(&set), &label, value);
        is_written = true;
    }
}

/* ---- marks */

struct mark_set {
    int64_t offset;
    struct mark marks[WAYS];
};

/* False: the file is shorter than it was. */
static bool read_marks(const struct cachefile *cache, const struct cachefile_key *key,
                       struct mark_set *out)
{
    uint64_t number = sum_of_key(cache, key) % cache->marks.sets;

    out->offset = cache->marks.offset + (int64_t)(number * sizeof(out->marks));
    return pread(cache->descriptor, out->marks, sizeof(out->marks), out->offset) ==
           sizeof(out->marks);
}

/* The way of the mark, or, where it is not there, the one that is to be its. */
static size_t way_of_mark(const struct mark_set *set, const struct cachefile_key *key, bool *found)
{
    size_t oldest = 0;

    *found = false;
    for (size_t way = 0; way < WAYS; way++) {
        const struct mark *mark = &set->marks[way];

        *found = mark->used_s != 0 && memcmp(mark->key, key->bytes, sizeof(mark->key)) == 0;
        if (*found)
            return way;
        if (mark->used_s < set->marks[oldest].used_s)
            oldest = way;
    }
    return oldest;
}

static void write_mark(const struct cachefile *cache, const struct mark_set *set, size_t way,
                       const struct cachefile_key *key, int64_t now_s)
{
    struct mark mark = {.used_s = (uint32_t)now_s};

    memcpy(mark.key, key->bytes, sizeof(mark.key));
    (void)!pwrite(cache->descriptor, &mark, sizeof(mark),
                  set->offset + (int64_t)(way * sizeof(mark)));
}

bool cachefile_has_mark(struct cachefile *cache, const struct cachefile_key *key, int64_t now_s)
{
    struct mark_set set;
    bool found;
    size_t way;

    if (!read_marks(cache, key, &set))
        return false;
    way = way_of_mark(&set, key, &found);
    if (found && set.marks[way].used_s != (uint32_t)now_s)
        write_mark(cache, &set, way, key, now_s);
    return found;
}

void cachefile_put_mark(struct cachefile *cache, const struct cachefile_key *key, int64_t now_s)
{
    struct mark_set set;
    bool found;

    if (read_marks(cache, key, &set))
        write_mark(cache, &set, way_of_mark(&set, key, &found), key, now_s);
}
