/*
 * Sorted lists of words, compiled in: what somebody else's registry holds. Nothing is allocated or
 * made ready before the first look-up.
 */
#ifndef ME_PROFILE_WORDLIST_H
#define ME_PROFILE_WORDLIST_H

#include <stddef.h>

#include "base/compiler.h"
#include "base/str.h"

struct wordlist {
    const char *words; /* `count` rows of `width` bytes: a word, then NULs to the end of the row */
    size_t width, count;
};

/*
 * Of an array of char[count][width]. Its words ascend by their bytes with A-Z taken as a-z, a
 * prefix before what it is a prefix of, and no two are alike in that order.
 */
#define WORDLIST(array)                                                                            \
    {                                                                                              \
        (const char *)(array), sizeof((array)[0]), ARRAY_LENGTH(array)                             \
    }

/* The word of that number, from 0 on. */
const char *wordlist_word(const struct wordlist *list, size_t number);

/*
 * Looks a text up without regard to case (of A-Z alone). Returns the word as the list has it, or
 * NULL. The text may hold any bytes.
 */
const char *wordlist_find(const struct wordlist *list, struct str text);

#endif
