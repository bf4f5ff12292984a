#include "store/revision.h"

#include <mysql.h>

#include <mysqld_error.h>

#include "store/statement.h"

static enum store_result visit_guard(void *context, const struct value *row, struct err *err)
{
    struct revision_guard *guard = context;
    (void)err;
    guard->stands = !row[0].is_null && row[0].number == 1 && !row[1].is_null;
    guard->epoch = row[1].number;
    guard->now_us = row[2].number;
    return STORE_OK;
}

/* The view has the rights of its definer, who made the triggers too. That there is none such any
 * more is told to a superuser alone; to others it is an access that is denied, though not to the
 * connection, which is open. */
static bool lacks_definer(unsigned int number)
{
    return number == ER_NO_SUCH_USER || number == ER_ACCESS_DENIED_ERROR;
}

enum store_result revision_guard_read(struct database *database, struct revision_guard *out,
                                      struct err *err)
{
    const struct call call = {
        .statement = STATEMENT_REVISION_GUARD, .visit = visit_guard, .context = out};
    *out = (struct revision_guard){.stands = false};
    enum store_result result = database_run(database, &call, err);
    unsigned int number = result != STORE_OK ? database_error(database) : 0;
    out->lacks_definer = lacks_definer(number);
    return number != 0 ? STORE_OK : result; /* of the view, and the connection is still there */
}
