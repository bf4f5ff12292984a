#include "format/mediatype.h"

#include <string.h>

enum { QUALITY_MAX = 1000 };

/* RFC 9110, section 5.6.2. */
static bool is_token_character(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static bool is_token(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_token_character(text.data[i]))
            return false;
    return text.len > 0;
}

/* Cuts at the separator, but not inside a quoted string (RFC 9110, section 5.6.4). */
static struct str cut_outside_quotes(struct str *rest, char separator)
{
    struct str part = *rest;
    bool quoted = false;

    for (size_t i = 0; i < part.len; i++) {
        char c = part.data[i];

        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (c == separator && !quoted) {
            *rest = (struct str){part.data + i + 1, part.len - i - 1};
            return (struct str){part.data, i};
        }
    }
    *rest = STR_NONE;
    return part;
}

/* RFC 9110, section 5.6.4: a tab, and all but control characters; quote and backslash escaped. */
static bool is_quoted_text(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '\\')
            i++;
        else if (text.data[i] == '"')
            return false;
        if (i == text.len || text.data[i] == '\x7F' ||
            ((unsigned char)text.data[i] < ' ' && text.data[i] != '\t'))
            return false;
    }
    return true;
}

/* Between the quotes; escapes are left as they are, since no value that we know has any. */
static bool unquote(struct str *value)
{
    if (value->len < 2 || value->data[0] != '"' || value->data[value->len - 1] != '"')
        return is_token(*value);
    *value = (struct str){value->data + 1, value->len - 2};
    return is_quoted_text(*value);
}

struct parameter {
    struct str name, value;
};

/* Takes the next parameter off. An empty one (";;") is allowed by the grammar and has no name. */
static bool next_parameter(struct str *rest, struct parameter *out)
{
    struct str text = str_trim(cut_outside_quotes(rest, ';'));

    *out = (struct parameter){STR_NONE, STR_NONE};
    if (text.len == 0)
        return true;
    out->value = text;
    out->name = str_cut(&out->value, '=');
    return is_token(out->name) && str_is_set(out->value) && unquote(&out->value);
}

static bool is_name(struct str text)
{
    struct str subtype = text, type = str_cut(&subtype, '/');

    return is_token(type) && str_is_set(subtype) && is_token(subtype);
}

bool mediatype_parse(struct str header, struct mediatype *out)
{
    struct parameter parameter;

    *out = (struct mediatype){STR_NONE, STR_NONE};
    out->name = str_trim(cut_outside_quotes(&header, ';'));
    if (!is_name(out->name))
        return false;
    while (str_is_set(header)) {
        if (!next_parameter(&header, &parameter))
            return false;
        if (!str_equal_nocase(parameter.name, STR("charset")))
            continue;
        if (str_is_set(out->charset))
            return false;
        out->charset = parameter.value;
    }
    return true;
}

bool mediatype_is(const struct mediatype *type, const char *name)
{
    return str_equal_nocase(type->name, str_from(name));
}

/* RFC 9110, section 12.4.2: 0 or 1 with up to three decimals. */
static bool parse_quality(struct str text, int *out)
{
    int quality, unit = QUALITY_MAX / 10;

    if (text.len == 0 || text.len > 5 || (text.data[0] != '0' && text.data[0] != '1') ||
        (text.len > 1 && text.data[1] != '.'))
        return false;
    quality = (text.data[0] - '0') * QUALITY_MAX;
    for (size_t i = 2; i < text.len; i++, unit /= 10) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        quality += (text.data[i] - '0') * unit;
    }
    *out = quality;
    return quality <= QUALITY_MAX;
}

/* How closely a range names the type: 0 not at all, 1 by any type, 2 by any subtype, 3 itself. */
static int specificity(struct str range, struct str type)
{
    struct str subtype = type, prefix = str_cut(&subtype, '/');
    struct str range_subtype = range, range_prefix = str_cut(&range_subtype, '/');

    if (str_equal_nocase(range, type))
        return 3;
    if (!str_equal(range_subtype, STR("*")))
        return 0;
    if (str_equal(range_prefix, STR("*")))
        return 1;
    return str_equal_nocase(range_prefix, prefix) ? 2 : 0;
}

/* A range with parameters other than q is for a form of the type that we do not have. */
static bool parse_range(struct str text, struct str *range, int *quality)
{
    struct parameter parameter;

    *quality = QUALITY_MAX;
    *range = str_trim(cut_outside_quotes(&text, ';'));
    if (!is_name(*range))
        return false;
    while (str_is_set(text)) {
        if (!next_parameter(&text, &parameter))
            return false;
        if (!str_is_set(parameter.name))
            continue;
        if (!str_equal_nocase(parameter.name, STR("q")))
            return false;
        return parse_quality(parameter.value, quality);
    }
    return true;
}

int mediatype_quality(struct str accept, const char *type)
{
    int best = 0, quality = 0;

    if (str_trim(accept).len == 0)
        return QUALITY_MAX;
    while (str_is_set(accept)) {
        struct str member = cut_outside_quotes(&accept, ','), range;
        int member_quality, closeness;

        if (!parse_range(member, &range, &member_quality))
            continue;
        closeness = specificity(range, str_from(type));
        if (closeness <= best)
            continue;
        best = closeness;
        quality = member_quality;
    }
    return quality;
}
