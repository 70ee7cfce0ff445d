# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""One stream in, several clients out: what each gets is byte for byte what was published."""

import json
import subprocess

import pytest
from kit import ts
from kit.publishers import SrtPublisher, ffmpeg_file
from kit.readers import ffmpeg_player, srt_player

pytestmark = pytest.mark.basic
ENOUGH = 400_000


def watch(relay, programs, name):
    """Two of each client; returns when each has enough."""
    players = [srt_player(programs, relay.url(name)), srt_player(programs, relay.url(name, "plain")),
               ffmpeg_player(programs, relay.url(name)), ffmpeg_player(programs, relay.url(name, "plain"))]
    for player in players:
        player.wait(ENOUGH)
    return players


def test_srt_live_transmit_publishes_and_everybody_gets_its_bytes(relay, programs):
    publisher = SrtPublisher(programs, relay.url("live/cam1", "publish"), bitrate=4_000_000)
    relay.wait_live("live/cam1")
    received = [player.stop() for player in watch(relay, programs, "live/cam1")]
    published = publisher.stop()
    for data in received:
        ts.assert_exact(published, data, at_least=2000, tail=len(published))


def test_ffmpeg_publishes_and_everybody_gets_its_bytes(relay, programs, picture):
    publisher = ffmpeg_file(programs, relay.url("publish/live/cam1", "plain"), picture)
    relay.wait_live("live/cam1")
    received = [player.stop() for player in watch(relay, programs, "live/cam1")]
    published = publisher.stop()
    for data in received:
        ts.assert_exact(published, data, at_least=2000, tail=len(published))


def test_ffprobe_finds_picture_and_sound(relay, programs, picture):
    ffmpeg_file(programs, relay.url("publish/live/cam1", "plain"), picture)
    relay.wait_live("live/cam1")
    shown = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width", "-of", "json", relay.url("live/cam1", "plain")],
        capture_output=True, text=True, timeout=30,
    )
    streams = json.loads(shown.stdout)["streams"]
    assert {s["codec_name"] for s in streams} == {"h264", "aac"}, shown.stderr
    assert 640 in {s.get("width") for s in streams}


def test_the_documents_show_who_is_there(relay, programs):
    publisher = SrtPublisher(programs, relay.url("live/cam1", "publish"))
    relay.wait_live("live/cam1")
    player = srt_player(programs, relay.url("live/cam1"))
    player.wait(ENOUGH)
    stream = relay.wait_stream("live/cam1", subscribers=1, rx_bitrate=lambda n: n and 1_500_000 < n < 3_000_000)
    assert stream["state"] == "live" and stream["declared"] is False and stream["lost_packets"] == 0
    assert stream["tx_packets"] > 100 and stream["tx_bytes"] >= 100 * ts.DATAGRAM
    (sub,), (pub,) = relay.items("sub", "list"), relay.items("pub", "list")
    assert (sub["stream"], sub["proto"], sub["latency_ms"], sub["encrypted"]) == ("live/cam1", "srt", 120, False)
    assert sub["tx_packets"] > 100 and sub["peer"].startswith("127.0.0.1:")
    assert (pub["stream"], pub["proto"], pub["lost_packets"]) == ("live/cam1", "srt", 0)
    assert stream["publisher"] == pub["id"]
    assert relay.json("sub", "show", sub["id"])["id"] == sub["id"]
    status = relay.status()
    assert (status["streams"], status["subscribers"], status["dataplane"]) == (1, 1, "connected")
    assert status["ports"][0]["kind"] == "sock" and len(status["workers"]) == 1
    publisher.stop()


def test_a_kicked_subscriber_is_gone_and_the_others_stay(relay, programs):
    SrtPublisher(programs, relay.url("live/cam1", "publish"))
    relay.wait_live("live/cam1")
    players = [srt_player(programs, relay.url("live/cam1")) for _ in range(2)]
    for player in players:
        player.wait(100_000)
    first = relay.items("sub", "list")[0]["id"]
    relay.ctl("sub", "kick", first)
    relay.wait_stream("live/cam1", subscribers=1)
    assert first not in {s["id"] for s in relay.items("sub", "list")}
    assert relay.run("sub", "kick", first).returncode == 3
