"""A server of MariaDB's protocol that wants a login by a plugin, and lets nobody in."""

import socket
import struct
import threading

_PROTOCOL_41, _SECURE, _WITH_DB, _PLUGIN_AUTH = 1 << 9, 1 << 15, 1 << 3, 1 << 19


def _packet(number: int, payload: bytes) -> bytes:
    return struct.pack("<I", len(payload))[:3] + bytes([number]) + payload


def _greeting() -> bytes:
    capabilities = 1 | _WITH_DB | _PROTOCOL_41 | _SECURE | _PLUGIN_AUTH
    return (b"\x0a5.5.5-10.11.0-MariaDB\0" + struct.pack("<I", 1) + b"12345678\0" + struct.pack("<H", capabilities & 0xFFFF)
            + b"\x2d" + struct.pack("<H", 2) + struct.pack("<H", capabilities >> 16) + b"\x15" + b"\0" * 10
            + b"123456789012\0" + b"mysql_native_password\0")


class PluginServer:
    """On a Unix socket: greets, and then asks for another plugin than the one that the client began with."""

    def __init__(self, path, plugin: str):
        self.plugin = plugin.encode()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(path))
        path.chmod(0o777)
        self.listener.listen(8)
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with client:
                client.sendall(_packet(0, _greeting()))
                if client.recv(65536):
                    client.sendall(_packet(2, b"\xfe" + self.plugin + b"\0" + b"1234567890123456789\0\0"))
                    if client.recv(65536):
                        client.sendall(_packet(4, b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied"))

    def stop(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)
        self.listener.close()
