#include "gateway/fastcgi.h"

#include <errno.h>
#include <fcgiapp.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "gateway/counting.h"
#include "gateway/environment.h"
#include "gateway/output.h"
#include "process/descriptors.h"
#include "process/stop.h"

enum { HEAD_MAX_BYTES = 64 * 1024 };
enum { SHORTAGE_PAUSE_US = 100000, SILENCE_MAX_MS = 2000, LOOK_AGAIN_MS = 1000 };
/* How long a connection that is kept may rest; the shorter one where others wait, and for a stop. */
enum { KEPT_MAX_MS = 1000, KEPT_STEP_MS = 20 };

struct server {
    struct api *api;
    const struct settings *settings;
    const struct log *log;
    const struct logfile *logfile;
    struct counting *counting;
    struct stop_waiter *waiter;
    struct buf head;
    char token_variable[ENVIRONMENT_NAME_MAX_BYTES];
    bool is_unix;
    FCGX_Request fcgx;
};

static size_t read_stream(void *context, char *out, size_t size)
{
    FCGX_Stream *stream = context;
    int got = FCGX_GetStr(out, size > INT_MAX ? INT_MAX : (int)size, stream);

    if (got > 0)
        return (size_t)got;
    /* The end of the connection is no end of the body, which has one of its own. */
    return FCGX_GetError(stream) == 0 ? 0 : REQUEST_READ_BROKEN;
}

static bool put(FCGX_Stream *stream, struct str bytes)
{
    return bytes.len <= INT_MAX &&
           FCGX_PutStr(bytes.data, (int)bytes.len, stream) == (int)bytes.len;
}

/* The stream that ends last takes the end of the request along, in the write of what it holds. */
static bool end_streams(FCGX_Request *fcgx)
{
    return FCGX_FClose(fcgx->err) == 0 && FCGX_FClose(fcgx->out) == 0;
}

/* Caddy names -1 where the client sent no length. The stream has its own end (FastCGI, section
 * 5.3), so none is needed. */
static void forget_unknown_length(struct request *request)
{
    struct str *length = &request->header[REQUEST_CONTENT_LENGTH];

    if (str_equal(*length, STR("-1")))
        *length = STR_NONE;
}

static bool send_response(struct server *server, const struct response *response)
{
    buf_reset(&server->head);
    return output_head(response, &server->head) && put(server->fcgx.out, buf_str(&server->head)) &&
           put(server->fcgx.out, output_body(response)) && end_streams(&server->fcgx);
}

/* What does not get out is the web server's to notice: at its end libfcgi would write once more what
 * it failed to write, padded anew, and close the request as if it were whole. */
static void give_up_connection(struct server *server, const struct response *response)
{
    LOG_EVENT(server->log, LOG_INFO, "the answer could not be sent: the web server has gone",
              {"request_id", response_header_value(response, "X-Request-Id")});
    (void)shutdown(server->fcgx.ipcFd, SHUT_RDWR);
}

static void handle(struct server *server)
{
    struct request request;
    struct response response;

    logfile_keep_up(server->logfile);
    environment_read(server->fcgx.envp, server->token_variable, &request);
    environment_find_watched(server->fcgx.envp, server->settings, &request);
    forget_unknown_length(&request);
    request.read = read_stream;
    request.read_context = server->fcgx.in;
    api_handle(server->api, &request, &response);
    counting_write(server->counting);
    if (!send_response(server, &response))
        give_up_connection(server, &response);
    FCGX_Finish_r(&server->fcgx);
}

/*
 * Until there may be a connection, or the worker is to stop. False: `err` tells. After a while
 * there may be one unheard: a connection wakes one worker, and that one may have been killed.
 */
static bool rest(struct server *server, struct err *err)
{
    int64_t until_idle_ms = api_rest(server->api);
    bool is_soon = until_idle_ms >= 0 && until_idle_ms < LOOK_AGAIN_MS;

    counting_keep_up(server->counting);
    if (stop_waiter_wait(server->waiter, is_soon ? until_idle_ms : LOOK_AGAIN_MS) !=
        STOP_WAIT_FAILED)
        return true;
    err_set(err, "cannot wait for requests: %s", strerror(errno));
    return false;
}

/* Descriptors and memory come back when others give theirs back. */
static bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* A connection that came to nothing, or a signal: the next one may be there. */
static bool is_passing(int error)
{
    return error == ECONNABORTED || error == EINTR;
}

/* After an accept that brought nothing. False: the worker cannot go on; `err` tells. */
static bool after_no_request(struct server *server, int error, struct err *err)
{
    if (error == EAGAIN || error == EWOULDBLOCK || is_passing(error))
        return rest(server, err);
    if (is_shortage(error)) {
        LOG_EVENT(server->log, LOG_ERROR, "cannot accept a connection",
                  {"detail", str_from(strerror(error))});
        (void)usleep(SHORTAGE_PAUSE_US);
        return true;
    }
    err_set(err, "cannot accept connections at descriptor 0: %s", strerror(error));
    return false;
}

/*
 * Whether there is more to read at the connection that the web server keeps open (FCGI_KEEP_CONN).
 * It is closed neither at once nor while it is in use: the server may be about to send the next
 * request, and does not send a PATCH again.
 */
static bool is_in_use(const struct server *server)
{
    int64_t until_us = clock_monotonic_us() + KEPT_MAX_MS * INT64_C(1000);

    do {
        if (descriptor_wait(server->fcgx.ipcFd, KEPT_STEP_MS))
            return descriptor_has_more(server->fcgx.ipcFd);
    } while (!stop_is_wanted() && !descriptor_wait(STDIN_FILENO, 0) &&
             clock_monotonic_us() < until_us);
    return false;
}

/* Else one that rests would have the whole worker for itself. */
static void let_go_of_idle(struct server *server)
{
    if (server->fcgx.ipcFd < 0 || is_in_use(server))
        return;
    (void)shutdown(server->fcgx.ipcFd, SHUT_RDWR); /* libfcgi waits for the other end else */
    FCGX_Free(&server->fcgx, 1);
}

/*
 * 0, or an errno. At a Unix socket the accept is ours: libfcgi's drops a connection whose first
 * bytes are still under way when a signal comes.
 */
static int next_request(struct server *server)
{
    FCGX_Request *fcgx = &server->fcgx;

    let_go_of_idle(server);
    /* systemd makes the socket, which all workers share, wait again when it starts one of them. */
    if (!descriptor_set_nonblocking(STDIN_FILENO))
        return errno;
    if (server->is_unix && fcgx->ipcFd < 0) {
        fcgx->ipcFd = descriptor_accept(STDIN_FILENO, SILENCE_MAX_MS);
        if (fcgx->ipcFd < 0)
            return errno;
        /* Else FCGX_Accept_r closes it, as one that the last request left behind. */
        fcgx->keepConnection = 1;
    }
    return -FCGX_Accept_r(fcgx);
}

static bool serve_one(struct server *server, struct err *err)
{
    int error = next_request(server);

    if (error == 0)
        handle(server);
    return error == 0 || after_no_request(server, error, err);
}

/* Else a web server that keeps to this worker goes on bringing more. Failing that, they are lost. */
static void refuse_further(struct server *server)
{
    if (server->is_unix && server->settings->process.socket == SETTINGS_SOCKET_OWN &&
        !descriptor_refuse_further(STDIN_FILENO))
        LOG_EVENT(server->log, LOG_WARNING, "connections cannot be refused",
                  {"detail", str_from(strerror(errno))});
}

/*
 * What waits when the worker is told to stop: where the socket is its own, that is lost with it, and
 * where others share it they may not have been woken for it.
 */
static void drain(struct server *server)
{
    int error;

    refuse_further(server);
    do {
        error = next_request(server);
        if (error == 0)
            handle(server);
    } while ((error == 0 || is_passing(error)) && !stop_is_due());
}

static void loop(struct server *server, struct err *err)
{
    while (!stop_is_wanted())
        if (!serve_one(server, err))
            return;
    drain(server);
}

bool fastcgi_serve(struct api *api, const struct settings *settings, const struct log *log,
                   const struct logfile *logfile, struct err *err)
{
    struct server server = {.api = api, .settings = settings, .log = log, .logfile = logfile};

    err_clear(err);
    buf_init(&server.head, HEAD_MAX_BYTES);
    server.counting = counting_open(api, settings, log);
    server.is_unix = descriptor_is_unix_socket(STDIN_FILENO);
    server.waiter = stop_waiter_new(STDIN_FILENO);
    if (!environment_name_of_header(settings->token.header, server.token_variable) ||
        server.waiter == NULL || !descriptor_set_nonblocking(STDIN_FILENO) || FCGX_Init() != 0 ||
        FCGX_InitRequest(&server.fcgx, STDIN_FILENO, 0) != 0)
        err_set(err, "cannot serve FastCGI at descriptor 0: %s", strerror(errno));
    else
        loop(&server, err);
    /* Before all else: what comes from now on is refused, and not lost, where nobody shares it. */
    (void)close(STDIN_FILENO);
    FCGX_Free(&server.fcgx, 1);
    stop_waiter_free(server.waiter);
    counting_close(server.counting);
    buf_free(&server.head);
    return err->text[0] == '\0';
}
