/*
 * The one gate through which JSON from outside comes in: bodies, token headers, claims, key files.
 * One scan by RFC 8259 judges a text to the last byte and hands out what stands in it. Refused
 * besides what RFC 8259 refuses: bytes that are not UTF-8, unpaired surrogates, U+0000 in names and
 * strings, the same name twice in an object (compared after escapes are resolved), numbers that
 * neither int64_t nor a finite double can hold, nesting deeper than the limit. Knows nothing of
 * json-c: format/jsonvalue.h builds its values.
 */
#ifndef ME_FORMAT_STRICTJSON_H
#define ME_FORMAT_STRICTJSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
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

enum strictjson_kind {
    STRICTJSON_STRING,
    STRICTJSON_NUMBER,
    STRICTJSON_OBJECT,
    STRICTJSON_ARRAY,
    STRICTJSON_TRUE,
    STRICTJSON_FALSE,
    STRICTJSON_NULL
};

/* A value as it stands in the text, borrowed from it. */
struct strictjson_value {
    enum strictjson_kind kind;
    struct str text; /* of a string what is between its quotes, escapes unresolved */
};

/* What is told while a text is scanned. */
struct strictjson_visitor {
    void *context;
    /*
     * A member of the outermost object, in the order of the text, or an item of the outermost
     * array, whose name is STR_NONE. The name's escapes are resolved; it is borrowed for the call.
     * The text behind it was not judged yet: what is made of it counts only once the result is OK.
     * False ends the scan as out of memory.
     */
    bool (*item)(void *context, struct str name, const struct strictjson_value *value);
};

/*
 * Judges the whole text. On STRICTJSON_OK *value, where not NULL, is its value, and otherwise
 * *place, where not NULL, tells where it went wrong. `visitor` may be NULL.
 */
enum strictjson_result strictjson_scan(struct str text, const struct strictjson_visitor *visitor,
                                       struct strictjson_value *value,
                                       struct strictjson_place *place) MUST_CHECK;

/* As strictjson_scan, for a text that has to be one object. */
enum strictjson_result strictjson_scan_object(struct str text,
                                              const struct strictjson_visitor *visitor,
                                              struct strictjson_place *place) MUST_CHECK;

/*
 * The string that stands between the quotes: borrowed from the text where it has no escapes, else
 * resolved into `room`. The room's cap has to be the length of the whole text (no string gets
 * longer by it): it is reserved at once, so that what was resolved before never moves.
 */
bool strictjson_resolve(struct str inside, struct buf *room, struct str *out) MUST_CHECK;

#endif
