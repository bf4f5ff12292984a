#include "base/randompool.h"

#include <openssl/crypto.h>
#include <string.h>
#include <sys/mman.h>

#include "base/random.h"

enum { DRAWN_BYTES = 256 }; /* the kernel gives so many without being interrupted */

/* In pages of its own, which a child of a fork has full of zeroes: nothing is left in them. */
struct randompool {
    size_t left;
    unsigned char bytes[DRAWN_BYTES]; /* the first `left` of them */
};

struct randompool *randompool_new(void)
{
    struct randompool *pool =
        mmap(NULL, sizeof(*pool), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (pool == MAP_FAILED)
        return NULL;
    if (madvise(pool, sizeof(*pool), MADV_WIPEONFORK) == 0)
        return pool;
    randompool_free(pool);
    return NULL;
}

void randompool_free(struct randompool *pool)
{
    if (pool == NULL)
        return;
    OPENSSL_cleanse(pool, sizeof(*pool));
    (void)munmap(pool, sizeof(*pool));
}

static bool draw(struct randompool *pool)
{
    pool->left = 0; /* a draw that fails may have written over some */
    if (!random_bytes(pool->bytes, sizeof(pool->bytes)))
        return false;
    pool->left = sizeof(pool->bytes);
    return true;
}

bool randompool_bytes(struct randompool *pool, void *out, size_t len)
{
    if (pool == NULL || len > sizeof(pool->bytes))
        return random_bytes(out, len);
    if (pool->left < len && !draw(pool))
        return false;
    pool->left -= len;
    memcpy(out, pool->bytes + pool->left, len);
    OPENSSL_cleanse(pool->bytes + pool->left, len);
    return true;
}
