# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""A wire that is listened to: a UDP forwarder on 127.0.0.1 that keeps what its client sends."""

import socket
import threading

from . import wire

SUBTYPE_KMREQ = 3


class Tap:
    """One client of 127.0.0.1:to_port, through a port of its own."""

    def __init__(self, programs, to_port):
        self.near, self.far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        for s in (self.near, self.far):
            s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
            s.bind(("127.0.0.1", 0))
            s.settimeout(0.2)
        self.far.connect(("127.0.0.1", to_port))
        self.port = self.near.getsockname()[1]
        self.sent, self.client, self.open = [], None, True
        self.threads = [threading.Thread(target=run, daemon=True) for run in (self._forth, self._back)]
        for thread in self.threads:
            thread.start()
        programs.on_close(self.close)

    def _forth(self):
        while self.open:
            try:
                data, self.client = self.near.recvfrom(2048)
                self.sent.append(data)
                self.far.send(data)
            except (socket.timeout, ConnectionRefusedError):
                continue

    def _back(self):
        while self.open:
            try:
                self.near.sendto(self.far.recv(2048), self.client)
            except (socket.timeout, ConnectionRefusedError):
                continue

    def close(self):
        self.open = False
        for thread in self.threads:
            thread.join()
        self.near.close()
        self.far.close()

    def media(self):
        """{sequence number: (key bits, payload)} of the data packets, as first sent."""
        found = {}
        for raw in self.sent:
            if len(raw) > 16 and not raw[0] & 0x80:
                number = int.from_bytes(raw[:4], "big")
                found.setdefault(number, (raw[4] >> 3 & 3, raw[16:]))
        return found

    def first_key(self):
        """The key message of the call."""
        for raw in self.sent:
            h = wire.parse_handshake(raw)
            if h and h.kind == wire.CONCLUSION and wire.KMREQ in h.blocks:
                return h.blocks[wire.KMREQ]
        return None

    def new_keys(self):
        """The key messages after it, each once."""
        found = []
        for raw in self.sent:
            if wire.is_control(raw, wire.USER) and raw[3] == SUBTYPE_KMREQ and raw[16:] not in found:
                found.append(raw[16:])
        return found
