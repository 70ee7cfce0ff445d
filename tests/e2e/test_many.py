# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Many subscribers, many streams, small socket buffers: nothing is missing after repair."""

import pytest
from kit import ts
from kit.load import Load
from kit.proc import wait_until
from kit.publishers import SrtPublisher
from kit.readers import srt_player

pytestmark = [pytest.mark.alone, pytest.mark.timeout(120)]
KERNEL_DROPS = ("socket_overflow", "tx_full")


def assert_whole(report):
    assert report["good"], report
    assert report["failed_calls"] == {} or not report["failed_calls"], report


def test_300_subscribers_of_one_stream_of_4_megabits(make_relay, programs):
    relay = make_relay(workers=2, memory=256)
    relay.listen("--open")
    publish = Load(programs, "publish", relay.url("live/m", "publish"), rate="4M", duration=25)
    relay.wait_live("live/m")
    play = Load(programs, "play", relay.url("live/m"), count=300, duration=10)
    relay.wait_stream("live/m", deadline=15, subscribers=300)
    # One of libsrt among them says the same.
    player = srt_player(programs, relay.url("live/m"))
    report = play.report()
    drops = relay.drops()
    stream = relay.stream("live/m")
    print({name: drops[name] for name in KERNEL_DROPS}, stream["tx_packets"], stream["retransmitted_packets"], report["cpu_s"])
    assert_whole(report)
    assert stream["lost_packets"] == 0 and stream["tx_packets"] > 300 * 2000
    assert all(name in drops for name in KERNEL_DROPS)
    assert len(player.stop()) > 1_000_000
    publish.program.stop()


def test_200_streams_of_1_megabit_with_a_subscriber_each(make_relay, programs):
    relay = make_relay(workers=2, memory=256)
    relay.listen("--open")
    publish = Load(programs, "publish", relay.url("live/m%d", "publish"), rate="1M", count=200, duration=25)
    wait_until(lambda: relay.status()["streams"] == 200, "200 streams are there", 20)
    play = Load(programs, "play", relay.url("live/m%d"), count=200, duration=10)
    report = play.report()
    drops = relay.drops()
    print({name: drops[name] for name in KERNEL_DROPS}, report["cpu_s"])
    assert_whole(report)
    streams = relay.items("stream", "list")
    assert sum(s["lost_packets"] for s in streams) == 0
    publish.program.stop()


def test_small_socket_buffers_at_a_rate_that_fits_them(make_relay, programs):
    """212,992 bytes is what a kernel gives by default to those without privileges."""
    relay = make_relay(workers=2, port="sock,sockbuf=212992")
    relay.listen("--open")
    publisher = SrtPublisher(programs, relay.url("live/m", "publish"), bitrate=2_000_000)
    relay.wait_live("live/m")
    play = Load(programs, "play", relay.url("live/m"), count=20, duration=6, rcvbuf=212992)
    player = srt_player(programs, relay.url("live/m"))
    player.wait(1_000_000)
    data = player.stop()
    assert_whole_of_others(play.report())
    published = publisher.stop()
    ts.assert_exact(published, data, at_least=5000, tail=len(published))
    assert relay.stream("live/m")["lost_packets"] == 0


def assert_whole_of_others(report):
    """A stream that sluice-load did not make: its content is foreign, its sequence must be whole."""
    assert report["missing"] == 0, report


def test_the_epoll_path_carries_the_same(make_relay, programs):
    """Where io_uring is not allowed: Docker's profile, old kernels."""
    relay = make_relay(port="sock,rx=epoll", memory=128)
    relay.listen("--open")
    assert relay.status()["ports"][0]["mode"] == "epoll"
    publish = Load(programs, "publish", relay.url("live/m", "publish"), rate="4M", duration=12)
    relay.wait_live("live/m")
    report = Load(programs, "play", relay.url("live/m"), count=50, duration=5).report()
    assert_whole(report)
    publish.program.stop()


def test_sessions_that_come_and_go_evenly(make_relay, programs):
    """Churn: each of 20 players hangs up in its turn, 40 times a second in all, and nothing is missing in between."""
    relay = make_relay(memory=128)
    relay.listen("--open")
    publish = Load(programs, "publish", relay.url("live/m", "publish"), rate="1M", duration=20)
    relay.wait_live("live/m")
    report = Load(programs, "play", relay.url("live/m"), count=20, churn=40, duration=4, eager_acks=True).report()
    assert_whole(report)
    assert report["sessions"] == pytest.approx(20 + 4 * 40, rel=0.1)
    assert report["join_us"]["n"] == report["sessions"] and report["latency_us"]["n"] == report["unique"]
    publish.program.stop()


def test_most_eager_acknowledgements_cost_the_relay_nothing(make_relay, programs):
    """As libsrt's receivers do: 100 a second from each, in the full form. The first 31 are answered, then every 32nd."""
    relay = make_relay(memory=128)
    relay.listen("--open")
    publish = Load(programs, "publish", relay.url("live/m", "publish"), rate="2M", duration=20)
    relay.wait_live("live/m")
    report = Load(programs, "play", relay.url("live/m"), count=20, duration=3, eager_acks=True).report()
    assert_whole(report)
    acks = report["datagrams"]["tx"] - 3 * 20  # without inductions, conclusions, farewells
    answers = report["datagrams"]["rx"] - report["received"] - 2 * 20
    assert acks > 20 * 150
    assert 20 * 25 < answers < 20 * (31 + 4) + acks / 20
    publish.program.stop()
