/*
 * What may follow the words of a command line that is being typed, from the table of commands: for
 * the completion of shells (mectl.bash).
 */
#ifndef ME_MECTL_COMPLETION_H
#define ME_MECTL_COMPLETION_H

#include <stdio.h>

/*
 * One on each line: names, options that were not given yet, and values, as far as they are known.
 * FILE and DIR stand for a path of such a thing. `words` are those before, without "mectl", and end
 * in NULL; an option's value may be the word behind it or stand in the same word.
 */
void completion_print(char *const *words, FILE *out);

#endif
