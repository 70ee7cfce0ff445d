# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""A clean end: SIGTERM and SIGINT, peers are told, the exit status is 0, nothing is left."""

import signal
import time

import pytest
from kit import wire
from kit.proc import wait_until
from kit.publishers import SrtPublisher
from kit.readers import srt_player


@pytest.mark.basic
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda n: n.name)
def test_peers_get_a_shutdown(relay, programs, number):
    publisher = SrtPublisher(programs, relay.url("live/s", "publish"))
    relay.wait_live("live/s")
    player = srt_player(programs, relay.url("live/s"))
    player.wait(50_000)
    raw = wire.RawCaller(relay.port)
    assert raw.connect("live/s").kind == wire.CONCLUSION
    relay.dp.signal(number)
    raw.receive(lambda packet: wire.is_control(packet, wire.SHUTDOWN))
    raw.close()
    assert relay.dp.wait(5) == 0
    # Told, not timed out: libsrt would wait five seconds for a silent peer.
    player.program.wait(4)
    publisher.program.wait(4)
    publisher.stop()
    relay.daemon.signal(number)
    assert relay.daemon.wait(5) == 0
    assert not list(relay.run_dir.glob("*.sock"))


def test_a_session_that_was_closed_does_not_know_its_peer_any_more(relay, programs):
    """A subscriber's own SHUTDOWN ends it at once, and what it sends later is a stranger's."""
    SrtPublisher(programs, relay.url("live/s", "publish"))
    relay.wait_live("live/s")
    raw = wire.RawCaller(relay.port)
    raw.connect("live/s")
    relay.wait_stream("live/s", subscribers=1)
    raw.send(wire.control(wire.SHUTDOWN, destination=raw.peer, content=bytes(4)))
    relay.wait_stream("live/s", subscribers=0)
    before = relay.drops()["unknown_session"]
    for _ in range(5):
        raw.send(wire.control(wire.KEEPALIVE, destination=raw.peer, content=bytes(4)))
    wait_until(lambda: relay.drops()["unknown_session"] >= before + 5, "its packets are a stranger's")
    raw.close()


def test_a_silent_subscriber_goes_after_five_seconds(relay, programs):
    SrtPublisher(programs, relay.url("live/s", "publish"))
    relay.wait_live("live/s")
    raw = wire.RawCaller(relay.port)
    raw.connect("live/s")
    began = time.monotonic()
    relay.wait_stream("live/s", subscribers=1)
    relay.wait_stream("live/s", deadline=15, subscribers=0)
    assert time.monotonic() - began > 4.5
    raw.close()
