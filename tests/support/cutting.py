"""A proxy in front of MariaDB that hangs up in the midst of what clients ask, as often as it is told to."""

import socket
import threading


class CuttingProxy:
    """Listens on a socket of its own until it is closed."""

    def __init__(self, target: str, path):
        self.target, self.path = target, str(path)
        self._cuts, self._marker = 0, b""
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(self.path)
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, times: int, marker: bytes = b""):
        """The next connections that ask what the marker is in (or anything) are lost without an answer."""
        self._marker, self._cuts = marker, times

    @property
    def cuts_left(self) -> int:
        return self._cuts

    def close(self):
        self._listening.close()

    def _accept(self):
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self.target)
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            self._copy_unless_cut(client, server)
            server.shutdown(socket.SHUT_RDWR)
            back.join()

    def _copy_unless_cut(self, client, server):
        while part := client.recv(65536):
            if self._cuts > 0 and self._marker in part:
                self._cuts -= 1
                return
            server.sendall(part)


def _copy(source, target):
    try:
        while part := source.recv(65536):
            target.sendall(part)
    except OSError:
        pass
