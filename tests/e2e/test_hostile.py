# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Mangled, random and hostile datagrams on every port, beside a live stream that shows no gap."""

import random
import socket
import struct
import time
from pathlib import Path

import pytest
from kit import ts, wire
from kit.proc import free_port, wait_until
from kit.publishers import RtpWrap, SrtPublisher, UdpPublisher
from kit.readers import UdpReader, srt_player

DATAGRAMS = 100_000
RATE = 20_000  # a second: what the ports can take while the stream runs


def templates(rng, peer_id):
    """Packets that are right in every respect, to be mangled."""
    sid = wire.stream_id_block("#!::r=live/victim,m=publish")
    rtp = RtpWrap()
    return [
        wire.handshake(wire.INDUCTION, version=4, extension=2, socket_id=7),
        wire.handshake(wire.CONCLUSION, extension=5, socket_id=7, cookie=rng.randrange(1 << 32), blocks=wire.hsreq() + sid),
        wire.data(rng.randrange(1 << 31), ts.Generator(3).datagram(), destination=peer_id),
        wire.control(wire.ACK, 1, 5, peer_id, struct.pack(">7I", 9, 20000, 900, 8192, 100, 100, 100000)),
        wire.control(wire.NAK, 0, 5, peer_id, struct.pack(">4I", 0x80000001, 0x7FFFFFFF, 3, 0x80000009)),
        wire.control(wire.ACKACK, 3, 5, peer_id, bytes(4)),
        wire.control(wire.DROPREQ, 0, 5, peer_id, struct.pack(">2I", 0, 0x7FFFFFFF)),
        wire.control(wire.SHUTDOWN, 0, 5, peer_id ^ 1, bytes(4)),
        wire.control(wire.USER, 0, 5, peer_id, rng.randbytes(56), subtype=3),
        rtp(ts.Generator(4).datagram()),
        ts.Generator(5).datagram(),
    ]


def mangle(rng, packet):
    packet = bytearray(packet)
    for _ in range(rng.choice((0, 1, 1, 2, 5, 20))):
        at = rng.randrange(len(packet))
        packet[at] = rng.choice((0, 0xFF, packet[at] ^ 1 << rng.randrange(8), rng.randrange(256)))
    kind = rng.random()
    if kind < 0.25:
        return bytes(packet[: rng.randrange(len(packet) + 1)])
    if kind < 0.35:
        return bytes(packet) + rng.randbytes(rng.randrange(1, 600))
    if kind < 0.4:
        return rng.randbytes(rng.randrange(0, 1500))
    if kind < 0.401:
        return rng.randbytes(rng.randrange(9000, 60000))
    return bytes(packet)


def throw(ports, packets, rate):
    """Sends them in turn to the ports, from changing addresses, evenly."""
    sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(20)]
    due = time.monotonic()
    for i, packet in enumerate(packets):
        sockets[i % 20].sendto(packet, ("127.0.0.1", ports[i % len(ports)]))
        if i % 50 == 49:
            due += 50 / rate
            time.sleep(max(0, due - time.monotonic()))
    for s in sockets:
        s.close()


def resident(program):
    return int(next(line for line in Path(f"/proc/{program.pid}/status").read_text().splitlines() if line.startswith("VmRSS")).split()[1])


@pytest.mark.alone
def test_100000_mangled_datagrams_leave_no_gap(make_relay, programs):
    relay = make_relay(workers=2)
    relay.listen("--open")
    ports = [relay.port, free_port(), free_port(pair=True)]
    for name, url in (("in/udp", f"udp://127.0.0.1:{ports[1]}"), ("in/rtp", f"rtp://127.0.0.1:{ports[2]}")):
        relay.ctl("stream", "add", name)
        relay.ctl("source", "add", name, url)
    publisher = SrtPublisher(programs, relay.url("live/victim", "publish"), bitrate=4_000_000)
    relay.wait_live("live/victim")
    player, reader = srt_player(programs, relay.url("live/victim")), UdpReader(free_port())
    relay.ctl("route", "add", "live/victim", f"udp://127.0.0.1:{reader.port}")
    player.wait(50_000)
    before = resident(relay.dp)

    rng = random.Random(20)
    right = templates(rng, rng.randrange(1 << 30))
    packets = [mangle(rng, rng.choice(right)) for _ in range(DATAGRAMS // 4)] * 4
    at = relay.stream("live/victim")["rx_packets"]
    throw(ports, packets, RATE)
    stream = relay.wait_stream("live/victim", state="live", rx_packets=lambda n: n > at + 1500)
    assert stream["lost_packets"] == 0
    wait_until(lambda: sum(relay.drops().values()) > DATAGRAMS // 4, "drops are counted")
    assert resident(relay.dp) - before < 30_000, "kB grown"

    data = player.stop()
    reader.close()
    published = publisher.stop()
    ts.assert_exact(published, data, at_least=5000, tail=len(published))
    ts.assert_exact(published, reader.data(), at_least=5000, tail=len(published))


def test_a_hostile_subscriber_reaches_nobody_else(relay, programs):
    """A session of its own lets it say anything; the stream and the others do not care."""
    publisher = SrtPublisher(programs, relay.url("live/victim", "publish"), bitrate=4_000_000)
    relay.wait_live("live/victim")
    player = srt_player(programs, relay.url("live/victim"))
    player.wait(50_000)
    raw = wire.RawCaller(relay.port)
    raw.connect("live/victim")
    rng = random.Random(21)
    for turn in range(4000):
        for packet in templates(rng, raw.peer)[2:9]:
            raw.send(mangle(rng, packet) if turn % 2 else packet)
    assert relay.wait_stream("live/victim", state="live")["lost_packets"] == 0
    player.wait(400_000)
    data = player.stop()
    published = publisher.stop()
    ts.assert_exact(published, data, at_least=2000, tail=len(published))
    wait_until(lambda: relay.drops()["unexpected"] > 100, "it is counted")
    raw.close()


def test_a_hostile_publisher_harms_its_own_stream_only(relay, programs):
    publisher = SrtPublisher(programs, relay.url("live/victim", "publish"), bitrate=4_000_000)
    relay.wait_live("live/victim")
    player = srt_player(programs, relay.url("live/victim"))
    player.wait(50_000)
    rng = random.Random(22)
    for turn in range(20):
        raw = wire.RawCaller(relay.port, seed=turn)
        assert raw.connect("#!::r=live/own,m=publish").kind == wire.CONCLUSION
        for i in range(150):
            sequence = rng.choice((raw.isn + i, raw.isn + i * 37, rng.randrange(1 << 31)))
            raw.send(wire.data(sequence, rng.randbytes(rng.choice((0, 1, 188, 1316, 1456))), message=rng.randrange(1 << 26),
                               timestamp=rng.choice((i * 1000, rng.randrange(1 << 32))), destination=raw.peer,
                               key=rng.choice((0, 0, 0, 1, 3)), position=rng.choice((3, 3, 3, 0, 1, 2))))
            raw.send(mangle(rng, rng.choice(templates(rng, raw.peer)[3:9])))
        raw.send(wire.control(wire.SHUTDOWN, destination=raw.peer, content=bytes(4)))
        relay.wait_stream("live/own", state="idle", publisher=None)
        raw.close()
    player.wait(400_000)
    data = player.stop()
    published = publisher.stop()
    ts.assert_exact(published, data, at_least=2000, tail=len(published))
    assert relay.stream("live/victim")["lost_packets"] == 0


def test_the_right_id_from_another_address_is_a_stranger(relay, programs):
    """Socket ids travel in clear: only id and address together are the session."""
    raw = wire.RawCaller(relay.port)
    raw.connect("#!::r=live/own,m=publish")
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.bind(("127.0.0.1", 0))
    for i in range(20):
        stranger.sendto(wire.control(wire.SHUTDOWN, destination=raw.peer, content=bytes(4)), ("127.0.0.1", relay.port))
        stranger.sendto(wire.data(raw.isn + i, ts.Generator(8).datagram(), destination=raw.peer), ("127.0.0.1", relay.port))
    wait_until(lambda: relay.drops()["wrong_address"] >= 40, "the stranger is counted")
    assert relay.stream("live/own")["rx_packets"] == 0 and relay.stream("live/own")["publisher"]
    stranger.close()
    raw.close()
