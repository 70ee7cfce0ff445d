# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""TS changes its wrapping between SRT, RTP payload type 33 and bare UDP; other media does not."""

import os

import pytest
from kit import libsrt, ts
from kit.proc import free_port, wait_until
from kit.publishers import Paced, RtpWrap, SrtPublisher, UdpPublisher
from kit.readers import UdpReader, srt_player

NAME = "live/f"


def publish(relay, programs, kind):
    relay.ctl("stream", "add", NAME)
    if kind == "srt":
        return SrtPublisher(programs, relay.url(NAME, "publish"))
    port = free_port(pair=True)
    relay.ctl("source", "add", NAME, f"{kind}://:{port}")
    return UdpPublisher(programs, "127.0.0.1", port, wrap=RtpWrap() if kind == "rtp" else None)


@pytest.mark.parametrize("kind", ["srt", "rtp", "udp"])
def test_one_stream_leaves_in_every_wrapping(relay, programs, kind):
    publisher = publish(relay, programs, kind)
    relay.wait_live(NAME)
    udp, rtp = UdpReader(free_port()), UdpReader(free_port(pair=True))
    relay.ctl("route", "add", NAME, f"udp://127.0.0.1:{udp.port}")
    relay.ctl("route", "add", NAME, f"rtp://127.0.0.1:{rtp.port}")
    player = srt_player(programs, relay.url(NAME))
    udp.wait(150)
    rtp.wait(150)
    player.wait(150 * ts.DATAGRAM)
    played = player.stop()
    udp.close()
    rtp.close()
    published = publisher.stop()
    for received in (udp.data(), rtp.payload(), played):
        ts.assert_exact(published, received, at_least=1000, tail=len(published))
    assert {p.payload_type for p in rtp.rtp()} == {33}


@pytest.fixture
def other_rtp(relay, programs):
    """A live stream of RTP that is not TS, payload type 97, as audio would be."""
    port = free_port(pair=True)
    relay.ctl("stream", "add", NAME)
    relay.ctl("source", "add", NAME, f"rtp://:{port}")
    relay.sent = sent = []

    def wrap(_, rtp=RtpWrap(payload_type=97, ssrc=0xCAFE)):
        sent.append(rtp(os.urandom(400)))
        return sent[-1]

    UdpPublisher(programs, "127.0.0.1", port, wrap=wrap)
    relay.wait_live(NAME)
    return relay


def test_other_rtp_goes_out_as_rtp_unchanged(other_rtp):
    reader = UdpReader(free_port(pair=True))
    other_rtp.ctl("route", "add", NAME, f"rtp://127.0.0.1:{reader.port}")
    reader.wait(100)
    reader.close()
    got = reader.rtp()
    payloads = [p.payload for p in got]
    published = [raw[12:] for raw in other_rtp.sent]
    at = published.index(payloads[0])
    assert payloads == published[at : at + len(payloads)]
    assert {p.payload_type for p in got} == {97}
    assert all((b.sequence - a.sequence) & 0xFFFF == 1 for a, b in zip(got, got[1:]))


def test_srt_callers_of_other_rtp_are_told_the_media_does_not_fit(other_rtp):
    assert libsrt.reject_code(other_rtp.port, f"#!::r={NAME},m=request") == 2415


@pytest.fixture
def raw(relay, programs):
    """A live SRT stream that is neither TS nor RTP; its messages in `sent`."""
    relay.ctl("stream", "add", NAME)
    caller = libsrt.Caller(relay.port, f"#!::r={NAME},m=publish")
    relay.sent = sent = []

    def send(data):
        sent.append(b"\x01raw" + data[:600])
        caller.send(sent[-1])

    publisher = Paced(send)
    programs.on_close(lambda: (publisher.stop(), caller.close()))
    relay.wait_live(NAME)
    return relay


def test_an_rtp_route_of_what_is_no_ts_is_an_error(raw):
    raw.run("route", "add", NAME, f"rtp://127.0.0.1:{free_port(pair=True)}")
    route = wait_until(lambda: [r for r in raw.items("route", "list") if r["state"] == "error"], "the route is an error")[0]
    assert "not MPEG-TS" in route["error"]


def test_a_udp_route_and_an_srt_player_take_anything(raw):
    reader = UdpReader(free_port())
    raw.ctl("route", "add", NAME, f"udp://127.0.0.1:{reader.port}")
    with libsrt.Caller(raw.port, NAME) as caller:
        played = [caller.receive() for _ in range(60)]
    reader.wait(60)
    reader.close()
    for got in (played, [d.data for d in reader.datagrams]):
        at = raw.sent.index(got[0])
        assert got == raw.sent[at : at + len(got)]


def test_a_source_takes_only_rtp_and_ts(relay, programs):
    port = free_port()
    relay.ctl("stream", "add", NAME)
    relay.ctl("source", "add", NAME, f"udp://:{port}")
    UdpPublisher(programs, "127.0.0.1", port, wrap=lambda data: b"\x01raw" + data[:600])
    wait_until(lambda: relay.drops()["not_media"] > 20, "what is no media is counted")
    assert relay.stream(NAME)["state"] == "idle"
