# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Publishers that leave, die, fall silent, come back, or are replaced; subscribers stay."""

import signal
import time

import pytest
from kit import libsrt, ts
from kit.proc import wait_until
from kit.publishers import SrtPublisher
from kit.readers import UdpReader, srt_player
from kit.proc import free_port

NAME = "live/p"


def publisher(relay, programs, seed):
    return SrtPublisher(programs, relay.url(NAME, "publish"), generator=ts.Generator(seed))


def attach(relay, programs):
    """An SRT player and a UDP route, both with something in hand."""
    player, reader = srt_player(programs, relay.url(NAME)), UdpReader(free_port())
    relay.ctl("route", "add", NAME, f"udp://127.0.0.1:{reader.port}")
    player.wait(60_000)
    reader.wait(40)
    return player, reader


def assert_both_got(published, player, reader):
    reader.close()
    ts.assert_follows(published, reader.data())
    ts.assert_follows(published, player.stop())


@pytest.mark.basic
def test_a_publisher_that_comes_back_keeps_its_subscribers(relay, programs):
    relay.ctl("stream", "add", NAME)
    first = publisher(relay, programs, 1)
    relay.wait_live(NAME)
    player, reader = attach(relay, programs)
    subs = {s["id"] for s in relay.items("sub", "list", NAME)}
    published = [first.leave()]
    relay.wait_stream(NAME, state="idle", publisher=None, subscribers=len(subs))
    for seed in (2, 3):
        again = publisher(relay, programs, seed)
        at = len(reader.datagrams)
        reader.wait(at + 100)
        published.append(again.leave())
        relay.wait_stream(NAME, state="idle")
    assert {s["id"] for s in relay.items("sub", "list", NAME)} == subs
    assert_both_got(published, player, reader)


def test_a_killed_publisher_is_missed_after_five_seconds_and_may_return(relay, programs):
    relay.ctl("stream", "add", NAME)
    first = publisher(relay, programs, 1)
    relay.wait_live(NAME)
    player, reader = attach(relay, programs)
    first.program.kill()
    published = [first.stop()]
    relay.wait_stream(NAME, state="stalled")
    relay.wait_stream(NAME, state="idle", publisher=None)
    again = publisher(relay, programs, 2)
    at = len(reader.datagrams)
    reader.wait(at + 50)
    published.append(again.stop())
    assert_both_got(published, player, reader)


def test_a_silent_publisher_makes_the_stream_stalled_until_it_sends_again(relay, programs):
    relay.ctl("stream", "add", NAME)
    silent = publisher(relay, programs, 1)
    pub = relay.wait_live(NAME)["publisher"]
    silent.stop()  # the program stays connected and sends keepalives
    relay.wait_stream(NAME, state="stalled", publisher=pub)
    generator = silent.generator
    for _ in range(100):
        silent.send(generator.datagram())
    relay.wait_stream(NAME, state="live", publisher=pub)


def second_publisher(relay):
    """The verdict on a second one: the wire value, or None when it is taken."""
    return libsrt.reject_code(relay.port, f"#!::r={NAME},m=publish")


def test_a_second_publisher_is_rejected_by_default(relay, programs):
    relay.ctl("stream", "add", NAME)
    first = publisher(relay, programs, 1)
    pub = relay.wait_live(NAME)["publisher"]
    player, reader = attach(relay, programs)
    for _ in range(3):
        assert second_publisher(relay) == 2409
    at = len(reader.datagrams)
    reader.wait(at + 40)
    assert relay.stream(NAME)["publisher"] == pub
    assert_both_got([first.stop()], player, reader)


def test_replace_lets_the_second_one_take_over(relay, programs):
    relay.ctl("stream", "add", NAME, "--takeover", "replace")
    first = publisher(relay, programs, 1)
    pub = relay.wait_live(NAME)["publisher"]
    player, reader = attach(relay, programs)
    second = publisher(relay, programs, 2)
    relay.wait_stream(NAME, state="live", publisher=lambda p: p not in (None, pub))
    first.program.wait()  # it is told, and ends
    at = len(reader.datagrams)
    reader.wait(at + 60)
    assert_both_got([first.stop(), second.stop()], player, reader)


def test_replace_stalled_waits_until_the_first_one_is_silent(relay, programs):
    relay.ctl("stream", "add", NAME, "--takeover", "replace-stalled")
    first = publisher(relay, programs, 1)
    pub = relay.wait_live(NAME)["publisher"]
    player, reader = attach(relay, programs)
    assert second_publisher(relay) == 2409
    first.program.signal(signal.SIGSTOP)
    relay.wait_stream(NAME, state="stalled", publisher=pub)
    second = publisher(relay, programs, 2)
    relay.wait_stream(NAME, state="live", publisher=lambda p: p not in (None, pub))
    at = len(reader.datagrams)
    reader.wait(at + 60)
    first.program.signal(signal.SIGCONT)
    first.program.wait()
    assert_both_got([first.stop(), second.stop()], player, reader)


def test_a_stream_that_nobody_declared_goes_after_its_last_peer(relay, programs):
    """B3: sixty seconds after the last one; until then it is shown as idle."""
    only = publisher(relay, programs, 1)
    relay.wait_live(NAME)
    began = time.monotonic()
    only.leave()
    relay.wait_stream(NAME, state="idle", declared=False)
    wait_until(lambda: not relay.stream(NAME), "the stream is forgotten", 75)
    assert time.monotonic() - began > 55
