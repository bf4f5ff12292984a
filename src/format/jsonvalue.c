#include "format/jsonvalue.h"

#include <errno.h>
#include <json-c/json.h>
#include <limits.h>

#include "base/buf.h"
#include "format/jsonnumber.h"

/*
 * Values are put together here, out of what the scan hands out; of json-c's own parser only that of
 * numbers is used. The rest of it takes some characters that are written as surrogate pairs for
 * halves of them (U+1D800 to U+1DFFF, and the like above), and, when memory is short, leaves out
 * what it cannot add, ends texts early, or crashes.
 */

/* ---- values without others in them */

static bool build_string(struct str inside, struct json_object **out)
{
    struct buf room;
    struct str text;

    buf_init(&room, inside.len);
    if (strictjson_resolve(inside, &room, &text) && text.len <= INT_MAX)
        *out = json_object_new_string_len(text.data, (int)text.len);
    buf_free(&room);
    return *out != NULL;
}

static bool build_int64(struct str number, struct json_object **out)
{
    bool is_negative = number.data[0] == '-';
    struct str digits = {number.data + is_negative, number.len - is_negative};
    int64_t value = INT64_MIN; /* the only one whose digits are not those of an int64_t */

    if (str_to_number(digits, INT64_MAX, &value) && is_negative)
        value = -value;
    *out = json_object_new_int64(value);
    return *out != NULL;
}

/*
 * By json-c, in every locale. It would hold a whole number that int64_t cannot hold at the type's
 * end, which makes a time of expiry out of what is none: so `.0` is put behind one.
 */
static bool build_double(struct str number, bool is_whole, struct json_object **out)
{
    struct buf text;

    buf_init(&text, number.len + sizeof(".0"));
    buf_append_str(&text, number);
    if (is_whole)
        buf_append_text(&text, ".0");
    buf_append_byte(&text, '\0');
    if (buf_is_good(&text))
        *out = json_tokener_parse(text.data);
    buf_free(&text);
    return *out != NULL;
}

static bool build_number(struct str number, struct json_object **out)
{
    bool is_whole =
        !str_has_byte(number, '.') && !str_has_byte(number, 'e') && !str_has_byte(number, 'E');

    if (is_whole && jsonnumber_fits_int64(number))
        return build_int64(number, out);
    return build_double(number, is_whole, out);
}

/* ---- objects and arrays; the recursion is bounded by STRICTJSON_DEPTH_MAX */

static bool build(const struct strictjson_value *value, struct json_object **out);

static bool add_item(void *context, struct str name, const struct strictjson_value *value)
{
    struct json_object *array = context, *item = NULL;

    (void)name;
    if (build(value, &item) && json_object_array_add(array, item) == 0)
        return true;
    json_object_put(item);
    return false;
}

static bool add_named(struct json_object *object, struct str name, struct json_object *member)
{
    struct buf text;
    bool good;

    buf_init(&text, name.len + 1);
    buf_append_str(&text, name);
    buf_append_byte(&text, '\0');
    good = buf_is_good(&text) && json_object_object_add(object, text.data, member) == 0;
    buf_free(&text);
    return good;
}

static bool add_member(void *context, struct str name, const struct strictjson_value *value)
{
    struct json_object *member = NULL;

    if (build(value, &member) && add_named(context, name, member))
        return true;
    json_object_put(member);
    return false;
}

/* Takes the empty container over; NULL is no success. */
static bool fill(struct str text, struct json_object *container,
                 bool (*add)(void *context, struct str name, const struct strictjson_value *value),
                 struct json_object **out)
{
    const struct strictjson_visitor visitor = {.item = add, .context = container};

    *out = container;
    return container != NULL && strictjson_scan(text, &visitor, NULL, NULL) == STRICTJSON_OK;
}

/* On failure *out may be part of a value, to be freed. */
static bool build(const struct strictjson_value *value, struct json_object **out)
{
    *out = NULL;
    switch (value->kind) {
    case STRICTJSON_STRING:
        return build_string(value->text, out);
    case STRICTJSON_NUMBER:
        return build_number(value->text, out);
    case STRICTJSON_OBJECT:
        return fill(value->text, json_object_new_object(), add_member, out);
    case STRICTJSON_ARRAY:
        return fill(value->text, json_object_new_array(), add_item, out);
    case STRICTJSON_TRUE:
    case STRICTJSON_FALSE:
        *out = json_object_new_boolean(value->kind == STRICTJSON_TRUE);
        return *out != NULL;
    case STRICTJSON_NULL:
        break;
    }
    return true;
}

/* ---- the whole */

enum strictjson_result jsonvalue_parse(struct str text, struct json_object **out,
                                       struct strictjson_place *place)
{
    struct strictjson_value value;
    enum strictjson_result result = strictjson_scan(text, NULL, &value, place);

    *out = NULL;
    if (result != STRICTJSON_OK || build(&value, out))
        return result;
    json_object_put(*out);
    *out = NULL;
    return STRICTJSON_OUT_OF_MEMORY;
}

enum strictjson_result jsonvalue_parse_object(struct str text, struct json_object **out,
                                              struct strictjson_place *place)
{
    enum strictjson_result result = jsonvalue_parse(text, out, place);

    if (result != STRICTJSON_OK || json_object_is_type(*out, json_type_object))
        return result;
    json_object_put(*out);
    *out = NULL;
    return strictjson_scan_object(text, NULL, place);
}

struct str jsonvalue_string(struct json_object *value)
{
    if (!json_object_is_type(value, json_type_string))
        return STR_NONE;
    return (struct str){json_object_get_string(value), (size_t)json_object_get_string_len(value)};
}

struct json_object *jsonvalue_member(struct json_object *object, const char *name, bool *is_there)
{
    struct json_object *value = NULL;
    bool found = json_object_object_get_ex(object, name, &value);

    if (is_there != NULL)
        *is_there = found;
    return value;
}

/* ---- writing */

/*
 * json-c drops what its print buffer cannot grow for and goes on: the text would lack a part and
 * nothing would tell. What malloc leaves in errno is the only trace.
 */
bool jsonvalue_append(struct json_object *value, struct buf *out)
{
    const char *text;
    size_t len = 0;

    errno = 0;
    text = json_object_to_json_string_length(
        value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
    if (text == NULL || errno == ENOMEM)
        return false;
    buf_append(out, text, len);
    return buf_is_good(out);
}
