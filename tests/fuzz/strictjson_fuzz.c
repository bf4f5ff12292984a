#include "format/strictjson.h"

#include <json-c/json.h>
#include <math.h>
#include <string.h>

#include "format/jsonnumber.h"
#include "format/jsonvalue.h"
#include "fuzz.h"

/* ---- what the visitor tells beside what was built */

struct beside {
    struct json_object *value;
    size_t items;
    struct buf *room;
};

static void require_string(struct beside *beside, struct str inside, struct json_object *built)
{
    struct str text;

    require(strictjson_resolve(inside, beside->room, &text), "escapes can be resolved");
    require(str_equal(text, jsonvalue_string(built)), "the value has the same string");
}

/* json-c has a double, so the last digits of a large number are out of its reach. */
static void require_number(struct str number, struct json_object *built)
{
    double exact = json_object_get_double(built) * 1000;
    int64_t is;

    if (!jsonnumber_thousandths(number, INT64_C(253402300799999), &is))
        require(exact < 0 || number.data[0] == '-' || exact > 253402300799998.9,
                "what is refused is out of range");
    else
        require(fabs((double)is - exact) <= 0.5 + fabs(exact) * 1e-15,
                "thousandths are those of the number");
}

static const enum json_type types[] = {
    [STRICTJSON_STRING] = json_type_string, [STRICTJSON_OBJECT] = json_type_object,
    [STRICTJSON_ARRAY] = json_type_array,   [STRICTJSON_TRUE] = json_type_boolean,
    [STRICTJSON_FALSE] = json_type_boolean, [STRICTJSON_NULL] = json_type_null,
};

static void require_value(struct beside *beside, const struct strictjson_value *value,
                          struct json_object *built)
{
    if (value->kind == STRICTJSON_NUMBER) {
        require(json_object_is_type(built, json_type_int) ||
                    json_object_is_type(built, json_type_double),
                "the value has a number, too");
        require_number(value->text, built);
        return;
    }
    require(json_object_is_type(built, types[value->kind]), "the value has the same kind");
    if (value->kind == STRICTJSON_STRING)
        require_string(beside, value->text, built);
}

static bool visit_item(void *context, struct str name, const struct strictjson_value *value)
{
    struct beside *beside = context;
    struct json_object *built = NULL;
    struct buf text;

    if (!str_is_set(name)) {
        built = json_object_array_get_idx(beside->value, beside->items++);
    } else {
        beside->items++;
        buf_init(&text, name.len + 1);
        buf_append_str(&text, name);
        buf_append_byte(&text, '\0');
        require(strlen(text.data) == name.len, "no name has a NUL in it");
        require(json_object_object_get_ex(beside->value, text.data, &built),
                "the value has the same name");
        buf_free(&text);
    }
    require_value(beside, value, built);
    return true;
}

static void agrees_with_the_scan(struct str text, struct json_object *value)
{
    struct buf room;
    struct beside beside = {value, 0, &room};
    const struct strictjson_visitor visitor = {.item = visit_item, .context = &beside};
    size_t count = 0;

    buf_init(&room, text.len * 2 + 8); /* the scanner's own names are not in it */
    require(strictjson_scan(text, &visitor, NULL, NULL) == STRICTJSON_OK, "a scan can be repeated");
    if (json_object_is_type(value, json_type_object))
        count = (size_t)json_object_object_length(value);
    else if (json_object_is_type(value, json_type_array))
        count = json_object_array_length(value);
    require(beside.items == count, "no item is told twice or left out");
    buf_free(&room);
}

/* ---- what was accepted is accepted again when json-c has written it */

static void survives_being_written(struct json_object *value)
{
    const char *text = json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN);
    struct json_object *again;

    require(jsonvalue_parse(str_from(text), &again, NULL) == STRICTJSON_OK,
            "what json-c writes is accepted");
    require(json_object_equal(value, again) != 0, "and is the same value");
    json_object_put(again);
}

static void place_is_within(struct str text, const struct strictjson_place *place)
{
    require(place->offset <= text.len, "the place is within the text");
    require(place->line >= 1 && place->line <= text.len + 1, "the line is within the text");
    require(place->column >= 1 && place->column <= text.len + 1, "the column is within the text");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {size == 0 ? "" : (const char *)data, size};
    struct strictjson_place place = {0};
    struct json_object *value = NULL;
    enum strictjson_result scanned = strictjson_scan(text, NULL, NULL, &place);
    enum strictjson_result built = jsonvalue_parse(text, &value, NULL);

    require(scanned == built, "what the gate lets through is built");
    require(scanned != STRICTJSON_OUT_OF_MEMORY, "memory suffices");
    if (scanned == STRICTJSON_OK) {
        agrees_with_the_scan(text, value);
        survives_being_written(value);
        require((strictjson_scan_object(text, NULL, NULL) == STRICTJSON_OK) ==
                    json_object_is_type(value, json_type_object),
                "an object is one to both");
    } else {
        require(value == NULL, "nothing is built of what is refused");
        place_is_within(text, &place);
    }
    json_object_put(value);
    return 0;
}
