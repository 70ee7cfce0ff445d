# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""The HTTP API without sluicectl: what any client of it may send, and the feed."""

import http.client
import json
import socket


class UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Answer:
    def __init__(self, response, data):
        self.status, self.headers, self.data = response.status, response.headers, data

    @property
    def json(self):
        return json.loads(self.data)


class Api:
    """The API of a relay, on its unix socket, or on TCP."""

    def __init__(self, relay, tcp=False):
        self.relay, self.tcp = relay, tcp

    def connect(self, timeout=15):
        if self.tcp:
            return http.client.HTTPConnection("127.0.0.1", self.relay.http, timeout=timeout)
        return UnixConnection(self.relay.run_dir / "api.sock", timeout)

    def __call__(self, method, path, body=None, **headers):
        """One request. body: a document, or bytes as they are. Header names with _ for -."""
        connection = self.connect()
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        names = {k.replace("_", "-"): v for k, v in headers.items()}
        if body is not None:
            names.setdefault("Content-Type", "application/json")
        try:
            connection.request(method, path, body, names)
            response = connection.getresponse()
            return Answer(response, response.read())
        finally:
            connection.close()

    def get(self, path):
        answer = self("GET", path)
        assert answer.status == 200, (answer.status, answer.data)
        return answer.json


class Feed:
    """GET /v1/watch, read event by event. last: resume behind this id."""

    def __init__(self, api, last=None, timeout=15):
        self.connection = api.connect(timeout)
        self.connection.request("GET", "/v1/watch", headers={"Last-Event-ID": last} if last else {})
        self.response = self.connection.getresponse()
        assert self.response.status == 200, self.response.status

    def next(self):
        """The next event's document; comments are passed over."""
        data = None
        while True:
            raw = self.response.readline()
            assert raw, "the feed ended"
            line = raw.decode().rstrip("\n")
            if line.startswith("data: "):
                data = json.loads(line[6:])
            elif not line and data is not None:
                return data

    def until(self, **fields):
        """Reads on to the event with these fields."""
        while True:
            event = self.next()
            if all(event.get(k) == v for k, v in fields.items()):
                return event

    def close(self):
        self.connection.close()
