# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""status, subscribers, publishers and the feed."""

import json
import subprocess

from conftest import SLUICECTL

SUB = {"id": "s-n1-7f-0.12.3", "stream": "live/cam1", "proto": "srt", "peer": "10.0.0.7:51000",
       "worker": 0, "state": "active", "tx_packets": 1234567, "tx_bytes": 1624690172,
       "retransmitted_packets": 12, "dropped_packets": 0, "nak_packets": 3, "rtt_ms": 20.44,
       "latency_ms": 120, "encrypted": False, "since": "2026-01-01T00:00:00.000Z"}
PUB = {"id": "s-n1-7f-0.13.1", "stream": "live/cam1", "proto": "udp", "peer": "10.0.0.8:6000",
       "worker": 1, "rx_packets": 10, "rx_bytes": 13160, "lost_packets": 0,
       "recovered_packets": 0, "undecryptable_packets": 0, "rtt_ms": None, "latency_ms": None, "encrypted": False,
       "since": "2026-01-01T00:00:00.000Z"}


def test_status(api, ctl):
    r = ctl("status")
    assert r.rc == 0 and r.err == ""
    for text in ["n1", "3 h 12 min", "connected", "sock0", "io_uring", "12.5 %", "1.235 M", "76543",
                 "late           7  came after"]:
        assert text in r.out
    assert "tx_full" not in r.out
    r = ctl("status", "--json")
    assert r.rc == 0 and r.json == api.status


def test_drops_say_what_they_mean(api, ctl):
    api.status["drops"] = {"late": 7, "of_tomorrow": 3, "tx_full": 0}
    out = ctl("status").out
    assert "late                  7  came after it had been given up\n" in out
    assert "of_tomorrow  3\n" in out and "tx_full" not in out


def test_status_without_dataplane(api, ctl):
    api.status = {"node": "n1", "dataplane": "away", "ports": [], "workers": [], "drops": {}}
    r = ctl("status", "--json")
    assert r.rc == 8 and r.json == api.status and "dataplane is away" in r.err
    r = ctl("status")
    assert r.rc == 8 and "away" in r.out


def test_store_that_cannot_be_read(api, ctl):
    api.status["store_ok"] = False
    r = ctl("status")
    assert r.rc == 8 and "the store cannot be read" in r.err


def test_held_removals(api, ctl):
    api.status["held"] = 25
    r = ctl("status")
    assert r.rc == 8 and "25 objects" in r.err and "node sync --force n1" in r.err
    assert ctl("node", "sync", "--force", "n2").rc == 3
    r = ctl("node", "sync", "n1", "--force", "--json")
    assert r.rc == 0 and r.json == {"held": 25}
    assert ctl("status").rc == 0


def test_subscribers(api, ctl):
    other = SUB | {"id": "s-n1-7f-0.14.1", "stream": "cam2"}
    api.objects["subscribers"] = {s["id"]: s for s in (SUB, other)}
    assert ctl("sub", "list", "--json").json == {"items": [SUB, other], "next": None}
    assert ctl("sub", "list", "live/cam1", "--json").json["items"] == [SUB]
    row = ctl("sub", "list").out.splitlines()[1]
    for text in [SUB["id"], "live/cam1", "10.0.0.7:51000", "1.235 M", "20.4 ms", "120 ms"]:
        assert text in row
    assert ctl("sub", "show", SUB["id"], "--json").json == SUB
    assert "1.62 GB" in ctl("sub", "show", SUB["id"]).out
    r = ctl("sub", "kick", SUB["id"])
    assert r.rc == 0 and r.err == f"sub {SUB['id']} kicked\n"
    assert ctl("sub", "kick", SUB["id"]).rc == 3
    assert list(api.objects["subscribers"]) == [other["id"]]


def test_publishers(api, ctl):
    api.objects["publishers"] = {PUB["id"]: PUB}
    assert ctl("pub", "list", "--json").json == {"items": [PUB], "next": None}
    row = ctl("pub", "list").out.splitlines()[1].split()
    assert row[:4] == [PUB["id"], "live/cam1", "udp", "10.0.0.8:6000"] and "-" in row
    assert ctl("pub", "show", PUB["id"], "--json").json == PUB
    assert "REDUNDANT" not in ctl("pub", "show", PUB["id"]).out
    link = {"id": "s-n1-7f-0.14.1", "peer": "10.0.0.9:6001", "state": "standby", "weight": 5, "rtt_ms": 12.5, "rx_packets": 4,
            "unique_packets": 1, "redundant_packets": 3, "missed_packets": 0}
    PUB.update(group="backup", link_state="active", links=[link])
    text = ctl("pub", "show", PUB["id"]).out
    assert "bonded                 backup" in text
    assert text.splitlines()[-1].split() == [link["id"], link["peer"], "standby", "5", "12.5", "ms", "4", "1", "3", "0"]
    assert ctl("pub", "kick", PUB["id"]).rc == 0


EVENTS = [
    {"id": "b1-1", "time": "2026-01-01T10:00:00.123Z", "type": "stream", "stream": "cam1",
     "state": "live"},
    {"id": "b1-2", "time": "2026-01-01T10:00:01.000Z", "type": "reject", "stream": "evil\x1b[2J",
     "code": 2402},
    {"id": "b1-3", "time": "2026-01-01T10:00:02.000Z", "type": "stream", "stream": "cam1",
     "state": "idle"},
]


def feed(api, batches):
    """Serve each batch on one connection, then end it."""
    batches = iter(batches)

    def rule(h, method, path, query, body):
        if path != "/v1/watch":
            return False
        batch = next(batches, None)
        if batch is None:
            h.problem(503, "no more")
            return True
        h.send_response(200)
        h.send_header("Content-Type", "text/event-stream")
        h.send_header("Connection", "close")
        h.end_headers()
        for e in batch:
            h.wfile.write(f"id: {e['id']}\nevent: {e['type']}\ndata: {json.dumps(e)}\n\n".encode())
        h.close_connection = True
        return True

    api.rules.append(rule)


def test_watch(api, ctl):
    feed(api, [EVENTS])
    r = ctl("watch", "--count", "3", "--json")
    assert r.rc == 0, r.err
    assert [json.loads(line) for line in r.out.splitlines()] == EVENTS


PEER = {"peer": "10.0.0.7:51000", "proto": "srt", "session": "s-n1-7f-0.1.1"}
LINES = [
    ("stream", {"stream": "cam1", "state": "live"}, "cam1 is live"),
    ("publisher", {"up": True, "stream": "cam1", **PEER}, "cam1 srt 10.0.0.7:51000 came"),
    ("subscriber", {"up": False, "stream": "cam1", "reason": "timed out", **PEER},
     "cam1 srt 10.0.0.7:51000 went: timed out"),
    ("reject", {"mode": "publish", "stream": "evil\x1b[2J", "code": 2409, "reason": "taken", **PEER},
     "10.0.0.7:51000 may not publish evil?[2J (2409): taken"),
    ("reject", {"mode": "play", "stream": "a", "stream_id": "#!::r=a,u=joe", "code": 2401, "reason": "no token", **PEER},
     "10.0.0.7:51000 may not play a (2401): no token, stream id #!::r=a,u=joe"),
    ("reject", {"mode": "play", "stream": "", "stream_id": "x=1", "code": 2001, "reason": "unknown key", **PEER},
     "10.0.0.7:51000 is refused (2001): unknown key, stream id x=1"),
    ("object", {"kind": "route", "name": "r1", "state": "unresolved", "error": "no such host"},
     "route r1 is unresolved: no such host"),
    ("object", {"kind": "route", "name": "r1", "state": "active", "error": None}, "route r1 is active"),
    ("intent", {"kind": "stream", "name": "cam1", "action": "added"}, "stream cam1 added"),
    ("dataplane", {"state": "away", "why": "it closed the connection"},
     "away: it closed the connection"),
    ("lost", {"count": 3}, "3 events did not fit"),
    ("reset", {}, "events may be missing before this one"),
    ("novel", {"word": "x", "number": 1.5, "yes": True, "no": False}, "word x  number 1.5  yes  not no"),
]


def test_watch_as_text(api, ctl):
    feed(api, [[{"id": "b1-1", "time": "2026-01-01T10:00:00.123Z", "type": t, **rest}
                for t, rest, _ in LINES]])
    r = ctl("watch", "--count", str(len(LINES)))
    assert r.rc == 0
    assert r.out.splitlines() == [f"10:00:00.123  {t:10}  {text}" for t, _, text in LINES]


def test_watch_goes_on_where_it_was(api, ctl):
    feed(api, [[], EVENTS[:2], [], EVENTS[2:]])
    r = ctl("watch", "--count", "3", "--json")
    assert r.rc == 0
    assert [json.loads(line)["id"] for line in r.out.splitlines()] == ["b1-1", "b1-2", "b1-3"]
    resumed = [s[4].get("Last-Event-ID") for s in api.seen]
    assert resumed == [None, None, "b1-2", "b1-2"]
    assert r.err == "sluiced is gone, waiting for it\n"


def test_watch_gives_up_in_the_end(api, ctl):
    feed(api, [EVENTS[:1]])
    api.rules.insert(0, lambda h, *a: len(api.seen) == 2 and api.close())
    r = ctl("watch", "--timeout", "0.5")
    assert r.rc in (6, 8) and len(r.out.splitlines()) == 1


def test_watch_unreachable(ctl):
    r = ctl("watch")
    assert r.rc == 6 and r.out == ""


def test_watch_ends_with_its_reader(api, ctl, run_dir):
    """`sluicectl watch | head -1` ends although the feed goes on."""
    feed(api, [EVENTS * 2000])
    p = subprocess.run(["sh", "-c", f"{SLUICECTL} watch --json | head -1"], env=ctl.env | {
        "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=20)
    assert json.loads(p.stdout) == EVENTS[0] and p.stderr == ""
