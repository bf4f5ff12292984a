/*
 * One prepared statement of one connection, with the buffers that its values come and go by, bound
 * once. Of this folder alone. Where a call fails, `number` is the error number of the server or the
 * client library, 0 where it was this program that refused a value.
 */
#ifndef ME_STORE_PREPARED_H
#define ME_STORE_PREPARED_H

#include "base/compiler.h"
#include "base/err.h"
#include "store/database.h"
#include "store/statement.h"

struct st_mysql;
struct prepared;

/* Prepares on the server; *out is to be freed, before the connection is closed. */
enum store_result prepared_new(struct st_mysql *mysql, const struct statement *statement,
                               struct prepared **out, unsigned int *number,
                               struct err *err) MUST_CHECK;
void prepared_free(struct prepared *prepared);

/* Executes, fetches all rows, visits each. */
enum store_result prepared_run(struct prepared *prepared, const struct call *call,
                               unsigned int *number, struct err *err) MUST_CHECK;

#endif
