#include "profile/locale.h"

#include <stdbool.h>
#include <stddef.h>

#include "profile/ascii.h"

enum {
    SUBTAG_MAX_BYTES = 8,
    EXTLANGS_MAX = 3,
    /* Each takes two bytes at least with its hyphen. */
    SUBTAGS_MAX = LOCALE_MAX_BYTES / 2 + 1
};

/* The subtags of a tag, and how many of them the grammar has taken. */
struct subtags {
    struct str part[SUBTAGS_MAX];
    size_t count, taken;
};

/*
 * RFC 5646, section 2.1: the grandfathered tags. Those of the regular kind fit the grammar, but do
 * not mean what it would make of them; they are listed so that the list is whole.
 */
static const char *const grandfathered[] = {
    /* irregular */
    "en-GB-oed", "i-ami", "i-bnn", "i-default", "i-enochian", "i-hak", "i-klingon", "i-lux",
    "i-mingo", "i-navajo", "i-pwn", "i-tao", "i-tay", "i-tsu", "sgn-BE-FR", "sgn-BE-NL",
    "sgn-CH-DE",
    /* regular */
    "art-lojban", "cel-gaulish", "no-bok", "no-nyn", "zh-guoyu", "zh-hakka", "zh-min", "zh-min-nan",
    "zh-xiang"};

static bool is_grandfathered(struct str tag)
{
    for (size_t i = 0; i < ARRAY_LENGTH(grandfathered); i++)
        if (str_equal_nocase(tag, str_from(grandfathered[i])))
            return true;
    return false;
}

/* ---- subtags */

static bool is_made_of(struct str part, bool (*is_member)(char))
{
    for (size_t i = 0; i < part.len; i++)
        if (!is_member(part.data[i]))
            return false;
    return true;
}

static bool is_alpha(struct str part, size_t min, size_t max)
{
    return part.len >= min && part.len <= max && is_made_of(part, ascii_is_alpha);
}

static bool is_language(struct str part)
{
    return is_alpha(part, 2, SUBTAG_MAX_BYTES);
}

static bool is_extlang(struct str part)
{
    return is_alpha(part, 3, 3);
}

static bool is_script(struct str part)
{
    return is_alpha(part, 4, 4);
}

static bool is_region(struct str part)
{
    return is_alpha(part, 2, 2) || (part.len == 3 && is_made_of(part, ascii_is_digit));
}

/* Letters and digits are all that split_into lets through. */
static bool is_variant(struct str part)
{
    return part.len >= 5 || (part.len == 4 && ascii_is_digit(part.data[0]));
}

static bool is_private_use(struct str part)
{
    return str_equal_nocase(part, STR("x"));
}

static bool is_singleton(struct str part)
{
    return part.len == 1 && !is_private_use(part);
}

static bool is_extension_part(struct str part)
{
    return part.len >= 2;
}

static bool is_any(struct str part)
{
    return part.len > 0;
}

/* False where a subtag is empty, too long, or holds anything but letters and digits. */
static bool split_into(struct str tag, struct subtags *subtags)
{
    subtags->count = subtags->taken = 0;
    while (str_is_set(tag)) {
        struct str part = str_cut(&tag, '-');

        if (part.len == 0 || part.len > SUBTAG_MAX_BYTES || !is_made_of(part, ascii_is_alnum))
            return false;
        subtags->part[subtags->count++] = part;
    }
    return subtags->count > 0;
}

/* ---- the grammar */

/* Takes up to `max` subtags of a kind; returns how many. */
static size_t take(struct subtags *subtags, bool (*is_kind)(struct str), size_t max)
{
    size_t count = 0;

    while (count < max && subtags->taken < subtags->count &&
           is_kind(subtags->part[subtags->taken])) {
        subtags->taken++;
        count++;
    }
    return count;
}

/* Whether the subtag taken last stands among those from `first` on, before itself. */
static bool is_repeated(const struct subtags *subtags, size_t first, bool (*is_kind)(struct str))
{
    struct str last = subtags->part[subtags->taken - 1];

    for (size_t i = first; i + 1 < subtags->taken; i++)
        if (is_kind(subtags->part[i]) && str_equal_nocase(subtags->part[i], last))
            return true;
    return false;
}

/* 2*3ALPHA may have extlangs behind it; 4ALPHA and 5*8ALPHA may not. */
static bool take_language(struct subtags *subtags)
{
    if (take(subtags, is_language, 1) == 0)
        return false;
    if (subtags->part[0].len <= 3)
        (void)take(subtags, is_extlang, EXTLANGS_MAX);
    return true;
}

static bool take_variants(struct subtags *subtags)
{
    size_t first = subtags->taken;

    while (take(subtags, is_variant, 1) > 0)
        if (is_repeated(subtags, first, is_variant))
            return false;
    return true;
}

static bool take_extensions(struct subtags *subtags)
{
    size_t first = subtags->taken;

    while (take(subtags, is_singleton, 1) > 0) {
        if (is_repeated(subtags, first, is_singleton))
            return false;
        if (take(subtags, is_extension_part, SUBTAGS_MAX) == 0)
            return false;
    }
    return true;
}

static bool take_private_use(struct subtags *subtags)
{
    return take(subtags, is_private_use, 1) == 0 || take(subtags, is_any, SUBTAGS_MAX) > 0;
}

/* langtag, or privateuse alone. */
static bool take_tag(struct subtags *subtags)
{
    if (is_private_use(subtags->part[0]))
        return take_private_use(subtags);
    if (!take_language(subtags))
        return false;
    (void)take(subtags, is_script, 1);
    (void)take(subtags, is_region, 1);
    return take_variants(subtags) && take_extensions(subtags) && take_private_use(subtags);
}

static bool is_well_formed(struct str tag)
{
    struct subtags subtags;

    if (tag.len > LOCALE_MAX_BYTES || !split_into(tag, &subtags))
        return false;
    return is_grandfathered(tag) || (take_tag(&subtags) && subtags.taken == subtags.count);
}

/* ---- canonical case */

static char *write_lower(char *to, struct str part)
{
    for (size_t i = 0; i < part.len; i++)
        *to++ = ascii_lower(part.data[i]);
    return to;
}

static char *write_upper(char *to, struct str part)
{
    for (size_t i = 0; i < part.len; i++)
        *to++ = ascii_upper(part.data[i]);
    return to;
}

static char *write_title(char *to, struct str part)
{
    char *first = to;

    to = write_lower(to, part);
    *first = ascii_upper(*first);
    return to;
}

/*
 * RFC 5646, section 2.1.1: two letters are upper case and four have title case, but at the start of
 * the tag and behind a singleton (x and the i of old tags included); all else is lower case. This
 * gives the grandfathered tags the case that they are registered in, too.
 */
static void write_canonical(struct str tag, char *canonical)
{
    bool is_first = true, had_singleton = false;

    while (str_is_set(tag)) {
        struct str part = str_cut(&tag, '-');

        if (is_first || had_singleton || (part.len != 2 && part.len != 4))
            canonical = write_lower(canonical, part);
        else if (part.len == 2)
            canonical = write_upper(canonical, part);
        else
            canonical = write_title(canonical, part);
        is_first = false;
        had_singleton = had_singleton || part.len == 1;
        if (str_is_set(tag))
            *canonical++ = '-';
    }
    *canonical = '\0';
}

enum violation validate_locale(struct str tag, char canonical[LOCALE_MAX_BYTES + 1])
{
    canonical[0] = '\0';
    if (!is_well_formed(tag))
        return VIOLATION_INVALID_LOCALE;
    write_canonical(tag, canonical);
    return VIOLATION_NONE;
}
