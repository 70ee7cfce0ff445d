# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Publishers, readers, the bad path and the raw caller, proved on libsrt alone: no Sluice in between."""

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace

import pytest
from kit import libsrt, ts, wire
from kit.api import Api, Feed
from kit.path import BadPath
from kit.proc import free_port, wait_until
from kit.publishers import RtpWrap, SrtPublisher, UdpPublisher, ffmpeg_file
from kit.readers import FilePlayer, UdpReader, ffmpeg_player, srt_player

pytestmark = pytest.mark.kit


def listening(programs, port, *options):
    """srt-live-transmit that waits for a publisher and writes what it gets."""
    url = f"srt://127.0.0.1:{port}?" + "&".join(("mode=listener", *options))
    return FilePlayer(programs, "srt-live-transmit-listen", ["srt-live-transmit", "-a:no", url, "file://con"])


def test_a_generated_stream_passes_srt_whole(programs):
    port = free_port()
    sink = listening(programs, port)
    sink.program.says("Media path")
    publisher = SrtPublisher(programs, f"srt://127.0.0.1:{port}", bitrate=8_000_000)
    sink.wait(500 * ts.DATAGRAM)
    data = sink.stop()
    assert ts.join_offset(publisher.stop(), data) == 0
    ts.assert_exact(publisher.data(), data, at_least=3450, tail=len(publisher.data()))


def test_the_file_beside_ffmpeg_holds_what_it_published(programs, picture):
    port = free_port()
    sink = listening(programs, port)
    publisher = ffmpeg_file(programs, f"srt://127.0.0.1:{port}?pkt_size=1316", picture)
    sink.wait(200_000)
    ts.assert_exact(publisher.stop(), sink.stop(), at_least=1000, tail=200_000)


def test_ffmpeg_plays_the_bytes_as_they_come(programs):
    port, feed = free_port(), free_port()
    programs.client("srt-live-transmit", ["srt-live-transmit", "-a:no", f"udp://127.0.0.1:{feed}", f"srt://127.0.0.1:{port}?mode=listener"])
    player = ffmpeg_player(programs, f"srt://127.0.0.1:{port}")
    publisher = UdpPublisher(programs, "127.0.0.1", feed)
    player.wait(300_000)
    ts.assert_exact(publisher.stop(), player.stop(), at_least=1000, tail=600_000)


def test_the_rtp_reader_undoes_the_rtp_publisher(programs):
    port = free_port()
    reader = UdpReader(port)
    sent = UdpPublisher(programs, "127.0.0.1", port, wrap=RtpWrap(), count=100, bitrate=8_000_000).finish()
    reader.wait(100)
    reader.close()
    assert reader.payload() == sent
    assert [p.sequence for p in reader.rtp()] == [(65500 + i) & 0xFFFF for i in range(100)]
    assert {(p.payload_type, p.ssrc) for p in reader.rtp()} == {(33, 0x534C5543)}


def test_the_reader_sees_ttl_and_tos():
    port = free_port()
    reader = UdpReader(port)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 7)
        s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 34 << 2)
        s.sendto(b"x", ("127.0.0.1", port))
        reader.wait(1)
    reader.close()
    assert (reader.datagrams[0].ttl, reader.datagrams[0].tos) == (7, 34 << 2)


def test_the_bad_path_loses_what_it_says(programs):
    port = free_port()
    reader = UdpReader(port)
    path = BadPath(programs, port, seed=3, loss=50, reorder=20, reorder_ms=10, dup=10, delay_ms=10)
    UdpPublisher(programs, "127.0.0.1", path.port, count=4000, bitrate=40_000_000).finish()
    wait_until(lambda: path.counts()["up"]["in"] == 4000 and path.counts()["queued"] == 0, "all are through")
    up = path.counts()["up"]
    reader.wait(up["out"])
    reader.close()
    assert up["out"] == 4000 - up["lost"] + up["doubled"] == len(reader.datagrams)
    assert 140 < up["lost"] < 260 and 40 < up["reordered"] < 130 and 15 < up["doubled"] < 70
    seen = ts.count(reader.data())
    assert seen.backwards > 20 and seen.doubled > 100


def test_the_bad_path_is_the_same_for_the_same_seed(programs):
    fates = []
    for _ in range(2):
        port = free_port()
        reader = UdpReader(port)
        path = BadPath(programs, port, seed=5, loss=300)
        UdpPublisher(programs, "127.0.0.1", path.port, count=200, bitrate=20_000_000).finish()
        wait_until(lambda: path.counts()["up"]["in"] == 200, "all are through")
        reader.wait(path.counts()["up"]["out"])
        reader.close()
        fates.append(reader.data())
    assert fates[0] == fates[1]


def test_srt_repairs_a_bad_path(programs):
    port = free_port()
    sink = listening(programs, port, "latency=400")
    path = BadPath(programs, port, seed=2, loss=50, reorder=20, reorder_ms=10, dup=10, delay_ms=10)
    publisher = SrtPublisher(programs, f"srt://127.0.0.1:{path.port}?latency=400", bitrate=4_000_000)
    sink.wait(1_000_000)
    data, published = sink.stop(), publisher.stop()
    ts.assert_exact(published, data, at_least=5000, tail=len(published))
    assert path.counts()["up"]["lost"] > 10


def test_a_cut_path_passes_nothing_until_it_is_mended(programs):
    port = free_port()
    reader = UdpReader(port)
    path = BadPath(programs, port)
    publisher = UdpPublisher(programs, "127.0.0.1", path.port)
    reader.wait(20)
    path.cut()
    wait_until(lambda: path.counts()["up"]["blocked"] > 20, "datagrams are blocked")
    before = len(reader.datagrams)
    path.mend()
    reader.wait(before + 20)
    publisher.stop()
    reader.close()
    assert ts.count(reader.data()).missing > 100


def test_our_own_handshake_is_understood_by_libsrt(programs):
    port = free_port()
    sink = listening(programs, port)
    sink.program.says("Media path")
    caller = wire.RawCaller(port)
    answer = wait_until(lambda: connect_once(caller), "srt-live-transmit answers")
    assert answer.kind == wire.CONCLUSION and wire.HSRSP in answer.blocks
    generator = ts.Generator()
    sent = [generator.datagram() for _ in range(50)]
    for i, payload in enumerate(sent):
        caller.send(wire.data(answer.isn + i, payload, message=i + 1, timestamp=i * 1000, destination=caller.peer))
    sink.wait(50 * ts.DATAGRAM)
    caller.send(wire.control(wire.SHUTDOWN, destination=caller.peer, content=bytes(4)))
    sink.program.wait()
    assert sink.data() == b"".join(sent)
    caller.close()


def connect_once(caller):
    """None while libsrt has no port yet, or has one and does not listen yet: what comes then is lost."""
    try:
        return caller.connect("#!::r=x,m=publish")
    except (ConnectionRefusedError, TimeoutError):
        return None


def test_libsrt_tells_the_code_of_a_rejection(programs):
    """A listener of the test's own, made of kit.wire, that refuses with 2404."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.settimeout(5)
        result = []
        thread = threading.Thread(target=lambda: result.append(libsrt.reject_code(listener.getsockname()[1], "x")))
        thread.start()
        while not result and thread.is_alive():
            try:
                raw, peer = listener.recvfrom(2048)
            except TimeoutError:
                break
            h = wire.parse_handshake(raw)
            if not h:
                continue
            kind, extension = (wire.INDUCTION, wire.MAGIC) if h.kind == wire.INDUCTION else (2404, 0)
            answer = wire.handshake(kind, extension=extension, isn=h.isn, socket_id=h.socket_id, cookie=77)
            listener.sendto(answer[:12] + h.socket_id.to_bytes(4, "big") + answer[16:], peer)
        thread.join()
    assert result == [2404]


class EndingFeed(BaseHTTPRequestHandler):
    """One whole event, and one that is cut off behind its data."""

    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        for event in ({"n": 1}, {"n": 2}):
            self.wfile.write(b"data: " + json.dumps(event).encode() + (b"\n\n" if event["n"] == 1 else b"\n"))

    def log_message(self, *_):
        pass


def test_a_feed_that_ends_is_told_and_half_an_event_is_none():
    with HTTPServer(("127.0.0.1", 0), EndingFeed) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        feed = Feed(Api(SimpleNamespace(http=server.server_port), tcp=True))
        assert feed.next() == {"n": 1}
        with pytest.raises(AssertionError, match="the feed ended"):
            feed.next()
        feed.close()
        thread.join()
