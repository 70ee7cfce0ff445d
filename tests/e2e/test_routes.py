# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Streams pushed to UDP and RTP addresses, added and removed while the stream runs."""

import pytest
from kit import ts
from kit.proc import free_port, wait_until
from kit.publishers import SrtPublisher
from kit.readers import UdpReader, srt_player


@pytest.fixture
def live(relay, programs):
    """A relay with a declared stream that is live."""
    relay.ctl("stream", "add", "live/a")
    relay.publisher = SrtPublisher(programs, relay.url("live/a", "publish"))
    relay.wait_live("live/a")
    return relay


def push(relay, url):
    """Adds a route; its document."""
    relay.ctl("route", "add", "live/a", url)
    return next(r for r in relay.items("route", "list") if r["url"].split("?")[0] == url.split("?")[0])


@pytest.mark.basic
def test_a_udp_route_carries_the_bytes(live):
    reader = UdpReader(free_port())
    route = push(live, f"udp://127.0.0.1:{reader.port}")
    assert (route["stream"], route["state"], route["error"]) == ("live/a", "active", None)
    reader.wait(150)
    reader.close()
    ts.assert_exact(live.publisher.stop(), reader.data(), at_least=1000, tail=10_000_000)
    assert {len(d.data) for d in reader.datagrams} == {ts.DATAGRAM}
    wait_until(lambda: live.items("route", "list")[0]["tx_packets"] >= 150, "the route has counted")


@pytest.mark.basic
def test_an_rtp_route_carries_the_bytes_as_payload_type_33(live):
    reader = UdpReader(free_port(pair=True))
    push(live, f"rtp://127.0.0.1:{reader.port}")
    reader.wait(150)
    reader.close()
    ts.assert_exact(live.publisher.stop(), reader.payload(), at_least=1000, tail=10_000_000)
    packets = reader.rtp()
    assert {(p.payload_type, p.ssrc) for p in packets} == {(33, packets[0].ssrc)}
    assert all((b.sequence - a.sequence) & 0xFFFF == 1 for a, b in zip(packets, packets[1:]))
    steps = [(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in zip(packets, packets[1:])]
    # 90 kHz: 1,316 bytes at 2 Mb/s are 474 ticks; the mean tells the clock, whatever the jitter.
    assert 380 < sum(steps) / len(steps) < 570


def test_ttl_and_dscp_are_as_asked(live):
    reader = UdpReader(free_port())
    push(live, f"udp://127.0.0.1:{reader.port}?ttl=7&dscp=34")
    reader.wait(20)
    reader.close()
    assert {(d.ttl, d.tos) for d in reader.datagrams} == {(7, 34 << 2)}


def test_a_unicast_route_has_ttl_64(live):
    reader = UdpReader(free_port())
    push(live, f"udp://127.0.0.1:{reader.port}")
    reader.wait(20)
    reader.close()
    assert {d.ttl for d in reader.datagrams} == {64}


@pytest.mark.parametrize("scheme", ["udp", "rtp"])
def test_a_multicast_route_reaches_the_group(live, scheme):
    port = free_port(pair=True)
    group = f"239.77.5.{port % 250 + 1}"
    readers = [UdpReader(port, group=group) for _ in range(2)]
    push(live, f"{scheme}://{group}:{port}?iface=lo&ttl=3")
    for reader in readers:
        reader.wait(50)
        reader.close()
    published = live.publisher.stop()
    for reader in readers:
        data = reader.data() if scheme == "udp" else reader.payload()
        ts.assert_exact(published, data, at_least=300, tail=10_000_000)
        assert {d.ttl for d in reader.datagrams} == {3}


def test_routes_come_and_go_and_nobody_else_notices(live, programs):
    player = srt_player(programs, live.url("live/a"))
    stays = UdpReader(free_port())
    push(live, f"udp://127.0.0.1:{stays.port}")
    player.wait(50_000)
    for _ in range(3):
        goes = UdpReader(free_port())
        route = push(live, f"udp://127.0.0.1:{goes.port}")
        goes.wait(20)
        live.ctl("route", "del", route["id"])
        seen, at = len(goes.datagrams), live.stream("live/a")["rx_packets"]
        live.wait_stream("live/a", rx_packets=lambda n: n > at + 40)
        goes.close()
        # One may have been on its way.
        assert len(goes.datagrams) <= seen + 2
        assert len(live.items("route", "list")) == 1
    at = len(stays.datagrams)
    stays.wait(at + 20)
    stays.close()
    data = player.stop()
    published = live.publisher.stop()
    ts.assert_exact(published, stays.data(), at_least=1000, tail=10_000_000)
    ts.assert_exact(published, data, at_least=1000, tail=10_000_000)


def test_a_route_may_stand_before_its_stream(relay, programs):
    reader = UdpReader(free_port())
    relay.ctl("stream", "add", "live/later")
    relay.ctl("route", "add", "live/later", f"udp://127.0.0.1:{reader.port}")
    publisher = SrtPublisher(programs, relay.url("live/later", "publish"))
    reader.wait(60)
    reader.close()
    published = publisher.stop()
    assert ts.join_offset(published, reader.data()) == 0
    ts.assert_exact(published, reader.data(), at_least=400, tail=10_000_000)


def test_the_same_route_twice_is_one(live):
    url = f"udp://127.0.0.1:{free_port()}"
    first, again = push(live, url), push(live, url)
    assert first["id"] == again["id"] and len(live.items("route", "list")) == 1


def test_a_name_that_does_not_resolve_is_unresolved_not_fatal(live):
    done = live.run("route", "add", "live/a", "udp://no-such-host.invalid:5000")
    assert done.returncode == 8 and done.stderr.count("\n") == 1
    (route,) = live.items("route", "list")
    assert route["state"] == "unresolved" and route["error"]


def test_a_route_that_the_system_refuses_says_so_and_hurts_no_other(live):
    reader = UdpReader(free_port())
    push(live, f"udp://127.0.0.1:{reader.port}")
    live.ctl("route", "add", "live/a", "udp://255.255.255.255:5000")

    def refused():
        return next(r for r in live.items("route", "list") if "255" in r["url"])

    wait_until(lambda: refused()["state"] == "error", lambda: f"the route says it: {refused()}")
    assert refused()["error"] == "the system does not permit sending there"
    assert "does not permit" in live.run("doctor").stdout
    reader.wait(300)
    reader.close()
    ts.assert_exact(live.publisher.stop(), reader.data(), at_least=1000, tail=10_000_000)
    wait_until(lambda: (refused()["tx_packets"], refused()["tx_bytes"]) == (0, 0), lambda: f"nothing has left: {refused()}")


def test_a_kicked_route_begins_again(live):
    reader = UdpReader(free_port())
    push(live, f"udp://127.0.0.1:{reader.port}")
    reader.wait(20)
    (session,) = live.items("sub", "list")
    live.ctl("sub", "kick", session["id"])
    wait_until(lambda: [s["id"] for s in live.items("sub", "list")] not in ([], [session["id"]]), "another session has begun")
    wait_until(lambda: live.items("route", "list")[0]["state"] == "active", "the route is active")
    seen = len(reader.datagrams)
    reader.wait(seen + 50)
    reader.close()
