# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Streams that Sluice fetches from a UDP port it binds, unicast and multicast."""

import pytest
from kit import ts
from kit.path import BadPath
from kit.proc import free_port, wait_until
from kit.publishers import RtpWrap, UdpPublisher
from kit.readers import UdpReader, srt_player

GROUP = "239.77.3.{}"


def add_source(relay, url, name="in/a"):
    relay.ctl("stream", "add", name)
    relay.ctl("source", "add", name, url)
    (source,) = relay.items("source", "list")
    assert (source["stream"], source["state"]) == (name, "active")


def played_exactly(relay, programs, publisher, name="in/a"):
    relay.wait_live(name)
    player = srt_player(programs, relay.url(name))
    player.wait(200_000)
    data = player.stop()
    published = publisher.stop()
    ts.assert_exact(published, data, at_least=1000, tail=len(published))


@pytest.mark.basic
@pytest.mark.parametrize("scheme", ["udp", "rtp"])
def test_a_unicast_source_is_played_exactly(relay, programs, scheme):
    port = free_port(pair=True)
    add_source(relay, f"{scheme}://:{port}")
    publisher = UdpPublisher(programs, "127.0.0.1", port, wrap=RtpWrap() if scheme == "rtp" else None)
    played_exactly(relay, programs, publisher)
    wait_until(lambda: relay.items("source", "list")[0]["rx_packets"] >= 100, "the source has counted")
    (pub,) = relay.items("pub", "list")
    assert (pub["proto"], pub["stream"]) == (scheme, "in/a")


@pytest.mark.parametrize("scheme", ["udp", "rtp"])
def test_a_multicast_source_is_played_exactly(relay, programs, scheme):
    port = free_port(pair=True)
    group = GROUP.format(port % 250 + 1)
    add_source(relay, f"{scheme}://@{group}:{port}?iface=lo")
    publisher = UdpPublisher(programs, group, port, interface="127.0.0.1", wrap=RtpWrap() if scheme == "rtp" else None)
    played_exactly(relay, programs, publisher)


def test_a_source_specific_group_takes_its_sender_only(relay, programs):
    port = free_port(pair=True)
    group = f"232.77.4.{port % 250 + 1}"
    add_source(relay, f"udp://@{group}:{port}?iface=lo&source=127.0.0.2")
    stranger = UdpPublisher(programs, group, port, interface="127.0.0.1", generator=ts.Generator(9))
    publisher = UdpPublisher(programs, group, port, interface="127.0.0.2")
    played_exactly(relay, programs, publisher)
    stranger.stop()


def test_rtp_in_a_bad_order_leaves_in_order_and_once(relay, programs):
    """The reorder window of an RTP source: late ones find their place, doubles go."""
    port, out = free_port(pair=True), free_port()
    add_source(relay, f"rtp://:{port}")
    reader = UdpReader(out)
    relay.ctl("route", "add", "in/a", f"udp://127.0.0.1:{out}")
    path = BadPath(programs, port, seed=4, reorder=50, reorder_ms=10, dup=20, delay_ms=2)
    UdpPublisher(programs, "127.0.0.1", path.port, wrap=RtpWrap(bitrate=4_000_000), bitrate=4_000_000, count=1500).finish()
    reader.wait(1490)
    reader.close()
    seen = ts.count(reader.data())
    assert (seen.missing, seen.doubled, seen.backwards) == (0, 0, 0)
    assert path.counts()["up"]["reordered"] > 30
    wait_until(lambda: relay.drops()["duplicate"] > 10, "the doubles are counted")


def test_another_ssrc_is_kept_out_while_the_first_one_sends(relay, programs):
    port = free_port(pair=True)
    add_source(relay, f"rtp://:{port}")
    publisher = UdpPublisher(programs, "127.0.0.1", port, wrap=RtpWrap(ssrc=1))
    relay.wait_live("in/a")
    stranger = UdpPublisher(programs, "127.0.0.1", port, wrap=RtpWrap(ssrc=2), generator=ts.Generator(9))
    wait_until(lambda: relay.drops()["wrong_source"] > 50, "the other SSRC is refused")
    played_exactly(relay, programs, publisher)
    # Silence of the first one for a second, and the second one has the source.
    out = free_port()
    reader = UdpReader(out)
    relay.ctl("route", "add", "in/a", f"udp://127.0.0.1:{out}")
    reader.wait(50)
    reader.close()
    ts.assert_exact(stranger.stop(), reader.data(), at_least=300, tail=10_000_000)


def test_a_deleted_source_ends_its_stream_and_frees_the_port(relay, programs):
    port = free_port(pair=True)
    add_source(relay, f"udp://:{port}")
    UdpPublisher(programs, "127.0.0.1", port)
    relay.wait_live("in/a")
    relay.ctl("source", "del", relay.items("source", "list")[0]["id"])
    relay.wait_stream("in/a", state="idle", publisher=None)
    UdpReader(port).close()  # binds


def test_a_busy_port_is_an_error_with_a_reason(relay):
    port = free_port(pair=True)
    reader = UdpReader(port)
    relay.ctl("stream", "add", "in/a")
    done = relay.run("source", "add", "in/a", f"udp://127.0.0.1:{port}")
    reader.close()
    assert done.returncode == 8 and done.stderr.count("\n") == 1, done.stderr
    (source,) = relay.items("source", "list")
    assert source["state"] == "error" and str(port) in source["error"]
