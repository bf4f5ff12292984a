#include "gateway/cgi.h"

#include <errno.h>
#include <unistd.h>

#include "gateway/counting.h"
#include "gateway/environment.h"
#include "gateway/output.h"
#include "process/descriptors.h"

enum { OUTPUT_MAX_BYTES = 64 * 1024, REST_TIMEOUT_MS = 5000 };
/* mod_cgi closes one pipe after the other. */
enum { GIVEN_UP_MS = 20 };

/* The body as it comes. */
struct input {
    int64_t taken;
    bool has_length;
};

/*
 * Where no length is given, the end of the input is that of the body, or Apache has given the
 * request up, since the client had not sent all of it: it waits for no answer then.
 */
static bool is_end_of_body(const struct input *input)
{
    return input->has_length || !descriptor_is_hung_up(STDOUT_FILENO, GIVEN_UP_MS);
}

static size_t read_standard_input(void *context, char *out, size_t size)
{
    struct input *input = context;
    ssize_t got;

    do
        got = read(STDIN_FILENO, out, size);
    while (got < 0 && errno == EINTR);
    if (got < 0 || (got == 0 && !is_end_of_body(input)))
        return REQUEST_READ_BROKEN;
    input->taken += got;
    return (size_t)got;
}

/* How much of a body the server has yet to hand over, or may have. */
static int64_t rest_of_body(const struct request *request, char *const *environment, int64_t taken)
{
    int64_t length;

    if (str_to_number(str_trim(request->header[REQUEST_CONTENT_LENGTH]), INT64_MAX, &length))
        return length - taken;
    return str_is_set(environment_value(environment, "HTTP_TRANSFER_ENCODING")) ? INT64_MAX : 0;
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

static void handle(const struct cgi *cgi, const struct request *request, struct response *response)
{
    struct counting *counting = counting_open(cgi->api, cgi->settings, cgi->log);

    api_handle(cgi->api, request, response);
    counting_write(counting);
    counting_close(counting);
}

bool cgi_serve(const struct cgi *cgi, char *const *environment)
{
    char token_variable[ENVIRONMENT_NAME_MAX_BYTES] = "";
    struct api_failure failure;
    struct request request;
    struct response response;
    struct input input = {0};
    bool good;
    bool can_serve =
        cgi != NULL && environment_name_of_header(cgi->settings->token.header, token_variable);

    environment_read(environment, token_variable, &request);
    request.read = read_standard_input;
    request.read_context = &input;
    input.has_length = str_is_set(request.header[REQUEST_CONTENT_LENGTH]);
    if (can_serve) {
        environment_find_watched(environment, cgi->settings, &request);
        handle(cgi, &request, &response);
    } else {
        api_answer_failure(&request, &failure, &response);
    }
    good = write_response(&response);
    /* Apache's mod_cgid: see descriptors.h. */
    descriptor_drain_socket(STDIN_FILENO, rest_of_body(&request, environment, input.taken),
                            REST_TIMEOUT_MS);
    return good;
}
