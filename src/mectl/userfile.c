#include "mectl/userfile.h"

static bool choose_format(const struct invocation *invocation, struct userfile *out)
{
    const char *format = invocation_option(invocation, "format");
    bool has_table = invocation_option(invocation, "table") != NULL;

    out->is_csv = has_table || str_ends_with(str_from(invocation->argument), STR(".csv"));
    if (format == NULL)
        return true;
    out->is_csv = str_equal(str_from(format), STR("csv"));
    if (out->is_csv || (str_equal(str_from(format), STR("jsonl")) && !has_table))
        return true;
    if (has_table && str_equal(str_from(format), STR("jsonl")))
        (void)invocation_fail("--table: is for csv; a line of jsonl has all tables of a user");
    else
        (void)invocation_refuse("--format", format, "is no format: there are jsonl and csv");
    return false;
}

bool userfile_choose(const struct invocation *invocation, struct userfile *out)
{
    const char *table = invocation_option(invocation, "table");

    *out = (struct userfile){.table = RECORD_USERS};
    if (table != NULL && !record_table_from_name(str_from(table), &out->table)) {
        (void)invocation_refuse("--table", table,
                                "is no table: there are users, emails, identities, phoneNumbers, "
                                "badges, userFraudInformation, sessions");
        return false;
    }
    return choose_format(invocation, out);
}
