"""A proxy in front of MariaDB that hangs up, or answers what it likes, when it is told to."""

import socket
import struct
import threading

from support.relay import Relay


def error_packet(number: int) -> bytes:
    """In answer to a statement."""
    body = b"\xff" + struct.pack("<H", number) + b"#HY000" + b"made up"
    return len(body).to_bytes(3, "little") + b"\x01" + body


class CuttingProxy(Relay):
    def __init__(self, target: str, path):
        self._cuts, self._marker, self._answer = 0, b"", b""
        super().__init__(target, path)

    def cut(self, times: int, marker: bytes = b""):
        """The next connections that ask what the marker is in (or anything) are lost without an answer."""
        self._marker, self._answer, self._cuts = marker, b"", times

    def forge(self, marker: bytes, answer: bytes):
        """The next that asks what the marker is in gets it done, and this for an answer."""
        self._marker, self._answer, self._cuts = marker, answer, 1

    @property
    def cuts_left(self) -> int:
        return self._cuts

    def pass_on(self, client, server):
        forged = []
        back = threading.Thread(target=_copy_back, args=(server, client, forged), daemon=True)
        back.start()
        self._copy_unless_cut(client, server, forged)
        server.shutdown(socket.SHUT_RDWR)
        back.join()

    def _copy_unless_cut(self, client, server, forged):
        while part := client.recv(65536):
            if self._cuts > 0 and self._marker in part:
                self._cuts -= 1
                if not self._answer:
                    return
                forged.append(self._answer)
            server.sendall(part)


def _copy_back(server, client, forged):
    try:
        while part := server.recv(65536):
            client.sendall(forged.pop() if forged else part)
    except OSError:
        pass
