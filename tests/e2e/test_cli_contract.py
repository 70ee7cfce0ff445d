# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Every command, JSON field and exit status that scripts rely on, against the real daemons."""

import json
import re
import subprocess
from numbers import Number

import pytest
from kit.proc import free_port, wait_until
from kit.publishers import SrtPublisher, UdpPublisher
from kit.readers import UdpReader, srt_player

pytestmark = pytest.mark.basic

TEXT, NULL, YES = str, type(None), bool
COUNT = int
FIELDS = {
    "stream": {
        "name": TEXT, "declared": YES, "state": {"idle", "live", "stalled"}, "publisher": (TEXT, NULL), "subscribers": COUNT,
        "rx_packets": COUNT, "rx_bytes": COUNT, "rx_bitrate": Number, "lost_packets": COUNT, "recovered_packets": COUNT,
        "tx_packets": COUNT, "tx_bytes": COUNT, "retransmitted_packets": COUNT,
    },
    "sub": {
        "id": TEXT, "stream": TEXT, "proto": {"srt", "rtp", "udp"}, "peer": TEXT, "worker": COUNT, "state": TEXT,
        "tx_packets": COUNT, "tx_bytes": COUNT, "retransmitted_packets": COUNT, "dropped_packets": COUNT, "nak_packets": COUNT,
        "rtt_ms": (Number, NULL), "latency_ms": (Number, NULL), "encrypted": YES, "since": TEXT,
    },
    "pub": {
        "id": TEXT, "stream": TEXT, "proto": {"srt", "rtp", "udp"}, "peer": TEXT, "worker": COUNT, "rx_packets": COUNT,
        "rx_bytes": COUNT, "lost_packets": COUNT, "recovered_packets": COUNT, "undecryptable_packets": COUNT, "rtt_ms": (Number, NULL),
        "latency_ms": (Number, NULL), "encrypted": YES, "since": TEXT,
    },
    "listener": {"id": TEXT, "url": TEXT, "state": {"pending", "active", "unresolved", "error", "held"}, "error": (TEXT, NULL)},
    "status": {
        "node": TEXT, "region": TEXT, "version": TEXT, "uptime_s": Number, "dataplane": {"connected", "away"}, "ports": list,
        "workers": list, "drops": dict, "streams": COUNT, "subscribers": COUNT,
    },
}
FIELDS["route"] = FIELDS["listener"] | {"stream": TEXT, "tx_packets": COUNT}
FIELDS["source"] = FIELDS["listener"] | {"stream": TEXT, "rx_packets": COUNT}


def check(noun, doc):
    for name, kind in FIELDS[noun].items():
        assert name in doc, f"{noun} has no {name}"
        value = doc[name]
        fits = value in kind if isinstance(kind, set) else isinstance(value, kind)
        if kind in (COUNT, Number):
            fits = fits and not isinstance(value, bool) and value >= 0
        assert fits, f"{noun}.{name} is {value!r}"
    return doc


@pytest.fixture
def busy(relay, programs):
    """A relay with one of everything, live."""
    relay.reader = UdpReader(free_port())
    relay.udp_port = free_port()
    programs.on_close(relay.reader.close)
    relay.ctl("stream", "add", "live/a")
    relay.ctl("source", "add", "live/b", f"udp://127.0.0.1:{relay.udp_port}")
    relay.ctl("route", "add", "live/a", f"udp://127.0.0.1:{relay.reader.port}")
    relay.publisher = SrtPublisher(programs, relay.url("live/a", "publish"))
    relay.sender = UdpPublisher(programs, "127.0.0.1", relay.udp_port)
    relay.wait_live("live/a")
    relay.wait_live("live/b")
    relay.player = srt_player(programs, relay.url("live/a"))
    relay.player.wait(100_000)
    return relay


def everything(relay):
    """The intent, without what moves."""
    keep = {"id", "name", "url", "stream", "open", "latency_ms", "takeover", "leg", "history_ms", "max_subscribers"}
    return {noun: [{k: v for k, v in item.items() if k in keep} for item in relay.items(noun, "list")]
            for noun in ("listener", "stream", "source", "route")}


def test_documents_have_the_fields(busy):
    """Lists, single objects and status, each with every field of the contract and its type."""
    for noun, key in [("listener", "id"), ("stream", "name"), ("source", "id"), ("route", "id"), ("sub", "id"), ("pub", "id")]:
        page = busy.json(noun, "list")
        assert set(page) == {"items", "next"} and page["next"] is None and page["items"], noun
        for item in page["items"]:
            check(noun, item)
            shown = check(noun, busy.json(noun, "show", item[key]))
            assert shown[key] == item[key] and set(shown) == set(item)
    status = check("status", busy.status())
    for port in status["ports"]:
        assert {"name", "kind", "mode"} <= set(port) and port["kind"] == "sock"
    for worker in status["workers"]:
        assert {"id", "core", "busy_ratio", "rx_packets", "tx_packets"} <= set(worker) and 0 <= worker["busy_ratio"] <= 1
    assert all(isinstance(n, int) and n >= 0 for n in status["drops"].values()) and "late" in status["drops"]


def test_documents_agree(busy):
    """What the stream counts is what its sessions are."""
    stream = busy.wait_stream("live/a", state="live", subscribers=2)
    subs = {s["proto"]: s for s in busy.items("sub", "list", "live/a")}
    assert set(subs) == {"srt", "udp"} and subs["udp"]["peer"] == f"127.0.0.1:{busy.reader.port}"
    assert subs["srt"]["latency_ms"] == 120 and subs["udp"]["latency_ms"] is None
    assert stream["publisher"] in {p["id"] for p in busy.items("pub", "list")}
    assert busy.items("sub", "list", "live/b") == []
    (source,) = [p for p in busy.items("pub", "list") if p["proto"] == "udp"]
    assert source["peer"] == "127.0.0.1:%d" % busy.sender.socket.getsockname()[1]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", s["since"]) for s in subs.values())
    # A subscriber's numbers are derived, not counted: they must follow the stream's all the same.
    busy.publisher.stop()

    def agree():
        stream, subs = busy.stream("live/a"), busy.items("sub", "list", "live/a")
        first = stream["tx_packets"] - stream["retransmitted_packets"]  # a start may need repairs, on loopback too
        return first <= 2 * stream["rx_packets"] and all(stream[name] == sum(s[name] for s in subs) for name in ("tx_packets", "tx_bytes", "retransmitted_packets"))

    wait_until(agree, "what the stream sent is what its subscribers got")
    stream = busy.wait_stream("live/a", rx_bitrate=0)
    assert stream["rx_bytes"] == 1316 * stream["rx_packets"]


def test_the_same_again_is_fine_and_another_under_its_name_is_not(relay):
    """Exit status 4 for a conflict; nothing is changed by it."""
    port = free_port()
    lines = [["listener", "add", f"srt://127.0.0.1:{free_port()}", "--latency", "200"], ["stream", "add", "live/a", "--leg", "shared"],
             ["source", "add", "live/a", f"udp://127.0.0.1:{port}"], ["route", "add", "live/a", f"udp://127.0.0.1:{port}?ttl=3"]]
    for line in lines:
        assert relay.json(*line) == relay.json(*line) | {}, line
    before = everything(relay)
    for line in (lines[0][:3] + ["--latency", "300"], lines[1][:3] + ["--leg", "own"]):
        done = relay.run(*line)
        assert done.returncode == 4 and done.stdout == "" and done.stderr.count("\n") == 1
    assert everything(relay) == before


BAD = [
    "listener add srt://127.0.0.1", "listener add srt://127.0.0.1:0", "listener add srt://nohost.example:9000",
    "listener add udp://127.0.0.1:9000", "listener add srt://127.0.0.1:9001 --default-mode maybe",
    "listener add srt://127.0.0.1:9001 --default-stream ../x", "stream add ../x", "stream add a//b", "stream add .", "stream add a/../b",
    "stream add " + 129 * "x", "stream add x --takeover perhaps", "stream add x --latency 0", "stream add x --latency 1.5",
    "stream add x --max-subscribers -1", "stream add x --no-such-flag", "source add x tcp://127.0.0.1:9", "source add x udp://127.0.0.1",
    "source add x udp://127.0.0.1:70000", "route add x udp://", "route add x udp://127.0.0.1:5000?ttl=300",
    "route add x udp://127.0.0.1:5000?colour=red", "route add x rtp://127.0.0.1:5000?dscp=64", "frobnicate", "stream frobnicate", "stream",
]


def test_bad_input_is_one_sentence_and_changes_nothing(relay):
    before = everything(relay)
    for line in BAD:
        done = relay.run(*line.split())
        assert done.returncode == 2 and done.stdout == "", f"{line}: {done}"
        assert len(done.stderr.strip()) > 10 and done.stderr.count("\n") == 1, f"{line}: {done.stderr}"
    assert everything(relay) == before


def test_what_is_not_there_is_exit_status_3(relay):
    for line in ["stream show nope", "stream del nope", "stream set nope --leg own", "listener show l0000000000",
                 "listener del l0000000000", "source del s0000000000", "route del r0000000000", "sub show s-x-1-0.0.1",
                 "sub kick s-x-1-0.0.1", "pub show nope", "pub kick nope", "node sync --force nowhere"]:
        done = relay.run(*line.split())
        assert done.returncode == 3 and done.stdout == "" and done.stderr.count("\n") == 1, f"{line}: {done}"


def test_dry_run_changes_nothing(relay):
    relay.ctl("stream", "add", "live/a")
    before = everything(relay)
    port = free_port()
    for line in [f"listener add srt://127.0.0.1:{port}", "stream add live/b", f"source add live/a udp://127.0.0.1:{port}",
                 f"route add live/a udp://127.0.0.1:{port}", "stream set live/a --leg shared", "stream del live/a"]:
        relay.ctl(*line.split(), "--dry-run")
    assert everything(relay) == before
    assert relay.run("listener", "add", "srt://127.0.0.1:70000", "--dry-run").returncode == 2


def test_set_changes_what_is_given_and_default_takes_it_back(relay):
    relay.ctl("stream", "add", "live/a", "--latency", 300, "--takeover", "replace", "--max-subscribers", 7)
    changed = relay.json("stream", "set", "live/a", "--latency", 400)
    assert (changed["latency_ms"], changed["takeover"], changed["max_subscribers"]) == (400, "replace", 7)
    changed = relay.json("stream", "set", "live/a", "--max-subscribers", "default", "--takeover", "default")
    assert (changed["latency_ms"], changed["takeover"], changed["max_subscribers"]) == (400, "reject", None)


def test_a_listener_that_cannot_be_says_why(relay):
    """The port belongs to somebody else: kept, state error with the reason, exit status 8."""
    other = UdpReader(free_port())
    done = relay.run("--json", "listener", "add", f"srt://127.0.0.1:{other.port}")
    doc = check("listener", json.loads(done.stdout))
    assert done.returncode == 8 and doc["state"] == "error" and doc["error"] and doc["error"] in done.stderr
    other.close()
    wait_until(lambda: relay.json("listener", "show", doc["id"])["state"] == "active", "it is tried again", 30)
    relay.ctl("listener", "del", doc["id"])
    assert relay.run("listener", "show", doc["id"]).returncode == 3


def test_a_route_to_a_name_that_does_not_resolve_says_so(relay):
    done = relay.run("--json", "route", "add", "live/a", "udp://no-such-host.invalid:5000")
    doc = check("route", json.loads(done.stdout))
    assert done.returncode == 8 and doc["state"] == "unresolved" and doc["error"] and doc["error"] in done.stderr


def test_kicked_sessions_are_gone(busy):
    (sub,) = [s for s in busy.items("sub", "list") if s["proto"] == "srt"]
    busy.ctl("sub", "kick", sub["id"])
    wait_until(lambda: sub["id"] not in {s["id"] for s in busy.items("sub", "list")}, "the subscriber is gone")
    assert busy.run("sub", "kick", sub["id"]).returncode == 3
    busy.player.program.wait()
    (pub,) = [p for p in busy.items("pub", "list") if p["proto"] == "srt"]
    busy.ctl("pub", "kick", pub["id"])
    busy.wait_stream("live/a", state=lambda s: s != "live", publisher=None)
    assert busy.run("pub", "show", pub["id"]).returncode == 3


def test_removed_objects_stop(busy):
    """del of a source, a route, a stream and a listener."""
    (source,), (route,), (listener,) = (busy.items(noun, "list") for noun in ("source", "route", "listener"))
    busy.ctl("source", "del", source["id"])
    busy.wait_stream("live/b", state=lambda s: s in (None, "idle", "stalled"), publisher=None)
    busy.ctl("route", "del", route["id"])
    busy.wait_stream("live/a", subscribers=1)
    busy.ctl("listener", "del", listener["id"])
    busy.player.program.wait()
    assert busy.items("sub", "list") == [] and busy.items("pub", "list") == []
    busy.ctl("stream", "del", "live/a")
    assert busy.run("stream", "show", "live/a").returncode == 3
    assert busy.status()["streams"] == len(busy.items("stream", "list"))


class Feed:
    """`sluicectl watch --json` in the background."""

    def __init__(self, relay, programs):
        self.program = programs.client("watch", [relay.program("sluicectl"), "watch", "--json"], env=relay.env)

    def events(self):
        return [json.loads(line) for line in self.program.output().splitlines() if line.startswith("{")]

    def wait(self, deadline=10.0, **fields):
        return wait_until(lambda: [e for e in self.events() if all(e.get(k) == v for k, v in fields.items())],
                          lambda: f"an event with {fields}; there were {self.events()}", deadline)[-1]


def test_watch_tells_what_happens_also_over_a_restart(relay, programs):
    feed = Feed(relay, programs)

    def heard():
        relay.run("stream", "add", "tick")
        relay.run("stream", "del", "tick")
        return feed.events()

    wait_until(heard, "the feed has begun")
    relay.ctl("stream", "add", "live/a")
    feed.wait(type="intent", kind="stream", name="live/a", action="added")
    publisher = SrtPublisher(programs, relay.url("live/a", "publish"))
    feed.wait(type="stream", stream="live/a", state="live")
    came = feed.wait(type="publisher", stream="live/a", up=True)
    relay.wait_stream("live/a", publisher=came["session"])
    player = srt_player(programs, relay.url("live/a"))
    feed.wait(type="subscriber", stream="live/a", up=True)
    relay.daemon.kill()
    relay.start_daemon()
    relay.wait_connected()
    wait_until(lambda: relay.run("stream", "add", "tick").returncode == 0 and relay.run("stream", "del", "tick").returncode == 0
               and any(e["type"] == "intent" and e["name"] == "tick" for e in feed.events()[-3:]), "the feed goes on", 20)
    player.program.kill()
    feed.wait(type="subscriber", stream="live/a", up=False)
    publisher.leave()
    feed.wait(type="publisher", stream="live/a", up=False)
    for e in feed.events():
        assert {"id", "time", "type"} <= set(e)


def test_without_the_daemon_every_command_is_exit_status_6(make_relay):
    relay = make_relay()
    relay.daemon.stop()
    for line in ["status", "stream list", "stream add x", "listener del l0000000000", "sub list", "watch", "node sync --force x"]:
        done = relay.run(*line.split())
        assert done.returncode == 6 and done.stdout == "" and "start sluiced" in done.stderr, f"{line}: {done}"
    assert relay.run("doctor").returncode == 8


def test_without_the_dataplane_changes_wait(make_relay):
    """Exit status 8 and the reason; what was asked for is done when sluice-dp is there."""
    relay = make_relay()
    relay.dp.stop()
    wait_until(lambda: relay.run("--json", "status").returncode == 8, "the dataplane is away")
    status = json.loads(relay.run("--json", "status").stdout)
    assert status["dataplane"] == "away" and check("status", status)
    done = relay.run("--json", "listener", "add", f"srt://127.0.0.1:{relay.port}", "--open")
    doc = json.loads(done.stdout)
    assert done.returncode == 8 and doc["state"] == "pending" and "dataplane is away" in done.stderr
    assert relay.run("stream", "add", "live/a").returncode == 8
    assert relay.run("stream", "list").returncode == 0
    relay.start_dp()
    relay.wait_connected()
    wait_until(lambda: relay.json("listener", "show", doc["id"])["state"] == "active", "the listener is there")
    assert relay.run("status").returncode == 0


def test_it_speaks_http_too(relay, programs):
    """--url: reading from loopback is for anybody when the node says so, changing is not."""
    url = f"http://127.0.0.1:{relay.http}"
    env = {"PATH": "/usr/bin:/bin", "SLUICE_RUN_DIR": "/nowhere"}

    def far(*argv):
        return subprocess.run([relay.program("sluicectl"), "--url", url, *argv], env=env, capture_output=True, text=True, timeout=30)

    read = far("--json", "status")
    assert read.returncode in (0, 5), read
    done = far("stream", "add", "live/far")
    assert done.returncode == 5 and done.stderr.count("\n") == 1
    assert relay.stream("live/far") == {}


def test_doctor_finds_nothing_bad_and_what_is(relay):
    assert relay.run("doctor").returncode == 0, relay.run("doctor").stdout
    relay.run("route", "add", "live/a", "udp://no-such-host.invalid:5000")
    done = relay.run("--json", "doctor")
    bad = [c for c in json.loads(done.stdout)["checks"] if c["state"] == "bad"]
    assert done.returncode == 8 and len(bad) == 1 and "no-such-host.invalid" in bad[0]["detail"]


def test_text_is_for_people(busy):
    """Every list and record prints without --json; nothing but data on stdout."""
    for noun, key in [("listener", "id"), ("stream", "name"), ("source", "id"), ("route", "id"), ("sub", "id"), ("pub", "id")]:
        items = busy.items(noun, "list")
        table = busy.ctl(noun, "list").splitlines()
        assert len(table) == 1 + len(items)
        for item in items:
            assert any(item[key] in row for row in table[1:])
            assert item[key] in busy.ctl(noun, "show", item[key])
    assert "connected" in busy.ctl("status")
