#include "store/probe.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    /* The kernel asks again at ever longer intervals; a new probe asks at once. */
    CONNECT_MAX_US = 2 * 1000 * 1000,
    /* A connection that is given up counts at the server as a failed one when it wakes. */
    GREETING_MAX_US = 30 * 1000 * 1000,
    GREETING_BYTES = 5, /* a packet's length and number, and the version of the protocol */
    PROTOCOL_VERSION = 10
};

static bool begin_connect(struct probe *probe, int family, const void *address, socklen_t len)
{
    probe->fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe->fd < 0)
        return false;
    if (connect(probe->fd, address, len) == 0 || errno == EINPROGRESS)
        return true;
    probe_end(probe);
    return false;
}

static bool begin_socket(struct probe *probe, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int len = snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    return len > 0 && (size_t)len < sizeof(address.sun_path) &&
           begin_connect(probe, AF_UNIX, &address, sizeof(address));
}

static size_t count_addresses(const struct addrinfo *found)
{
    size_t count = 0;
    for (; found != NULL; found = found->ai_next)
        count++;
    return count;
}

/* Begins at the address that is next, since the first one may be dead for good, as where a host is
 * not reached by IPv6: who connects to it goes on to the others by itself. */
static bool begin_one_of(struct probe *probe, const struct addrinfo *found)
{
    size_t count = count_addresses(found), first = probe->next;
    bool begun = false;
    for (size_t i = 0; i < count && !begun; i++) {
        const struct addrinfo *one = found;
        probe->next = (first + i) % count;
        for (size_t place = 0; place < probe->next; place++)
            one = one->ai_next;
        begun = begin_connect(probe, one->ai_family, one->ai_addr, one->ai_addrlen);
    }
    probe->next++;
    return begun;
}

static bool begin_tcp(struct probe *probe, const struct endpoint *endpoint)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    char port[sizeof("65535")];
    (void)snprintf(port, sizeof(port), "%u", (unsigned int)endpoint->port);
    if (getaddrinfo(endpoint->name, port, &hints, &found) != 0)
        return false;
    bool begun = begin_one_of(probe, found);
    freeaddrinfo(found);
    return begun;
}

bool probe_begin(struct probe *probe, const struct endpoint *endpoint, int64_t monotonic_us)
{
    probe_end(probe);
    if (!(endpoint->is_socket ? begin_socket(probe, endpoint->name) : begin_tcp(probe, endpoint)))
        return false;
    probe->begun_us = monotonic_us; /* an address before that was refused has set it back */
    return true;
}

/* An error packet in its place says that the server takes no connection now. */
static enum probe_state read_greeting(int fd)
{
    unsigned char greeting[GREETING_BYTES];
    ssize_t len = recv(fd, greeting, sizeof(greeting), MSG_PEEK);
    if (len < 0)
        return errno == EAGAIN || errno == EINTR ? PROBE_WAITING : PROBE_FAILED;
    if (len > 0 && len < GREETING_BYTES)
        return PROBE_WAITING;
    return len > 0 && greeting[GREETING_BYTES - 1] == PROTOCOL_VERSION ? PROBE_GREETED
                                                                       : PROBE_FAILED;
}

static enum probe_state look(struct probe *probe, int64_t monotonic_us)
{
    struct pollfd polled = {.fd = probe->fd, .events = POLLIN | POLLOUT};
    int64_t age_us = monotonic_us - probe->begun_us;
    enum probe_state state = PROBE_WAITING;
    if (poll(&polled, 1, 0) > 0) {
        if ((polled.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0 &&
            (polled.revents & POLLIN) == 0)
            return PROBE_FAILED;
        probe->is_connected = true;
        state = read_greeting(probe->fd);
    }
    if (state == PROBE_WAITING && age_us > (probe->is_connected ? GREETING_MAX_US : CONNECT_MAX_US))
        return PROBE_FAILED;
    return state;
}

enum probe_state probe_look(struct probe *probe, int64_t monotonic_us)
{
    enum probe_state state = probe->fd < 0 ? PROBE_FAILED : look(probe, monotonic_us);
    if (state != PROBE_WAITING)
        probe_end(probe);
    return state;
}

void probe_end(struct probe *probe)
{
    if (probe->fd >= 0)
        (void)close(probe->fd);
    *probe = (struct probe){.fd = -1, .next = probe->next};
}
