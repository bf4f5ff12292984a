/*
 * What can be examined on the machine of the workers: settings, files, keys, processes, the
 * database. Each function reports what it finds (mectl/doctor/report.h), and what is in order. mectl
 * config check runs those that are quick, mectl doctor all of them. The settings are those of the
 * report's invocation.
 */
#ifndef ME_MECTL_DOCTOR_INSIDE_H
#define ME_MECTL_DOCTOR_INSIDE_H

#include "mectl/doctor/report.h"
#include "store/database.h"

/* settings.c: needs nothing but the files that are named. */
void doctor_keys(struct report *report);
void doctor_rules(struct report *report);
void doctor_registries(struct report *report);
void doctor_passwords(struct report *report);

/* cache.c: can workers keep what they showed? */
void doctor_cache(struct report *report);

/* files.c: who else may write what is read. */
void doctor_files(struct report *report);

/* workers.c: the processes of this host, and what a new one would say. Where the number of
 * workers is not known, it is that of those that run with these settings. */
void doctor_workers(struct report *report);

/* Appends the process ids of those that run with these settings, a blank between them, and a NUL.
 * False: none is known. */
bool doctor_worker_pids(struct report *report, struct buf *out) MUST_CHECK;

/* database.c. The quick one looks only whether the operator's account reaches a database
 * that is migrated. */
void doctor_database(struct report *report);
void doctor_database_quickly(struct report *report);
void doctor_audit(struct report *report); /* which doctor_database looks at, too */

/* As mectl migrate --for has it: "worker". */
const char *doctor_account_name(enum database_account account);

#endif
