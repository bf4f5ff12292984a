/*
 * Which of several hosts to ask: those of the setting in their order, and behind them those that
 * failed. A host that failed costs no request anything more while another serves: a probe, which
 * nobody waits for, looks whether it is back. What one process knows; it tells no other.
 */
#ifndef ME_STORE_HOSTS_H
#define ME_STORE_HOSTS_H

#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "format/settings.h"

struct hosts;

/* The names are borrowed for the life of the object. NULL: out of memory. */
struct hosts *hosts_new(const struct settings_list *names) MUST_CHECK;
void hosts_free(struct hosts *hosts);

size_t hosts_count(const struct hosts *hosts);

/* Puts them in the order in which they are to be asked now. */
void hosts_sort(struct hosts *hosts);
size_t hosts_at(const struct hosts *hosts, size_t place);

void hosts_note_failure(struct hosts *hosts, size_t host, int64_t monotonic_us);
void hosts_note_success(struct hosts *hosts, size_t host, int64_t monotonic_us);

/* The first of the hosts before `current` in the setting that greets again; `current`: none. To be
 * called now and then: it never waits (but for names that are no addresses). */
size_t hosts_find_returned(struct hosts *hosts, size_t current, int64_t monotonic_us) MUST_CHECK;

#endif
