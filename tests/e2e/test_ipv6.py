# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""IPv6 beside IPv4: listeners of both, sources, routes and calls."""

import socket

import pytest
from kit import ts
from kit.proc import free_port, wait_until
from kit.publishers import Paced, SrtPublisher
from kit.readers import srt_player

pytestmark = pytest.mark.basic
ENOUGH = 400_000


def url6(relay, name, mode):
    return relay.url(name, mode).replace("127.0.0.1", "[::1]")


class Udp6:
    """A reader on ::1."""

    def __init__(self, programs):
        self.socket = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind(("::1", 0))
        self.socket.settimeout(15)
        self.port = self.socket.getsockname()[1]
        programs.on_close(self.socket.close)

    def read(self, size):
        data = b""
        while len(data) < size:
            data += self.socket.recv(2048)
        return data


@pytest.fixture
def relay(make_relay):
    """With one listener for everything."""
    relay = make_relay()
    relay.ctl("listener", "add", f"srt://:{relay.port}", "--open")
    return relay


def test_publishers_and_players_of_both_versions_meet(relay, programs):
    published = {}
    for version, url in (("6", url6), ("4", lambda r, *a: r.url(*a))):
        name = f"live/v{version}"
        publisher = SrtPublisher(programs, url(relay, name, "publish"), bitrate=4_000_000)
        relay.wait_live(name)
        players = [srt_player(programs, relay.url(name)), srt_player(programs, url6(relay, name, "request"))]
        for player in players:
            player.wait(ENOUGH)
        peers = {sub["peer"].rsplit(":", 1)[0] for sub in relay.items("sub", "list") if sub["stream"] == name}
        assert peers == {"127.0.0.1", "[::1]"}
        received = [player.stop() for player in players]
        published[name] = publisher.stop()
        for data in received:
            ts.assert_exact(published[name], data, at_least=2000, tail=len(published[name]))
    listeners = relay.items("listener", "list")
    assert [item["url"] for item in listeners] == [f"srt://[::]:{relay.port}"]


def test_a_source_and_a_route(relay, programs):
    feed, reader = free_port(), Udp6(programs)
    relay.ctl("source", "add", "live/a", f"udp://[::1]:{feed}")
    relay.ctl("route", "add", "live/a", f"udp://[::1]:{reader.port}")
    out = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    programs.on_close(out.close)
    paced = Paced(lambda data: out.sendto(data, ("::1", feed)), bitrate=4_000_000)
    programs.on_close(paced.stop)
    got = reader.read(ENOUGH)
    ts.assert_exact(paced.stop(), got, at_least=2000, tail=1 << 30)


def test_a_call_of_ours(relay, programs):
    """We push to srt-live-transmit on ::1, and pull from a relay there: ourselves."""
    port = free_port()
    publisher = SrtPublisher(programs, relay.url("live/a", "publish"), bitrate=4_000_000)
    relay.wait_live("live/a")
    player = srt_player(programs, f"srt://[::1]:{port}?mode=listener")
    relay.ctl("route", "add", "live/a", f"srt://[::1]:{port}")
    relay.ctl("source", "add", "live/b", f"srt://[::1]:{relay.port}?streamid=live/a")
    relay.wait_live("live/b")
    player.wait(ENOUGH)
    again = srt_player(programs, relay.url("live/b"))
    again.wait(ENOUGH)
    received = [player.stop(), again.stop()]
    published = publisher.stop()
    for data in received:
        ts.assert_exact(published, data, at_least=2000, tail=len(published))


def test_addresses_are_judged_in_their_own_version(relay, programs):
    relay.ctl("stream", "add", "live/a", "--deny", "::1/128")
    publisher = SrtPublisher(programs, relay.url("live/a", "publish"))
    relay.wait_live("live/a")
    refused = srt_player(programs, url6(relay, "live/a", "request"))
    wait_until(lambda: relay.drops()["refused_access"], "a refusal by address")
    served = srt_player(programs, relay.url("live/a"))
    served.wait(ENOUGH // 4)
    assert not refused.data()
    publisher.stop()
