/*
 * JSON from outside as a value of json-c: the strict gate (format/strictjson.h) judges the text
 * first, to the last byte; only then json-c builds the value, from a text on which it cannot err.
 */
#ifndef ME_FORMAT_JSONVALUE_H
#define ME_FORMAT_JSONVALUE_H

#include <json-c/json_types.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/str.h"
#include "format/strictjson.h"

/*
 * On STRICTJSON_OK *out is a value that the caller frees with json_object_put (NULL is the JSON
 * null, which has no object in json-c). On anything else *out is NULL and *place, where not NULL,
 * tells where. A whole number that int64_t cannot hold is a double.
 */
enum strictjson_result jsonvalue_parse(struct str text, struct json_object **out,
                                       struct strictjson_place *place) MUST_CHECK;

/* As jsonvalue_parse, for a text that has to be one object. */
enum strictjson_result jsonvalue_parse_object(struct str text, struct json_object **out,
                                              struct strictjson_place *place) MUST_CHECK;

/* A string value's bytes, borrowed from it; STR_NONE where the value is no string. */
struct str jsonvalue_string(struct json_object *value);

/*
 * The member of an object, borrowed; NULL where there is none (or its value is null: *is_there
 * tells, where not NULL).
 */
struct json_object *jsonvalue_member(struct json_object *object, const char *name, bool *is_there);

/* Appends the value as JSON text without blanks. False: out of memory, or over the cap; nothing may be
 * made of `out` then. */
bool jsonvalue_append(struct json_object *value, struct buf *out) MUST_CHECK;

#endif
