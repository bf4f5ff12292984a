/*
 * Bytes under a key in a file that all workers of one configuration share, plain CGI programs too.
 * It may forget anything at any time, and never gives other bytes than were put under the key: what
 * is read is checked on the reader's own copy.
 *
 * The file. A page of head, the marks, then for each size tier its sets. A key belongs to one set of
 * each tier; its bytes go into the smallest tier that they fit into, there in place of what had the
 * same key, else of what was not used for the longest time.
 *
 *   head    magic, the file's length, its identity, a random seed
 *   marks   sets of eight (key, time of the last use)
 *   set     eight labels (checksum, key, length, time of the last use), then the room of each
 *
 * A mark is a key without bytes: all that it says is that it was put. It is found by all 256 bits of
 * it, so it needs no checksum: one that is damaged is another one, which nobody asks for.
 *
 * It is read and written by pread and pwrite, not mapped: a file that somebody cuts short is then a
 * miss, where a mapped one would be a SIGBUS. Nobody waits for anybody: where writers and readers
 * of one slot meet, label and bytes do not belong together, which the checksum tells, and it is a
 * miss. So there is no lock, and none that a worker that died could hold.
 */
#ifndef ME_CACHE_CACHEFILE_H
#define ME_CACHE_CACHEFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

enum {
    CACHEFILE_KEY_BYTES = 32,
    CACHEFILE_IDENTITY_BYTES = 32,
    CACHEFILE_VALUE_MAX_BYTES = 68 * 1024,
    CACHEFILE_MIN_BYTES = 1024 * 1024
};

struct cachefile_place {
    const char *path;
    int64_t size_bytes; /* of the whole file, CACHEFILE_MIN_BYTES or more */
    /* A file with another identity, or another size, is replaced: it was written by a program or
     * for a database that is not ours. */
    unsigned char identity[CACHEFILE_IDENTITY_BYTES];
};

struct cachefile;

/*
 * Opens the file, or makes it, mode 0600 and all of its blocks allocated at once. NULL with `err`
 * where that cannot be, or the file is another user's, or open to others: there is no cache then,
 * and all works without.
 */
struct cachefile *cachefile_open(const struct cachefile_place *place, struct err *err) MUST_CHECK;
void cachefile_close(struct cachefile *cache);

/* Whether the file still has its length. Where it has not, what lay behind its end is lost, and there
 * is no room for more: whoever opens it again gets a new one. */
bool cachefile_is_whole(const struct cachefile *cache);

struct cachefile_key {
    unsigned char bytes[CACHEFILE_KEY_BYTES];
};

/* Marks have nothing to do with the bytes under the same key. */
bool cachefile_has_mark(struct cachefile *cache, const struct cachefile_key *key,
                        int64_t now_s) MUST_CHECK;
void cachefile_put_mark(struct cachefile *cache, const struct cachefile_key *key, int64_t now_s);

/* Appends the bytes under the key. False: there are none. `now_s` is the time of use. */
bool cachefile_get(struct cachefile *cache, const struct cachefile_key *key, int64_t now_s,
                   struct buf *out) MUST_CHECK;

/* Puts them in place of what was there under the key. What is longer than CACHEFILE_VALUE_MAX_BYTES
 * is not kept. */
void cachefile_put(struct cachefile *cache, const struct cachefile_key *key, int64_t now_s,
                   struct str value);

#endif
