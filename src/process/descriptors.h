/*
 * What a worker finds at its descriptors when it starts. Some spawners leave standard output or
 * error closed: the next file or socket that is opened would then take their number, and the log
 * would be written into it.
 */
#ifndef ME_PROCESS_DESCRIPTORS_H
#define ME_PROCESS_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/compiler.h"

/* Opens /dev/null for each of the descriptors 0 to 2 that is closed. */
bool descriptors_ensure_standard(void) MUST_CHECK;

/*
 * True for a socket that connections are accepted on. One that is connected (Apache's mod_cgid
 * gives such a one as standard input) is not.
 */
bool descriptor_is_listening(int descriptor);

/*
 * Reads and drops what still comes at a connected socket: up to so many bytes, to its end, or for
 * so long. A Unix socket that is closed with something unread takes away from the other side also
 * what was written and not yet read (ECONNRESET): an answer to a request whose body nobody wanted
 * would be lost. Anything but a socket is left alone.
 */
void descriptor_drain_socket(int descriptor, int64_t max_bytes, int64_t timeout_ms);

bool descriptor_is_unix_socket(int descriptor);

/* Until there is something to read, or to accept, or for so long; a signal ends it. */
bool descriptor_wait(int descriptor, int timeout_ms);

/* Whether nobody reads what is written to it, now or within so long: the other end of the pipe or
 * of the connection is closed. */
bool descriptor_is_hung_up(int descriptor, int timeout_ms);

/* Whether there is something to read at a connected socket now, and not its end. */
bool descriptor_has_more(int descriptor);

/*
 * The next connection of a listening socket, once something has arrived at it. Signals do not
 * disturb that. -1 and errno: ECONNABORTED where the other side was silent for so long.
 */
int descriptor_accept(int listener, int64_t silence_ms) MUST_CHECK;

/*
 * Whoever connects to a listening Unix socket from now on is refused, whichever process else has
 * it; what waits in it can still be accepted. A TCP socket would drop that.
 */
bool descriptor_refuse_further(int listener) MUST_CHECK;

/* Waits in accept() are over at once from now on: see process/stop.h for how to wait. */
bool descriptor_set_nonblocking(int descriptor) MUST_CHECK;

#endif
