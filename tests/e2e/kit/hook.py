# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""The operator's server that a relay asks who may come in."""

import http.server
import json
import threading


class Hook(http.server.ThreadingHTTPServer):
    """An operator's server. answer: (status, document); None: it never answers. asked: the questions."""

    daemon_threads = True

    def __init__(self):
        self.answer, self.asked, self.ended = (204, None), [], threading.Event()
        super().__init__(("127.0.0.1", 0), Asked)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}/ask"

    def close(self):
        self.ended.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *args):
        """Who asked did not wait."""


class Asked(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_POST(self):
        self.server.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        if not self.server.answer:
            self.server.ended.wait(10)
            return
        status, doc = self.server.answer
        body = json.dumps(doc).encode() if doc else b""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
