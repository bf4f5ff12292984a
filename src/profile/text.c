#include "profile/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/utf8.h"

/* What a kind of text allows. */
struct text_rules {
    size_t max_length;
    bool may_be_blank;
    bool may_have_lines; /* tab and line feed */
};

/* Unicode, PropList.txt: White_Space. */
static const struct {
    uint32_t first, last;
} white_space[] = {
    {0x0009, 0x000D}, {0x0020, 0x0020}, {0x0085, 0x0085}, {0x00A0, 0x00A0}, {0x1680, 0x1680},
    {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F}, {0x205F, 0x205F}, {0x3000, 0x3000},
};

static bool is_white_space(uint32_t code_point)
{
    for (size_t i = 0; i < ARRAY_LENGTH(white_space); i++)
        if (code_point >= white_space[i].first && code_point <= white_space[i].last)
            return true;
    return false;
}

static bool is_control(uint32_t code_point)
{
    return code_point < 0x20 || (code_point >= 0x7F && code_point <= 0x9F);
}

static bool is_line_layout(uint32_t code_point)
{
    return code_point == '\t' || code_point == '\n';
}

static enum violation validate_text(struct str text, const struct text_rules *rules)
{
    bool is_blank = true, has_control = false;
    size_t length = 0;

    for (; text.len > 0; length++) {
        uint32_t code_point;

        if (!utf8_next(&text, &code_point))
            return VIOLATION_NOT_UTF8;
        is_blank = is_blank && is_white_space(code_point);
        if (is_control(code_point) && !(rules->may_have_lines && is_line_layout(code_point)))
            has_control = true;
    }
    if (has_control)
        return VIOLATION_CONTROL_CHARACTER;
    if (length > rules->max_length)
        return VIOLATION_TOO_LONG;
    return is_blank && !rules->may_be_blank ? VIOLATION_BLANK : VIOLATION_NONE;
}

enum violation validate_name(struct str text)
{
    static const struct text_rules rules = {.max_length = NAME_MAX_LENGTH};

    return validate_text(text, &rules);
}

enum violation validate_bio(struct str text)
{
    static const struct text_rules rules = {
        .max_length = BIO_MAX_LENGTH, .may_be_blank = true, .may_have_lines = true};

    return validate_text(text, &rules);
}
