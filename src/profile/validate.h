/*
 * What a member's value may be: one function for each kind of value, each in a module of its own.
 * They take bytes of any origin, read nothing past their length and keep nothing. All are pure but
 * validate_timezone, which may look a name up in the system's time zone database. A value that is
 * not set (STR_NONE) is judged as an empty one: whether a member may be left out or cleared is for
 * the caller to know.
 */
#ifndef ME_PROFILE_VALIDATE_H
#define ME_PROFILE_VALIDATE_H

#include "profile/badge.h"
#include "profile/email.h"
#include "profile/locale.h"
#include "profile/phone.h"
#include "profile/text.h"
#include "profile/timezone.h"
#include "profile/url.h"
#include "profile/violation.h"

#endif
