# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""The two daemons come and go in any order; intent lives in the store, media in the dataplane."""

import os
import shutil
import signal
import socket
import subprocess

import pytest
from kit import ts
from kit.api import Api
from kit.proc import free_port, wait_until
from kit.publishers import SrtPublisher
from kit.readers import UdpReader, srt_player

NAME = "live/c"


def wait_away(relay):
    wait_until(lambda: relay.run("status").returncode == 8, "status says that the dataplane is away")


def ids(relay, noun):
    return {item["id"] for item in relay.items(noun, "list")}


@pytest.mark.basic
def test_media_flows_and_viewers_join_while_the_daemon_is_killed(relay, programs):
    relay.ctl("stream", "add", NAME)
    reader = UdpReader(free_port())
    relay.ctl("route", "add", NAME, f"udp://127.0.0.1:{reader.port}")
    publisher = SrtPublisher(programs, relay.url(NAME, "publish"))
    relay.wait_live(NAME)
    players = [srt_player(programs, relay.url(NAME))]
    reader.wait(40)
    before = ids(relay, "sub") | ids(relay, "pub")

    relay.daemon.kill()
    assert relay.run("status").returncode == 6
    at = len(reader.datagrams)
    players.append(srt_player(programs, relay.url(NAME)))
    players[1].wait(200_000)  # joined and played with nobody above the dataplane
    reader.wait(at + 100)

    relay.start_daemon()
    relay.wait_connected()
    relay.wait_stream(NAME, state="live", subscribers=3)
    assert before < ids(relay, "sub") | ids(relay, "pub")  # the same sessions under the same ids, and the new one
    assert "has all 3 objects" in relay.daemon.output()  # by digest: nothing was sent
    players[0].wait(200_000)
    published = publisher.stop()
    reader.close()
    ts.assert_exact(published, reader.data(), at_least=500, tail=len(published))
    for player in players:
        ts.assert_exact(published, player.stop(), at_least=500, tail=len(published))


@pytest.mark.basic
def test_intent_comes_back_when_the_dataplane_was_killed(relay, programs):
    relay.ctl("stream", "add", NAME, "--latency", "200")
    port = free_port()
    relay.ctl("route", "add", NAME, f"udp://127.0.0.1:{port}")
    first = SrtPublisher(programs, relay.url(NAME, "publish"))
    relay.wait_live(NAME)
    relay.dp.kill()
    wait_away(relay)
    first.leave()
    (listener,) = relay.items("listener", "list")
    assert (listener["state"], listener["error"]) == ("pending", "the dataplane is away")

    added = relay.run("stream", "add", "live/meanwhile")  # durable without the dataplane, and said so
    assert added.returncode == 8 and "the dataplane is away" in added.stderr
    relay.start_dp()
    relay.wait_connected()
    wait_until(lambda: relay.items("listener", "list")[0]["state"] == "active", "the listener is back")
    reader = UdpReader(port)
    publisher = SrtPublisher(programs, relay.url(NAME, "publish"), count=500, bitrate=4_000_000)
    reader.wait(300)
    (pub,) = relay.items("pub", "list")
    assert pub["latency_ms"] == 200
    assert relay.stream("live/meanwhile")["declared"]
    publisher.finish()
    publisher.stop()
    reader.close()


def test_the_daemon_may_start_first(programs, make_relay):
    from kit.relay import Relay

    relay = Relay(programs)
    relay.start_daemon()
    wait_until(lambda: relay.run("status").returncode == 8, "the daemon answers without a dataplane", 20)
    api = Api(relay)
    assert api("GET", "/healthz").status == 200
    assert api("GET", "/readyz").status == 503
    assert relay.run("sub", "list").returncode in (1, 6, 8)
    assert relay.run("listener", "add", f"srt://127.0.0.1:{relay.port}", "--open").returncode == 8
    relay.start_dp()
    relay.wait_connected()
    assert api("GET", "/readyz").status == 200
    wait_until(lambda: relay.items("listener", "list")[0]["state"] == "active", "the listener is served")


@pytest.mark.basic
def test_the_daemon_ends_by_itself_on_sigterm_and_media_goes_on(relay, programs):
    SrtPublisher(programs, relay.url(NAME, "publish"))
    relay.wait_live(NAME)
    player = srt_player(programs, relay.url(NAME))
    player.wait(50_000)
    feed = Api(relay).connect()
    feed.request("GET", "/v1/watch")
    feed.getresponse()  # a reader that stays must not hold it up
    assert relay.daemon.stop(deadline=3) == 0
    size = player.file.stat().st_size
    player.wait(size + 100_000)
    feed.close()
    assert not (relay.run_dir / "api.sock").exists() or relay.run("status").returncode == 6


def test_a_second_daemon_on_the_same_state_names_the_first(relay, programs):
    second = programs.start("sluiced-2", [relay.program("sluiced"), "--listen", "none"], env=relay.env)
    second.expected.add(1)
    assert second.wait() == 1
    assert f"another sluiced (pid {relay.daemon.pid}) is using {relay.state_dir}" in second.output()
    assert relay.run("status").returncode == 0


def test_what_was_answered_survives_a_kill(relay):
    names = [f"durable/{i}" for i in range(20)]
    for name in names:
        relay.ctl("stream", "add", name)
    relay.daemon.kill()
    relay.start_daemon()
    relay.wait_connected()
    assert [s["name"] for s in relay.items("stream", "list")] == sorted(names)


def test_a_lost_state_directory_is_held_by_the_removal_guard(relay):
    api = Api(relay)
    for i in range(30):
        assert api("POST", "/v1/streams", {"name": f"many/{i:02}"}).status == 201
    relay.daemon.kill()
    shutil.rmtree(relay.state_dir)
    relay.start_daemon()
    relay.wait_connected()
    wait_until(lambda: relay.status_now()["held"] == 31, "30 streams and the listener are held")
    shown = relay.run("status")
    assert shown.returncode == 8 and "node sync --force" in shown.stderr
    relay.ctl("stream", "add", "new/one")  # what is wanted gets through all the same
    node = relay.status_now()["node"]
    assert relay.run("node", "sync", node).returncode == 2
    relay.ctl("node", "sync", "--force", node)
    wait_until(lambda: relay.run("status").returncode == 0, "nothing is held any more")


FIRST = """sluice: 1
daemon: {node: box-7, region: north, limits: {connections: 64}}
listeners:
  main: {url: "srt://127.0.0.1:PORT", open: true}
streams:
  live/a: {latency_ms: 300}
routes:
  wall: {stream: live/a, url: "udp://127.0.0.1:4999"}
"""


def test_the_file_is_the_intent_of_the_first_start_only(programs, make_relay):
    from kit.relay import Relay

    relay = Relay(programs)
    file = relay.folder / "sluice.yaml"
    file.write_text(FIRST.replace("PORT", str(relay.port)))
    relay.daemon_flags += ["--config", file]
    relay.start()
    assert (relay.status()["node"], relay.status()["region"]) == ("box-7", "north")
    assert relay.stream("live/a")["latency_ms"] == 300
    wait_until(lambda: relay.items("listener", "list")[0]["state"] == "active", "the listener is served")
    (route,) = relay.items("route", "list")
    assert (route["stream"], route["url"], route["node"]) == ("live/a", "udp://127.0.0.1:4999", "box-7")

    relay.ctl("stream", "del", "live/a")
    file.write_text(FIRST.replace("PORT", str(relay.port)) + "sources:\n  in: {stream: live/b, url: 'udp://:4998'}\n")
    assert relay.daemon.stop() == 0
    relay.start_daemon()
    relay.wait_connected()
    assert relay.items("stream", "list") == [] or not relay.stream("live/a").get("declared")
    assert relay.items("source", "list") == []
    assert "differs from the store in 2 of its 4 objects (stream live/a, source " in relay.daemon.output()


BAD = [
    (["--node", "a b"], "--node a b: a name is made of"),
    (["--store", "mysql://x"], "--store mysql://x: a store is sqlite:///"),
    (["--listen", "0.0.0.0:8680"], "only loopback is served without TLS"),
    (["--frobnicate"], "unrecognized option"),
    (["--config", "FILE"], ":3: unknown key \"nod\" in daemon:"),
]


@pytest.mark.parametrize("flags,sentence", BAD, ids=[b[0][0] for b in BAD])
def test_wrong_settings_are_one_sentence_and_status_two(programs, flags, sentence):
    from kit.relay import Relay

    relay = Relay(programs)
    file = relay.folder / "bad.yaml"
    file.write_text("sluice: 1\ndaemon:\n  nod: x\n")
    argv = [str(file) if f == "FILE" else f for f in flags]
    for extra in ([], ["--check-config"]):
        done = subprocess.run([relay.program("sluiced"), *argv, *extra], env={**os.environ, **relay.env},
                              capture_output=True, text=True, timeout=20)
        assert done.returncode == 2 and sentence in done.stderr and not done.stdout
    assert os.listdir(relay.state_dir) == []  # nothing was touched


def test_check_config_says_that_the_settings_are_good(programs):
    from kit.relay import Relay

    relay = Relay(programs)
    file = relay.folder / "good.yaml"
    file.write_text(FIRST.replace("PORT", str(relay.port)))
    done = subprocess.run([relay.program("sluiced"), "--config", file, "--check-config"],
                          env={**os.environ, **relay.env}, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0 and "node box-7" in done.stdout and "3 objects of intent" in done.stdout
    assert os.listdir(relay.state_dir) == []


def test_a_store_that_is_none_is_one_sentence(programs):
    from kit.relay import Relay

    relay = Relay(programs)
    (relay.state_dir / "sluice.db").write_text("this is no database, and never was one\n" * 40)
    daemon = relay.start_daemon()
    daemon.expected.add(1)
    assert daemon.wait() == 1
    lines = [line for line in daemon.output().splitlines() if line.startswith("error")]
    assert len(lines) == 1 and "sluice.db" in lines[0]


def test_systemd_is_told_when_the_api_answers(programs):
    from kit.relay import Relay

    relay = Relay(programs)
    path = str(relay.folder / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
        notify.bind(path)
        notify.settimeout(20)
        relay.env["NOTIFY_SOCKET"] = path
        relay.start_daemon()
        assert b"READY=1" in notify.recv(4096)
        assert Api(relay)("GET", "/healthz").status == 200
        relay.daemon.signal(signal.SIGTERM)
        assert b"STOPPING=1" in notify.recv(4096)
    assert relay.daemon.wait() == 0


def test_an_older_owner_does_not_get_the_dataplane(relay, programs):
    from kit.relay import Relay

    other = Relay(programs, daemon=["--dp-socket", relay.run_dir / "dp.sock"])
    (other.state_dir / "epoch").write_text("9999999999999\n")  # later than the first by its counter
    other.start_daemon()
    wait_until(lambda: other.run("status").returncode == 0, "the later one has the dataplane", 20)
    wait_away(relay)
    other.daemon.says("sent all 0 objects")
    assert other.daemon.stop() == 0
    relay.daemon.says("a newer owner has been here")
    assert relay.run("status").returncode == 8
