/*
 * The floor: a FastCGI program by libfcgi that sends one fixed answer, that of the file which
 * BENCH_ANSWER names, and looks at nothing of the request.
 */
#include <fcgiapp.h>
#include <stdlib.h>

#include "answer.h"

int main(void)
{
    const struct answer answer = answer_read();
    FCGX_Request request;

    if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0)
        return 1;
    while (FCGX_Accept_r(&request) == 0) {
        (void)FCGX_PutStr(answer.data, answer.len, request.out);
        FCGX_Finish_r(&request);
    }
    return 0;
}
