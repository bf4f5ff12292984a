#include "process/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

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

bool descriptor_set_nonblocking(int descriptor)
{
    int flags = fcntl(descriptor, F_GETFL);

    return flags >= 0 && fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) == 0;
}
