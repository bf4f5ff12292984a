/*
 * The one gate through which JSON from outside comes in: bodies, token headers, claims. A scan by
 * RFC 8259 judges the text first, to the last byte; only then json-c builds the value, from a text
 * on which it cannot err. Refused besides what RFC 8259 refuses: bytes that are not UTF-8, unpaired
 * surrogates, U+0000 in names and strings, the same name twice in an object (compared after escapes
 * are resolved), numbers that neither int64_t nor a finite double can hold, nesting deeper than the
 * limit.
 */
#ifndef ME_FORMAT_STRICTJSON_H
#define ME_FORMAT_STRICTJSON_H

#include <json-c/json_types.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/str.h"

enum { STRICTJSON_DEPTH_MAX = 32 };

enum strictjson_result {
    STRICTJSON_OK = 0,
    STRICTJSON_EMPTY,         /* nothing but white space */
    STRICTJSON_SYNTAX,        /* not RFC 8259 */
    STRICTJSON_TRAILING,      /* something after the value */
    STRICTJSON_NOT_UTF8,      /* also a byte order mark */
    STRICTJSON_SURROGATE,     /* \ud800 without its half */
    STRICTJSON_NUL,           /* \u0000 or a NUL byte */
    STRICTJSON_DUPLICATE,     /* a name twice in one object */
    STRICTJSON_NUMBER_RANGE,  /* neither int64_t nor a finite double */
    STRICTJSON_DEPTH,         /* nested deeper than STRICTJSON_DEPTH_MAX */
    STRICTJSON_NOT_OBJECT,    /* JSON, but not the object that it has to be */
    STRICTJSON_OUT_OF_MEMORY, /* no fault of the text */
    STRICTJSON__MAX
};

struct strictjson_place {
    size_t offset; /* bytes before the fault */
    size_t line;   /* from 1 */
    size_t column; /* from 1, in code points */
};

/* A fixed English text for people: "is not UTF-8". Safe to send to a client. */
const char *strictjson_text(enum strictjson_result result);

/*
 * On STRICTJSON_OK *out is a value that the caller frees with json_object_put (NULL is the JSON
 * null, which has no object in json-c). On anything else *out is NULL and *place, where not NULL,
 * tells where.
 */
enum strictjson_result strictjson_parse(struct str text, struct json_object **out,
                                        struct strictjson_place *place) MUST_CHECK;

/* As strictjson_parse, for a text that has to be one object. */
enum strictjson_result strictjson_parse_object(struct str text, struct json_object **out,
                                               struct strictjson_place *place) MUST_CHECK;

/* A string value's bytes, borrowed from it; STR_NONE where the value is no string. */
struct str strictjson_string(struct json_object *value);

/*
 * The member of an object, borrowed; NULL where there is none (or its value is null: *is_there
 * tells, where not NULL).
 */
struct json_object *strictjson_member(struct json_object *object, const char *name, bool *is_there);

/* A member that has to be a string where it is there; *out is borrowed, STR_NONE where it is not.
 */
struct strictjson_text_member {
    const char *name;
    struct str *out;
};

/* Reads all of them. The name of the first that is there and no string; NULL: all are good. */
const char *strictjson_read_texts(struct json_object *object,
                                  const struct strictjson_text_member *members,
                                  size_t count) MUST_CHECK;

#endif
