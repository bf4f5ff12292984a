#include "store/readiness.h"

#include "store/profiles.h"

/* As a GET does, of somebody who is not there: all tables are looked into. */
static enum store_result read_nobody(struct database *database, struct arena *arena,
                                     struct err *err)
{
    const struct access_request nobody = {.session = STR_NONE};
    struct profile_load loaded;

    return profiles_load(database, &nobody, arena, &loaded, err);
}

enum store_result readiness_judge(struct database *database, const struct settings *settings,
                                  struct arena *arena, struct err *err)
{
    enum store_result result = read_nobody(database, arena, err);

    if (result == STORE_OK)
        result = database_prepare(database, STATEMENT_PROFILE_UPDATE, err);
    if (result == STORE_OK && settings->audit.level != SETTINGS_AUDIT_OFF)
        result = database_prepare(database, STATEMENT_AUDIT_ADD, err);
    return result;
}
