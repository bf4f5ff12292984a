/*
 * A program that is linked with its C library in it (./configure --enable-static-pie) must load
 * nothing of the system that it runs on: modules there were made for another C library, and can
 * crash it. It looks up host names in /etc/hosts and by DNS, whatever nsswitch.conf says, and has
 * no plugins. standalone.c is in such a program, standalone_not.c in one that is linked as usual,
 * and does nothing.
 */
#ifndef ME_PROCESS_STANDALONE_H
#define ME_PROCESS_STANDALONE_H

#include <stdbool.h>

#include "base/compiler.h"

/* To be called before any host name is looked up. */
bool standalone_set_up(void) MUST_CHECK;

#endif
