/*
 * Comma-separated values as RFC 4180 has them: fields in quotes may hold commas, line ends and
 * doubled quotes. Lines end in CR LF or, as many programs write them, in LF alone. Bytes go through
 * as they are: whether a field is UTF-8, or any good at all, is for whoever knows what it means.
 * Pure; what is not told apart by RFC 4180, and is here, is whether an empty field stood in quotes.
 */
#ifndef ME_FORMAT_CSV_H
#define ME_FORMAT_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/compiler.h"
#include "base/str.h"

enum { CSV_FIELDS_MAX = 32 };

enum csv_result {
    CSV_OK = 0,
    CSV_PARTIAL,       /* the text ends before its first record does */
    CSV_STRAY_QUOTE,   /* in a field that does not begin with one */
    CSV_BEHIND_QUOTE,  /* a closing quote, and then no comma or line end */
    CSV_STRAY_CR,      /* without the LF, outside of quotes */
    CSV_UNCLOSED,      /* the last field has no closing quote */
    CSV_TOO_MANY,      /* more than CSV_FIELDS_MAX */
    CSV_OUT_OF_MEMORY, /* no fault of the text */
    CSV__MAX
};

/* For people: "has a quote inside of a field that does not begin with one". */
const char *csv_text(enum csv_result result);

struct csv_field {
    struct str text; /* never STR_NONE; borrowed from the text or from the arena */
    bool is_quoted;
};

struct csv_record {
    struct csv_field fields[CSV_FIELDS_MAX];
    size_t count; /* an empty line has one empty field */
    size_t len;   /* bytes of the record, its line end included; at a fault, to the next line end */
};

/*
 * Reads the record at the front of `text`, which is not empty. `is_whole`: nothing comes behind the
 * text, so that its last line may lack its line end; otherwise CSV_PARTIAL asks for more.
 */
enum csv_result csv_read(struct str text, bool is_whole, struct arena *arena,
                         struct csv_record *record) MUST_CHECK;

/* Appends one field, in quotes where it has to be or where it is empty; STR_NONE is empty without
 * quotes. */
void csv_append(struct buf *out, struct str text);

/* Appends the line end, CR LF. */
void csv_append_end(struct buf *out);

#endif
