#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Bonded publishers of libsrt against the relay. Debian's libsrt has no groups, so it is given one that has.

    tests/interop/bonded.py /path/to/libsrt.so              built with ENABLE_BONDING, and ENABLE_AEAD_API_PREVIEW for GCM
    tests/interop/bonded.py /path/to/libsrt.so backup cut   only cells of these words, with libsrt's log; no table

A cell is the kind of group, the key, and what happens to the first of two links: nothing, its path is cut, or it comes
anew after it was closed. Both links pass seeded paths of 5 % loss and RTT 20 and 40 ms. Every byte that was sent has to
arrive over a UDP route. Keys are changed every 600 packets. The table goes into README.md beside this file.
"""

import ctypes
import itertools
import socket
import struct
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from kit import ts  # noqa: E402
from kit.path import BadPath  # noqa: E402
from kit.proc import Programs, free_port, wait_until  # noqa: E402
from kit.publishers import Paced  # noqa: E402
from kit.readers import UdpReader  # noqa: E402
from kit.relay import Relay  # noqa: E402

SECRET = "a-passphrase-for-all"
KINDS = {"broadcast": 1, "backup": 2}
KEYS = {"clear": 0, "128": 16, "192": 24, "256": 32, "GCM 256": 32}
EVENTS = ("both stay", "path cut", "closed, anew")
STREAMID, PASSPHRASE, PBKEYLEN, LATENCY, REFRESH, PREANNOUNCE, CRYPTOMODE = 46, 26, 27, 23, 51, 52, 62
LATENCY_MS, DATAGRAMS, BITRATE = 400, 2400, 5_000_000
TAIL = 50  # of a lost last datagram nobody hears: no packet follows it
START, END = "<!-- bonded: begin -->", "<!-- bonded: end -->"


class Config(ctypes.Structure):
    """SRT_SOCKGROUPCONFIG."""

    _fields_ = [("id", ctypes.c_int), ("source", ctypes.c_uint64 * 16), ("peer", ctypes.c_uint64 * 16),
                ("weight", ctypes.c_uint16), ("config", ctypes.c_void_p), ("error", ctypes.c_int), ("token", ctypes.c_int)]


def address(port):
    return struct.pack("=H", socket.AF_INET) + struct.pack(">H", port) + socket.inet_aton("127.0.0.1") + bytes(8)


class Group:
    """A group of libsrt."""

    def __init__(self, lib, kind, options):
        self.lib = lib
        self.fd = lib.srt_create_group(KINDS[kind])
        if self.fd == -1:
            raise SystemExit("this libsrt was built without bonding")
        for option, value in options.items():
            raw = value.encode() if isinstance(value, str) else struct.pack("=i", value)
            if lib.srt_setsockflag(self.fd, option, raw, len(raw)) == -1:
                raise SystemExit(f"option {option}: {lib.srt_getlasterror_str().decode()}")

    def connect(self, ports):
        links = (Config * len(ports))()
        for i, (port, weight) in enumerate(ports):
            links[i] = self.lib.srt_prepare_endpoint(None, address(port), 16)
            links[i].weight = weight
        if self.lib.srt_connect_group(self.fd, links, len(ports)) == -1:
            raise OSError(self.lib.srt_getlasterror_str().decode())
        return [link.id for link in links]

    def send(self, data):
        if self.lib.srt_sendmsg2(self.fd, data, len(data), None) == -1:
            raise OSError(self.lib.srt_getlasterror_str().decode())

    def close(self):
        self.lib.srt_close(self.fd)


def load(path, log):
    lib = ctypes.CDLL(path)
    lib.srt_startup()
    lib.srt_setloglevel(4 if log else 0)
    lib.srt_getlasterror_str.restype = ctypes.c_char_p
    lib.srt_prepare_endpoint.restype = Config
    return lib


def options_of(stream, key):
    options = {STREAMID: f"#!::r={stream},m=publish", LATENCY: LATENCY_MS}
    if KEYS[key]:
        options |= {PASSPHRASE: SECRET, PBKEYLEN: KEYS[key], REFRESH: 600, PREANNOUNCE: 150}
    if key.startswith("GCM"):
        options |= {CRYPTOMODE: 2}
    return options


def run(lib, relay, programs, stream, cell):
    """Datagrams of the stream that did not arrive, and wrong or doubled ones."""
    kind, key, event = cell
    paths = [BadPath(programs, relay.port, loss=50, delay_ms=10 * (i + 1), seed=31 + i) for i in range(2)]
    if KEYS[key]:
        secret = programs.folder / "secret"
        secret.write_text(SECRET)
        relay.ctl("stream", "add", stream, "--publish-passphrase-file", str(secret))
    else:
        relay.ctl("stream", "add", stream)
    reader = UdpReader(free_port())
    relay.ctl("route", "add", stream, f"udp://127.0.0.1:{reader.port}")
    group = Group(lib, kind, options_of(stream, key))
    ids = group.connect([(path.port, 10 - i) for i, path in enumerate(paths)])
    wait_until(lambda: len(relay.items("pub", "list")) == 2, "both links are here")
    publisher = Paced(group.send, bitrate=BITRATE, count=DATAGRAMS)
    wait_until(lambda: len(publisher.sent) > 600 * ts.DATAGRAM, "a quarter is out")
    if event == "path cut":
        paths[0].cut()
    elif event == "closed, anew":
        lib.srt_close(ids[0])
        wait_until(lambda: len(relay.items("pub", "list")) == 1, "one link is left")
        group.connect([(paths[0].port, 10)])
        wait_until(lambda: len(relay.items("pub", "list")) == 2, "it is here again")
    sent = publisher.finish(60)
    deadline = time.monotonic() + 5
    while len(reader.datagrams) < DATAGRAMS and time.monotonic() < deadline:
        time.sleep(0.05)
    group.close()
    wait_until(lambda: not relay.items("pub", "list"), "all links have gone", 15)
    got = reader.data()
    reader.close()
    relay.ctl("stream", "del", stream)
    sent_in = [sent[at : at + ts.DATAGRAM] for at in range(0, len(sent), ts.DATAGRAM)]
    pieces = set(sent_in[:-TAIL])
    arrived = [got[at : at + ts.DATAGRAM] for at in range(0, len(got), ts.DATAGRAM)]
    return len(pieces - set(arrived)), sum(piece not in sent_in for piece in arrived) + len(arrived) - len(set(arrived))


def table(results):
    rows = [f"{sum(r == (0, 0) for r in results.values())} of {len(results)} cells without a missing, wrong or doubled datagram.",
            "", "| group | key | " + " | ".join(EVENTS) + " |", "|---|---|" + "---|" * len(EVENTS)]
    for kind, key in itertools.product(KINDS, KEYS):
        shown = [results[kind, key, event] for event in EVENTS]
        rows.append(f"| {kind} | {key} | " + " | ".join("ok" if r == (0, 0) else f"**{r[0]} missing, {r[1]} wrong**" for r in shown) + " |")
    return "\n".join(rows)


def main():
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    words = sys.argv[2:]
    lib, programs, results = load(sys.argv[1], words), Programs(), {}
    try:
        relay = Relay(programs, workers=2).start()
        relay.listen()
        for n, cell in enumerate(itertools.product(KINDS, KEYS, EVENTS)):
            if not all(word in ", ".join(cell) for word in words):
                continue
            results[cell] = run(lib, relay, programs, f"live/b{n}", cell)
            print(*cell, "ok" if results[cell] == (0, 0) else results[cell], sep=", ", flush=True)
    finally:
        programs.close()
        programs.remove()
    if words:
        raise SystemExit(any(r != (0, 0) for r in results.values()))
    readme = HERE / "README.md"
    head, rest = readme.read_text().split(START)
    readme.write_text(head + START + "\n" + table(results) + "\n" + END + rest.split(END)[1])
    raise SystemExit(any(r != (0, 0) for r in results.values()))


if __name__ == "__main__":
    main()
