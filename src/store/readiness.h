/*
 * Whether the database could serve a request now: it is reached, has the tables that are asked, and
 * lets the worker's account do what it does. Changes nothing.
 */
#ifndef ME_STORE_READINESS_H
#define ME_STORE_READINESS_H

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "store/database.h"

/* STORE_OK, or what a request would meet, with `err`. The arena is used for what is read. */
enum store_result readiness_judge(struct database *database, const struct settings *settings,
                                  struct arena *arena, struct err *err) MUST_CHECK;

#endif
