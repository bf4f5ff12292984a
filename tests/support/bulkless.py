"""A proxy in front of MariaDB, as some are that know nothing of bulk execution: it hides that the server does."""

import socket
import threading

from support.relay import Relay

# In the server's first packet (protocol 10): behind the version's NUL come the connection's id (4), a part of the
# scramble (8), a zero, capabilities (2), character set (1), status (2), capabilities (2), the scramble's length (1),
# six zeros, and MariaDB's own capabilities (4), of which bit 2 stands for bulk execution.
_BEHIND_VERSION, _BULK = 4 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 6, 1 << 2


def _without_bulk(packet: bytes) -> bytes:
    at = packet.index(b"\0", 5) + 1 + _BEHIND_VERSION
    assert packet[4] == 10 and packet[at] & _BULK, packet
    return packet[:at] + bytes([packet[at] & ~_BULK]) + packet[at + 1:]


class Proxy(Relay):
    def pass_on(self, client, server):
        client.sendall(_without_bulk(server.recv(65536)))
        back = threading.Thread(target=_copy, args=(server, client), daemon=True)
        back.start()
        _copy(client, server)
        back.join()


def _copy(source, target):
    try:
        while part := source.recv(65536):
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
