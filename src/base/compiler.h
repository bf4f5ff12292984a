/*
 * What C11 has no word for. Nothing here changes what a program does; it lets the compiler check
 * more of it.
 */
#ifndef ME_BASE_COMPILER_H
#define ME_BASE_COMPILER_H

/* The result tells whether the call failed: to ignore it is a warning. */
#define MUST_CHECK __attribute__((warn_unused_result))

/* Parameter number `text` is a printf format for the parameters from `first` on. */
#define PRINTF_LIKE(text, first) __attribute__((__format__(__printf__, text, first)))

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#endif
