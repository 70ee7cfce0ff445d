# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Who watches: plain sockets and other people's programs."""

import socket
import struct
import threading
from dataclasses import dataclass, field

from . import ts
from .proc import wait_until

IP_RECVTTL, IP_RECVTOS = 12, 13


@dataclass
class Rtp:
    """One RTP packet (RFC 3550, 5.1)."""

    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse_rtp(data):
    first, second, sequence, timestamp, ssrc = struct.unpack_from(">BBHII", data)
    assert first >> 6 == 2, f"RTP version {first >> 6}"
    at = 12 + 4 * (first & 15)
    if first & 0x10:
        at += 4 + 4 * struct.unpack_from(">H", data, at + 2)[0]
    end = len(data) - (data[-1] if first & 0x20 else 0)
    return Rtp(second & 0x7F, bool(second & 0x80), sequence, timestamp, ssrc, bytes(data[at:end]))


@dataclass
class Datagram:
    data: bytes
    source: tuple
    ttl: int = 0
    tos: int = 0


@dataclass
class UdpReader:
    """Reads a UDP port, or a group on an interface, from now on."""

    port: int
    group: str = None
    interface: str = "127.0.0.1"
    buffer: int = 8 << 20
    datagrams: list = field(default_factory=list)

    def __post_init__(self):
        s = self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1 if self.group else 0)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.buffer)
        s.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        s.setsockopt(socket.IPPROTO_IP, IP_RECVTOS, 1)
        s.bind((self.group or "127.0.0.1", self.port))
        if self.group:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                         socket.inet_aton(self.group) + socket.inet_aton(self.interface))
        s.settimeout(0.2)
        self.open = True
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self):
        while self.open:
            try:
                data, ancillary, _, source = self.socket.recvmsg(2048, 256)
            except socket.timeout:
                continue
            except OSError:
                return
            d = Datagram(data, source)
            for _, kind, value in ancillary:
                if kind == socket.IP_TTL:
                    d.ttl = struct.unpack("i", value)[0]
                elif kind == socket.IP_TOS:
                    d.tos = value[0]
            self.datagrams.append(d)

    def data(self):
        return b"".join(d.data for d in self.datagrams)

    def rtp(self):
        return [parse_rtp(d.data) for d in self.datagrams]

    def payload(self):
        """The payloads of an RTP stream."""
        return b"".join(p.payload for p in self.rtp())

    def wait(self, count, deadline=15.0):
        return wait_until(lambda: len(self.datagrams) >= count, lambda: f"{count} datagrams at {self.port}; {len(self.datagrams)} came", deadline)

    def close(self):
        self.open = False
        self.thread.join()
        self.socket.close()


BLOCK = 4096  # srt-live-transmit writes whole blocks, and the rest when it ends


class FilePlayer:
    """A program that writes what it gets into a file."""

    def __init__(self, programs, name, argv):
        self.file = programs.folder / f"{name}-{len(programs.started)}.out"
        with open(self.file, "wb") as out:
            self.program = programs.client(name, argv, stdout=out)

    def data(self):
        """Whole TS packets so far."""
        data = self.file.read_bytes()
        return data[: len(data) // ts.PACKET * ts.PACKET]

    def wait(self, size, deadline=20.0):
        """Waits for this many bytes, but for what the program may still hold back: more than a block."""
        assert size > BLOCK, size
        size -= BLOCK
        return wait_until(
            lambda: self.file.stat().st_size >= size,
            lambda: f"{size} bytes at {self.program.name}; {self.file.stat().st_size} came; {self.program.output()[-400:]}", deadline,
        )

    def stop(self):
        self.program.stop()
        return self.data()


def srt_player(programs, url, *flags):
    """srt-live-transmit, which plays an SRT URL once: a lost connection ends it."""
    return FilePlayer(programs, "srt-live-transmit-play", ["srt-live-transmit", "-a:no", *flags, url, "file://con"])


def ffmpeg_player(programs, url):
    """ffmpeg that writes the bytes as they come, without looking into them."""
    return FilePlayer(programs, "ffmpeg-play", ["ffmpeg", "-v", "error", "-f", "data", "-i", url, "-map", "0", "-c", "copy", "-f", "data", "-"])
