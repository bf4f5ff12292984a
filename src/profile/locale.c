#include "profile/locale.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "profile/ascii.h"
#include "profile/subtag.h"

enum {
    SUBTAG_MAX_BYTES = 8,
    /* Each takes two bytes at least with its hyphen. */
    SUBTAGS_MAX = LOCALE_MAX_BYTES / 2 + 1
};

/* The subtags of a tag, and how many of them the grammar has taken. */
struct subtags {
    struct str part[SUBTAGS_MAX];
    size_t count, taken;
};

/* ---- subtags */

static bool is_listed(enum subtag_kind kind, struct str part)
{
    return wordlist_find(&subtag_lists[kind], part) != NULL;
}

/*
 * What the registry lists has the form that the grammar wants of its kind, and no two kinds that
 * may follow each other have a form in common. So to take only subtags that are listed refuses
 * exactly the tags that are not well-formed or not valid.
 */
static bool is_language(struct str part)
{
    return is_listed(SUBTAG_LANGUAGE, part);
}

static bool is_script(struct str part)
{
    return is_listed(SUBTAG_SCRIPT, part);
}

static bool is_region(struct str part)
{
    return is_listed(SUBTAG_REGION, part);
}

static bool is_variant(struct str part)
{
    return is_listed(SUBTAG_VARIANT, part);
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

static bool is_made_of_alnum(struct str part)
{
    for (size_t i = 0; i < part.len; i++)
        if (!ascii_is_alnum(part.data[i]))
            return false;
    return true;
}

/* False where a subtag is empty, too long, or holds anything but letters and digits. */
static bool split_into(struct str tag, struct subtags *subtags)
{
    subtags->count = subtags->taken = 0;
    while (str_is_set(tag)) {
        struct str part = str_cut(&tag, '-');

        if (part.len == 0 || part.len > SUBTAG_MAX_BYTES || !is_made_of_alnum(part))
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

/*
 * The grammar has room for three, but the registry will never have one for the second or third
 * place (section 2.2.2).
 */
static void take_extlang(struct subtags *subtags)
{
    struct str pair = subtags->part[0];

    if (subtags->count < 2)
        return;
    pair.len += 1 + subtags->part[1].len;
    if (is_listed(SUBTAG_EXTLANG, pair))
        subtags->taken++;
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
    if (take(subtags, is_language, 1) == 0)
        return false;
    take_extlang(subtags);
    (void)take(subtags, is_script, 1);
    (void)take(subtags, is_region, 1);
    return take_variants(subtags) && take_extensions(subtags) && take_private_use(subtags);
}

static bool is_valid(struct str tag)
{
    struct subtags subtags;

    return split_into(tag, &subtags) && take_tag(&subtags) && subtags.taken == subtags.count;
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
 * the tag and behind a singleton (x included); all else is lower case.
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
    const char *grandfathered;

    canonical[0] = '\0';
    if (tag.len > LOCALE_MAX_BYTES)
        return VIOLATION_INVALID_LOCALE;
    grandfathered = wordlist_find(&subtag_lists[SUBTAG_GRANDFATHERED], tag);
    if (grandfathered != NULL)
        memcpy(canonical, grandfathered, tag.len + 1);
    else if (is_valid(tag))
        write_canonical(tag, canonical);
    else
        return VIOLATION_INVALID_LOCALE;
    return VIOLATION_NONE;
}
