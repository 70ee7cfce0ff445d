# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""SRT calls of the relay's own: sources that fetch, routes that send, to listeners of other programs."""

import time

import pytest
from kit import ts
from kit.path import BadPath
from kit.proc import free_port, wait_until
from kit.publishers import SrtPublisher
from kit.readers import srt_player

SECRET = "sluice calls out"


def listener(port, **options):
    """URL of a listener of srt-live-transmit."""
    return f"srt://127.0.0.1:{port}?mode=listener" + "".join(f"&{k}={v}" for k, v in options.items())


def wait_state(relay, noun, state, error=None, deadline=15.0):
    """Waits until the one source or route is in this state, with these words in its error; its document."""
    last = {}

    def fits():
        last.update(relay.items(noun, "list")[0])
        return last["state"] == state and (error is None or error in (last["error"] or "")) and last

    return wait_until(fits, lambda: f"{noun} is {state}: {error}; it is {last}", deadline)


@pytest.fixture
def secret(shared_path):
    file = shared_path / "secret"
    file.write_text(SECRET)
    return file


@pytest.fixture
def live(relay, programs):
    """A relay with a stream that is live."""
    relay.ctl("stream", "add", "live/a")
    relay.publisher = SrtPublisher(programs, relay.url("live/a", "publish"))
    relay.wait_live("live/a")
    return relay


def push(relay, url, *flags):
    return relay.run("route", "add", "live/a", url, *flags)


@pytest.mark.basic
def test_a_source_fetches_from_a_listener(relay, programs):
    port = free_port()
    relay.run("source", "add", "live/a", f"srt://127.0.0.1:{port}")  # nobody is there yet
    publisher = SrtPublisher(programs, listener(port))
    player = srt_player(programs, relay.url("live/a"))
    relay.wait_live("live/a")
    player.wait(300_000)
    assert [p["source"] for p in relay.items("pub", "list")] == [relay.items("source", "list")[0]["id"]]
    ts.assert_exact(publisher.stop(), player.stop(), at_least=1000, tail=10_000_000)


@pytest.mark.basic
def test_a_route_sends_to_a_listener(live, programs):
    port = free_port()
    player = srt_player(programs, listener(port))
    assert push(live, f"srt://127.0.0.1:{port}").returncode == 0
    player.wait(300_000)
    assert live.items("sub", "list")[0]["route"] == live.items("route", "list")[0]["id"]
    ts.assert_exact(live.publisher.stop(), player.stop(), at_least=1000, tail=10_000_000)


def test_routes_deliver_all_through_a_bad_path(live, programs):
    """Two targets of one stream, one of them behind losses both ways."""
    near, far = free_port(), free_port()
    players = [srt_player(programs, listener(port)) for port in (near, far)]
    path = BadPath(programs, far, loss=20, delay_ms=5)
    for port in (near, path.port):
        assert push(live, f"srt://127.0.0.1:{port}?latency=300").returncode == 0
    for player in players:
        player.wait(600_000)
    published = live.publisher.stop()
    for player in players:
        ts.assert_exact(published, player.stop(), at_least=2000, tail=10_000_000)


def test_what_a_url_asks_for_is_done(live, programs):
    """mss: less than the stream's packets need. conntimeo: nobody is there for longer than that."""
    port = free_port()
    srt_player(programs, listener(port))
    push(live, f"srt://127.0.0.1:{port}?mss=1000")
    wait_state(live, "route", "error", "takes no packet of the stream's size")
    begun = time.monotonic()
    live.run("source", "add", "live/b", f"srt://127.0.0.1:{free_port()}?conntimeo=300")
    wait_state(live, "source", "error", "nobody answers there")
    assert time.monotonic() - begun < 2.5  # libsrt's 3 s, if it were passed over
    assert live.run("route", "add", "live/a", f"srt://127.0.0.1:{port}?conntimeo=70000").returncode == 8


@pytest.mark.parametrize("length", [16, 32])
def test_a_passphrase_both_ways(relay, programs, secret, length):
    """Fetched under one call's key, sent under another's."""
    there, here = free_port(), free_port()
    relay.run("source", "add", "live/a", f"srt://127.0.0.1:{there}?pbkeylen={length}", "--passphrase-file", secret)
    publisher = SrtPublisher(programs, listener(there, passphrase=SECRET, pbkeylen=length))
    player = srt_player(programs, listener(here, passphrase=SECRET))
    relay.ctl("route", "add", "live/a", f"srt://127.0.0.1:{here}?pbkeylen={length}", "--passphrase-file", secret)
    player.wait(300_000)
    assert relay.items("pub", "list")[0]["encrypted"] and relay.items("sub", "list")[0]["encrypted"]
    ts.assert_exact(publisher.stop(), player.stop(), at_least=1000, tail=10_000_000)


def test_targets_with_passphrases_of_their_own_through_new_keys(relay, programs, shared_path):
    """They share one key, which travels to each under its own passphrase; one joins later, and one leaves."""
    relay.ctl("stream", "add", "live/a", "--km-refresh", "300")
    publisher = SrtPublisher(programs, relay.url("live/a", "publish"), bitrate=4_000_000)
    relay.wait_live("live/a")
    players = []

    def target(secret):
        file, port = shared_path / f"secret{len(players)}", free_port()
        file.write_text(secret)
        players.append(srt_player(programs, listener(port, passphrase=secret)))
        relay.ctl("route", "add", "live/a", f"srt://127.0.0.1:{port}", "--passphrase-file", file)

    target("the first one's words")
    target("the second one's words")
    players[1].wait(500_000)
    target("who comes later, too")
    players[2].wait(300_000)
    gone = players[1].stop()
    players[0].wait(1_600_000)  # 1,200 packets: three new keys
    received = [players[0].stop(), gone, players[2].stop()]
    published = publisher.stop()
    for data in received:
        ts.assert_exact(published, data, at_least=1000, tail=len(published))


def test_a_wrong_passphrase_is_an_error_that_says_so(live, programs, secret):
    port = free_port()
    srt_player(programs, listener(port, passphrase="quite another one"))
    done = push(live, f"srt://127.0.0.1:{port}", "--passphrase-file", secret)
    assert done.returncode == 8
    assert "passphrase" in wait_state(live, "route", "error")["error"]
    assert SECRET not in done.stdout + done.stderr + live.dp.output() + live.daemon.output()


def test_a_target_may_come_late_go_and_come_back(live, programs):
    port = free_port()
    assert push(live, f"srt://127.0.0.1:{port}").returncode == 8
    wait_state(live, "route", "error", "nobody answers there")
    for _ in range(2):
        player = srt_player(programs, listener(port))
        wait_state(live, "route", "active", deadline=20)
        player.wait(100_000)
        player.stop()
        wait_state(live, "route", "error", "the peer")


def test_a_refusal_is_told_in_words(live, make_relay):
    """The second relay does not know the stream that the first one sends or asks for."""
    other = make_relay()
    other.listen()
    push(live, f"srt://127.0.0.1:{other.port}?streamid=publish/live/none")
    wait_state(live, "route", "error", "the listener refused: 2404 not found")
    live.run("source", "add", "live/b", f"srt://127.0.0.1:{other.port}?streamid=live/none")
    wait_state(live, "source", "error", "the listener refused: 2404 not found")


def test_relay_to_relay(live, make_relay, programs):
    """The second relay fetches from the first, and its player has what the first one's publisher sent."""
    edge = make_relay()
    edge.listen()
    edge.ctl("stream", "add", "live/a")
    edge.ctl("source", "add", "live/a", f"srt://127.0.0.1:{live.port}?streamid=live/a")
    edge.wait_live("live/a")
    player = srt_player(programs, edge.url("live/a"))
    player.wait(300_000)
    ts.assert_exact(live.publisher.stop(), player.stop(), at_least=1000, tail=10_000_000)


def test_deleting_says_goodbye(live, programs):
    port = free_port()
    player = srt_player(programs, listener(port))
    assert push(live, f"srt://127.0.0.1:{port}").returncode == 0
    player.wait(100_000)
    live.ctl("route", "del", live.items("route", "list")[0]["id"])
    wait_until(lambda: not live.items("sub", "list"), "the target is gone")
    assert not live.items("route", "list")
    # The listener hears of it at once: it is free for the next call.
    assert push(live, f"srt://127.0.0.1:{port}").returncode in (0, 8)


@pytest.mark.parametrize(
    "url, words",
    [
        ("srt://:9000", "calls somebody"),
        ("srt://127.0.0.1:9000?mode=listener", "its mode is caller"),
        ("srt://127.0.0.1:9000?transtype=file", "only live transmission"),
        ("srt://127.0.0.1:9000?enforcedencryption=0", "enforcedencryption"),
    ],
)
def test_urls_that_no_call_can_be_made_of(relay, url, words):
    for noun in ("source", "route"):
        done = relay.run(noun, "add", "live/a", url)
        assert done.returncode == 2 and words in done.stderr
        assert not relay.items(noun, "list")
