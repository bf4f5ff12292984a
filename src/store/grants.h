/*
 * The database, the accounts of the programs and their rights, as SQL for somebody with the rights
 * to grant them. Runs nothing.
 */
#ifndef ME_STORE_GRANTS_H
#define ME_STORE_GRANTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/compiler.h"
#include "base/err.h"
#include "base/file.h"
#include "format/settings.h"
#include "store/database.h"

/*
 * Appends the SQL for one account: of DATABASE_ADMIN the database too; of the others rights on
 * single tables, so that these must have been migrated. The password itself is not in it, but its
 * hash (mysql_native_password); an account without one is that of the system's user of the same
 * name (unix_socket), which takes a socket. False with `err`: the password cannot be read, or is
 * missing where it is needed.
 */
bool grants_print(const struct settings *settings, enum database_account account,
                  enum file_readers readers, struct buf *out, struct err *err) MUST_CHECK;

/* The account's rights with these settings, one row after the other, as "SELECT, UPDATE (name) ON
 * %.users", `%` standing for the database (store/right.h takes it apart); NULL past the last. */
const char *grants_right(const struct settings *settings, enum database_account account, size_t i);

#endif
