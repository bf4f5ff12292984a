#include "profile/wordlist.h"

#include "profile/ascii.h"

static int compare(struct str a, struct str b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++) {
        int difference =
            (unsigned char)ascii_lower(a.data[i]) - (unsigned char)ascii_lower(b.data[i]);

        if (difference != 0)
            return difference;
    }
    return (a.len > b.len) - (a.len < b.len);
}

const char *wordlist_word(const struct wordlist *list, size_t number)
{
    return list->words + number * list->width;
}

const char *wordlist_find(const struct wordlist *list, struct str text)
{
    size_t first = 0, end = list->count;

    while (first < end) {
        size_t middle = first + (end - first) / 2;
        const char *word = wordlist_word(list, middle);
        int order = compare(text, str_from(word));

        if (order == 0)
            return word;
        if (order < 0)
            end = middle;
        else
            first = middle + 1;
    }
    return NULL;
}
