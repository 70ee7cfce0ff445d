# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""The HTTP API as any client may use it: who may what, what a change answers, and the feed."""

import json
import socket

import pytest
from kit.api import Api, Feed
from kit.proc import free_port, wait_until
from kit.publishers import SrtPublisher

STREAM = {"name": "live/a"}


@pytest.fixture
def api(relay):
    return Api(relay)


@pytest.fixture
def tcp(relay):
    return Api(relay, tcp=True)


def problem(answer, status):
    """The sentence of a refusal, which is a problem document of one line."""
    assert answer.status == status, (answer.status, answer.data)
    assert answer.headers["Content-Type"] == "application/problem+json"
    doc = answer.json
    assert doc["status"] == status and doc["title"] and doc["code"]
    assert "\n" not in doc["detail"]
    return doc["detail"]


@pytest.mark.basic
def test_tcp_reads_and_changes_nothing(api, tcp):
    assert tcp.get("/v1/status")["dataplane"] == "connected"
    assert tcp.get("/v1/streams") == {"items": [], "next": None}
    for method, path in [("POST", "/v1/streams"), ("PUT", "/v1/streams/live/a"), ("DELETE", "/v1/streams/live/a"),
                         ("DELETE", "/v1/subscribers/x"), ("POST", "/v1/nodes/x/sync?force=true")]:
        assert "may only read" in problem(tcp(method, path, STREAM), 403)
    assert "takes none" in problem(tcp("GET", "/v1/status", Authorization="Bearer x"), 401)
    assert api.get("/v1/streams")["items"] == []


def test_a_page_of_another_site_does_not_get_in(tcp):
    assert problem(tcp("GET", "/v1/status", Host="evil.example"), 421)
    assert tcp("GET", "/v1/status", Host="localhost").status == 200


def test_the_page_and_its_parts_are_served(tcp):
    page = tcp("GET", "/")
    assert page.status == 200 and page.headers["Content-Type"].startswith("text/html")
    assert tcp("GET", "/app.js").status == 200
    assert tcp("GET", "/openapi.json").json["paths"]["/v1/streams"]


@pytest.mark.basic
def test_an_object_is_added_once(api):
    first = api("POST", "/v1/streams", STREAM)
    assert first.status == 201 and first.headers["Location"] == "/v1/streams/live/a"
    assert first.json["name"] == "live/a" and first.json["declared"] is True
    again = api("POST", "/v1/streams", {**STREAM, "takeover": None})  # null means the default
    assert again.status == 200 and again.headers["ETag"] == first.headers["ETag"]
    assert "other content" in problem(api("POST", "/v1/streams", {**STREAM, "latency_ms": 300}), 409)
    assert api.get("/v1/streams/live/a")["latency_ms"] is None


def test_urls_of_one_meaning_are_one_object(api):
    route = api("POST", "/v1/routes", {"stream": "live/a", "url": "udp://127.0.0.1:5000?dscp=46&ttl=3"})
    assert route.status == 201
    again = api("POST", "/v1/routes", {"stream": "live/a", "url": "udp://127.0.0.1:5000/?ttl=03&dscp=46"})
    assert again.status == 200 and again.json["id"] == route.json["id"]
    assert route.json["id"][0] == "r" and len(route.json["id"]) == 11
    other = api("POST", "/v1/routes", {"stream": "live/a", "url": "udp://127.0.0.1:5000?ttl=4"})
    assert other.status == 201 and other.json["id"] != route.json["id"]


def test_a_change_names_the_revision_it_changes(api):
    api("POST", "/v1/streams", STREAM)
    shown = api("GET", "/v1/streams/live/a")
    tag = shown.headers["ETag"]
    changed = api("PUT", "/v1/streams/live/a", {**shown.json, "latency_ms": 250}, If_Match=tag)
    assert changed.status == 200 and changed.json["latency_ms"] == 250
    assert problem(api("PUT", "/v1/streams/live/a", {**STREAM, "latency_ms": 1}, If_Match=tag), 412)
    assert problem(api("DELETE", "/v1/streams/live/a", If_Match=tag), 412)
    assert problem(api("PUT", "/v1/streams/live/a", {"name": "live/b"}), 400)
    assert problem(api("PUT", "/v1/streams/live/none", {"name": "live/none"}), 404)
    assert api("DELETE", "/v1/streams/live/a", If_Match=changed.headers["ETag"]).status == 204
    assert problem(api("DELETE", "/v1/streams/live/a"), 404)


def test_a_dry_run_says_what_would_be_and_changes_nothing(api):
    assert api("POST", "/v1/streams?dry_run=true", STREAM).status == 201
    assert problem(api("GET", "/v1/streams/live/a"), 404)
    api("POST", "/v1/streams", STREAM)
    assert api("PUT", "/v1/streams/live/a?dry_run", {**STREAM, "latency_ms": 9}).json["latency_ms"] == 9
    assert api("DELETE", "/v1/streams/live/a?dry_run=1").status == 204
    assert api.get("/v1/streams/live/a")["latency_ms"] is None


REFUSED = [
    ("/v1/streams", {}, "needs the field name"),
    ("/v1/streams", {"name": "../x"}, "name: a stream name is made of"),
    ("/v1/streams", {"name": "a", "latency": 1}, 'has no field "latency"'),
    ("/v1/streams", {"name": "a", "latency_ms": 99999}, "latency_ms must be between 1 and 20000"),
    ("/v1/streams", {"name": "a", "state": "live"}, "state is reported"),
    ("/v1/streams", [1], "a stream is a JSON object"),
    ("/v1/listeners", {"url": "srt://127.0.0.1"}, "url: "),
    ("/v1/listeners", {"url": "udp://127.0.0.1:1"}, "url: "),
    ("/v1/routes", {"stream": "a", "url": "udp://127.0.0.1:0"}, "url: "),
    ("/v1/routes", {"stream": "a", "url": "udp://127.0.0.1:5000?ttl=300"}, "url: "),
    ("/v1/sources", {"stream": "a", "url": "http://127.0.0.1:5000"}, "url: "),
]


@pytest.mark.parametrize("path,doc,sentence", REFUSED)
def test_a_wrong_document_is_one_sentence_and_changes_nothing(api, path, doc, sentence):
    before = api.get(path)
    assert sentence in problem(api("POST", path, doc), 400)
    assert api.get(path) == before


@pytest.mark.parametrize("body", [b"", b"{", b'{"name": "a"} x', b'{"name": "a", "name": "b"}', b"\xff\xfe", b"null", b"[" * 5000])
def test_a_body_that_is_no_document_is_refused(api, body):
    answer = api("POST", "/v1/streams", body)
    assert 400 <= answer.status < 500, answer.status
    problem(answer, answer.status)


def test_too_much_is_refused(api):
    assert problem(api("POST", "/v1/streams", b'{"name": "' + b"a" * (1 << 20) + b'"}'), 413)


def test_unknown_paths_and_methods_are_told(api):
    assert problem(api("GET", "/v1/nothing"), 404)
    refused = api("PATCH", "/v1/streams/live/a", {})
    assert problem(refused, 405) and "PUT" in refused.headers["Allow"]


def test_lists_come_in_pages(api):
    for i in range(7):
        api("POST", "/v1/streams", {"name": f"live/{i}"})
    names, path = [], "/v1/streams?limit=3"
    for _ in range(3):
        page = api.get(path)
        names.append([item["name"] for item in page["items"]])
        path = f"/v1/streams?limit=3&cursor={page['next']}"
    assert [len(n) for n in names] == [3, 3, 1] and page["next"] is None
    assert sum(names, []) == [f"live/{i}" for i in range(7)]
    assert problem(api("GET", "/v1/streams?limit=0"), 400)


def test_a_route_to_a_name_is_resolved_or_says_why_not(api):
    good = api("POST", "/v1/routes", {"stream": "live/a", "url": f"udp://localhost:{free_port()}"}).json
    bad = api("POST", "/v1/routes", {"stream": "live/a", "url": "udp://no-such-host.invalid:5000"}).json
    assert bad["state"] == "unresolved" and bad["error"]
    wait_until(lambda: api.get(f"/v1/routes/{good['id']}")["state"] == "active", "localhost is resolved")
    wait_until(lambda: "no-such-host.invalid" in api.get(f"/v1/routes/{bad['id']}")["error"], "the reason names the host", 30)
    assert api("DELETE", f"/v1/routes/{bad['id']}").status == 204


def test_a_listener_on_a_taken_port_says_so_and_recovers(api):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        doc = api("POST", "/v1/listeners", {"url": f"srt://127.0.0.1:{port}"}).json
        path = f"/v1/listeners/{doc['id']}"
        wait_until(lambda: api.get(path)["state"] == "error", "the listener is in error")
        assert "in use" in api.get(path)["error"].lower()
    wait_until(lambda: api.get(path)["state"] == "active", "the listener got its port", 20)


@pytest.mark.basic
def test_the_feed_tells_what_happens_and_resumes(relay, programs, api, tcp):
    feed = Feed(tcp)
    api("POST", "/v1/streams", STREAM)
    added = feed.until(type="intent", kind="stream", action="added")
    assert added["name"] == "live/a"
    publisher = SrtPublisher(programs, relay.url("live/a", "publish"))
    up = feed.until(type="publisher", up=True)
    assert up["stream"] == "live/a" and up["proto"] == "srt" and up["peer"].startswith("127.0.0.1:")
    feed.until(type="stream", stream="live/a", state="live")
    feed.close()

    publisher.leave()  # while nobody reads
    relay.wait_stream("live/a", state="idle")
    feed = Feed(tcp, last=added["id"])
    assert feed.next()["id"].split("-")[0] == added["id"].split("-")[0]
    assert feed.until(type="publisher", up=False)["reason"]
    feed.close()

    feed = Feed(tcp, last="00000000-7")
    assert feed.next()["type"] == "reset"
    feed.close()


def test_a_new_daemon_tells_its_readers_to_begin_again(relay, api):
    feed = Feed(api)
    api("POST", "/v1/streams", STREAM)
    last = feed.until(type="intent")["id"]
    feed.close()
    relay.daemon.kill()
    relay.start_daemon()
    relay.wait_connected()
    feed = Feed(api, last=last)
    assert feed.next()["type"] == "reset"
    feed.close()


def test_metrics_are_plain_text_with_the_prefix(relay, programs, tcp):
    SrtPublisher(programs, relay.url("live/a", "publish"))
    relay.wait_live("live/a")
    text = tcp("GET", "/metrics").data.decode()
    for name in ("sluice_build_info", "sluice_drops_total", "sluice_stream_subscribers"):
        assert f"\n{name}{{" in "\n" + text, name
    for line in text.splitlines():
        assert line.startswith(("# ", "sluice_")), line


def test_requests_that_trickle_do_not_hold_the_others_up(relay, api):
    slow = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(50)]
    for s in slow:
        s.connect(str(relay.run_dir / "api.sock"))
        s.send(b"GET /v1/status HTTP/1.1\r\nX-")
    assert json.loads(relay.ctl("--json", "status"))["dataplane"] == "connected"
    for s in slow:
        s.close()
    assert api("GET", "/healthz").status == 200
