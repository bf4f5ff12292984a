#include "format/strictjson.h"

#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "format/jsonnumber.h"

/* A name of an object that is still open. */
struct name {
    struct str text; /* escapes resolved; borrowed from the text or from `unescaped` */
    size_t offset;   /* of its opening quote */
};

enum { FEW_NAMES = 24 };

struct scanner {
    struct str text;
    const struct strictjson_visitor *visitor;
    size_t at; /* the next byte to be judged */
    size_t depth;
    struct name *names; /* of all open objects, the innermost one's last */
    size_t name_count, name_size;
    struct name few[FEW_NAMES]; /* where `names` begins: enough for most texts */
    struct buf unescaped;       /* names that had escapes */
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

/* Printable ASCII that stands for itself, which is most of most strings. */
static void skip_plain(struct scanner *scanner)
{
    const char *data = scanner->text.data;
    size_t at = scanner->at;

    while (at < scanner->text.len && data[at] >= ' ' && data[at] <= '~' && data[at] != '"' &&
           data[at] != '\\')
        at++;
    scanner->at = at;
}

/* *inside is what stands between the quotes, borrowed from the text, its escapes unresolved. */
static bool scan_string(struct scanner *scanner, struct str *inside)
{
    size_t start = scanner->at + 1;

    if (!expect(scanner, '"'))
        return false;
    for (skip_plain(scanner); !take(scanner, '"'); skip_plain(scanner))
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

static void unescape(struct str inside, struct buf *out)
{
    while (inside.len > 0) {
        const char *escape = memchr(inside.data, '\\', inside.len);
        size_t plain = escape == NULL ? inside.len : (size_t)(escape - inside.data);
        char bytes[4];

        buf_append(out, inside.data, plain);
        inside = (struct str){inside.data + plain, inside.len - plain};
        if (escape != NULL)
            buf_append(out, bytes, utf8_encode(resolve_escape(&inside), bytes));
    }
}

bool strictjson_resolve(struct str inside, struct buf *room, struct str *out)
{
    size_t before = room->len;
    char *start;

    *out = inside;
    if (!str_has_byte(inside, '\\'))
        return true;
    start = buf_reserve(room, room->max - room->len);
    if (start == NULL)
        return false;
    unescape(inside, room);
    *out = (struct str){start, room->len - before};
    return buf_is_good(room);
}

static bool grow_names(struct scanner *scanner)
{
    size_t size = scanner->name_size * 2;
    bool is_first = scanner->names == scanner->few;
    struct name *names =
        reallocarray(is_first ? NULL : scanner->names, size, sizeof(*scanner->names));

    if (names == NULL)
        return false;
    if (is_first)
        memcpy(names, scanner->few, sizeof(scanner->few));
    scanner->names = names;
    scanner->name_size = size;
    return true;
}

static bool push_name(struct scanner *scanner, const struct name *name)
{
    if (scanner->name_count == scanner->name_size && !grow_names(scanner))
        return fail_at(scanner, STRICTJSON_OUT_OF_MEMORY, name->offset);
    scanner->names[scanner->name_count++] = *name;
    return true;
}

static bool scan_name(struct scanner *scanner, struct name *name)
{
    name->offset = scanner->at;
    if (!scan_string(scanner, &name->text))
        return false;
    if (!strictjson_resolve(name->text, &scanner->unescaped, &name->text))
        return fail_at(scanner, STRICTJSON_OUT_OF_MEMORY, name->offset);
    return push_name(scanner, name);
}

static int compare_names(const void *a, const void *b)
{
    const struct name *left = a, *right = b;
    int order = str_compare(left->text, right->text);

    if (order != 0)
        return order;
    return (left->offset > right->offset) - (left->offset < right->offset);
}

/* The offset of the first name that was there before; SIZE_MAX: none. */
static size_t find_duplicate_of_few(const struct name *names, size_t count)
{
    for (size_t i = 1; i < count; i++)
        for (size_t j = 0; j < i; j++)
            if (str_equal(names[i].text, names[j].text))
                return names[i].offset;
    return SIZE_MAX;
}

/* Sorted, not hashed: no choice of names makes it slow. */
static size_t find_duplicate_of_many(struct name *names, size_t count)
{
    size_t offset = SIZE_MAX;

    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 1; i < count; i++)
        if (names[i].offset < offset && str_equal(names[i - 1].text, names[i].text))
            offset = names[i].offset;
    return offset;
}

static bool names_are_unique(struct scanner *scanner, size_t first)
{
    struct name *names = scanner->names + first;
    size_t count = scanner->name_count - first;
    size_t offset = count <= FEW_NAMES ? find_duplicate_of_few(names, count)
                                       : find_duplicate_of_many(names, count);

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

static bool judge_number(struct scanner *scanner, size_t start, bool is_whole)
{
    struct str number = {scanner->text.data + start, scanner->at - start};

    return (is_whole && jsonnumber_fits_int64(number)) || jsonnumber_fits_double(number) ||
           fail_at(scanner, STRICTJSON_NUMBER_RANGE, start);
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

static bool scan_value(struct scanner *scanner, struct strictjson_value *out);

/* Tells of a member or item of the outermost value; its name is STR_NONE in an array. */
static bool visit(struct scanner *scanner, struct str name, const struct strictjson_value *value)
{
    const struct strictjson_visitor *visitor = scanner->visitor;

    return scanner->depth > 1 || visitor == NULL || visitor->item(visitor->context, name, value) ||
           fail_at(scanner, STRICTJSON_OUT_OF_MEMORY, scanner->at);
}

static bool scan_member(struct scanner *scanner)
{
    struct strictjson_value value;
    struct name name;

    if (!scan_name(scanner, &name))
        return false;
    skip_blanks(scanner);
    if (!expect(scanner, ':'))
        return false;
    skip_blanks(scanner);
    return scan_value(scanner, &value) && visit(scanner, name.text, &value);
}

static bool scan_item(struct scanner *scanner)
{
    struct strictjson_value value;

    return scan_value(scanner, &value) && visit(scanner, STR_NONE, &value);
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
        good = take(scanner, '[') && scan_items(scanner, ']', scan_item);
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

static enum strictjson_kind kind_of(char first)
{
    switch (first) {
    case '{':
        return STRICTJSON_OBJECT;
    case '[':
        return STRICTJSON_ARRAY;
    case '"':
        return STRICTJSON_STRING;
    case 't':
        return STRICTJSON_TRUE;
    case 'f':
        return STRICTJSON_FALSE;
    case 'n':
        return STRICTJSON_NULL;
    default:
        return STRICTJSON_NUMBER;
    }
}

static bool scan_kind(struct scanner *scanner, enum strictjson_kind kind)
{
    struct str inside;

    switch (kind) {
    case STRICTJSON_OBJECT:
    case STRICTJSON_ARRAY:
        return scan_container(scanner);
    case STRICTJSON_STRING:
        return scan_string(scanner, &inside);
    case STRICTJSON_TRUE:
        return scan_word(scanner, "true");
    case STRICTJSON_FALSE:
        return scan_word(scanner, "false");
    case STRICTJSON_NULL:
        return scan_word(scanner, "null");
    default:
        return scan_number(scanner);
    }
}

static bool scan_value(struct scanner *scanner, struct strictjson_value *out)
{
    size_t quotes, start = scanner->at;

    out->kind = kind_of(peek(scanner));
    if (!scan_kind(scanner, out->kind))
        return false;
    quotes = out->kind == STRICTJSON_STRING;
    out->text = (struct str){scanner->text.data + start + quotes, scanner->at - start - 2 * quotes};
    return true;
}

/* ---- the gate */

static bool scan_text(struct scanner *scanner, struct strictjson_value *value)
{
    if (str_starts_with(scanner->text, STR("\xEF\xBB\xBF")))
        return fail_at(scanner, STRICTJSON_NOT_UTF8, 0);
    skip_blanks(scanner);
    if (scanner->at == scanner->text.len)
        return fail_at(scanner, STRICTJSON_EMPTY, scanner->at);
    if (!scan_value(scanner, value))
        return false;
    skip_blanks(scanner);
    return scanner->at == scanner->text.len || fail_here(scanner, STRICTJSON_TRAILING);
}

enum strictjson_result strictjson_scan(struct str text, const struct strictjson_visitor *visitor,
                                       struct strictjson_value *value,
                                       struct strictjson_place *place)
{
    struct scanner scanner;
    struct strictjson_value whole = {.text = STR_NONE};

    scanner.text = str_is_set(text) ? text : STR("");
    scanner.visitor = visitor;
    scanner.at = scanner.depth = scanner.name_count = scanner.fault = 0;
    scanner.names = scanner.few; /* which is left as it is: most of it is never used */
    scanner.name_size = FEW_NAMES;
    scanner.result = STRICTJSON_OK;
    buf_init(&scanner.unescaped, text.len);
    if (!scan_text(&scanner, &whole) && place != NULL)
        find_place(scanner.text, scanner.fault, place);
    if (value != NULL)
        *value = whole;
    if (scanner.names != scanner.few)
        free(scanner.names);
    buf_free(&scanner.unescaped);
    return scanner.result;
}

enum strictjson_result strictjson_scan_object(struct str text,
                                              const struct strictjson_visitor *visitor,
                                              struct strictjson_place *place)
{
    struct strictjson_value value;
    enum strictjson_result result = strictjson_scan(text, visitor, &value, place);

    if (result != STRICTJSON_OK || value.kind == STRICTJSON_OBJECT)
        return result;
    if (place != NULL)
        find_place(text, (size_t)(value.text.data - text.data) - (value.kind == STRICTJSON_STRING),
                   place);
    return STRICTJSON_NOT_OBJECT;
}
