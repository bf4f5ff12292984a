#include "gateway/cgi.h"

#include <errno.h>
#include <unistd.h>

#include "gateway/environment.h"
#include "gateway/output.h"

enum { OUTPUT_MAX_BYTES = 64 * 1024 };

static size_t read_standard_input(void *context, char *out, size_t size)
{
    ssize_t got;

    (void)context;
    do
        got = read(STDIN_FILENO, out, size);
    while (got < 0 && errno == EINTR);
    return got < 0 ? 0 : (size_t)got;
}

static bool write_all(struct str bytes)
{
    while (bytes.len > 0) {
        ssize_t written = write(STDOUT_FILENO, bytes.data, bytes.len);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        bytes.data += written;
        bytes.len -= (size_t)written;
    }
    return true;
}

static bool write_response(const struct response *response)
{
    struct buf head;
    bool good;

    buf_init(&head, OUTPUT_MAX_BYTES);
    good = output_head(response, &head) && write_all(buf_str(&head)) &&
           write_all(output_body(response));
    buf_free(&head);
    return good;
}

bool cgi_serve(struct api *api, const struct settings *settings, char *const *environment)
{
    char token_variable[ENVIRONMENT_NAME_MAX_BYTES] = "";
    struct api_failure failure;
    struct request request;
    struct response response;
    bool can_serve =
        api != NULL && environment_name_of_header(settings->token.header, token_variable);

    environment_read(environment, token_variable, &request);
    request.read = read_standard_input;
    if (can_serve)
        api_handle(api, &request, &response);
    else
        api_answer_failure(&request, &failure, &response);
    return write_response(&response);
}
