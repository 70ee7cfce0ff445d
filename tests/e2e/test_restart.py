# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Either daemon is killed with -9 and started again."""

import pytest
from kit import ts
from kit.proc import free_port, wait_until
from kit.publishers import SrtPublisher
from kit.readers import UdpReader, srt_player
from kit.relay import Relay

NAME = "live/r"


@pytest.mark.basic
def test_media_flows_and_viewers_join_while_the_daemon_is_away(relay, programs):
    relay.ctl("stream", "add", NAME)
    publisher = SrtPublisher(programs, relay.url(NAME, "publish"))
    relay.wait_live(NAME)
    reader = UdpReader(free_port())
    relay.ctl("route", "add", NAME, f"udp://127.0.0.1:{reader.port}")
    before = srt_player(programs, relay.url(NAME))
    before.wait(60_000)
    subs = {s["id"] for s in relay.items("sub", "list")}

    relay.daemon.kill()
    assert relay.run("status").returncode == 6
    during = srt_player(programs, relay.url(NAME))
    during.wait(100_000)
    at = len(reader.datagrams)
    reader.wait(at + 50)

    relay.start_daemon()
    relay.wait_connected()
    stream = relay.wait_stream(NAME, state="live", subscribers=3)
    assert stream["declared"] is True
    assert subs < {s["id"] for s in relay.items("sub", "list")}
    wait_until(lambda: [r["state"] for r in relay.items("route", "list")] == ["active"], "the route is active")
    after = srt_player(programs, relay.url(NAME))
    after.wait(60_000)
    received = [p.stop() for p in (before, during, after)]
    reader.close()
    published = publisher.stop()
    for data in (*received, reader.data()):
        ts.assert_exact(published, data, at_least=200, tail=len(published))


@pytest.mark.basic
def test_intent_comes_back_from_the_store_when_the_dataplane_returns(relay, programs):
    relay.ctl("stream", "add", NAME, "--latency", "200", "--takeover", "replace")
    reader = UdpReader(free_port())
    relay.ctl("route", "add", NAME, f"udp://127.0.0.1:{reader.port}?ttl=9")
    port = free_port()
    relay.ctl("stream", "add", "live/in")
    relay.ctl("source", "add", "live/in", f"udp://127.0.0.1:{port}")
    SrtPublisher(programs, relay.url(NAME, "publish"))
    relay.wait_live(NAME)

    relay.dp.kill()
    wait_until(lambda: relay.run("status").returncode == 8, "status says the dataplane is away")
    done = relay.run("stream", "add", "live/new")
    assert done.returncode in (0, 8), done.stderr  # durable, though nobody can act on it yet

    relay.start_dp()
    relay.wait_connected()
    wait_until(lambda: {o["state"] for noun in ("listener", "route", "source") for o in relay.items(noun, "list")} == {"active"},
               "listener, route and source are active again")
    seen = len(reader.datagrams)
    publisher = SrtPublisher(programs, relay.url(NAME, "publish"), generator=ts.Generator(2))
    reader.wait(seen + 60)
    reader.close()
    stream = relay.stream(NAME)
    assert (stream["latency_ms"], stream["takeover"], stream["declared"]) == (200, "replace", True)
    assert relay.stream("live/new")["declared"] is True
    last = [d for d in reader.datagrams if d.data in bytes(publisher.sent)]
    assert len(last) >= 60 and {d.ttl for d in last} == {9}


def test_the_daemon_may_start_first(programs):
    relay = Relay(programs)
    relay.start_daemon()
    wait_until(lambda: relay.run("status").returncode == 8, "the daemon answers and misses the dataplane")
    done = relay.run("listener", "add", f"srt://127.0.0.1:{relay.port}", "--open")
    assert done.returncode == 8 and done.stderr.count("\n") == 1, done.stderr
    relay.start_dp()
    relay.wait_connected()
    wait_until(lambda: relay.items("listener", "list")[0]["state"] == "active", "the listener is there")
    SrtPublisher(programs, relay.url(NAME, "publish"))
    relay.wait_live(NAME)


def test_a_second_daemon_is_refused_and_names_the_first(relay):
    first = relay.daemon
    second = relay.start_daemon()
    relay.daemon = first
    second.expected = {1}
    assert second.wait() == 1
    assert str(first.pid) in second.output()
    assert relay.status()["dataplane"] == "connected"


def test_a_second_dataplane_is_refused_and_the_first_goes_on(relay):
    first = relay.dp
    second = relay.start_dp()
    relay.dp = first
    second.expected = {1}
    assert second.wait() == 1 and second.output().strip()
    assert relay.status()["dataplane"] == "connected"


@pytest.mark.parametrize("times", [3])
def test_the_dataplane_may_die_again_and_again(relay, programs, times):
    relay.ctl("stream", "add", NAME)
    for seed in range(times):
        publisher = SrtPublisher(programs, relay.url(NAME, "publish"), generator=ts.Generator(seed))
        relay.wait_live(NAME)
        publisher.stop()
        relay.dp.kill()
        relay.start_dp()
        relay.wait_connected()
        wait_until(lambda: relay.items("listener", "list")[0]["state"] == "active", "the listener is back")
