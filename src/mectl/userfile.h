/*
 * How files of users are written: JSON Lines, or one table as CSV.
 */
#ifndef ME_MECTL_USERFILE_H
#define ME_MECTL_USERFILE_H

#include <stdbool.h>

#include "base/compiler.h"
#include "mectl/invocation.h"
#include "profile/record.h"

struct userfile {
    bool is_csv;
    enum record_table table; /* of CSV */
};

/*
 * By --format, which is jsonl or csv, and --table; without the former, a table or a FILE that ends
 * in .csv makes it CSV. Complains itself.
 */
bool userfile_choose(const struct invocation *invocation, struct userfile *out) MUST_CHECK;

#endif
