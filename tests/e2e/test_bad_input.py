# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""A bad flag, URL, name, file or document gets one clear sentence and changes nothing."""

import http.client
import json
import random
import socket
import subprocess

import pytest
from kit.proc import Programs
from kit.relay import Relay


def one_sentence(done, status, *words):
    assert done.returncode == status, (done.returncode, done.stderr)
    assert done.stdout == ""
    text = done.stderr.strip()
    assert text and "\n" not in text, text
    for word in words:
        assert word in text, text


@pytest.mark.parametrize("program, flags, word", [
    ("sluice-dp", [], "port"),
    ("sluice-dp", ["--prot", "sock"], "--prot"),
    ("sluice-dp", ["--port", "carrier-pigeon"], "carrier-pigeon"),
    ("sluice-dp", ["--port", "sock,speed=9"], "speed"),
    ("sluice-dp", ["--port", "sock", "--workers", "0"], "--workers"),
    ("sluice-dp", ["--port", "sock", "--workers", "many"], "many"),
    ("sluice-dp", ["--port", "sock", "--workers", "2x"], "2x"),
    ("sluice-dp", ["--port", "sock", "--cores", "1-"], "--cores"),
    ("sluice-dp", ["--port", "sock", "--idle", "sleepy"], "sleepy"),
    ("sluice-dp", ["--port", "sock", "--memory", "-5"], "--memory"),
    ("sluice-dp", ["--port", "sock", "--max-streams", "1e6"], "1e6"),
    ("sluice-dp", ["--port", "sock", "--log", "loud"], "loud"),
    ("sluice-dp", ["--port", "sock", "--socket", "/x" * 100], "--socket"),
    ("sluice-dp", ["--port", "sock", "surplus"], "surplus"),
    ("sluiced", ["--lisen", "127.0.0.1:1"], "--lisen"),
    ("sluiced", ["--listen", "nowhere"], "nowhere"),
    ("sluiced", ["--listen", "127.0.0.1:99999"], "99999"),
    ("sluiced", ["--store", "redis://x"], "redis"),
    ("sluiced", ["--node", "a b"], "--node"),
    ("sluiced", ["surplus"], "surplus"),
], ids=lambda v: " ".join(v) if isinstance(v, list) else str(v))
def test_a_bad_flag(programs, program, flags, word):
    relay = Relay(programs)
    done = subprocess.run([relay.program(program), *flags], env={**relay.env, "PATH": "/usr/bin"},
                          capture_output=True, text=True, timeout=20)
    one_sentence(done, 2, word)
    assert not list(relay.run_dir.iterdir()) and not list(relay.state_dir.iterdir())


def test_a_configuration_file_that_is_not_there(programs):
    relay = Relay(programs)
    done = subprocess.run([relay.program("sluiced"), "--config", "/no/such/file"], env={**relay.env, "PATH": "/usr/bin"},
                          capture_output=True, text=True, timeout=20)
    one_sentence(done, 1, "/no/such/file")


@pytest.mark.parametrize("text, words", [
    ("sluice: 2\n", ["sluice"]),
    ("sluice: 1\nstreems:\n  a: {}\n", ["streems", "2"]),
    ("sluice: 1\nstreams:\n  ../a: {}\n", ["../a"]),
    ("sluice: 1\nstreams:\n  a: {latency_ms: soon}\n", ["latency_ms"]),
    ("sluice: 1\nstreams:\n  a: {}\n  a: {}\n", ["a", "4"]),
    ("sluice: 1\nstreams: [\n", []),
    ("sluice: 1\ndaemon: {listen: 7}\n", ["listen"]),
    ("a: &x 1\nsluice: 1\nb: *x\n", []),
], ids=lambda v: v if isinstance(v, str) else "")
def test_a_bad_configuration_file(programs, text, words):
    relay = Relay(programs)
    file = relay.folder / "sluice.yaml"
    file.write_text(text)
    for flags in (["--check-config"], []):
        done = subprocess.run([relay.program("sluiced"), "--config", file, *flags], env={**relay.env, "PATH": "/usr/bin"},
                              capture_output=True, text=True, timeout=20)
        one_sentence(done, 2, *words)


BAD_ORDERS = [
    (["stream", "add", "a b"], 2),
    (["stream", "add", "../x"], 2),
    (["stream", "add", "x" * 129], 2),
    (["stream", "add", "x", "--latency", "120000"], 2),
    (["stream", "add", "x", "--takeover", "maybe"], 2),
    (["stream", "show", "none"], 3),
    (["stream", "del", "none"], 3),
    (["stream", "set", "none", "--latency", "100"], 3),
    (["route", "add", "kept", "udp://"], 2),
    (["route", "add", "kept", "udp://127.0.0.1"], 2),
    (["route", "add", "kept", "udp://127.0.0.1:0"], 2),
    (["route", "add", "kept", "udp://127.0.0.1:70000"], 2),
    (["route", "add", "kept", "http://127.0.0.1:80"], 2),
    (["route", "add", "kept", "udp://127.0.0.1:5000?ttl=300"], 2),
    (["route", "add", "kept", "udp://127.0.0.1:5000?dscp=64"], 2),
    (["route", "add", "kept", "udp://127.0.0.1:5000?colour=red"], 2),
    (["source", "add", "kept", "udp://8.8.8.8.8:1"], 2),
    (["source", "add", "kept", "srt:/x"], 2),
    (["listener", "add", "udp://127.0.0.1:9000"], 2),
    (["listener", "add", "srt://127.0.0.1"], 2),
    (["listener", "del", "l0000000000"], 3),
    (["route", "del", "r0000000000"], 3),
    (["sub", "kick", "nobody"], 3),
    (["stream", "add", "kept", "--latency", "333"], 4),
]


def intent(relay):
    return [relay.items(noun, "list") for noun in ("listener", "stream", "source", "route")]


@pytest.fixture(scope="module")
def shared(request):
    """One relay for the cases that must not change it."""

    programs = Programs(request.config.getoption("--run-as"))
    relay = Relay(programs).start()
    relay.listen()
    relay.ctl("stream", "add", "kept", "--latency", "200")
    yield relay
    programs.close()
    programs.remove()


@pytest.mark.parametrize("order, status", BAD_ORDERS, ids=lambda v: " ".join(v) if isinstance(v, list) else str(v))
def test_a_bad_order(shared, order, status):
    before = intent(shared)
    one_sentence(shared.run(*order), status)
    assert intent(shared) == before


def call(relay, method, path, body=None, headers=None, tcp=False):
    """One request; status, headers, document."""
    if tcp:
        connection = http.client.HTTPConnection("127.0.0.1", relay.http, timeout=10)
    else:
        connection = http.client.HTTPConnection("localhost", timeout=10)
        connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.sock.settimeout(10)
        connection.sock.connect(str(relay.run_dir / "api.sock"))
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        raw = response.read()
    finally:
        connection.close()
    kind = response.headers.get("Content-Type", "")
    return response.status, response.headers, json.loads(raw) if "json" in kind and raw else raw


@pytest.mark.parametrize("method, path, body, status", [
    ("POST", "/v1/streams", b"", 400),
    ("POST", "/v1/streams", b"{", 400),
    ("POST", "/v1/streams", b"[]", 400),
    ("POST", "/v1/streams", b"{}", 400),
    ("POST", "/v1/streams", b'{"name": 5}', 400),
    ("POST", "/v1/streams", b'{"name": "a", "name": "b"}', 400),
    ("POST", "/v1/streams", b'{"name": "a", "colour": "red"}', 400),
    ("POST", "/v1/streams", b'{"name": "a", "rx_packets": 1}', 400),
    ("POST", "/v1/streams", b'{"name": "a", "latency_ms": 1e9}', 400),
    ("POST", "/v1/streams", b'{"name": "a\\u0000b"}', 400),
    ("POST", "/v1/streams", b'{"name": "\xff"}', 400),
    ("POST", "/v1/streams", b'[' * 100_000, 400),
    ("POST", "/v1/streams", b'{"name": "' + b"x" * 3_000_000 + b'"}', 413),
    ("POST", "/v1/streams", b'{"name": "kept", "latency_ms": 333}', 409),
    ("POST", "/v1/routes", b'{"stream": "kept", "url": "gopher://x"}', 400),
    ("GET", "/v1/streams/none", None, 404),
    ("GET", "/v1/nothing", None, 404),
    ("GET", "/v1/streams/../../etc/passwd", None, 404),
    ("DELETE", "/v1/streams", None, 405),
    ("PATCH", "/v1/streams/kept", b"{}", 405),
    ("DELETE", "/v1/streams/none", None, 404),
    ("PUT", "/v1/streams/kept", b'{"latency_ms": "x"}', 400),
    ("GET", "/v1/streams?limit=never", None, 400),
], ids=lambda v: v[:40].decode(errors="replace") if isinstance(v, bytes) else str(v))
def test_a_bad_document(shared, method, path, body, status):
    before = intent(shared)
    got, headers, document = call(shared, method, path, body, {"Content-Type": "application/json"})
    assert got == status, document
    if got == 413:  # answered by the HTTP library before anything of ours has seen it
        return
    assert headers["Content-Type"].startswith("application/problem+json")
    assert document["status"] == status and document["title"]
    assert intent(shared) == before


def test_a_stale_etag_changes_nothing(shared):
    status, headers, document = call(shared, "GET", "/v1/streams/kept")
    assert status == 200 and headers["ETag"]
    document["latency_ms"] = 250
    status, _, _ = call(shared, "PUT", "/v1/streams/kept", json.dumps(document),
                        {"If-Match": '"stale"', "Content-Type": "application/json"})
    assert status == 412
    assert shared.stream("kept")["latency_ms"] == 200


def test_a_dry_run_changes_nothing(shared):
    before = intent(shared)
    status, _, _ = call(shared, "POST", "/v1/streams?dry_run=true", b'{"name": "dry"}', {"Content-Type": "application/json"})
    assert status in (200, 201)
    assert intent(shared) == before


@pytest.mark.parametrize("method, path", [("POST", "/v1/streams"), ("PUT", "/v1/streams/kept"), ("DELETE", "/v1/streams/kept")])
def test_tcp_is_for_reading(shared, method, path):
    before = intent(shared)
    status, headers, _ = call(shared, method, path, b'{"name": "a"}', {"Content-Type": "application/json"}, tcp=True)
    assert status in (401, 403)
    assert intent(shared) == before


def test_bytes_that_are_no_http_do_not_hurt(shared):
    rng = random.Random(7)
    for turn in range(60):
        with socket.create_connection(("127.0.0.1", shared.http), timeout=5) as s:
            s.sendall(rng.choice([b"", b"GET ", b"POST /v1/streams HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
                                  b"GET / HTTP/1.1\r\nHost: " + b"x" * 70_000]) + rng.randbytes(rng.randrange(2000)))
    assert call(shared, "GET", "/healthz", tcp=True)[0] == 200
