#include "format/entitytag.h"

/* etagc of RFC 9110, section 8.8.3. */
static bool is_tag_character(char c)
{
    unsigned char byte = (unsigned char)c;

    return byte == 0x21 || (byte >= 0x23 && byte != 0x7F);
}

static void skip_blanks(struct str *rest)
{
    while (rest->len > 0 && (rest->data[0] == ' ' || rest->data[0] == '\t')) {
        rest->data++;
        rest->len--;
    }
}

struct tag {
    struct str text; /* with its quotes, without W/ */
    bool is_weak;
};

/* Takes one tag off the front. */
static bool next_tag(struct str *rest, struct tag *out)
{
    size_t len = 1;

    out->is_weak = str_starts_with(*rest, STR("W/"));
    if (out->is_weak) {
        rest->data += 2;
        rest->len -= 2;
    }
    if (rest->len < 2 || rest->data[0] != '"')
        return false;
    while (len < rest->len && is_tag_character(rest->data[len]))
        len++;
    if (len == rest->len || rest->data[len] != '"')
        return false;
    out->text = (struct str){rest->data, len + 1};
    rest->data += len + 1;
    rest->len -= len + 1;
    return true;
}

/* The separator after a member, or the end of the list. Empty members are allowed (RFC 9110,
 * section 5.6.1.2). */
static bool skip_separators(struct str *rest)
{
    bool found = false;

    skip_blanks(rest);
    while (rest->len > 0 && rest->data[0] == ',') {
        found = true;
        rest->data++;
        rest->len--;
        skip_blanks(rest);
    }
    return found || rest->len == 0;
}

static enum entitytag_match match(struct str header, struct str etag, bool takes_weak)
{
    enum entitytag_match result = ENTITYTAG_NO_MATCH;
    size_t count = 0;
    struct tag tag;

    if (str_equal(str_trim(header), STR("*")))
        return ENTITYTAG_MATCH;
    (void)skip_separators(&header);
    while (header.len > 0) {
        if (!next_tag(&header, &tag) || !skip_separators(&header))
            return ENTITYTAG_MALFORMED;
        count++;
        if ((takes_weak || !tag.is_weak) && str_equal(tag.text, etag))
            result = ENTITYTAG_MATCH;
    }
    return count > 0 ? result : ENTITYTAG_MALFORMED;
}

enum entitytag_match entitytag_match_strong(struct str header, struct str etag)
{
    return match(header, etag, false);
}

enum entitytag_match entitytag_match_weak(struct str header, struct str etag)
{
    return match(header, etag, true);
}
