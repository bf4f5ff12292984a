/*
 * The files of schema/, compiled in: schema_data.c is made by scripts/embed-schema.
 */
#ifndef ME_STORE_SCHEMA_DATA_H
#define ME_STORE_SCHEMA_DATA_H

#include <stddef.h>

struct schema_file {
    const char *name; /* "0001_initial.sql" */
    const char *text; /* ends in a NUL that `len` does not count */
    size_t len;       /* bytes */
};

extern const struct schema_file schema_files[]; /* by version */
extern const size_t schema_file_count;

#endif
