/*
 * The load: one process, one thread, some connections that are kept open, each of which sends its
 * next request when the answer to the last one is there. With --rate requests are due at even
 * steps of time instead, whatever the answers do, and how long one took counts from when it was
 * due, so that a pause of the service is seen by all who would have come within it. Whose token a
 * request carries is drawn anew each time, evenly or by Zipf's law, or is the next one's. Each
 * answer is looked at: its status, its length and, unless it is told not to, that it shows the user
 * whose token was sent. Prints one JSON object: what was answered, what was wrong, what was lost,
 * and how long the answers took; with --every one such line before it for each so many seconds.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

enum {
    CONNECTIONS_MAX = 4096,
    REQUEST_MAX_BYTES = 8192,
    ANSWER_MAX_BYTES = 256 * 1024,
    ID_LEN = 36,
    /* Of the histogram: steps between one power of two and the next, so an error of 1.6 %. */
    STEPS_LOG2 = 5,
    STEPS = 1 << STEPS_LOG2,
    BUCKETS = STEPS * 32,
    STALL_LIMIT_S = 10, /* an answer that is not there by then is lost */
    CLASSES = 6         /* of a status: its first digit */
};

static const struct str body_start = STR("{\"id\":\"");

struct options {
    const char *tokens;
    unsigned port;
    size_t connections, users, requests; /* requests: 0 for as many as fit into the time */
    double seconds, zipf;
    double rate;    /* requests a second; 0: as many as are answered */
    double every_s; /* 0: one report, at the end */
    unsigned patch_percent;
    bool is_unchecked, is_in_turn;
    uint64_t seed;
};

/* A line of the file: the user's id, a blank, the token. */
struct user {
    const char *id;
    struct str token;
};

struct connection {
    int fd;
    const struct user *user; /* NULL: it waits for the next request that is due */
    int64_t started_us;
    char *in;
    size_t in_len, answer_len; /* answer_len: 0 until the head is there */
    bool ends;                 /* the server closes it after this answer */
};

/* What was answered within some time. */
struct count {
    int64_t start_us;
    uint64_t answered, wrong, lost, classes[CLASSES], buckets[BUCKETS];
    int64_t longest_us;
};

struct load {
    struct options options;
    struct user *users;
    double *shares; /* of the users up to and with this one, for Zipf's law; NULL: evenly */
    struct connection *connections;
    int epoll, timer;            /* timer: -1 without a rate */
    struct connection **waiting; /* a ring: each has its turn, or the server closes it */
    size_t waiting_first, waiting_count;
    uint64_t random, sent, patches, reopened;
    struct count whole, part;
    int64_t end_us;
    size_t open;
    char first_wrong[400];
};

static _Noreturn void die(const char *what)
{
    (void)fprintf(stderr, "load_client: %s%s%s\n", what, errno != 0 ? ": " : "",
                  errno != 0 ? strerror(errno) : "");
    exit(1);
}

/* ---- users, and how they are drawn */

static struct str map_file(const char *path)
{
    struct stat status;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *data;

    if (fd < 0 || fstat(fd, &status) != 0 || status.st_size == 0)
        die(path);
    data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (data == MAP_FAILED)
        die(path);
    (void)close(fd);
    return (struct str){data, (size_t)status.st_size};
}

static void read_users(struct load *load)
{
    struct str rest = map_file(load->options.tokens);
    size_t count = load->options.users, i = 0;

    load->users = calloc(count, sizeof(*load->users));
    if (load->users == NULL)
        die("out of memory");
    for (; i < count && str_is_set(rest) && rest.len > 0; i++) {
        struct str token = str_cut(&rest, '\n'), id = str_cut(&token, ' ');
        if (id.len != ID_LEN || !str_is_set(token))
            die("the file of tokens has a line that is not an id and a token");
        load->users[i] = (struct user){id.data, token};
    }
    errno = 0;
    if (i < count)
        die("the file of tokens has fewer users than --users says");
}

static void weigh_users(struct load *load)
{
    size_t count = load->options.users;
    double sum = 0;

    if (load->options.zipf <= 0)
        return;
    load->shares = calloc(count, sizeof(*load->shares));
    if (load->shares == NULL)
        die("out of memory");
    for (size_t i = 0; i < count; i++)
        load->shares[i] = sum += pow((double)(i + 1), -load->options.zipf);
    for (size_t i = 0; i < count; i++)
        load->shares[i] /= sum;
}

/* xorshift64*: good enough for whose turn it is. */
static uint64_t draw(struct load *load)
{
    load->random ^= load->random >> 12;
    load->random ^= load->random << 25;
    load->random ^= load->random >> 27;
    return load->random * UINT64_C(2685821657736338717);
}

static const struct user *draw_user(struct load *load)
{
    size_t low = 0, high = load->options.users - 1;
    double point = (double)(draw(load) >> 11) * 0x1p-53;

    if (load->options.is_in_turn)
        return &load->users[load->sent % load->options.users];
    if (load->shares == NULL)
        return &load->users[(size_t)(point * (double)load->options.users)];
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (load->shares[middle] > point)
            high = middle;
        else
            low = middle + 1;
    }
    return &load->users[low];
}

/* ---- how long it took */

static size_t bucket_of(uint64_t us)
{
    unsigned octave;

    if (us < STEPS)
        return (size_t)us;
    octave = 63U - (unsigned)__builtin_clzll(us) - STEPS_LOG2;
    size_t bucket = (size_t)octave * STEPS + (size_t)(us >> octave);
    return bucket < BUCKETS ? bucket : BUCKETS - 1;
}

/* The least that falls into it. */
static uint64_t bucket_start(size_t bucket)
{
    if (bucket < STEPS)
        return bucket;
    return (uint64_t)(bucket % STEPS + STEPS) << (bucket / STEPS - 1);
}

static void count_answer(struct count *count, int64_t took_us, unsigned class)
{
    count->answered++;
    count->classes[class]++;
    count->buckets[bucket_of((uint64_t)took_us)]++;
    if (took_us > count->longest_us)
        count->longest_us = took_us;
}

static void count_lost(struct load *load, uint64_t lost)
{
    load->whole.lost += lost;
    load->part.lost += lost;
}

static double percentile(const struct count *count, double part)
{
    uint64_t wanted = (uint64_t)ceil((double)count->answered * part), seen = 0;

    for (size_t i = 0; i < BUCKETS; i++) {
        seen += count->buckets[i];
        if (seen >= wanted && seen > 0)
            return (double)(bucket_start(i) + bucket_start(i + 1)) / 2;
    }
    return 0;
}

/* ---- connections */

static void watch(struct load *load, struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = connection}};

    if (epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event) != 0)
        die("epoll_ctl");
}

/* Blocks while it connects, which on the loopback takes no time worth counting. */
static void open_connection(struct load *load, struct connection *connection)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)load->options.port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int on = 1;

    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        die("cannot connect");
    (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (fcntl(connection->fd, F_SETFL, O_NONBLOCK) != 0)
        die("fcntl");
    connection->ends = false;
    watch(load, connection);
}

static void reopen(struct load *load, struct connection *connection)
{
    (void)close(connection->fd);
    load->reopened++;
    open_connection(load, connection);
}

static size_t write_patch(struct load *load, const struct connection *connection, char *out,
                          size_t size)
{
    char body[80];
    int len = snprintf(body, sizeof(body), "{\"name\":\"Benchmark User %u\"}",
                       (unsigned)(draw(load) >> 40));

    load->patches++;
    return (size_t)snprintf(out, size,
                            "PATCH /me HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                            "Authorization: Bearer %.*s\r\n"
                            "Content-Type: application/merge-patch+json\r\n"
                            "Content-Length: %d\r\n\r\n%s",
                            STR_ARGS(connection->user->token), len, body);
}

static size_t write_get(const struct connection *connection, char *out, size_t size)
{
    return (size_t)snprintf(out, size,
                            "GET /me HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                            "Authorization: Bearer %.*s\r\n\r\n",
                            STR_ARGS(connection->user->token));
}

static bool is_over(const struct load *load, int64_t now_us)
{
    if (load->options.requests > 0)
        return load->sent >= load->options.requests;
    return now_us >= load->end_us;
}

static void end_connection(struct load *load, struct connection *connection)
{
    (void)close(connection->fd);
    connection->fd = -1;
    load->open--;
}

/* When the next request is due: at once where there is no rate. */
static int64_t due_us(const struct load *load, int64_t now_us)
{
    if (load->timer < 0)
        return now_us;
    return load->whole.start_us + (int64_t)((double)load->sent * 1e6 / load->options.rate);
}

static void wait_in_turn(struct load *load, struct connection *connection)
{
    size_t last = (load->waiting_first + load->waiting_count++) % load->options.connections;

    connection->user = NULL;
    load->waiting[last] = connection;
}

/* A request fits into the send buffer of a connection that has nothing else to send. */
static void send_next(struct load *load, struct connection *connection)
{
    char out[REQUEST_MAX_BYTES];
    int64_t now_us = clock_monotonic_us();
    size_t len;

    if (is_over(load, now_us)) {
        end_connection(load, connection);
        return;
    }
    connection->started_us = due_us(load, now_us);
    if (connection->started_us > now_us) {
        wait_in_turn(load, connection);
        return;
    }
    connection->user = draw_user(load);
    connection->in_len = connection->answer_len = 0;
    len = draw(load) % 100 < load->options.patch_percent
              ? write_patch(load, connection, out, sizeof(out))
              : write_get(connection, out, sizeof(out));
    if (len >= sizeof(out))
        die("a request is too long");
    load->sent++;
    if (send(connection->fd, out, len, MSG_NOSIGNAL) != (ssize_t)len) {
        count_lost(load, 1);
        reopen(load, connection);
        send_next(load, connection);
    }
}

/* All that is due by now, as far as there are connections that wait; what is left is late. */
static void send_due(struct load *load)
{
    size_t before = load->waiting_count + 1;
    uint64_t ticks;

    if (read(load->timer, &ticks, sizeof(ticks)) < 0 && errno != EAGAIN)
        die("the timer");
    while (load->waiting_count > 0 && load->waiting_count < before) {
        struct connection *first = load->waiting[load->waiting_first];
        before = load->waiting_count--;
        load->waiting_first = (load->waiting_first + 1) % load->options.connections;
        send_next(load, first);
    }
}

/* ---- answers */

static void note_wrong(struct load *load, const struct connection *connection)
{
    load->whole.wrong++;
    load->part.wrong++;
    if (load->first_wrong[0] != '\0')
        return;
    (void)snprintf(load->first_wrong, sizeof(load->first_wrong), "%.*s", (int)connection->in_len,
                   connection->in);
    for (char *at = load->first_wrong; *at != '\0'; at++)
        if ((unsigned char)*at < ' ' || *at == '"' || *at == '\\')
            *at = ' ';
}

/* The value of a field of the head, whatever the case of its name; STR_NONE where there is none. */
static struct str field_of(struct str head, const char *name)
{
    size_t name_len = strlen(name);

    while (head.len > 0) {
        struct str rest = str_cut(&head, '\n'), line = str_cut(&rest, '\r');
        if (line.len > name_len && line.data[name_len] == ':' &&
            strncasecmp(line.data, name, name_len) == 0)
            return str_trim((struct str){line.data + name_len + 1, line.len - name_len - 1});
        if (!str_is_set(head))
            break;
    }
    return STR_NONE;
}

/* Finds how long the whole answer will be, once its head is there. */
static void read_head(struct connection *connection)
{
    const char *end = memmem(connection->in, connection->in_len, "\r\n\r\n", 4);
    int64_t body_len;

    if (end == NULL)
        return;
    struct str head = {connection->in, (size_t)(end - connection->in) + 2};
    struct str length = field_of(head, "Content-Length"), kept = field_of(head, "Connection");
    errno = 0;
    if (!str_is_set(length) || !str_to_number(length, ANSWER_MAX_BYTES / 2, &body_len))
        die("an answer has no Content-Length");
    connection->ends = str_is_set(kept) && kept.len == 5 && strncasecmp(kept.data, "close", 5) == 0;
    connection->answer_len = head.len + 2 + (size_t)body_len;
}

static bool is_right(const struct load *load, const struct connection *connection)
{
    struct str answer = {connection->in, connection->in_len};
    const char *body;

    if (connection->in_len != connection->answer_len ||
        !str_starts_with(answer, STR("HTTP/1.1 200 ")))
        return false;
    if (load->options.is_unchecked)
        return true;
    body = memmem(answer.data, answer.len, "\r\n\r\n", 4);
    body += 4;
    return (size_t)(answer.data + answer.len - body) > body_start.len + ID_LEN &&
           memcmp(body, body_start.data, body_start.len) == 0 &&
           memcmp(body + body_start.len, connection->user->id, ID_LEN) == 0;
}

/* 0 for what is no status. */
static unsigned class_of(const struct connection *connection)
{
    static const size_t place = sizeof("HTTP/1.1 ") - 1;
    unsigned digit = connection->in_len > place ? (unsigned)(connection->in[place] - '0') : 0;

    return digit < CLASSES ? digit : 0;
}

static void finish(struct load *load, struct connection *connection)
{
    int64_t took_us = clock_monotonic_us() - connection->started_us;

    count_answer(&load->whole, took_us, class_of(connection));
    count_answer(&load->part, took_us, class_of(connection));
    if (!is_right(load, connection))
        note_wrong(load, connection);
    if (connection->ends)
        reopen(load, connection);
    send_next(load, connection);
}

static void receive(struct load *load, struct connection *connection)
{
    ssize_t len = recv(connection->fd, connection->in + connection->in_len,
                       ANSWER_MAX_BYTES - connection->in_len, 0);

    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len <= 0 && connection->user == NULL) { /* it was open without a request for too long */
        reopen(load, connection);
        return;
    }
    if (len <= 0) {
        count_lost(load, 1);
        reopen(load, connection);
        send_next(load, connection);
        return;
    }
    connection->in_len += (size_t)len;
    if (connection->answer_len == 0)
        read_head(connection);
    if (connection->answer_len > 0 && connection->in_len >= connection->answer_len)
        finish(load, connection);
}

/* What waits for too long is lost, and its connection is not used any more. */
static void give_up(struct load *load)
{
    count_lost(load, load->open);
    load->open = 0;
}

/* ---- what is told */

static void print_counts(const struct load *load, const struct count *count, int64_t now_us)
{
    (void)printf("{\"requests\":%llu,\"wrong\":%llu,\"lost\":%llu,\"patches\":%llu,"
                 "\"reopened\":%llu,\"at\":%.6f,\"seconds\":%.6f,\"p50_us\":%.0f,\"p99_us\":%.0f,"
                 "\"longest_us\":%lld,\"by_class\":[",
                 (unsigned long long)count->answered, (unsigned long long)count->wrong,
                 (unsigned long long)count->lost, (unsigned long long)load->patches,
                 (unsigned long long)load->reopened, (double)now_us / 1e6,
                 (double)(now_us - count->start_us) / 1e6, percentile(count, 0.5),
                 percentile(count, 0.99), (long long)count->longest_us);
    for (size_t i = 0; i < CLASSES; i++)
        (void)printf("%s%llu", i > 0 ? "," : "", (unsigned long long)count->classes[i]);
    (void)printf("]");
}

static void print_whole(const struct load *load, int64_t now_us)
{
    const char *comma = "";

    print_counts(load, &load->whole, now_us);
    (void)printf(",\"first_wrong\":\"%s\",\"histogram\":[", load->first_wrong);
    for (size_t i = 0; i < BUCKETS; i++) {
        if (load->whole.buckets[i] == 0)
            continue;
        (void)printf("%s[%llu,%llu]", comma, (unsigned long long)bucket_start(i),
                     (unsigned long long)load->whole.buckets[i]);
        comma = ",";
    }
    (void)printf("]}\n");
}

static void report_part(struct load *load)
{
    int64_t now_us = clock_monotonic_us();

    if (load->options.every_s <= 0 ||
        now_us < load->part.start_us + (int64_t)(load->options.every_s * 1e6))
        return;
    print_counts(load, &load->part, now_us);
    (void)printf("}\n");
    if (fflush(stdout) != 0)
        die("standard output");
    load->part = (struct count){.start_us = now_us};
}

/* ---- the run */

/* Ticks where each request is due, while there are any. */
static void set_timer(const struct load *load, double rate)
{
    int64_t step_ns = rate > 0 ? (int64_t)(1e9 / rate) : 0;
    struct timespec step = {.tv_sec = step_ns / 1000000000, .tv_nsec = step_ns % 1000000000};
    struct itimerspec timer = {.it_interval = step, .it_value = step};

    if (load->timer >= 0 && timerfd_settime(load->timer, 0, &timer, NULL) != 0)
        die("timerfd_settime");
}

static void take_event(struct load *load, struct connection *connection)
{
    if (connection == NULL)
        send_due(load);
    else if (connection->fd >= 0) /* else it ended since the event */
        receive(load, connection);
    if (load->waiting_count == 0 && is_over(load, clock_monotonic_us()))
        set_timer(load, 0); /* so that what is never answered is seen */
}

static void run(struct load *load)
{
    struct epoll_event events[256];

    load->whole.start_us = load->part.start_us = clock_monotonic_us();
    load->end_us = load->whole.start_us + (int64_t)(load->options.seconds * 1e6);
    load->open = load->options.connections;
    set_timer(load, load->options.rate);
    for (size_t i = 0; i < load->options.connections; i++)
        send_next(load, &load->connections[i]);
    while (load->open > 0) {
        int count = epoll_wait(load->epoll, events, 256, STALL_LIMIT_S * 1000);
        if (count < 0 && errno != EINTR)
            die("epoll_wait");
        if (count == 0)
            give_up(load);
        for (int i = 0; i < count; i++)
            take_event(load, events[i].data.ptr);
        report_part(load);
    }
}

/* ---- the whole */

static const struct option long_options[] = {
    {"port", required_argument, NULL, 'p'},    {"tokens", required_argument, NULL, 't'},
    {"users", required_argument, NULL, 'u'},   {"connections", required_argument, NULL, 'c'},
    {"seconds", required_argument, NULL, 's'}, {"requests", required_argument, NULL, 'r'},
    {"zipf", required_argument, NULL, 'z'},    {"patch-percent", required_argument, NULL, 'w'},
    {"unchecked", no_argument, NULL, 'n'},     {"seed", required_argument, NULL, 'x'},
    {"in-turn", no_argument, NULL, 'i'},       {"rate", required_argument, NULL, 'R'},
    {"every", required_argument, NULL, 'e'},   {NULL, 0, NULL, 0},
};

static bool take_option(struct options *options, int option)
{
    switch (option) {
    case 'p':
        options->port = (unsigned)strtoul(optarg, NULL, 10);
        return true;
    case 't':
        options->tokens = optarg;
        return true;
    case 'u':
        options->users = strtoul(optarg, NULL, 10);
        return true;
    case 'c':
        options->connections = strtoul(optarg, NULL, 10);
        return true;
    case 's':
        options->seconds = strtod(optarg, NULL);
        return true;
    case 'r':
        options->requests = strtoul(optarg, NULL, 10);
        return true;
    case 'z':
        options->zipf = strtod(optarg, NULL);
        return true;
    case 'w':
        options->patch_percent = (unsigned)strtoul(optarg, NULL, 10);
        return true;
    case 'R':
        options->rate = strtod(optarg, NULL);
        return true;
    case 'e':
        options->every_s = strtod(optarg, NULL);
        return true;
    case 'n':
        options->is_unchecked = true;
        return true;
    case 'i':
        options->is_in_turn = true;
        return true;
    case 'x':
        options->seed = strtoull(optarg, NULL, 10);
        return true;
    default:
        return false;
    }
}

static void read_options(struct options *options, int argc, char **argv)
{
    int option;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
        if (!take_option(options, option))
            exit(2);
    if (options->tokens == NULL || options->port == 0 || options->users == 0 ||
        options->connections == 0 || options->connections > CONNECTIONS_MAX)
        die("--tokens, --port, --users and --connections must be said");
}

static void make_connections(struct load *load)
{
    size_t count = load->options.connections;

    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->connections = calloc(count, sizeof(*load->connections));
    load->waiting = calloc(count, sizeof(struct connection *));
    if (load->epoll < 0 || load->connections == NULL || load->waiting == NULL)
        die("cannot make the connections");
    for (size_t i = 0; i < count; i++) {
        load->connections[i].in = malloc(ANSWER_MAX_BYTES);
        if (load->connections[i].in == NULL)
            die("out of memory");
        open_connection(load, &load->connections[i]);
    }
}

/* Its event has no connection. */
static void make_timer(struct load *load)
{
    struct epoll_event event = {.events = EPOLLIN};

    if (load->options.rate <= 0)
        return;
    load->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (load->timer < 0 || epoll_ctl(load->epoll, EPOLL_CTL_ADD, load->timer, &event) != 0)
        die("cannot make the timer");
}

int main(int argc, char **argv)
{
    static struct load load = {.options = {.seconds = 1, .seed = 1}, .timer = -1};

    read_options(&load.options, argc, argv);
    load.random = load.options.seed * UINT64_C(0x9E3779B97F4A7C15) + 1;
    read_users(&load);
    weigh_users(&load);
    make_connections(&load);
    make_timer(&load);
    run(&load);
    print_whole(&load, clock_monotonic_us());
    return fflush(stdout) == 0 ? 0 : 1;
}
