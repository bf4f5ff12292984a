"""What proxies in front of MariaDB have in common: a socket of their own, and a connection to the server for each."""

import socket
import threading


class Relay:
    """Listens until it is closed. `pass_on` is what each of them does with a client and the server."""

    def __init__(self, target: str, path):
        self.target, self.path, self.connections = target, str(path), 0
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(self.path)
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listening.close()

    def pass_on(self, client: socket.socket, server: socket.socket):
        raise NotImplementedError

    def _accept(self):
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client):
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(self.target)
            self.pass_on(client, server)
