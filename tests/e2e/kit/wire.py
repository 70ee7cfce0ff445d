# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""The few SRT packets hostile tests need, written from draft-sharabayko-srt-01, not from Sluice.

Section numbers below are the draft's. Everything is big-endian; the stream id's words are little-endian.
"""

import random
import socket
import struct
from dataclasses import dataclass

HANDSHAKE, KEEPALIVE, ACK, NAK, CONGESTION, SHUTDOWN, ACKACK, DROPREQ, PEERERROR, USER = 0, 1, 2, 3, 4, 5, 6, 7, 8, 0x7FFF
INDUCTION, CONCLUSION = 1, 0xFFFFFFFF
MAGIC = 0x4A17
HSREQ, HSRSP, KMREQ, SID, CONGESTION_BLOCK, FILTER, GROUP = 1, 2, 3, 5, 6, 7, 8
FLAGS_LIVE = 0xBF
SO_RCVBUFFORCE = 33


def control(kind, word=0, timestamp=0, destination=0, content=b"", subtype=0):
    """3.2: control packet."""
    return struct.pack(">HHIII", 0x8000 | kind, subtype, word, timestamp, destination) + content


def data(sequence, payload, message=1, timestamp=0, destination=0, key=0, resent=False, position=3):
    """3.1: data packet."""
    word = position << 30 | key << 27 | (0x04000000 if resent else 0) | message & 0x03FFFFFF
    return struct.pack(">IIII", sequence & 0x7FFFFFFF, word, timestamp & 0xFFFFFFFF, destination) + payload


def block(kind, content):
    """3.2.1.1: handshake extension, padded to words."""
    content += bytes(-len(content) % 4)
    return struct.pack(">HH", kind, len(content) // 4) + content


def stream_id_block(text):
    """3.2.1.3: each word of the id travels with its bytes reversed."""
    raw = text if isinstance(text, bytes) else text.encode()
    raw += bytes(-len(raw) % 4)
    return block(SID, b"".join(raw[i : i + 4][::-1] for i in range(0, len(raw), 4)))


def hsreq(version=0x00010501, flags=FLAGS_LIVE, receive_ms=120, send_ms=120):
    """3.2.1.1: SRT version, flags, latencies."""
    return block(HSREQ, struct.pack(">IIHH", version, flags, receive_ms, send_ms))


def handshake(kind, version=5, encryption=0, extension=0, isn=0, mss=1500, window=8192, socket_id=1, cookie=0,
              address=bytes([1, 0, 0, 127]) + bytes(12), blocks=b""):
    """3.2.1: handshake content."""
    return control(HANDSHAKE, content=struct.pack(">IHHIIIIII", version, encryption, extension, isn, mss, window, kind,
                                                  socket_id, cookie) + address + blocks)


@dataclass
class Handshake:
    destination: int
    version: int
    extension: int
    isn: int
    kind: int
    socket_id: int
    cookie: int
    blocks: dict


def parse_handshake(raw):
    """A received handshake, None for any other packet."""
    if len(raw) < 64 or struct.unpack_from(">H", raw)[0] != 0x8000:
        return None
    destination = struct.unpack_from(">I", raw, 12)[0]
    version, _, extension, isn, _, _, kind, socket_id, cookie = struct.unpack_from(">IHHIIIIII", raw, 16)
    blocks, at = {}, 64
    while at + 4 <= len(raw):
        block_kind, words = struct.unpack_from(">HH", raw, at)
        blocks[block_kind] = raw[at + 4 : at + 4 + 4 * words]
        at += 4 + 4 * words
    return Handshake(destination, version, extension, isn, kind, socket_id, cookie, blocks)


def is_control(raw, kind):
    return len(raw) >= 16 and struct.unpack_from(">H", raw)[0] == 0x8000 | kind


def media(raw):
    """The payload of a data packet, None for any other."""
    return raw[16:] if len(raw) > 16 and not raw[0] & 0x80 else None


class RawCaller:
    """A caller that does each step by itself, from one UDP socket."""

    def __init__(self, port, seed=1, address="127.0.0.1"):
        self.random = random.Random(seed)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # What nobody reads for a while must not push out what a case waits for. FORCE needs root.
        for option in (socket.SO_RCVBUF, SO_RCVBUFFORCE):
            try:
                self.socket.setsockopt(socket.SOL_SOCKET, option, 8 << 20)
            except PermissionError:
                pass
        self.socket.bind((address, 0))
        self.socket.connect(("127.0.0.1", port))
        self.socket.settimeout(3)
        self.id = self.random.randrange(1, 1 << 29)
        self.isn = self.random.randrange(1 << 30)
        self.peer = 0

    def send(self, raw):
        self.socket.send(raw)

    def receive(self, wanted, tries=2000):
        """The first packet that `wanted` gives something for, and that."""
        for _ in range(tries):
            found = wanted(self.socket.recv(2048))
            if found:
                return found
        raise AssertionError("the packet waited for did not come")

    def receive_handshake(self, kind=None):
        def wanted(raw):
            h = parse_handshake(raw)
            return h if h and (kind is None or h.kind == kind) else None

        return self.receive(wanted)

    def induct(self):
        """Induction; returns the cookie."""
        self.send(handshake(INDUCTION, version=4, extension=2, isn=self.isn, socket_id=self.id))
        answer = self.receive_handshake(INDUCTION)
        assert (answer.version, answer.extension, answer.destination) == (5, MAGIC, self.id)
        return answer.cookie

    def conclusion(self, cookie, streamid, **more):
        fields = dict(extension=5, isn=self.isn, socket_id=self.id, cookie=cookie, blocks=hsreq() + stream_id_block(streamid))
        fields.update(more)
        return handshake(CONCLUSION, **fields)

    def connect(self, streamid, **more):
        """Both steps. Returns the answer: kind CONCLUSION, or the wire value of a rejection."""
        self.send(self.conclusion(self.induct(), streamid, **more))
        answer = self.receive(lambda raw: (h := parse_handshake(raw)) and h.kind != INDUCTION and h)
        if answer.kind == CONCLUSION:
            self.peer = answer.socket_id
        return answer

    def close(self):
        self.socket.close()
