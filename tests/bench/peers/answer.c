#include "answer.h"

#include <stdio.h>
#include <stdlib.h>

enum { ANSWER_MAX_BYTES = 64 * 1024 };

struct answer answer_read(void)
{
    static char data[ANSWER_MAX_BYTES];
    const char *path = getenv("BENCH_ANSWER");
    FILE *file = path != NULL ? fopen(path, "re") : NULL;
    size_t len = file != NULL ? fread(data, 1, sizeof(data), file) : 0;

    if (len == 0) {
        (void)fputs("BENCH_ANSWER names no file that can be read\n", stderr);
        exit(1);
    }
    (void)fclose(file);
    return (struct answer){data, (int)len};
}
