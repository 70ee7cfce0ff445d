# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""A sluiced that keeps objects in a dictionary, for tests of the command line."""

import hashlib
import http.server
import json
import socketserver
import threading
import urllib.parse

KEYS = {"listeners": "id", "sources": "id", "routes": "id", "streams": "name", "users": "name"}
STATUS = {
    "node": "n1", "region": "lab", "version": "0.1.0", "uptime_s": 11530.5,
    "dataplane": "connected", "streams": 2, "subscribers": 3,
    "ports": [{"name": "sock0", "kind": "sock", "mode": "io_uring"}],
    "workers": [{"id": 0, "core": 1, "busy_ratio": 0.125, "rx_packets": 100,
                 "tx_packets": 1234567, "rx_pps": 40, "tx_pps": 76543}],
    "drops": {"late": 7, "tx_full": 0},
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def address_string(self):
        return "peer"

    def answer(self, status, doc=None, headers=(), raw=None):
        body = raw if raw is not None else b"" if doc is None else json.dumps(doc).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def problem(self, status, detail):
        self.answer(status, {"status": status, "title": "x", "detail": detail})

    def handle_any(self):
        url = urllib.parse.urlsplit(self.path)
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        query = dict(urllib.parse.parse_qsl(url.query))
        self.server.api.serve(self, self.command, urllib.parse.unquote(url.path), query, body)

    do_GET = do_POST = do_PUT = do_DELETE = handle_any


class Quiet:
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *args):
        """A client that goes away is not an error."""


class UnixServer(Quiet, socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    pass


class TcpServer(Quiet, socketserver.ThreadingMixIn, http.server.HTTPServer):
    pass


class FakeApi:
    """objects: by collection and key. seen: (method, path, query, body, headers) of each request.
    rules: functions (handler, method, path, query, body) -> True when they answered."""

    def __init__(self, where):
        self.objects = {c: {} for c in [*KEYS, "subscribers", "publishers"]}
        self.status = dict(STATUS)
        self.new_state = {"state": "active", "error": None, "node": "n1"}
        self.settles = []  # what following GETs of a new object add to it
        self.page = 1000
        self.seen = []
        self.rules = []
        self.lock = threading.Lock()
        if isinstance(where, str):
            self.server = UnixServer(where, Handler)
        else:
            self.server = TcpServer(where, Handler)
        self.server.api = self
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def paths(self):
        return [f"{m} {p}" for m, p, *_ in self.seen]

    def serve(self, h, method, path, query, body):
        with self.lock:
            self.seen.append((method, path, query, body, dict(h.headers)))
            rules = list(self.rules)
        if any(rule(h, method, path, query, body) for rule in rules):
            return
        collection, _, name = path.removeprefix("/v1/").partition("/")
        if path == "/v1/status":
            h.answer(200, self.status)
        elif path == "/v1/nodes/n1/sync":
            h.answer(200, {"held": self.status.pop("held", 0)})
        elif collection not in self.objects:
            h.problem(404, f"there is no {path}")
        elif name:
            self.one(h, method, collection, name, query, body)
        elif method == "POST":
            self.add(h, collection, query, body)
        else:
            self.list(h, collection, query)

    def list(self, h, collection, query):
        items = list(self.objects[collection].values())
        if "stream" in query:
            items = [i for i in items if i["stream"] == query["stream"]]
        at = int(query.get("cursor", 0))
        rest = items[at + self.page:]
        h.answer(200, {"items": items[at:at + self.page],
                       "next": str(at + self.page) if rest else None})

    def add(self, h, collection, query, body):
        obj = dict(body)
        if collection == "streams":
            obj |= {"state": "idle", "declared": True, "subscribers": 0, "publisher": None}
        else:
            identity = obj["url"] + obj.get("stream", "")
            obj |= {"id": collection[0] + hashlib.sha256(identity.encode()).hexdigest()[:10]}
            obj |= self.new_state
        key = obj[KEYS[collection]]
        old = self.objects[collection].get(key)
        if old and {k: old.get(k) for k in body} != body:
            h.problem(409, f"{key} is there already, with other content")
            return
        if query.get("dry_run") != "true":
            self.objects[collection][key] = obj
        h.answer(200 if old else 201, obj)

    def one(self, h, method, collection, name, query, body):
        obj = self.objects[collection].get(name)
        if not obj:
            h.problem(404, f"there is no {name}")
            return
        etag = '"' + hashlib.sha256(json.dumps(obj).encode()).hexdigest()[:8] + '"'
        dry = query.get("dry_run") == "true"
        if method == "DELETE":
            if not dry:
                del self.objects[collection][name]
            h.answer(204)
        elif method == "PUT":
            if h.headers.get("If-Match") not in (None, etag):
                h.problem(412, f"{name} was changed meanwhile")
                return
            changed = obj | body
            if not dry:
                self.objects[collection][name] = changed
            h.answer(200, changed)
        else:
            if self.settles:
                obj |= self.settles.pop(0)
            h.answer(200, obj, [("ETag", etag)])
