#include "process/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

bool descriptors_ensure_standard(void)
{
    for (int wanted = STDIN_FILENO; wanted <= STDERR_FILENO; wanted++) {
        if (fcntl(wanted, F_GETFD) >= 0 || errno != EBADF)
            continue;
        /* The lowest free number is taken: all below it are open by now. */
        if (open("/dev/null", O_RDWR | O_NOCTTY) != wanted)
            return false;
    }
    return true;
}

bool descriptor_is_listening(int descriptor)
{
    int listening = 0;
    socklen_t len = sizeof(listening);

    return getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 &&
           listening != 0;
}

static bool is_socket(int descriptor)
{
    int type;
    socklen_t len = sizeof(type);

    return getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &len) == 0;
}

bool descriptor_is_unix_socket(int descriptor)
{
    int domain = 0;
    socklen_t len = sizeof(domain);

    return getsockopt(descriptor, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX;
}

/* Whatever signals come. False: nothing came until then, or the wait failed. */
static bool wait_for_input(int descriptor, int64_t until_us)
{
    struct pollfd wait = {.fd = descriptor, .events = POLLIN};
    int count = -1;

    do {
        int64_t left_ms = (until_us - clock_monotonic_us()) / 1000;

        if (left_ms <= 0)
            return false;
        count = poll(&wait, 1, left_ms > INT_MAX ? INT_MAX : (int)left_ms);
    } while (count < 0 && errno == EINTR);
    return count > 0;
}

bool descriptor_wait(int descriptor, int timeout_ms)
{
    struct pollfd wait = {.fd = descriptor, .events = POLLIN};

    return poll(&wait, 1, timeout_ms) > 0;
}

bool descriptor_is_hung_up(int descriptor, int timeout_ms)
{
    struct pollfd wait = {.fd = descriptor, .events = 0};

    return poll(&wait, 1, timeout_ms) > 0 && (wait.revents & (POLLHUP | POLLERR)) != 0;
}

bool descriptor_has_more(int descriptor)
{
    char byte;

    return recv(descriptor, &byte, sizeof(byte), MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* As wait_for_input. The input is nearly always there: no clock is read before a signal comes. */
static bool has_input_within(int descriptor, int64_t silence_ms)
{
    struct pollfd wait = {.fd = descriptor, .events = POLLIN};
    int count = poll(&wait, 1, (int)silence_ms);

    if (count < 0 && errno == EINTR)
        return wait_for_input(descriptor, clock_monotonic_us() + silence_ms * 1000);
    return count > 0;
}

int descriptor_accept(int listener, int64_t silence_ms)
{
    int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

    if (connection < 0 || has_input_within(connection, silence_ms))
        return connection;
    (void)close(connection);
    errno = ECONNABORTED;
    return -1;
}

void descriptor_drain_socket(int descriptor, int64_t max_bytes, int64_t timeout_ms)
{
    int64_t until_us = clock_monotonic_us() + timeout_ms * 1000;
    char dropped[16 * 1024];

    if (!is_socket(descriptor))
        return;
    while (max_bytes > 0 && wait_for_input(descriptor, until_us)) {
        ssize_t got = recv(descriptor, dropped, sizeof(dropped), 0);

        if (got <= 0)
            return;
        max_bytes -= got;
    }
}

bool descriptor_refuse_further(int listener)
{
    return shutdown(listener, SHUT_RD) == 0;
}

bool descriptor_set_nonblocking(int descriptor)
{
    int flags = fcntl(descriptor, F_GETFL);

    return flags >= 0 &&
           ((flags & O_NONBLOCK) != 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0);
}
