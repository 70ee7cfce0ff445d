# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""What is refused is refused with the right code, and counted."""

import pytest
from kit import libsrt, wire
from kit.proc import free_port, wait_until
from kit.publishers import SrtPublisher

NAME = "live/q"


def play(name=NAME):
    return f"#!::r={name},m=request"


def publish(name=NAME):
    return f"#!::r={name},m=publish"


def test_one_subscriber_more_than_the_node_takes(make_relay, programs):
    relay = make_relay(dp=["--max-subscribers", "2"])
    relay.listen("--open")
    publisher = SrtPublisher(programs, relay.url(NAME, "publish"))
    relay.wait_live(NAME)
    two = [libsrt.Caller(relay.port, play()) for _ in range(2)]
    assert [libsrt.reject_code(relay.port, play()) for _ in range(3)] == [2402] * 3
    wait_until(lambda: relay.drops()["overload"] == 3, "each is counted")
    assert all(caller.receive() for caller in two)
    two.pop().close()
    relay.wait_stream(NAME, subscribers=1)
    two.append(libsrt.Caller(relay.port, play()))
    for caller in two:
        caller.close()
    publisher.stop()


def test_one_subscriber_more_than_the_stream_takes(relay, programs):
    relay.ctl("stream", "add", NAME, "--max-subscribers", "1")
    SrtPublisher(programs, relay.url(NAME, "publish"))
    SrtPublisher(programs, relay.url("live/other", "publish"))
    relay.wait_live(NAME)
    with libsrt.Caller(relay.port, play()):
        assert libsrt.reject_code(relay.port, play()) == 2402
        assert libsrt.reject_code(relay.port, play("live/other")) is None
    wait_until(lambda: relay.drops()["overload"] == 1, "each is counted")


def test_one_stream_more_than_the_node_takes(make_relay, programs):
    relay = make_relay(dp=["--max-streams", "2"])
    relay.listen("--open")
    for name in ("live/1", "live/2"):
        SrtPublisher(programs, relay.url(name, "publish"))
        relay.wait_live(name)
    assert libsrt.reject_code(relay.port, publish("live/3")) == 2402
    wait_until(lambda: relay.drops()["overload"] == 1, "each is counted")
    assert relay.stream("live/3") == {} and relay.status()["streams"] == 2


def test_srt_live_transmit_says_that_it_was_refused(make_relay, programs):
    """1.5.1 names all codes of the application alike."""
    relay = make_relay(dp=["--max-streams", "1"])
    relay.listen("--open")
    SrtPublisher(programs, relay.url("live/1", "publish"))
    relay.wait_live("live/1")
    refused = programs.client("srt-live-transmit", [
        "srt-live-transmit", "-a:no", "-ll:note", f"udp://127.0.0.1:{free_port()}", relay.url("live/2", "publish")])
    refused.says("Application-defined rejection reason")


# A listener that is not open knows declared streams only.
@pytest.fixture
def closed(make_relay):
    relay = make_relay()
    relay.listen()
    relay.ctl("stream", "add", NAME)
    return relay


@pytest.mark.parametrize("streamid, code", [
    (play("live/nobody"), 2404),
    (publish("live/nobody"), 2404),
    ("live/nobody", 2404),
    (None, 2400),
    ("#!::r=../etc,m=publish", 2400),
    ("#!::r=a//b", 2400),
    ("#!::r=live/q,m=bidirectional", 2405),
    ("#!::r=live/q,m=sideways", 2405),
    ("#!:{r=live/q}", 2400),
    ("x" * 500, 2400),
], ids=str)
def test_stream_ids_that_are_refused(closed, streamid, code):
    assert libsrt.reject_code(closed.port, streamid) == code
    assert closed.status()["streams"] == 1


def test_a_declared_stream_is_played_before_it_is_live(closed):
    with libsrt.Caller(closed.port, play()):
        closed.wait_stream(NAME, subscribers=1, state="idle")


@pytest.mark.parametrize("more, code", [
    (dict(version=4), 1008),
    (dict(blocks=wire.stream_id_block(play())), 1004),
    (dict(blocks=wire.hsreq(version=0x010200) + wire.stream_id_block(play())), 1008),
    (dict(blocks=wire.hsreq(flags=wire.FLAGS_LIVE | 0x40) + wire.stream_id_block(play())), 1012),
    (dict(blocks=wire.hsreq() + wire.stream_id_block(play()) + wire.block(wire.CONGESTION_BLOCK, b"elif")), 1013),
    (dict(blocks=wire.hsreq() + wire.stream_id_block(play()) + wire.block(wire.FILTER, b",cef")), 1014),
    (dict(blocks=wire.hsreq() + wire.stream_id_block(play()) + wire.block(wire.GROUP, bytes.fromhex("40000001 01000000"))), 1015),
], ids=["version 4", "no HSREQ", "SRT 1.2", "byte stream", "file mode", "FEC", "group"])
def test_handshakes_that_are_refused(closed, more, code):
    caller = wire.RawCaller(closed.port)
    assert caller.connect(play(), **more).kind == code
    caller.close()


def test_an_encrypted_caller_is_told_that_the_stream_is_not(closed):
    """Where no passphrase is set nobody may believe to be encrypted: as a listener of libsrt says. 1011: unsecure."""
    options = [(libsrt.SRTO_PASSPHRASE, "correct horse battery")]
    assert libsrt.reject_code(closed.port, play(), options) == 1011
    assert closed.stream(NAME)["subscribers"] == 0


def test_a_conclusion_without_our_cookie_gets_no_answer(closed):
    caller = wire.RawCaller(closed.port)
    caller.induct()
    for cookie in (0, 1, 0xFFFFFFFF):
        caller.send(caller.conclusion(cookie, play()))
    wait_until(lambda: closed.drops()["bad_cookie"] >= 3, "bad cookies are counted")
    assert caller.connect(play()).kind == wire.CONCLUSION  # and the true one is taken
    caller.close()


def test_the_conclusion_may_be_repeated(closed):
    """The answer may be lost: the same question gets the same answer, and is one subscriber."""
    caller = wire.RawCaller(closed.port)
    question = caller.conclusion(caller.induct(), play())
    ids = set()
    for _ in range(3):
        caller.send(question)
        ids.add(caller.receive_handshake(wire.CONCLUSION).socket_id)
    assert len(ids) == 1
    closed.wait_stream(NAME, subscribers=1)
    caller.close()
