/*
 * What a web server sends, byte by byte, to a worker that runs: the gateway serves a socket in a
 * thread of its own over the storage of storage.h. What comes back has to be FastCGI, and answers
 * that end have to be whole; and then a good request is served.
 */
#include "gateway/fastcgi.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fuzz.h"
#include "process/stop.h"
#include "service.h"
#include "storage.h"

enum { BEGIN = 1, END = 3, PARAMS, STDIN, STDOUT, STDERR, VALUES_RESULT = 10, UNKNOWN = 11 };
enum { HEADER_BYTES = 8, REPLY_MAX_BYTES = 4 * 1024 * 1024, PATIENCE_MS = 10000 };

/* A user without children, and results that are good. */
static const char rows[] = "\0\0\0\0\0\0\0\0\1";

static struct sockaddr_un address = {.sun_family = AF_UNIX};

/* libfcgi 2.4.2 loses 48 bytes with each management record of a type that it does not know, as no web
 * server sends. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libfcgi\n";
}

static void *serve(void *unused)
{
    const struct logfile logfile = {NULL, 0, 0};
    struct service_world *world = service_world(SERVICE_PLAIN);
    struct err err = {""};

    (void)unused;
    require(fastcgi_serve(world->api, &world->settings, &world->log, &logfile, &err), err.text);
    require(false, "the worker goes on");
    return NULL;
}

/* In the abstract namespace: nothing is left behind. */
static void start(void)
{
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pthread_t thread;
    int len = snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "fuzz.%d", getpid());

    require(len > 0 && bind(listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                listen(listener, 8) == 0 && dup2(listener, STDIN_FILENO) == STDIN_FILENO,
            "there is a socket");
    (void)close(listener);
    (void)signal(SIGPIPE, SIG_IGN);
    storage_begin((struct str){rows, sizeof(rows) - 1});
    (void)service_world(SERVICE_PLAIN);
    require(pthread_create(&thread, NULL, serve, NULL) == 0, "there is a thread");
}

/* libFuzzer's alarm is no answer. */
static void wait_for(int client)
{
    struct pollfd ready = {client, POLLIN, 0};
    int count;

    do
        count = poll(&ready, 1, PATIENCE_MS);
    while (count < 0 && errno == EINTR);
    require(count == 1, "the worker answers or hangs up");
}

/* Sends all, then that this is all, and reads what comes to its end. */
static void converse(struct str sent, struct buf *reply)
{
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char bytes[65536];
    ssize_t got;

    require(client >= 0 && connect(client, (struct sockaddr *)&address, sizeof(address)) == 0,
            "the worker takes a connection");
    /* It may have ended the connection before it has read all. */
    (void)send(client, sent.data, sent.len, MSG_NOSIGNAL);
    (void)shutdown(client, SHUT_WR);
    do {
        wait_for(client);
        got = recv(client, bytes, sizeof(bytes), 0);
        if (got > 0)
            buf_append(reply, bytes, (size_t)got);
    } while (got > 0);
    (void)close(client);
}

static size_t number_at(struct str bytes, size_t at)
{
    return (size_t)(unsigned char)bytes.data[at] << 8 | (unsigned char)bytes.data[at + 1];
}

/* How many requests were answered by 200. */
static size_t require_records(struct str reply)
{
    struct buf output;
    size_t good = 0;

    buf_init(&output, REPLY_MAX_BYTES);
    while (reply.len >= HEADER_BYTES) {
        int type = reply.data[1];
        size_t len = number_at(reply, 4), whole = HEADER_BYTES + len + (unsigned char)reply.data[6];

        require(reply.data[0] == 1, "it is version 1");
        require(type == END || type == STDOUT || type == STDERR || type == VALUES_RESULT ||
                    type == UNKNOWN,
                "it is what a worker sends");
        if (whole > reply.len)
            break;
        if (type == STDOUT)
            buf_append(&output, reply.data + HEADER_BYTES, len);
        /* Other roles than that of a responder are refused with an empty answer. */
        if (type == END && reply.data[HEADER_BYTES + 4] == 0) {
            good += service_require_good(buf_str(&output), true) == 200;
            buf_reset(&output);
        }
        reply.data += whole;
        reply.len -= whole;
    }
    buf_free(&output);
    return good;
}

static void append_record(struct buf *out, int type, struct str content)
{
    const char header[HEADER_BYTES] = {
        1, (char)type, 0, 1, (char)(content.len >> 8), (char)content.len, 0, 0};

    buf_append(out, header, sizeof(header));
    buf_append_str(out, content);
}

static void append_pair(struct buf *out, struct str name, struct str value)
{
    const char lengths[] = {(char)name.len, (char)(0x80 | value.len >> 24), (char)(value.len >> 16),
                            (char)(value.len >> 8), (char)value.len};

    buf_append(out, lengths, sizeof(lengths));
    buf_append_str(out, name);
    buf_append_str(out, value);
}

static void append_good_request(struct buf *out)
{
    struct buf params;

    buf_init(&params, REPLY_MAX_BYTES);
    append_pair(&params, STR("REQUEST_METHOD"), STR("GET"));
    append_pair(&params, STR("SCRIPT_NAME"), STR("/me"));
    append_pair(&params, STR("HTTP_AUTHORIZATION"), buf_str(&service_world(SERVICE_PLAIN)->bearer));
    append_record(out, BEGIN, (struct str){"\0\1\0\0\0\0\0\0", 8});
    append_record(out, PARAMS, buf_str(&params));
    append_record(out, PARAMS, STR(""));
    append_record(out, STDIN, STR(""));
    buf_free(&params);
}

/* libfcgi allocates whatever length a name or a value is said to have, up to 2 GB, and ends its process
 * where there is no memory: lengths of four bytes, which begin with a bit that is set, come with the good
 * request alone. */
static void put_with_small_lengths(struct str input, struct buf *out)
{
    for (size_t i = 0; i < input.len; i++)
        buf_append_byte(out, (char)(input.data[i] & 0x7f));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_started;
    struct buf sent, reply;

    if (!is_started)
        start();
    is_started = true;
    buf_init(&sent, REPLY_MAX_BYTES);
    buf_init(&reply, REPLY_MAX_BYTES);
    put_with_small_lengths((struct str){size == 0 ? "" : (const char *)data, size}, &sent);
    converse(buf_str(&sent), &reply);
    (void)require_records(buf_str(&reply));
    buf_reset(&sent);
    buf_reset(&reply);
    append_good_request(&sent);
    converse(buf_str(&sent), &reply);
    require(require_records(buf_str(&reply)) == 1, "the next request is served");
    buf_free(&sent);
    buf_free(&reply);
    return 0;
}
