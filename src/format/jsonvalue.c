#include "format/jsonvalue.h"

#include <json-c/json.h>
#include <limits.h>

#include "base/buf.h"

/* The text from which json-c builds. */
struct source {
    struct str text;
    struct buf mended; /* with what json-c gets wrong in another form; empty: as the text is */
    size_t mended_to;  /* the bytes of the text that `mended` has taken over */
};

/* Takes over what stands before `start`, and `instead` of what stands from there to `end`. */
static bool mend(struct source *source, size_t start, size_t end, struct str instead)
{
    buf_append(&source->mended, source->text.data + source->mended_to, start - source->mended_to);
    buf_append_str(&source->mended, instead);
    source->mended_to = end;
    return buf_is_good(&source->mended);
}

/*
 * json-c holds a whole number that int64_t cannot hold at the type's end, which makes a token's
 * time of expiry out of what is none. So such a number is built as the double that it can be: `.0`
 * is put behind it.
 */
static bool widen(void *context, size_t end)
{
    return mend(context, end, end, STR(".0"));
}

/*
 * json-c, at least up to 0.16, makes U+FFFD of escaped characters beyond U+1D7FF whose lower bits
 * look like a surrogate's: of U+2D800 for one, which is Chinese. So each is built from its bytes.
 */
static bool resolve_pair(void *context, size_t end)
{
    struct source *source = context;
    size_t start = end - STRICTJSON_PAIR_LEN;
    struct str character, escape = {source->text.data + start, STRICTJSON_PAIR_LEN};
    struct buf room;
    bool good;

    buf_init(&room, STRICTJSON_PAIR_LEN);
    good = strictjson_resolve(escape, &room, &character) && mend(source, start, end, character);
    buf_free(&room);
    return good;
}

/*
 * The text was scanned, so json-c has nothing to refuse; that it took all of it is checked all the
 * same. No flag: json-c 0.18 in its strict mode refuses every character outside of ASCII.
 */
static bool build(struct str text, struct json_object **out)
{
    /* json-c counts a level for the value itself and keeps one spare. */
    struct json_tokener *tokener = json_tokener_new_ex(STRICTJSON_DEPTH_MAX + 2);
    bool good;

    if (tokener == NULL)
        return false;
    *out = json_tokener_parse_ex(tokener, text.data, (int)text.len);
    good = json_tokener_get_parse_end(tokener) == text.len;
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

/* From the value alone, without the blanks around it, which json-c would not take. */
static bool build_from(struct source *source, struct str value, struct json_object **out)
{
    size_t end = (size_t)(value.data - source->text.data) + value.len;

    if (source->mended.len == 0)
        return build(value, out);
    return mend(source, end, end, STR("")) && build(buf_str(&source->mended), out);
}

/* ---- what was built beside what stands in the text */

struct comparison {
    struct json_object *value;
    struct buf name, room; /* an item's name as a C string; resolved escapes */
    size_t items;
    bool is_same;
};

/* An item of the outermost object or array; NULL where there is none, as for a JSON null. */
static struct json_object *find_built(struct comparison *comparison, struct str name)
{
    if (!str_is_set(name))
        return json_object_array_get_idx(comparison->value, comparison->items);
    buf_reset(&comparison->name);
    buf_append_str(&comparison->name, name);
    buf_append_byte(&comparison->name, '\0');
    if (!buf_is_good(&comparison->name))
        return NULL;
    return jsonvalue_member(comparison->value, comparison->name.data, NULL);
}

static bool compare_item(void *context, struct str name, const struct strictjson_value *value)
{
    struct comparison *comparison = context;
    struct json_object *built = find_built(comparison, name);
    struct str text = STR_NONE;

    if (value->kind == STRICTJSON_STRING &&
        !strictjson_resolve(value->text, &comparison->room, &text))
        return false;
    comparison->items++;
    comparison->is_same = comparison->is_same && str_equal(text, jsonvalue_string(built)) &&
                          (built == NULL) == (value->kind == STRICTJSON_NULL);
    return true;
}

static size_t count_items(struct json_object *value)
{
    if (json_object_is_type(value, json_type_object))
        return (size_t)json_object_object_length(value);
    return json_object_is_type(value, json_type_array) ? json_object_array_length(value) : 0;
}

/*
 * json-c 0.16, when memory is short, leaves out what it cannot add and ends a text where it is, and
 * tells nobody. A body has its members in the outermost object: these are compared.
 */
static bool is_whole(struct str text, struct json_object *value)
{
    struct comparison comparison = {.value = value, .is_same = true};
    const struct strictjson_visitor visitor = {.item = compare_item, .context = &comparison};
    bool good;

    buf_init(&comparison.name, text.len + 1);
    buf_init(&comparison.room, text.len);
    good = strictjson_scan(text, &visitor, NULL, NULL) == STRICTJSON_OK && comparison.is_same &&
           comparison.items == count_items(value);
    buf_free(&comparison.name);
    buf_free(&comparison.room);
    return good;
}

/* ---- the whole */

static bool build_whole(struct source *source, struct str value, struct json_object **out)
{
    if (value.len > INT_MAX / 4 || !build_from(source, value, out))
        return false;
    if (is_whole(value, *out))
        return true;
    json_object_put(*out);
    *out = NULL;
    return false;
}

enum strictjson_result jsonvalue_parse(struct str text, struct json_object **out,
                                       struct strictjson_place *place)
{
    struct source source = {.text = text};
    const struct strictjson_visitor visitor = {
        .wide_number = widen, .pair = resolve_pair, .context = &source};
    enum strictjson_result result;
    struct str value;

    *out = NULL;
    buf_init(&source.mended, text.len * 2 + 2);
    result = strictjson_scan(text, &visitor, &value, place);
    if (result == STRICTJSON_OK && !build_whole(&source, value, out))
        result = STRICTJSON_OUT_OF_MEMORY;
    buf_free(&source.mended);
    return result;
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
