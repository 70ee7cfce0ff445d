# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Subscribers that cannot take their stream are closed, each for its own reason, and nobody else notices."""

import signal
import struct
import threading

from kit import ts, wire
from kit.api import Api, Feed
from kit.proc import wait_until
from kit.publishers import SrtPublisher
from kit.readers import srt_player

NAME = "live/slow"


class Deaf(threading.Thread):
    """Says what it is given to say, twenty times a second."""

    def __init__(self, port, seed, packets):
        super().__init__(daemon=True)
        self.raw = wire.RawCaller(port, seed=seed)
        assert self.raw.connect(f"#!::r={NAME},m=request").kind == wire.CONCLUSION
        self.packets, self.over = packets, threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.05):
            for packet in self.packets(self.raw):
                self.raw.send(packet)

    def close(self):
        self.over.set()
        self.join()
        self.raw.close()


def ack(raw, next_packet):
    """RTT 10 ms. The number is one that the filter lets pass."""
    return wire.control(wire.ACK, 64, 0, raw.peer, struct.pack(">4I", next_packet, 10000, 0, 8192))


def nothing_new(raw):
    return [ack(raw, raw.isn)]


def everything_again(raw):
    """Acknowledges what came, and asks for all before it."""
    newest = raw.isn
    raw.socket.setblocking(False)
    try:
        while True:
            packet = raw.socket.recv(2048)
            if wire.media(packet):
                newest = max(newest, struct.unpack_from(">I", packet)[0])
    except BlockingIOError:
        pass
    raw.socket.settimeout(3)
    if newest == raw.isn:
        return nothing_new(raw)
    report = wire.control(wire.NAK, 0, 0, raw.peer, struct.pack(">2I", (newest - 400 & 0x7FFFFFFF) | 1 << 31, newest))
    return [ack(raw, newest), *[report] * 3]


def test_each_is_closed_for_its_reason_and_the_others_have_everything(relay, programs):
    relay.ctl("stream", "add", NAME, "--slow-after", "2", "--latency", "500")
    publisher = SrtPublisher(programs, relay.url(NAME, "publish"), bitrate=4_000_000)
    relay.wait_live(NAME)
    player = srt_player(programs, relay.url(NAME))
    player.wait(50_000)
    silent = srt_player(programs, relay.url(NAME))
    silent.wait(50_000)
    silent.program.signal(signal.SIGSTOP)
    feed = Feed(Api(relay))
    try:
        deaf, greedy = Deaf(relay.port, 31, nothing_new), Deaf(relay.port, 32, everything_again)
        relay.wait_stream(NAME, subscribers=1, deadline=20)
        for one in (deaf, greedy):
            one.close()
    finally:
        silent.program.signal(signal.SIGCONT)
    reasons = [feed.until(up=False, stream=NAME)["reason"] for _ in range(3)]
    feed.close()
    assert sorted(reasons) == ["it acknowledged nothing for too long", "it was over its repair budget for too long", "timed out"]
    drops = relay.drops()
    assert {name: drops.get(name) for name in ("closed_silent", "closed_stuck", "closed_greedy")} == dict(
        closed_silent=1, closed_stuck=1, closed_greedy=1)
    at = len(player.data())
    wait_until(lambda: len(player.data()) > at + 100_000, "it plays on")
    data = player.stop()
    published = publisher.stop()
    ts.assert_exact(published, data, at_least=2000, tail=len(published))
    assert relay.stream(NAME)["lost_packets"] == 0
