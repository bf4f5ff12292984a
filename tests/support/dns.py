"""A name server that knows one address for every name."""

import socket
import struct
import threading

_A, _IN = 1, 1


class NameServer:
    """Answers at port 53 of an address of the loopback."""

    def __init__(self, address: str, answer: str):
        self.answer = socket.inet_aton(answer)
        self.asked = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, 53))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self):
        while True:
            try:
                question, client = self.socket.recvfrom(512)
            except OSError:
                return
            if not question:
                return
            self.socket.sendto(self._reply(question), client)

    def _reply(self, message: bytes) -> bytes:
        """RFC 1035, section 4: one address for A, and nothing for the other types."""
        at, labels = 12, []
        while message[at]:
            labels.append(message[at + 1:at + 1 + message[at]].decode())
            at += 1 + message[at]
        kind, _ = struct.unpack("!HH", message[at + 1:at + 5])
        self.asked.append(".".join(labels))
        count = int(kind == _A)
        record = struct.pack("!HHHIH", 0xC00C, _A, _IN, 60, 4) + self.answer
        return (message[:2] + struct.pack("!HHHHH", 0x8180, 1, count, 0, 0) + message[12:at + 5] + record * count)

    def stop(self):
        """An empty message ends the thread."""
        self.socket.sendto(b"", self.socket.getsockname())
        self.thread.join(5)
        self.socket.close()
