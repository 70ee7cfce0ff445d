# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Port dpdk with other people's programs at its other end: every header is ours, every answer the kernel's."""

import os

import pytest
from kit import ts
from kit.bypass import HOST4, RELAY4, RELAY6, BypassRelay, TapNetwork
from kit.placed import PlacedPublisher
from kit.proc import free_port, wait_until
from kit.readers import FilePlayer

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="namespaces are root's")
WORDS = "correct horse battery"


@pytest.fixture
def net(programs):
    return TapNetwork(programs)


@pytest.fixture
def relay(programs, net):
    relay = BypassRelay(programs, net)
    relay.start()
    relay.ctl("listener", "add", f"srt://{RELAY4}:{relay.port}", "--open")
    relay.ctl("listener", "add", f"srt://[{RELAY6}]:{relay.port}", "--open")
    return relay


def plays(programs, net, relay, name, **options):
    url = relay.url("live/a", **options)
    return FilePlayer(programs, name, [*net.at(), "srt-live-transmit", "-a:no", url, "file://con"])


def receives(programs, net, name, url):
    return FilePlayer(programs, name, [*net.at(), "srt-live-transmit", "-a:no", url, "file://con"])


def test_both_versions_and_both_ways_byte_for_byte(relay, programs, net):
    (port,) = relay.status()["ports"]
    assert (port["name"], port["kind"]) == ("net_tap0", "dpdk") and port["mode"].startswith("net_tap")
    publisher = PlacedPublisher(programs, net, relay.url("live/a", "publish"))
    relay.wait_live("live/a")
    players = [plays(programs, net, relay, f"over{address}", address=address) for address in (RELAY4, RELAY6)]
    url = f"udp://{HOST4}:{free_port()}"
    pushed = receives(programs, net, "pushed", url)
    pushed.program.says("Media path")
    relay.ctl("route", "add", "live/a", url)
    players.append(pushed)
    for player in players:
        player.wait(400_000)
    received = [player.stop() for player in players]
    published = publisher.stop()
    for data in received:
        ts.assert_exact(published, data, at_least=1000, tail=len(published))
    drops = relay.drops()
    assert not any(drops.get(reason) for reason in ("bad_header", "bad_csum", "tx_full", "tx_error")), drops


def test_encrypted_in_and_out(relay, programs, net, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(WORDS)
    relay.ctl("stream", "add", "live/a", "--publish-passphrase-file", secret, "--play-passphrase-file", secret)
    publisher = PlacedPublisher(programs, net, relay.url("live/a", "publish", passphrase=WORDS, pbkeylen=32))
    relay.wait_live("live/a")
    player = plays(programs, net, relay, "player", passphrase=WORDS)
    player.wait(400_000)
    data = player.stop()
    ts.assert_exact(publisher.stop(), data, at_least=1000, tail=10_000_000)


def test_what_cannot_start_is_one_sentence(programs, net):
    relay = BypassRelay(programs, net)
    for port, says in (
        ("dpdk:net_nosuch0,addr=10.0.0.1", "the device net_nosuch0 cannot be made"),
        ("dpdk:net_tap0,addr=10.0.0.1,queues=3", "queues=3 for 1 workers"),
    ):
        argv = [*net.at(), relay.program("sluice-dp"), "--port", port, "--memory", "128", "--max-subscribers", "100"]
        done = programs.client("bad-port", argv, env=relay.env)
        assert wait_until(lambda p=done: p.status is not None and p, "it ends", 15).status == 1
        assert says in done.output() and done.output().strip().count("\n") == 0, done.output()
