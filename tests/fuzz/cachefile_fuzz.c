/*
 * A file of what is kept, to which anything is done: values are put and asked for, and in between
 * bytes of it are written, moved, cut off or brought back, its head as well, and it is opened anew.
 * What is given is a value that was put under its key, the last one as long as nothing befell the
 * file; or else one that the file holds with its right checksum, which is all that can be proved.
 */
#include "cache/cachefile.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "damage.h"
#include "fuzz.h"

enum {
    SIZE_BYTES = CACHEFILE_MIN_BYTES,
    ACTS_MAX = 48,
    KEYS = 4,
    VERSIONS_MAX = ACTS_MAX,
    SAVED_MAX_BYTES = 1024 * 1024,
    SEED_AT = 48
};

/* The seed of the file, by which its checksums and the places of its sets are always the same. */
bool __wrap_random_bytes(void *out, size_t len);
bool __wrap_random_bytes(void *out, size_t len)
{
    memset(out, 'r', len);
    return true;
}

static const size_t lengths[] = {0,
                                 1,
                                 7,
                                 8,
                                 100,
                                 1024,
                                 1025,
                                 2048,
                                 2049,
                                 4096,
                                 4097,
                                 16384,
                                 16385,
                                 65535,
                                 CACHEFILE_VALUE_MAX_BYTES,
                                 CACHEFILE_VALUE_MAX_BYTES + 1};

/* What was put under a key: each version is a length and a byte. */
struct history {
    size_t count;
    struct version {
        size_t len;
        char byte;
    } versions[VERSIONS_MAX];
};

struct world {
    struct cachefile *cache; /* NULL: it could not be opened */
    int file;
    uint64_t seed;   /* that the file had when it was opened */
    bool is_damaged; /* since it was made */
    int64_t now_s;
    struct history histories[KEYS];
    struct buf before; /* what was in the file when the last value was put */
};

static struct cachefile_key key_of(size_t number)
{
    struct cachefile_key key;

    memset(key.bytes, 'k', sizeof(key.bytes));
    key.bytes[0] = (unsigned char)number;
    return key;
}

/* ---- opening */

static void open_it(struct world *world)
{
    const struct cachefile_place place = {damage_path(), SIZE_BYTES, {'i', 'd'}};
    struct err err = {""};

    world->cache = cachefile_open(&place, &err);
    if (world->cache == NULL)
        require_printable(err.text);
    world->file = open(place.path, O_RDWR | O_CLOEXEC);
    require(world->file >= 0 && pread(world->file, &world->seed, sizeof(world->seed), SEED_AT) >= 0,
            "the file is there, whatever it is");
    require(world->cache == NULL || cachefile_is_whole(world->cache), "what is opened is whole");
}

static void close_it(struct world *world)
{
    cachefile_close(world->cache);
    (void)close(world->file);
    world->cache = NULL;
}

/* ---- values */

static struct str value_of(const struct version *version)
{
    static char bytes[CACHEFILE_VALUE_MAX_BYTES + 1];

    memset(bytes, version->byte, version->len);
    return (struct str){bytes, version->len};
}

static void put(struct world *world, struct str *rest)
{
    size_t number = take_choice(rest, KEYS);
    struct history *history = &world->histories[number];
    struct version *version = &history->versions[history->count];
    struct cachefile_key key = key_of(number);

    version->len = lengths[take_choice(rest, ARRAY_LENGTH(lengths))];
    version->byte = (char)take_choice(rest, 256);
    damage_save(world->file, &world->before);
    cachefile_put(world->cache, &key, world->now_s, value_of(version));
    if (version->len <= CACHEFILE_VALUE_MAX_BYTES)
        history->count++;
}

static bool was_put(const struct history *history, struct str value)
{
    for (size_t i = 0; i < history->count; i++)
        if (str_equal(value, value_of(&history->versions[i])))
            return true;
    return false;
}

/* As the head of the file says it is made, by other words than those of cachefile.c. */
static uint64_t checksum_of(uint64_t sum, const char *data, size_t len)
{
    for (size_t at = 0; at <= len; at += 8) {
        uint64_t word = 0;

        memcpy(&word, data + at, len - at < 8 ? len - at : 8);
        sum = (sum ^ word) * UINT64_C(0x9E3779B97F4A7C15);
        sum ^= sum >> 29;
    }
    return sum;
}

/* Whether the file has it anywhere with the sum that belongs to it, whoever wrote that. */
static bool is_proved(const struct world *world, const struct cachefile_key *key, struct str value)
{
    static char bytes[SIZE_BYTES];
    uint64_t sum = (world->seed ^ value.len) * UINT64_C(0x9E3779B97F4A7C15);
    const char *at = bytes;
    ssize_t got = pread(world->file, bytes, sizeof(bytes), 0);
    size_t len = got < 0 ? 0 : (size_t)got;

    sum ^= sum >> 29;
    sum = checksum_of(sum, (const char *)key->bytes, sizeof(key->bytes));
    sum = checksum_of(sum, value.data, value.len);
    while ((at = memmem(at, len - (size_t)(at - bytes), &sum, sizeof(sum))) != NULL) {
        const char *rest = at + sizeof(sum);

        if (len - (size_t)(rest - bytes) >= sizeof(key->bytes) &&
            memcmp(rest, key->bytes, sizeof(key->bytes)) == 0)
            return true;
        at++;
    }
    return false;
}

static void get(struct world *world, struct str *rest)
{
    size_t number = take_choice(rest, KEYS);
    const struct history *history = &world->histories[number];
    struct cachefile_key key = key_of(number);
    struct buf out;
    bool found;

    buf_init(&out, CACHEFILE_VALUE_MAX_BYTES);
    found = cachefile_get(world->cache, &key, world->now_s, &out);
    require(found || out.len == 0, "what is not found leaves the buffer as it was");
    if (!world->is_damaged) {
        require(found == (history->count > 0), "what was put is there");
        require(!found ||
                    str_equal(buf_str(&out), value_of(&history->versions[history->count - 1])),
                "and is what was put last");
    }
    require(!found || was_put(history, buf_str(&out)) || is_proved(world, &key, buf_str(&out)),
            "nothing is given that has no right checksum");
    buf_free(&out);
}

/* ---- what happens */

static void damage(struct world *world, struct str *rest)
{
    world->is_damaged = true;
    if (!damage_take(world->file, rest, &world->before) && world->cache != NULL)
        require(!cachefile_is_whole(world->cache), "it tells that it was cut");
}

static void wait_a_little(struct world *world, struct str *rest)
{
    world->now_s += (int64_t)take_choice(rest, 256);
}

static void open_again(struct world *world, struct str *rest)
{
    (void)rest;
    close_it(world);
    open_it(world);
}

/* Nothing was put, and nothing befell the file. */
static void begin(struct world *world)
{
    (void)unlink(damage_path());
    open_it(world);
    require(world->cache != NULL, "a file can be made");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const acts[])(struct world *, struct str *) = {put, get, damage, wait_a_little,
                                                                 open_again};
    struct str rest = {size == 0 ? "" : (const char *)data, size};
    struct world world = {.now_s = 1};

    buf_init(&world.before, SAVED_MAX_BYTES);
    begin(&world);
    for (size_t i = 0; i < ACTS_MAX && rest.len > 0; i++) {
        size_t act = take_choice(&rest, ARRAY_LENGTH(acts));

        if (world.cache != NULL || acts[act] == open_again)
            acts[act](&world, &rest);
    }
    close_it(&world);
    buf_free(&world.before);
    return 0;
}
