#include "base/utf8.h"

/* RFC 3629, section 4: what may follow a lead byte, by lead byte. */
struct form {
    unsigned char lead_min, lead_max;     /* of the first byte */
    unsigned char second_min, second_max; /* of the second; the others are 80 to BF */
    unsigned char len;
};

static const struct form forms[] = {
    {0x00, 0x7F, 0x00, 0x00, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2}, {0xE0, 0xE0, 0xA0, 0xBF, 3},
    {0xE1, 0xEC, 0x80, 0xBF, 3}, {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
    {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4}, {0xF4, 0xF4, 0x80, 0x8F, 4},
};

static const struct form *form_of(unsigned char lead)
{
    for (size_t i = 0; i < ARRAY_LENGTH(forms); i++)
        if (lead >= forms[i].lead_min && lead <= forms[i].lead_max)
            return &forms[i];
    return NULL;
}

static bool is_between(unsigned char byte, unsigned char min, unsigned char max)
{
    return byte >= min && byte <= max;
}

bool utf8_next(struct str *rest, uint32_t *code_point)
{
    const unsigned char *bytes = (const unsigned char *)rest->data;
    const struct form *form;
    uint32_t value;

    if (rest->len == 0)
        return false;
    form = form_of(bytes[0]);
    if (form == NULL || rest->len < form->len)
        return false;
    if (form->len > 1 && !is_between(bytes[1], form->second_min, form->second_max))
        return false;
    value = form->len == 1 ? bytes[0] : bytes[0] & (0xFFU >> (form->len + 1));
    for (size_t i = 1; i < form->len; i++) {
        if (!is_between(bytes[i], 0x80, 0xBF))
            return false;
        value = value << 6 | (bytes[i] & 0x3FU);
    }
    *code_point = value;
    rest->data += form->len;
    rest->len -= form->len;
    return true;
}

bool utf8_is_valid(struct str s)
{
    uint32_t code_point;

    while (s.len > 0)
        if (!utf8_next(&s, &code_point))
            return false;
    return true;
}

size_t utf8_length(struct str s)
{
    size_t length = 0;

    for (size_t i = 0; i < s.len; i++)
        if (((unsigned char)s.data[i] & 0xC0) != 0x80)
            length++;
    return length;
}

size_t utf8_encode(uint32_t code_point, char out[4])
{
    static const unsigned char lead_marks[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    size_t len;

    if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF))
        return 0;
    len = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    out[0] = (char)(lead_marks[len] | code_point);
    return len;
}
