/*
 * What every fuzz target includes. A target takes any bytes, calls what it is named after, and
 * requires what must be true of every answer; scripts/fuzz builds it with libFuzzer and runs it.
 */
#ifndef ME_TESTS_FUZZ_FUZZ_H
#define ME_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program, which libFuzzer takes for a finding, where `what` is not true. */
void require(bool is_true, const char *what);

/* Nothing that could end or steer a line of the log. */
void require_printable(const char *text);

/* Takes the first byte, a choice of `count`, off the front of *rest; 0 where there is none. */
size_t take_choice(struct str *rest, size_t count);

#endif
