# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Bonded publishers: several links of one group, from several addresses, are one publisher.

Debian's libsrt has no groups: the links are spoken here, by kit.wire. What libsrt with bonding does is in
tests/data (captures) and tests/interop/bonded.py.
"""

import struct
import threading
import time

import pytest
from kit import ts, wire
from kit.proc import free_port, wait_until
from kit.readers import srt_player

BROADCAST, BACKUP = 1, 2
GROUP_BIT = 1 << 30


def group_block(number, kind=BROADCAST, weight=0):
    """What a link says of its group."""
    return wire.block(wire.GROUP, struct.pack(">IBBH", GROUP_BIT | number, kind, 0, weight))


class Link(wire.RawCaller):
    """One link: answers ACKs, sends again what it is asked for, says that it lives."""

    def __init__(self, port, seed, group, streamid, isn, kind=BROADCAST, weight=0):
        super().__init__(port, seed)
        self.isn = isn
        self.history, self.acks, self.asked = {}, [], 0
        blocks = wire.hsreq() + wire.stream_id_block(streamid) + group_block(group, kind, weight)
        self.answer = self.connect(streamid, blocks=blocks)
        self.running = self.answer.kind == wire.CONCLUSION
        if self.running:
            self.socket.settimeout(0.2)
            self.thread = threading.Thread(target=self._run, daemon=True)
            self.thread.start()

    def mirror(self):
        return struct.unpack(">IBBH", self.answer.blocks[wire.GROUP])

    def _run(self):
        said = time.monotonic()
        while self.running:
            try:
                self._take(self.socket.recv(2048))
            except TimeoutError:
                pass
            except OSError:
                return
            if time.monotonic() > said + 0.9:
                self.send(wire.control(wire.KEEPALIVE, 0, 0, self.peer, bytes(4)))
                said = time.monotonic()

    def _take(self, raw):
        if wire.is_control(raw, wire.ACK) and len(raw) >= 32:
            self.acks.append(struct.unpack_from(">I", raw, 16)[0])
            self.send(wire.control(wire.ACKACK, struct.unpack_from(">I", raw, 4)[0], 0, self.peer, bytes(4)))
        elif wire.is_control(raw, wire.NAK):
            self.asked += 1
            words = iter(struct.unpack_from(f">{(len(raw) - 16) // 4}I", raw, 16))
            for word in words:
                first, last = (word & 0x7FFFFFFF, next(words)) if word >> 31 else (word, word)
                for sequence in range(first, last + 1):
                    assert sequence in self.history, "asked for what this link never sent"
                    self.send(self.history[sequence][:4] + struct.pack(">I", 0xC4000001) + self.history[sequence][8:])

    def put(self, sequence, timestamp, payload, lose=False):
        packet = wire.data(sequence, payload, timestamp=timestamp, destination=self.peer)
        self.history[sequence] = packet
        if not lose:
            self.send(packet)

    def leave(self):
        self.send(wire.control(wire.SHUTDOWN, 0, 0, self.peer, bytes(4)))
        self.die()

    def die(self):
        self.running = False
        self.thread.join()
        self.close()


class Bond:
    """Sends a generated stream over links, each packet by those that `carry` says."""

    def __init__(self, isn=1000):
        self.isn, self.n, self.sent = isn, 0, bytearray()
        self.generator, self.began = ts.Generator(), time.monotonic()

    def send(self, count, links, carry=lambda n: None, lost=lambda link, n: False):
        due = time.monotonic()
        for _ in range(count):
            payload = self.generator.datagram()
            self.sent += payload
            stamp = int((time.monotonic() - self.began) * 1e6)
            for i, link in enumerate(links):
                if carry(self.n) in (None, i):
                    link.put(self.isn + self.n, stamp, payload, lost(i, self.n))
            self.n += 1
            due += 0.002
            time.sleep(max(0, due - time.monotonic()))


@pytest.fixture
def relay2(make_relay):
    relay = make_relay(workers=2)
    relay.listen("--open")
    return relay


def test_every_byte_arrives_while_links_lose_die_and_come_back(relay2, programs):
    relay, bond, name = relay2, Bond(), "live/bonded"
    relay.ctl("listener", "add", f"srt://127.0.0.1:{(second := free_port())}", "--open")
    sid = f"#!::r={name},m=publish"
    links = [Link(port, i + 1, 7, sid, bond.isn, weight=i) for i, port in enumerate((relay.port, second))]
    assert links[0].mirror()[0] == links[1].mirror()[0] != GROUP_BIT | 7
    assert links[1].mirror()[1:] == (BROADCAST, 0, 1)
    player = srt_player(programs, relay.url(name))
    wait_until(lambda: relay.items("sub", "list"), "the player is here")
    bond.send(300, links)
    # Each loses a tenth, a hundredth both.
    bond.send(500, links, lost=lambda i, n: n % 10 == 3 * i + (n // 10 % 10 == 0) * (3 - 3 * i))
    shown = relay.items("pub", "list")
    assert {p["group"] for p in shown} == {"broadcast"} and {p["link_state"] for p in shown} == {"active"}
    first = relay.json("pub", "show", relay.stream(name)["publisher"])
    assert sorted(x["peer"] for x in first["links"]) == sorted("127.0.0.1:%d" % x.socket.getsockname()[1] for x in links)
    assert sum(x["unique_packets"] for x in first["links"]) == sum(p["rx_packets"] for p in shown) >= 780
    assert all(x["redundant_packets"] > 200 or x["unique_packets"] > 600 for x in first["links"])
    assert all(x["missed_packets"] >= 40 for x in first["links"])

    links[0].leave()  # the first link, which has the publisher's id
    wait_until(lambda: len(relay.items("pub", "list")) == 1, "one link is left")
    assert relay.stream(name)["publisher"] == relay.items("pub", "list")[0]["id"]
    bond.send(200, links[1:])
    back = Link(relay.port, 9, 7, sid, bond.isn + bond.n)
    assert back.mirror()[0] == links[1].mirror()[0]
    bond.send(200, [back, links[1]])
    links[1].die()  # without a word
    bond.send(700, [back])
    asked = back.asked
    player.wait(len(bond.sent))
    ts.assert_exact(bytes(bond.sent), player.stop(), at_least=1800 * 7, tail=len(bond.sent))
    stream = relay.stream(name)
    assert stream["lost_packets"] == 0 and stream["rx_packets"] == bond.n and asked == 0
    assert all(a <= bond.isn + bond.n for x in (*links, back) for a in x.acks)
    port = back.socket.getsockname()[1]
    back.leave()
    wait_until(lambda: "127.0.0.1:%d" % port not in {p["peer"] for p in relay.items("pub", "list")}, "it went")


def test_standby_takes_over_and_strangers_stay_out(relay2, programs):
    relay, bond, name = relay2, Bond(), "live/backup"
    sid = f"#!::r={name},m=publish"
    links = [Link(relay.port, i + 1, 8, sid, bond.isn, BACKUP) for i in range(2)]
    player = srt_player(programs, relay.url(name))
    wait_until(lambda: relay.items("sub", "list"), "the player is here")
    bond.send(300, links, carry=lambda n: 0)
    states = {p["peer"]: p["link_state"] for p in relay.items("pub", "list")}
    assert sorted(states.values()) == ["active", "standby"] and not links[1].acks
    # Another group, another kind, no group; and a group cannot play.
    refused = [Link(relay.port, 11, 9, sid, 1, BACKUP), Link(relay.port, 12, 8, sid, 1, BROADCAST), Link(relay.port, 13, 8, sid, 1, 3),
               Link(relay.port, 14, 10, f"#!::r={name},m=request", 1)]
    assert [x.answer.kind for x in refused] == [2409, 2409, 1015, 1015]
    assert "only publishers may be bonded" in relay.dp.output()
    links[0].die()
    # What had not been acknowledged is sent again by the other.
    for n in range(290, 300):
        packet = links[0].history[bond.isn + n]
        links[1].put(bond.isn + n, struct.unpack_from(">I", packet, 8)[0], packet[16:])
    bond.send(300, links, carry=lambda n: 1)
    player.wait(len(bond.sent))
    ts.assert_exact(bytes(bond.sent), player.stop(), at_least=550 * 7, tail=len(bond.sent))
    assert relay.stream(name)["lost_packets"] == 0
    relay.ctl("pub", "kick", relay.stream(name)["publisher"])
    wait_until(lambda: not relay.items("pub", "list"), "a kick ends all links")
