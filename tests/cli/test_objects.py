# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""add, set, list, show and del of listeners, streams, sources and routes."""

import time

import pytest

ADD = [
    ("listener add srt://127.0.0.1:9000 --open --latency 80", "listeners",
     {"url": "srt://127.0.0.1:9000", "open": True, "latency_ms": 80}),
    ("source add live/cam1 udp://:5000", "sources",
     {"stream": "live/cam1", "url": "udp://:5000"}),
    ("route add live/cam1 rtp://239.1.1.1:5004?ttl=4", "routes",
     {"stream": "live/cam1", "url": "rtp://239.1.1.1:5004?ttl=4"}),
]


@pytest.mark.parametrize("line,collection,body", ADD)
def test_add_is_active(api, ctl, line, collection, body):
    r = ctl(*line.split())
    assert r.rc == 0, r.err
    assert api.seen[0][:4] == ("POST", f"/v1/{collection}", {}, body)
    (key, obj), = api.objects[collection].items()
    assert r.out.split() == [key, *([body["stream"]] if "stream" in body else []), body["url"],
                             "active"]
    assert r.err.startswith("there is no stream live/cam1 yet") if collection == "routes" else r.err == ""
    r = ctl(*line.split(), "--json")
    assert r.rc == 0 and r.json == obj


@pytest.mark.parametrize("line,collection,body", ADD)
def test_add_waits_for_it(api, ctl, line, collection, body):
    api.new_state = {"state": "pending", "error": None}
    api.settles = [{}, {"state": "unresolved", "error": "no such host"}, {},
                   {"state": "active", "error": None}]
    r = ctl(*line.split(), "--json")
    assert r.rc == 0 and r.json["state"] == "active" and api.settles == []


def test_add_says_why_not(api, ctl):
    api.new_state = {"state": "pending", "error": None}
    api.settles = [{"state": "error", "error": "port 9000 is taken by another program"}]
    r = ctl("listener", "add", "srt://:9000")
    key, = api.objects["listeners"]
    assert r.rc == 8
    assert r.err == f"listener {key} is stored, but not active: port 9000 is taken by another program\n"
    assert r.out.split() == [key, "srt://:9000", "error"]


def test_add_waits_two_seconds_at_most(api, ctl):
    api.new_state = {"state": "unresolved", "error": "nowhere.example: no such host"}
    start = time.monotonic()
    r = ctl("route", "add", "cam1", "udp://nowhere.example:5000", "--json")
    assert 1.9 < time.monotonic() - start < 5
    assert r.rc == 8 and r.json["state"] == "unresolved"
    assert "unresolved: nowhere.example: no such host" in r.err


def test_add_without_dataplane(api, ctl):
    api.status["dataplane"] = "away"
    api.new_state = {"state": "pending", "error": None}
    for line in ["source add cam1 udp://:5000", "stream add cam1"]:
        r = ctl(*line.split(), "--json")
        assert r.rc == 8 and r.json
        assert "is stored, but the dataplane is away" in r.err


def test_add_dry_run_neither_keeps_nor_waits(api, ctl):
    api.new_state = {"state": "pending", "error": None}
    for flag in ["--dry-run", "-n"]:
        r = ctl("listener", "add", "srt://:9000", flag, "--json")
        assert r.rc == 0 and r.json["url"] == "srt://:9000"
    assert api.objects["listeners"] == {}
    assert [s[2] for s in api.seen] == 2 * [{"dry_run": "true"}]


def test_stream_add_sends_what_was_given(api, ctl):
    r = ctl(*"stream add a/b --latency=200 --history 3000 --leg shared --takeover replace-stalled "
            "--max-subscribers 5 --repair-percent 30 --slow-after 20".split())
    assert r.rc == 0 and r.out.split() == ["a/b", "idle"]
    assert api.seen[0][3] == {"name": "a/b", "latency_ms": 200, "history_ms": 3000,
                              "leg": "shared", "takeover": "replace-stalled",
                              "max_subscribers": 5, "repair_percent": 30, "slow_after_s": 20}


def test_stream_set_changes_what_was_given(api, ctl):
    ctl("stream", "add", "a/b", "--latency", "200", "--takeover", "replace")
    r = ctl("stream", "set", "a/b", "--latency", "default", "--leg", "shared", "--json")
    assert r.rc == 0
    obj = api.objects["streams"]["a/b"]
    assert r.json == obj
    assert (obj["latency_ms"], obj["leg"], obj["takeover"]) == (None, "shared", "replace")
    assert api.seen[-1][4]["If-Match"].startswith('"')


def test_stream_set_tries_again_when_somebody_was_faster(api, ctl):
    ctl("stream", "add", "cam1")
    changes = iter([100, 200])

    def interfere(h, method, path, query, body):
        if method == "PUT" and (ms := next(changes, None)):
            api.objects["streams"]["cam1"]["history_ms"] = ms
        return False

    api.rules.append(interfere)
    r = ctl("stream", "set", "cam1", "--latency", "300")
    assert r.rc == 0, r.err
    assert api.objects["streams"]["cam1"]["history_ms"] == 200
    assert api.objects["streams"]["cam1"]["latency_ms"] == 300


def test_stream_set_gives_up_in_the_end(api, ctl):
    ctl("stream", "add", "cam1")

    def refuse(h, method, path, query, body):
        if method == "PUT":
            h.problem(412, "cam1 was changed meanwhile")
        return method == "PUT"

    api.rules.append(refuse)
    r = ctl("stream", "set", "cam1", "--latency", "300")
    assert r.rc == 4 and r.err == "cam1 was changed meanwhile\n"


def test_stream_set_of_an_undeclared_one_is_asked_once(api, ctl):
    ctl("stream", "add", "cam1")
    api.rules.append(lambda h, method, *a: method == "PUT" and (h.problem(409, "not declared") or True))
    r = ctl("stream", "set", "cam1", "--latency", "300")
    assert r.rc == 4 and r.err == "not declared\n" and api.paths().count("PUT /v1/streams/cam1") == 1


def test_set_of_what_is_not_there(api, ctl):
    assert ctl("stream", "set", "cam1", "--latency", "300").rc == 3


@pytest.mark.parametrize("line,collection,body", ADD)
def test_list_show_del(api, ctl, line, collection, body):
    noun = line.split()[0]
    r = ctl(noun, "list")
    assert r.rc == 0 and r.out == "" and r.err.startswith(f"no {noun}s, add one: ")
    assert ctl(noun, "list", "--json").json == {"items": [], "next": None}
    ctl(*line.split())
    (key, obj), = api.objects[collection].items()
    assert ctl(noun, "list", "--json").json == {"items": [obj], "next": None}
    lines = ctl(noun, "list").out.splitlines()
    assert lines[0].split()[0] == "ID" and lines[1].split()[0] == key and len(lines) == 2
    assert body["url"] in lines[1]
    assert ctl(noun, "show", key, "--json").json == obj
    assert f"{body['url']}\n" in ctl(noun, "show", key).out
    r = ctl(noun, "del", key, "--dry-run")
    assert r.rc == 0 and f"would be deleted" in r.err and key in api.objects[collection]
    r = ctl(noun, "del", key)
    assert r.rc == 0 and r.out == "" and r.err == f"{noun} {key} deleted\n"
    assert api.objects[collection] == {}
    for verb in ["show", "del"]:
        r = ctl(noun, verb, key)
        assert r.rc == 3 and r.out == "" and r.err == f"there is no {key}\n"


def test_conflict(api, ctl):
    assert ctl("stream", "add", "cam1", "--latency", "200").rc == 0
    assert ctl("stream", "add", "cam1", "--latency", "200").rc == 0
    r = ctl("stream", "add", "cam1", "--latency", "300")
    assert r.rc == 4 and r.err == "cam1 is there already, with other content\n"


def test_stream_names_keep_their_slashes(api, ctl):
    ctl("stream", "add", "live/eu/cam-1")
    assert ctl("stream", "show", "live/eu/cam-1", "--json").json["name"] == "live/eu/cam-1"
    assert ctl("stream", "del", "live/eu/cam-1").rc == 0
    assert "DELETE /v1/streams/live/eu/cam-1" in api.paths()


def test_lists_are_read_to_their_end(api, ctl):
    for i in range(25):
        api.objects["streams"][f"cam{i}"] = {"name": f"cam{i}", "state": "idle"}
    api.page = 10
    doc = ctl("stream", "list", "--json").json
    assert [s["name"] for s in doc["items"]] == [f"cam{i}" for i in range(25)]
    assert doc["next"] is None
    assert len(ctl("stream", "list").out.splitlines()) == 26


def test_what_was_only_checked_is_said(api, ctl):
    r = ctl("stream", "add", "cam1", "-n")
    assert r.rc == 0 and r.err == "only checked, nothing was changed\n" and "cam1" in r.out


def test_a_route_without_a_stream_says_so(api, ctl):
    r = ctl("route", "add", "live/none", "udp://127.0.0.1:5000")
    assert "there is no stream live/none yet: the route waits for it\n" in r.err
    ctl("stream", "add", "live/some")
    assert "no stream" not in ctl("route", "add", "live/some", "udp://127.0.0.1:5001").err


def test_what_a_deleted_stream_leaves_behind_is_said(api, ctl):
    for name in ["live/a", "live/b"]:
        ctl("stream", "add", name)
    ctl("route", "add", "live/a", "udp://127.0.0.1:5000")
    r = ctl("stream", "del", "live/a")
    assert r.err == "stream live/a deleted\nits routes (1) and sources (0) stay, see: sluicectl route list live/a\n"
    assert ctl("stream", "del", "live/b").err == "stream live/b deleted\n"
