/*
 * One table of profile/record.h as CSV (format/csv.h): a header line that names the columns, then a
 * line for each row. Columns are the fields in files; those of a child table begin with userId.
 */
#ifndef ME_PROFILE_RECORDCSV_H
#define ME_PROFILE_RECORDCSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "format/csv.h"
#include "profile/record.h"

/* Append a line with its end; check buf_is_good. */
void recordcsv_write_header(enum record_table table, struct buf *out);
void recordcsv_write_row(enum record_table table, const struct uuid *user,
                         const struct record_row *row, struct buf *out);

/* What the columns of a file are, by its header. */
struct recordcsv {
    enum record_table table;
    size_t count;
    size_t fields[CSV_FIELDS_MAX]; /* which field a column is, or the user's id */
};

/* Any order; what is not named is left as it is. Complains of columns that are unknown, there
 * twice, or missing though every line needs them: those of the row's key, and userId. */
void recordcsv_read_header(struct record_reader *reader, enum record_table table,
                           const struct csv_record *header, struct recordcsv *out);

/*
 * Judges a line. An empty field is unset; in quotes it is the empty text, where that is a value
 * (a bio). The reader has a fault for each field that is wrong, and for one whose id is missing.
 * *user is set where *has_user; *row is all the row's. The texts are borrowed from `line`.
 */
void recordcsv_read_row(struct record_reader *reader, const struct recordcsv *columns,
                        const struct csv_record *line, struct uuid *user, bool *has_user,
                        struct record_row *row);

#endif
