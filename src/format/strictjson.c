#include "format/strictjson.h"

#include <json-c/json.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"

/* A name of an object that is still open. */
struct name {
    struct str text; /* escapes resolved; borrowed from the text or from `unescaped` */
    size_t offset;   /* of its opening quote */
};

struct scanner {
    struct str text;
    size_t at; /* the next byte to be judged */
    size_t depth;
    struct name *names; /* of all open objects, the innermost one's last */
    size_t name_count, name_size;
    struct buf unescaped; /* names that had escapes; reserved at once, so that it never moves */
    struct str value;     /* of the whole text, once it was scanned */
    struct buf widened;   /* see widen_integer; empty: the text can be built from as it is */
    size_t widened_to;    /* the bytes of the text that `widened` has taken over */
    enum strictjson_result result;
    size_t fault; /* offset */
};

const char *strictjson_text(enum strictjson_result result)
{
    static const char *const texts[STRICTJSON__MAX] = {
        [STRICTJSON_OK] = "is JSON",
        [STRICTJSON_EMPTY] = "is empty",
        [STRICTJSON_SYNTAX] = "is not JSON",
        [STRICTJSON_TRAILING] = "has something after the JSON value",
        [STRICTJSON_NOT_UTF8] = "is not UTF-8 without a byte order mark",
        [STRICTJSON_SURROGATE] = "has an escape that is half of a surrogate pair",
        [STRICTJSON_NUL] = "has the character U+0000",
        [STRICTJSON_DUPLICATE] = "has the same name twice in one object",
        [STRICTJSON_NUMBER_RANGE] = "has a number that is too large",
        [STRICTJSON_DEPTH] = "is nested too deeply",
        [STRICTJSON_NOT_OBJECT] = "is not a JSON object",
        [STRICTJSON_OUT_OF_MEMORY] = "could not be read for want of memory",
    };

    return (size_t)result < STRICTJSON__MAX ? texts[result] : "has an unknown fault";
}

/* ---- faults */

static bool fail_at(struct scanner *scanner, enum strictjson_result result, size_t offset)
{
    scanner->result = result;
    scanner->fault = offset;
    return false;
}

/* The next byte cannot stand where it stands: tells what is wrong with it. */
static bool fail_here(struct scanner *scanner, enum strictjson_result otherwise)
{
    struct str rest = {scanner->text.data + scanner->at, scanner->text.len - scanner->at};
    uint32_t code_point;

    if (rest.len == 0)
        return fail_at(scanner, otherwise, scanner->at);
    if (rest.data[0] == '\0')
        return fail_at(scanner, STRICTJSON_NUL, scanner->at);
    if (!utf8_next(&rest, &code_point))
        return fail_at(scanner, STRICTJSON_NOT_UTF8, scanner->at);
    return fail_at(scanner, otherwise, scanner->at);
}

static void find_place(struct str text, size_t offset, struct strictjson_place *place)
{
    size_t line_start = 0;

    *place = (struct strictjson_place){.offset = offset, .line = 1};
    for (size_t i = 0; i < offset; i++) {
        if (text.data[i] == '\n') {
            place->line++;
            line_start = i + 1;
        }
    }
    place->column = 1 + utf8_length((struct str){text.data + line_start, offset - line_start});
}

/* ---- bytes */

/* The next byte; at the end of the text NUL, which is no byte of any token. */
static char peek(const struct scanner *scanner)
{
    return scanner->at < scanner->text.len ? scanner->text.data[scanner->at] : '\0';
}

static bool take(struct scanner *scanner, char byte)
{
    if (scanner->at == scanner->text.len || peek(scanner) != byte)
        return false;
    scanner->at++;
    return true;
}

static bool expect(struct scanner *scanner, char byte)
{
    return take(scanner, byte) || fail_here(scanner, STRICTJSON_SYNTAX);
}

static void skip_blanks(struct scanner *scanner)
{
    while (take(scanner, ' ') || take(scanner, '\t') || take(scanner, '\n') || take(scanner, '\r'))
        ;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* ---- strings (RFC 8259, section 7) */

static bool is_high_surrogate(uint32_t unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low_surrogate(uint32_t unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

static bool scan_hex4(struct scanner *scanner, uint32_t *unit)
{
    *unit = 0;
    for (int i = 0; i < 4; i++) {
        int value = hex_value(peek(scanner));

        if (value < 0)
            return fail_here(scanner, STRICTJSON_SYNTAX);
        *unit = *unit << 4 | (uint32_t)value;
        scanner->at++;
    }
    return true;
}

/* Behind `\u`; `start` is the offset of its backslash. */
static bool scan_unicode_escape(struct scanner *scanner, size_t start)
{
    uint32_t unit, low;

    if (!scan_hex4(scanner, &unit))
        return false;
    if (unit == 0)
        return fail_at(scanner, STRICTJSON_NUL, start);
    if (is_low_surrogate(unit))
        return fail_at(scanner, STRICTJSON_SURROGATE, start);
    if (!is_high_surrogate(unit))
        return true;
    if (!take(scanner, '\\') || !take(scanner, 'u'))
        return fail_at(scanner, STRICTJSON_SURROGATE, start);
    if (!scan_hex4(scanner, &low))
        return false;
    return is_low_surrogate(low) || fail_at(scanner, STRICTJSON_SURROGATE, start);
}

/* Behind the backslash. */
static bool scan_escape(struct scanner *scanner)
{
    size_t start = scanner->at - 1;

    if (take(scanner, 'u'))
        return scan_unicode_escape(scanner, start);
    if (peek(scanner) == '\0' || strchr("\"\\/bfnrt", peek(scanner)) == NULL)
        return fail_here(scanner, STRICTJSON_SYNTAX);
    scanner->at++;
    return true;
}

static bool scan_character(struct scanner *scanner)
{
    struct str rest = {scanner->text.data + scanner->at, scanner->text.len - scanner->at};
    uint32_t code_point;

    if ((unsigned char)peek(scanner) < ' ' || !utf8_next(&rest, &code_point))
        return fail_here(scanner, STRICTJSON_SYNTAX);
    scanner->at = scanner->text.len - rest.len;
    return true;
}

/* *inside is what stands between the quotes, borrowed from the text, its escapes unresolved. */
static bool scan_string(struct scanner *scanner, struct str *inside)
{
    size_t start = scanner->at + 1;

    if (!expect(scanner, '"'))
        return false;
    while (!take(scanner, '"'))
        if (!(take(scanner, '\\') ? scan_escape(scanner) : scan_character(scanner)))
            return false;
    *inside = (struct str){scanner->text.data + start, scanner->at - 1 - start};
    return true;
}

/* ---- names: escapes resolved, duplicates found */

static uint32_t hex4(const char *digits)
{
    uint32_t unit = 0;

    for (int i = 0; i < 4; i++)
        unit = unit << 4 | (uint32_t)hex_value(digits[i]);
    return unit;
}

/* Takes one escape, which was scanned before, off the front of *rest. */
static uint32_t resolve_escape(struct str *rest)
{
    static const char letters[] = "bfnrt", meanings[] = "\b\f\n\r\t";
    const char *at = rest->data, *letter;
    uint32_t unit;
    size_t len = 2;

    if (at[1] == 'u') {
        unit = hex4(at + 2);
        len = 6;
        if (is_high_surrogate(unit)) {
            unit = 0x10000 + ((unit - 0xD800) << 10) + (hex4(at + 8) - 0xDC00);
            len = 12;
        }
    } else {
        letter = strchr(letters, at[1]);
        unit = (unsigned char)(letter == NULL ? at[1] : meanings[letter - letters]);
    }
    rest->data += len;
    rest->len -= len;
    return unit;
}

static bool unescape(struct scanner *scanner, struct str inside, struct str *out)
{
    struct buf *to = &scanner->unescaped;
    /* Resolved escapes are never longer than they were, so this room is enough for all names. */
    char *start = buf_reserve(to, scanner->text.len - to->len);
    size_t before = to->len;

    if (start == NULL)
        return false;
    while (inside.len > 0) {
        char bytes[4];

        if (inside.data[0] == '\\') {
            buf_append(to, bytes, utf8_encode(resolve_escape(&inside), bytes));
            continue;
        }
        buf_append_byte(to, inside.data[0]);
        inside.data++;
        inside.len--;
    }
    *out = (struct str){start, to->len - before};
    return buf_is_good(to);
}

static bool push_name(struct scanner *scanner, const struct name *name)
{
    if (scanner->name_count == scanner->name_size) {
        size_t size = scanner->name_size == 0 ? 16 : scanner->name_size * 2;
        struct name *names = reallocarray(scanner->names, size, sizeof(*names));

        if (names == NULL)
            return fail_at(scanner, STRICTJSON_OUT_OF_MEMORY, name->offset);
        scanner->names = names;
        scanner->name_size = size;
    }
    scanner->names[scanner->name_count++] = *name;
    return true;
}

static bool scan_name(struct scanner *scanner)
{
    struct name name = {.offset = scanner->at};

    if (!scan_string(scanner, &name.text))
        return false;
    if (str_has_byte(name.text, '\\') && !unescape(scanner, name.text, &name.text))
        return fail_at(scanner, STRICTJSON_OUT_OF_MEMORY, name.offset);
    return push_name(scanner, &name);
}

static int compare_names(const void *a, const void *b)
{
    const struct name *left = a, *right = b;
    int order = str_compare(left->text, right->text);

    if (order != 0)
        return order;
    return (left->offset > right->offset) - (left->offset < right->offset);
}

/* Sorted, not hashed: no choice of names makes it slow. */
static bool names_are_unique(struct scanner *scanner, size_t first)
{
    struct name *names;
    size_t count = scanner->name_count - first, offset = SIZE_MAX;

    if (count < 2)
        return true;
    names = scanner->names + first;
    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 1; i < count; i++)
        if (names[i].offset < offset && str_equal(names[i - 1].text, names[i].text))
            offset = names[i].offset;
    return offset == SIZE_MAX || fail_at(scanner, STRICTJSON_DUPLICATE, offset);
}

/* ---- numbers (RFC 8259, section 6) */

static bool scan_digits(struct scanner *scanner)
{
    if (!is_digit(peek(scanner)))
        return fail_here(scanner, STRICTJSON_SYNTAX);
    while (is_digit(peek(scanner)))
        scanner->at++;
    return true;
}

static bool fits_int64(struct str number)
{
    int64_t value;

    if (str_equal(number, STR("-9223372036854775808")))
        return true;
    if (number.data[0] == '-')
        number = (struct str){number.data + 1, number.len - 1};
    return str_to_number(number, INT64_MAX, &value);
}

/* The exponent that is written behind `e`, held at the ends of what makes a difference. */
static int64_t written_exponent(struct str number)
{
    const int64_t limit = INT64_C(1) << 40;
    struct str mantissa = str_cut(&number, 'e');
    bool negative;
    int64_t value;

    if (!str_is_set(number)) {
        number = mantissa;
        (void)str_cut(&number, 'E');
    }
    if (!str_is_set(number))
        return 0;
    negative = number.data[0] == '-';
    if (negative || number.data[0] == '+')
        number = (struct str){number.data + 1, number.len - 1};
    if (!str_to_number(number, limit, &value))
        value = limit;
    return negative ? -value : value;
}

/*
 * Whether the magnitude is below 1.7976931348623158e308, the first 17-digit number above the
 * largest double. Judged on the digits, since strtod follows the locale.
 */
static bool fits_double(struct str number)
{
    static const char too_large[] = "17976931348623158";
    const size_t digits_max = sizeof(too_large) - 1;
    char digits[sizeof(too_large)] = "";
    size_t count = 0;
    int64_t exponent = written_exponent(number) - 1; /* of ten, of the first digit that is not 0 */
    bool in_fraction = false;

    for (size_t i = 0; i < number.len && number.data[i] != 'e' && number.data[i] != 'E'; i++) {
        char c = number.data[i];

        in_fraction = in_fraction || c == '.';
        if (!is_digit(c))
            continue;
        if (count > 0 || c != '0') {
            exponent += !in_fraction;
            if (count < digits_max)
                digits[count++] = c;
        } else {
            exponent -= in_fraction;
        }
    }
    if (count == 0 || exponent != 308)
        return count == 0 || exponent < 308;
    memset(digits + count, '0', digits_max - count);
    return memcmp(digits, too_large, digits_max) < 0;
}

/*
 * json-c holds a whole number that int64_t cannot hold at the type's end, which makes a token's
 * time of expiry out of what is none. So such a number is built as the double that it can be:
 * `.0` is put behind it in a copy of the text.
 */
static bool widen_integer(struct scanner *scanner)
{
    struct buf *to = &scanner->widened;
    struct str text = scanner->text;

    buf_append(to, text.data + scanner->widened_to, scanner->at - scanner->widened_to);
    buf_append_text(to, ".0");
    scanner->widened_to = scanner->at;
    return buf_is_good(to) || fail_at(scanner, STRICTJSON_OUT_OF_MEMORY, scanner->at);
}

static bool judge_number(struct scanner *scanner, size_t start, bool is_whole)
{
    struct str number = {scanner->text.data + start, scanner->at - start};

    if (is_whole && fits_int64(number))
        return true;
    if (!fits_double(number))
        return fail_at(scanner, STRICTJSON_NUMBER_RANGE, start);
    return !is_whole || widen_integer(scanner);
}

static bool scan_number(struct scanner *scanner)
{
    size_t start = scanner->at;
    bool is_whole = true;

    (void)take(scanner, '-');
    if (!take(scanner, '0') && !scan_digits(scanner))
        return false;
    if (take(scanner, '.')) {
        is_whole = false;
        if (!scan_digits(scanner))
            return false;
    }
    if (take(scanner, 'e') || take(scanner, 'E')) {
        is_whole = false;
        if (!take(scanner, '+'))
            (void)take(scanner, '-');
        if (!scan_digits(scanner))
            return false;
    }
    return judge_number(scanner, start, is_whole);
}

/* ---- values; the recursion is bounded by STRICTJSON_DEPTH_MAX */

static bool scan_value(struct scanner *scanner);

static bool scan_member(struct scanner *scanner)
{
    if (!scan_name(scanner))
        return false;
    skip_blanks(scanner);
    if (!expect(scanner, ':'))
        return false;
    skip_blanks(scanner);
    return scan_value(scanner);
}

/* What stands between the brackets: `scan_one`, separated by commas, up to and with `end`. */
static bool scan_items(struct scanner *scanner, char end, bool (*scan_one)(struct scanner *))
{
    skip_blanks(scanner);
    if (take(scanner, end))
        return true;
    for (;;) {
        if (!scan_one(scanner))
            return false;
        skip_blanks(scanner);
        if (take(scanner, end))
            return true;
        if (!expect(scanner, ','))
            return false;
        skip_blanks(scanner);
    }
}

static bool scan_object(struct scanner *scanner)
{
    size_t first = scanner->name_count;

    if (!scan_items(scanner, '}', scan_member) || !names_are_unique(scanner, first))
        return false;
    scanner->name_count = first;
    return true;
}

static bool scan_container(struct scanner *scanner)
{
    bool good;

    if (scanner->depth == STRICTJSON_DEPTH_MAX)
        return fail_at(scanner, STRICTJSON_DEPTH, scanner->at);
    scanner->depth++;
    if (take(scanner, '{'))
        good = scan_object(scanner);
    else
        good = take(scanner, '[') && scan_items(scanner, ']', scan_value);
    scanner->depth--;
    return good;
}

static bool scan_word(struct scanner *scanner, const char *word)
{
    for (; *word != '\0'; word++)
        if (!expect(scanner, *word))
            return false;
    return true;
}

static bool scan_value(struct scanner *scanner)
{
    struct str inside;

    switch (peek(scanner)) {
    case '{':
    case '[':
        return scan_container(scanner);
    case '"':
        return scan_string(scanner, &inside);
    case 't':
        return scan_word(scanner, "true");
    case 'f':
        return scan_word(scanner, "false");
    case 'n':
        return scan_word(scanner, "null");
    default:
        return scan_number(scanner);
    }
}

/* On success `value` is the value alone, without the blanks around it. */
static bool scan_text(struct scanner *scanner)
{
    size_t start;

    if (str_starts_with(scanner->text, STR("\xEF\xBB\xBF")))
        return fail_at(scanner, STRICTJSON_NOT_UTF8, 0);
    skip_blanks(scanner);
    if (scanner->at == scanner->text.len)
        return fail_at(scanner, STRICTJSON_EMPTY, scanner->at);
    start = scanner->widened_to = scanner->at;
    if (!scan_value(scanner))
        return false;
    scanner->value = (struct str){scanner->text.data + start, scanner->at - start};
    if (scanner->widened.len > 0)
        buf_append(&scanner->widened, scanner->text.data + scanner->widened_to,
                   scanner->at - scanner->widened_to);
    skip_blanks(scanner);
    return scanner->at == scanner->text.len || fail_here(scanner, STRICTJSON_TRAILING);
}

/* ---- building */

/*
 * `value` was scanned, so json-c has nothing to refuse; that it took all of it is checked all the
 * same. No flag: json-c 0.18 in its strict mode refuses every character outside of ASCII.
 */
static bool build(struct str value, struct json_object **out)
{
    /* json-c counts a level for the value itself and keeps one spare. */
    struct json_tokener *tokener = json_tokener_new_ex(STRICTJSON_DEPTH_MAX + 2);
    bool good;

    if (tokener == NULL)
        return false;
    *out = json_tokener_parse_ex(tokener, value.data, (int)value.len);
    good = json_tokener_get_parse_end(tokener) == value.len;
    /* Only a byte behind it tells json-c that a number or a word is over. */
    if (good && json_tokener_get_error(tokener) == json_tokener_continue)
        *out = json_tokener_parse_ex(tokener, " ", 1);
    good = good && json_tokener_get_error(tokener) == json_tokener_success;
    json_tokener_free(tokener);
    if (good)
        return true;
    json_object_put(*out);
    *out = NULL;
    return false;
}

/* ---- the gate */

static void scanner_init(struct scanner *scanner, struct str text)
{
    *scanner = (struct scanner){.text = text};
    buf_init(&scanner->unescaped, text.len);
    buf_init(&scanner->widened, text.len * 2);
}

static void scanner_free(struct scanner *scanner)
{
    free(scanner->names);
    buf_free(&scanner->unescaped);
    buf_free(&scanner->widened);
}

static bool scan_and_build(struct scanner *scanner, struct json_object **out)
{
    struct str value;

    if (scanner->text.len > INT_MAX / 4)
        return fail_at(scanner, STRICTJSON_OUT_OF_MEMORY, 0);
    if (!scan_text(scanner))
        return false;
    value = scanner->widened.len > 0 ? buf_str(&scanner->widened) : scanner->value;
    return build(value, out) || fail_at(scanner, STRICTJSON_OUT_OF_MEMORY, 0);
}

enum strictjson_result strictjson_parse(struct str text, struct json_object **out,
                                        struct strictjson_place *place)
{
    struct scanner scanner;
    enum strictjson_result result = STRICTJSON_OK;

    *out = NULL;
    if (!str_is_set(text))
        text = STR("");
    scanner_init(&scanner, text);
    if (!scan_and_build(&scanner, out)) {
        result = scanner.result;
        if (place != NULL)
            find_place(text, scanner.fault, place);
    }
    scanner_free(&scanner);
    return result;
}

enum strictjson_result strictjson_parse_object(struct str text, struct json_object **out,
                                               struct strictjson_place *place)
{
    enum strictjson_result result = strictjson_parse(text, out, place);

    if (result != STRICTJSON_OK || json_object_is_type(*out, json_type_object))
        return result;
    json_object_put(*out);
    *out = NULL;
    if (place != NULL)
        find_place(text, 0, place);
    return STRICTJSON_NOT_OBJECT;
}

struct str strictjson_string(struct json_object *value)
{
    if (!json_object_is_type(value, json_type_string))
        return STR_NONE;
    return (struct str){json_object_get_string(value), (size_t)json_object_get_string_len(value)};
}

struct json_object *strictjson_member(struct json_object *object, const char *name, bool *is_there)
{
    struct json_object *value = NULL;
    bool found = json_object_object_get_ex(object, name, &value);

    if (is_there != NULL)
        *is_there = found;
    return value;
}

const char *strictjson_read_texts(struct json_object *object,
                                  const struct strictjson_text_member *members, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        bool is_there;
        struct json_object *value = strictjson_member(object, members[i].name, &is_there);

        *members[i].out = is_there ? strictjson_string(value) : STR_NONE;
        if (is_there && !str_is_set(*members[i].out))
            return members[i].name;
    }
    return NULL;
}
