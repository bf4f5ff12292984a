#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "format/endpoint.h"
#include "mectl/doctor/inside.h"
#include "store/audit.h"
#include "store/diagnosis.h"
#include "store/failure.h"
#include "store/migrations.h"
#include "store/quoting.h"
#include "store/readiness.h"
#include "store/revision.h"

enum { CLOCK_NOTICE_MS = 5000, RIGHTS_MAX_BYTES = 8192, READING_MAX_BYTES = 65536 };

const char *doctor_account_name(enum database_account account)
{
    static const char *const names[] = {
        [DATABASE_WORKER] = "worker",
        [DATABASE_ADMIN] = "mectl",
        [DATABASE_PROVISION] = "provision",
    };

    return names[account];
}

static const enum finding findings[DIAGNOSIS__MAX] = {
    [DIAGNOSIS_UNREACHED] = FINDING_DATABASE_UNREACHED,
    [DIAGNOSIS_UNTRUSTED] = FINDING_DATABASE_UNTRUSTED,
    [DIAGNOSIS_REFUSED] = FINDING_ACCOUNT_REFUSED,
    [DIAGNOSIS_NO_PLUGIN] = FINDING_ACCOUNT_PLUGIN,
    [DIAGNOSIS_FULL] = FINDING_DATABASE_FULL,
    [DIAGNOSIS_STRANGE] = FINDING_DATABASE_STRANGE,
};

/* One account at one of the hosts. */
struct patient {
    struct report *report;
    struct settings settings; /* those of the report, with this host alone; borrows from them */
    const char *host;
    enum database_account account;
    bool is_first; /* what the server itself is like is told with the first account alone */
    struct database *database;
    struct diagnosis diagnosis;
};

/* ---- one account at one host */

/* NULL where the account has no password that can be read: that is told by doctor_passwords. */
static bool open_patient(struct patient *patient, struct report *report, size_t host,
                         enum database_account account)
{
    const struct settings *settings = &report->invocation->settings;
    struct err ignored;

    *patient = (struct patient){.report = report, .settings = *settings, .account = account};
    patient->host = settings->database.host.items[host];
    patient->settings.database.host =
        (struct settings_list){&settings->database.host.items[host], 1};
    patient->database =
        database_new(&patient->settings, account, file_readers_of_operator(), &ignored);
    return patient->database != NULL;
}

static void find_strange_version(const struct patient *patient)
{
    const char *version = patient->diagnosis.version;

    if (version[0] != '\0' && !diagnosis_knows_version(version))
        report_finding(patient->report, FINDING_DATABASE_STRANGE, NULL, "%s: its version is %s",
                       patient->host, version);
}

/* As the database has the account, where it was made by mectl migrate --print-grants: its own word
 * for it can only be asked by who is let in. */
static struct err full_account_name(const struct patient *patient)
{
    struct endpoint endpoint;
    struct err ignored, name;
    struct buf quoted;
    bool is_tcp = endpoint_parse(patient->host, &endpoint, &ignored) && !endpoint.is_socket;

    buf_init(&quoted, sizeof(name.text));
    quoting_append_text(&quoted, str_from(database_user(&patient->settings, patient->account)));
    buf_append_text(&quoted, is_tcp ? "@'%'" : "@'localhost'");
    err_set(&name, "%.*s", STR_ARGS(buf_str(&quoted)));
    buf_free(&quoted);
    return name;
}

static void report_verdict(const struct patient *patient, enum diagnosis_verdict verdict,
                           const struct err *err)
{
    const char *version = patient->diagnosis.version;
    const struct err account = full_account_name(patient);
    const char *on =
        verdict == DIAGNOSIS_FULL ? account.text : doctor_account_name(patient->account);

    if (verdict == DIAGNOSIS_STRANGE && version[0] != '\0' && !diagnosis_knows_version(version))
        return; /* what failed then is told by its version */
    report_finding(patient->report, findings[verdict], on, "account of %s: %s",
                   doctor_account_name(patient->account), err->text);
}

static enum diagnosis_verdict examine(struct patient *patient)
{
    struct err err = {""};
    enum diagnosis_verdict verdict = diagnosis_make(patient->database, &patient->diagnosis, &err);

    if (patient->is_first)
        find_strange_version(patient);
    if (verdict != DIAGNOSIS_GOOD)
        report_verdict(patient, verdict, &err);
    return verdict;
}

/* ---- what a host is like */

static void tell_host(const struct patient *patient, const struct endpoint *endpoint)
{
    const struct diagnosis *diagnosis = &patient->diagnosis;
    bool has_tls = diagnosis->cipher[0] != '\0';

    report_good(
        patient->report, "database", "%s: MariaDB %s, by %s%s%s", patient->host, diagnosis->version,
        endpoint->is_socket ? "its socket"
        : has_tls           ? "TCP with TLS, "
                            : "TCP",
        endpoint->is_socket ? "" : diagnosis->cipher, diagnosis->is_read_only ? ", read-only" : "");
}

static void find_plain(const struct patient *patient, const struct endpoint *endpoint)
{
    static const char *const says[] = {
        [SETTINGS_TLS_ENCRYPT] = "encrypt", [SETTINGS_TLS_OFF] = "off"};
    int64_t tls = patient->settings.database.tls;

    if (!endpoint->is_socket && tls != SETTINGS_TLS_VERIFY &&
        !endpoint_is_loopback(str_from(endpoint->name)))
        report_finding(patient->report, FINDING_DATABASE_PLAIN, NULL,
                       "%s, where database.tls is %s", patient->host, says[tls]);
}

static void find_clock(const struct patient *patient)
{
    int64_t ahead_ms = patient->diagnosis.ahead_ms;

    if (llabs(ahead_ms) > CLOCK_NOTICE_MS)
        report_finding(patient->report, FINDING_CLOCK_DIFFERS, NULL,
                       "that of %s is %lld seconds %s", patient->host,
                       (llabs(ahead_ms) + 500) / 1000, ahead_ms > 0 ? "ahead" : "behind");
}

static void look_at_host(const struct patient *patient)
{
    struct endpoint endpoint;
    struct err ignored;

    if (!endpoint_parse(patient->host, &endpoint, &ignored))
        return;
    tell_host(patient, &endpoint);
    find_plain(patient, &endpoint);
    find_clock(patient);
}

/* ---- what the host that is asked first is like */

static void find_read_only(const struct patient *patient)
{
    if (patient->diagnosis.is_read_only)
        report_finding(patient->report, FINDING_DATABASE_READ_ONLY, NULL,
                       "%s, which is asked first", patient->host);
}

/* Each worker has one connection, and one more of the other account where it adds users. */
static void find_few_connections(const struct patient *patient)
{
    const struct diagnosis *diagnosis = &patient->diagnosis;
    int64_t workers = patient->report->workers;
    int64_t all = workers * (patient->settings.token.provision ? 2 : 1);

    if (diagnosis->max_user_connections > 0 && diagnosis->max_user_connections < workers)
        report_finding(patient->report, FINDING_CONNECTIONS_FEW, diagnosis->account,
                       "%lld to %s, for %lld workers", (long long)diagnosis->max_user_connections,
                       diagnosis->account, (long long)workers);
    if (diagnosis->max_connections < all)
        report_finding(patient->report, FINDING_CONNECTIONS_FEW, diagnosis->account,
                       "%lld to all accounts, for %lld workers, which open %lld",
                       (long long)diagnosis->max_connections, (long long)workers, (long long)all);
}

/* ---- rights */

/* Lists in the making: what people read, and SQL that takes rights away. */
struct rights {
    const char *account;
    struct buf text, sql;
};

static void add_missing(void *context, struct str privilege, struct str object)
{
    struct rights *rights = context;

    buf_append_format(&rights->text, "%s%.*s on %.*s", rights->text.len > 0 ? ", " : "",
                      STR_ARGS(privilege), STR_ARGS(object));
}

static void add_excess(void *context, const struct diagnosis_excess *excess)
{
    struct rights *rights = context;

    buf_append_format(&rights->text, "%s%.*s", rights->text.len > 0 ? ", " : "",
                      STR_ARGS(excess->what));
    if (excess->revoke.len > 0)
        buf_append_format(&rights->sql, "%sREVOKE %.*s;", rights->sql.len > 0 ? "\n" : "",
                          STR_ARGS(excess->revoke));
}

/* Texts that end in NUL, however long. */
static void report_rights(const struct patient *patient, enum finding finding, const char *on,
                          struct rights *rights)
{
    if (rights->text.len > 0)
        report_finding(patient->report, finding, on, "account of %s, %s: %.*s",
                       doctor_account_name(patient->account), rights->account,
                       STR_ARGS(buf_str(&rights->text)));
}

static void init_rights(struct rights *rights, const struct patient *patient)
{
    rights->account = patient->diagnosis.account;
    buf_init(&rights->text, RIGHTS_MAX_BYTES);
    buf_init(&rights->sql, RIGHTS_MAX_BYTES);
}

static void free_rights(struct rights *rights)
{
    buf_free(&rights->text);
    buf_free(&rights->sql);
}

/* The right to record changes is judged by the very statement: find_audit. */
static void find_missing_rights(const struct patient *patient)
{
    struct settings settings = patient->settings;
    const struct diagnosis_grants grants = {&settings, patient->account,
                                            patient->diagnosis.account};
    struct rights rights;
    struct err ignored;

    settings.audit.level = SETTINGS_AUDIT_OFF;
    init_rights(&rights, patient);
    if (diagnosis_missing_rights(patient->database, &grants, add_missing, &rights, &ignored) ==
        STORE_OK)
        report_rights(patient, FINDING_RIGHTS_MISSING, doctor_account_name(patient->account),
                      &rights);
    free_rights(&rights);
}

/* Where mectl has no account of its own, the worker's needs all that mectl does. */
static bool is_operators(const struct patient *patient)
{
    const char *operators = database_user(&patient->settings, DATABASE_ADMIN);

    return strcmp(operators, database_user(&patient->settings, patient->account)) == 0;
}

static void find_excess_rights(const struct patient *patient)
{
    const struct diagnosis_grants grants = {&patient->settings, patient->account,
                                            patient->diagnosis.account};
    struct rights rights;
    struct err err = {""};

    if (is_operators(patient))
        return;
    init_rights(&rights, patient);
    if (diagnosis_excess_rights(patient->database, &grants, add_excess, &rights, &err) ==
        STORE_OK) {
        buf_append_byte(&rights.sql, '\0');
        report_rights(patient, FINDING_RIGHTS_EXCESS,
                      buf_is_good(&rights.sql) ? rights.sql.data : NULL, &rights);
    } else {
        report_note(patient->report, "rights",
                    "whether the account of %s has too many cannot be "
                    "seen: %s",
                    doctor_account_name(patient->account), err.text);
    }
    free_rights(&rights);
}

static void look_at_rights(const struct patient *patient)
{
    find_missing_rights(patient);
    find_excess_rights(patient);
}

/* ---- the audit trail */

static void find_audit(struct report *report, struct database *database)
{
    struct err err = {""};

    if (audit_probe(database, &err) == STORE_OK)
        report_good(report, "audit", "the worker can add rows");
    else
        report_finding(report, FINDING_AUDIT_FAILS, NULL, "%s", err.text);
}

static void judge_audit(struct report *report, struct database *database)
{
    struct err err = {""};

    if (database_connect(database, &err) == STORE_OK)
        find_audit(report, database);
    else
        report_note(report, "audit", "the worker's right to add rows cannot be seen from here: %s",
                    err.text);
}

/* By the worker's own account, since it is its rights that count. Where that cannot log in from
 * here (it may be bound to a user of the system), nothing is known of them. */
void doctor_audit(struct report *report)
{
    const struct settings *settings = &report->invocation->settings;
    struct database *database;
    struct err ignored;

    if (settings->audit.level == SETTINGS_AUDIT_OFF)
        return;
    database = database_new(settings, DATABASE_WORKER, file_readers_of_operator(), &ignored);
    if (database != NULL) /* else doctor_passwords says why */
        judge_audit(report, database);
    database_free(database);
}

/* ---- migrations */

struct migration_counts {
    size_t missing, different;
};

static bool count_migration(void *context, const struct migration_row *row)
{
    struct migration_counts *counts = context;

    counts->missing += row->optional == NULL &&
                       (row->state == MIGRATION_PENDING || row->state == MIGRATION_PARTIAL);
    counts->different += row->state == MIGRATION_CHANGED || row->state == MIGRATION_UNKNOWN;
    return true;
}

static void judge_migrations(const struct patient *patient, const struct migration_counts *counts)
{
    struct report *report = patient->report;

    if (counts->different > 0)
        report_finding(report, FINDING_MIGRATIONS_DIFFER, NULL,
                       "%zu migrations are changed or unknown: see 'mectl migrate --status'",
                       counts->different);
    if (counts->missing > 0)
        report_finding(report, FINDING_MIGRATIONS_MISSING, NULL,
                       "%zu migrations are missing: see 'mectl migrate --status', then run 'mectl "
                       "migrate'",
                       counts->missing);
}

/* What was migrated can have been dropped, or half of it brought here by a dump. */
static bool look_at_tables(const struct patient *patient)
{
    struct arena *arena = arena_new(READING_MAX_BYTES);
    struct err err = {""};
    bool good = arena != NULL &&
                (readiness_judge(patient->database, &patient->settings, arena, &err) == STORE_OK ||
                 !failure_is_of_schema(database_error(patient->database)));

    if (good)
        report_good(patient->report, "database", "is reached and migrated");
    else
        report_finding(patient->report, FINDING_MIGRATIONS_DIFFER, NULL,
                       "every migration was applied, but what it made is gone: %s", err.text);
    arena_free(arena);
    return good;
}

/* False: the schema is none that anything more could be said of. */
static bool look_at_migrations(const struct patient *patient)
{
    struct migration_counts counts = {0};
    struct err err = {""};
    struct migrations *migrations = migrations_open(NULL, &err);
    bool good = migrations != NULL && migrations_status(migrations, patient->database,
                                                        count_migration, &counts, &err) == STORE_OK;

    if (good)
        judge_migrations(patient, &counts);
    else
        report_finding(patient->report, FINDING_MIGRATIONS_DIFFER, NULL, "%s", err.text);
    migrations_close(migrations);
    return good && counts.missing + counts.different == 0 && look_at_tables(patient);
}

/* ---- revisions */

/* By the operator's account: whether the worker's may look is one of its rights. */
static void look_at_revisions(const struct patient *patient)
{
    struct report *report = patient->report;
    struct revision_guard guard;
    struct err err = {""};

    if (revision_guard_read(patient->database, &guard, &err) != STORE_OK)
        report_note(report, "revisions", "whether they move cannot be seen: %s", err.text);
    else if (guard.lacks_definer)
        report_finding(report, FINDING_DEFINER_MISSING, NULL,
                       "those of 0004_revision_triggers are of an account that is no more");
    else if (!guard.stands)
        report_finding(report, FINDING_REVISIONS_UNGUARDED, NULL, "%s",
                       err.text[0] != '\0'
                           ? err.text
                           : "the triggers of 0004_revision_triggers are not there, or not all "
                             "there, or something gets past them");
    else
        report_good(report, "revisions", "every change of a user moves its own");
}

static void look_as_operator_does(const struct patient *patient)
{
    if (look_at_migrations(patient))
        look_at_revisions(patient);
}

/* ---- the whole */

static bool is_reached(enum diagnosis_verdict verdict)
{
    return verdict == DIAGNOSIS_GOOD || verdict == DIAGNOSIS_REFUSED ||
           verdict == DIAGNOSIS_NO_PLUGIN;
}

/* The worker's account at one host; true where somebody answers there. */
static bool look_as_worker(struct report *report, size_t host, bool is_first)
{
    struct patient patient;
    enum diagnosis_verdict verdict;

    if (!open_patient(&patient, report, host, DATABASE_WORKER))
        return is_first; /* the other accounts may do */
    patient.is_first = true;
    verdict = examine(&patient);
    if (verdict == DIAGNOSIS_GOOD)
        look_at_host(&patient);
    if (verdict == DIAGNOSIS_GOOD && is_first) {
        find_read_only(&patient);
        find_few_connections(&patient);
        look_at_rights(&patient);
        if (patient.settings.audit.level != SETTINGS_AUDIT_OFF)
            find_audit(report, patient.database);
    }
    database_free(patient.database);
    return is_reached(verdict);
}

/* Another account at a host that the worker's has reached. */
static void look_as(struct report *report, size_t host, enum database_account account,
                    void (*look)(const struct patient *patient))
{
    struct patient patient;

    if (!open_patient(&patient, report, host, account))
        return;
    if (examine(&patient) == DIAGNOSIS_GOOD)
        look(&patient);
    database_free(patient.database);
}

void doctor_database(struct report *report)
{
    const struct settings *settings = &report->invocation->settings;
    size_t count = settings->database.host.count, first = count;

    for (size_t i = 0; i < count; i++)
        if (look_as_worker(report, i, first == count) && first == count)
            first = i;
    if (first == count)
        return;
    if (settings->token.provision)
        look_as(report, first, DATABASE_PROVISION, look_at_rights);
    look_as(report, first, DATABASE_ADMIN, look_as_operator_does);
}

static bool look_as_operator(struct report *report, size_t host)
{
    struct patient patient;
    enum diagnosis_verdict verdict;

    if (!open_patient(&patient, report, host, DATABASE_ADMIN))
        return false;
    patient.is_first = true;
    verdict = examine(&patient);
    if (verdict == DIAGNOSIS_GOOD)
        (void)look_at_migrations(&patient); /* all that is asked of it */
    database_free(patient.database);
    return is_reached(verdict);
}

void doctor_database_quickly(struct report *report)
{
    size_t count = report->invocation->settings.database.host.count;

    for (size_t i = 0; i < count; i++)
        if (look_as_operator(report, i))
            return;
}
