# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Joining: late, early, in numbers."""

import time

from kit import libsrt, ts, wire
from kit.load import Load
from kit.publishers import SrtPublisher, ffmpeg_file
from kit.readers import srt_player


def test_a_late_joiner_gets_the_stream_at_once(relay, programs):
    """Within latency and a little: nothing waits for a key frame of a stream that shows none."""
    SrtPublisher(programs, relay.url("live/a", "publish"))
    relay.wait_stream("live/a", rx_packets=lambda n: n and n > 400)
    for _ in range(3):
        began = time.monotonic()
        with libsrt.Caller(relay.port, "#!::r=live/a,m=request") as caller:
            assert len(caller.receive()) == ts.DATAGRAM
            assert time.monotonic() - began < 0.6


def test_a_late_joiner_of_a_picture_starts_at_tables_and_key_frame(relay, programs, picture):
    """The history holds the last random access point: a player need not wait for the next one."""
    relay.ctl("stream", "add", "live/a", "--history", "3000")
    ffmpeg_file(programs, relay.url("publish/live/a", "plain"), picture)
    relay.wait_stream("live/a", rx_packets=lambda n: n and n > 300)
    raw = wire.RawCaller(relay.port)
    assert raw.connect("live/a").kind == wire.CONCLUSION
    data = b"".join(raw.receive(wire.media) for _ in range(40))
    raw.close()
    packets = [data[at : at + ts.PACKET] for at in range(0, len(data), ts.PACKET)]
    pids = [int.from_bytes(p[1:3], "big") & 0x1FFF for p in packets]
    assert 0 in pids[:7], f"no PAT in the first datagram: {pids[:20]}"
    # random_access_indicator (2.4.3.5) on the video PID, which ffmpeg makes 0x100.
    key = next(i for i, p in enumerate(packets) if pids[i] == 0x100 and p[3] & 0x20 and p[4] and p[5] & 0x40)
    assert key < 14, f"the first key picture stands in packet {key}"


def test_a_player_may_come_before_the_publisher(relay, programs):
    relay.ctl("stream", "add", "live/a")
    player = srt_player(programs, relay.url("live/a"))
    relay.wait_stream("live/a", subscribers=1)
    publisher = SrtPublisher(programs, relay.url("live/a", "publish"))
    player.wait(200_000)
    data = player.stop()
    published = publisher.stop()
    assert ts.join_offset(published, data) == 0
    ts.assert_exact(published, data, at_least=1000, tail=len(published))


def test_players_that_come_and_go_disturb_nobody(relay, programs):
    publisher = SrtPublisher(programs, relay.url("live/a", "publish"), bitrate=4_000_000)
    relay.wait_live("live/a")
    stays = srt_player(programs, relay.url("live/a"))
    stays.wait(20_000)
    for turn in range(30):
        caller = libsrt.Caller(relay.port, "#!::r=live/a,m=request")
        assert caller.receive()
        caller.close()
    relay.wait_stream("live/a", subscribers=1)
    stays.wait(400_000)
    data = stays.stop()
    ts.assert_exact(publisher.stop(), data, at_least=2000, tail=10_000_000)
    assert relay.status()["subscribers"] <= 1


def test_the_longer_latency_wins_and_is_shown(relay, programs):
    relay.ctl("stream", "add", "live/a", "--latency", "300")
    SrtPublisher(programs, relay.url("live/a", "publish"))
    relay.wait_live("live/a")
    for asked, given in ((120, 300), (700, 700)):
        with libsrt.Caller(relay.port, "#!::r=live/a,m=request", [(libsrt.SRTO_RCVLATENCY, asked)]) as caller:
            assert caller.receive()
            assert [s["latency_ms"] for s in relay.items("sub", "list", "live/a")] == [given]
        relay.wait_stream("live/a", subscribers=0)


def test_joins_around_the_wrap_of_the_publishers_numbers_miss_nothing(relay, programs):
    """The publisher's sequence numbers wrap two seconds after it began, the players' within their first second."""
    publisher = Load(programs, "publish", relay.url("live/wrap", "publish"), rate="8M", duration=6, isn=2**31 - 1500)
    relay.wait_live("live/wrap")
    players = Load(programs, "play", relay.url("live/wrap"), count=30, join_rate=10, duration=5, isn=2**31 - 300)
    played, published = players.report(), publisher.report()
    assert published["good"], published
    assert played["good"] and not played["failed_calls"] and played["missing"] == 0 and played["corrupt"] == 0, played
    assert played["unique"] > 30 * 700, played
    assert relay.stream("live/wrap")["lost_packets"] == 0
