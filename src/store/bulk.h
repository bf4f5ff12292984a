/*
 * One prepared statement that is sent once with many rows of values (COM_STMT_BULK_EXECUTE, MariaDB
 * 10.2 and later): for writes alone, which give no rows back. Of this folder alone. Errors are as
 * in store/prepared.h; which row was refused the server does not tell.
 */
#ifndef ME_STORE_BULK_H
#define ME_STORE_BULK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"
#include "base/err.h"
#include "store/database.h"
#include "store/statement.h"

struct st_mysql;
struct bulk;

/* Prepares on the server; *out is to be freed, before the connection is closed. */
enum store_result bulk_new(struct st_mysql *mysql, const struct statement *statement,
                           struct bulk **out, unsigned int *number, struct err *err) MUST_CHECK;
void bulk_free(struct bulk *bulk);

/* `values` are row behind row, each as the statement takes them; at least one row. */
enum store_result bulk_run(struct bulk *bulk, const struct value *values, size_t rows,
                           unsigned int *number, struct err *err) MUST_CHECK;

/* Whether the number says that the server, or a proxy before it, knows nothing of this. */
bool bulk_is_unknown(unsigned int number);

#endif
