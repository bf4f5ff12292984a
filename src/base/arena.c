#include "base/arena.h"

#include <openssl/crypto.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_BYTES = 16 * 1024 };

struct block {
    struct block *next;
    size_t size, used;
    alignas(max_align_t) unsigned char bytes[];
};

struct arena {
    struct block *first; /* kept over resets */
    struct block *last;
    size_t total, max;
};

static struct block *block_new(size_t size)
{
    struct block *block = calloc(1, sizeof(*block) + size);

    if (block != NULL)
        block->size = size;
    return block;
}

static void block_free(struct block *block)
{
    OPENSSL_cleanse(block->bytes, block->used);
    free(block);
}

struct arena *arena_new(size_t max_bytes)
{
    struct arena *arena = calloc(1, sizeof(*arena));

    if (arena == NULL)
        return NULL;
    arena->total = max_bytes < BLOCK_BYTES ? max_bytes : BLOCK_BYTES;
    arena->max = max_bytes;
    arena->first = arena->last = block_new(arena->total);
    if (arena->first == NULL) {
        free(arena);
        return NULL;
    }
    return arena;
}

static void free_all_but_first(struct arena *arena)
{
    struct block *block = arena->first->next;

    while (block != NULL) {
        struct block *next = block->next;

        block_free(block);
        block = next;
    }
    arena->first->next = NULL;
    arena->last = arena->first;
    arena->total = arena->first->size;
}

void arena_free(struct arena *arena)
{
    if (arena == NULL)
        return;
    free_all_but_first(arena);
    block_free(arena->first);
    free(arena);
}

void arena_reset(struct arena *arena)
{
    free_all_but_first(arena);
    /* Cleansing writes zeroes, which is what arena_alloc promises. */
    OPENSSL_cleanse(arena->first->bytes, arena->first->used);
    arena->first->used = 0;
}

static struct block *block_with_room(struct arena *arena, size_t size)
{
    struct block *block;
    size_t wanted = size > BLOCK_BYTES ? size : BLOCK_BYTES;
    size_t left = arena->max - arena->total;

    if (arena->last->size - arena->last->used >= size)
        return arena->last;
    if (size > left)
        return NULL;
    if (wanted > left)
        wanted = left;
    block = block_new(wanted);
    if (block == NULL)
        return NULL;
    arena->last->next = block;
    arena->last = block;
    arena->total += wanted;
    return block;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    struct block *block;
    void *at;

    if (size > SIZE_MAX - align)
        return NULL;
    size = (size + align - 1) / align * align;
    block = block_with_room(arena, size);
    if (block == NULL)
        return NULL;
    at = block->bytes + block->used;
    block->used += size;
    return at;
}

void *arena_array(struct arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    return arena_alloc(arena, count * size);
}

bool arena_copy(struct arena *arena, struct str s, struct str *out)
{
    char *copy;

    *out = STR_NONE;
    if (!str_is_set(s))
        return true;
    copy = arena_alloc(arena, s.len + 1);
    if (copy == NULL)
        return false;
    if (s.len > 0)
        memcpy(copy, s.data, s.len);
    *out = (struct str){copy, s.len};
    return true;
}
