#include "base/nearest.h"

#include <string.h>

/* Three rows of the table of distances between the beginnings of two words. */
struct rows {
    size_t before[NEAREST_WORD_MAX_BYTES + 1], last[NEAREST_WORD_MAX_BYTES + 1],
        now[NEAREST_WORD_MAX_BYTES + 1];
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool is_same(struct str a, size_t i, struct str b, size_t j)
{
    return lower(a.data[i]) == lower(b.data[j]);
}

static size_t smaller(size_t x, size_t y)
{
    return x < y ? x : y;
}

/* The distance of the first i + 1 bytes of `a` from the first j + 1 of `b`. */
static size_t distance_at(const struct rows *rows, struct str a, size_t i, struct str b, size_t j)
{
    size_t replaced = rows->last[j] + !is_same(a, i, b, j);
    size_t best = smaller(replaced, smaller(rows->last[j + 1], rows->now[j]) + 1);

    if (i > 0 && j > 0 && is_same(a, i, b, j - 1) && is_same(a, i - 1, b, j))
        best = smaller(best, rows->before[j - 1] + 1);
    return best;
}

size_t nearest_distance(struct str a, struct str b)
{
    struct rows rows;

    for (size_t j = 0; j <= b.len; j++)
        rows.last[j] = j;
    for (size_t i = 0; i < a.len; i++) {
        rows.now[0] = i + 1;
        for (size_t j = 0; j < b.len; j++)
            rows.now[j + 1] = distance_at(&rows, a, i, b, j);
        memcpy(rows.before, rows.last, sizeof(rows.before));
        memcpy(rows.last, rows.now, sizeof(rows.last));
    }
    return rows.last[b.len];
}

/* Of a word of one or two letters one may be wrong. */
static size_t limit_of(struct str typed, struct str word)
{
    size_t longest = typed.len > word.len ? typed.len : word.len;

    return longest < 3 ? 1 : longest / 3;
}

bool nearest_try(struct nearest *nearest, struct str typed, struct str word)
{
    size_t distance;

    if (typed.len > NEAREST_WORD_MAX_BYTES || word.len > NEAREST_WORD_MAX_BYTES)
        return false;
    distance = nearest_distance(typed, word);
    if (distance > limit_of(typed, word) ||
        (str_is_set(nearest->word) && distance >= nearest->distance))
        return false;
    *nearest = (struct nearest){word, distance};
    return true;
}
