# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Sluice itself, as one of those measured: both of its daemons count."""

import json

from .bed import wait_until
from .peer import Peer, first_line

STREAM = "perf/a"


class Sluice(Peer):
    name, carries, join_rate, one_port = "sluice", "srt", 2000, True
    publish_query = f"?streamid=publish/{STREAM}"
    play_query = f"?streamid={STREAM}"

    def available(self, bed):
        for path in ("dataplane/sluice-dp", "ctl/daemon/sluiced"):
            if not (bed.build / path).exists():
                return f"{bed.build / path} is not built"
        return None

    def version(self, bed):
        return first_line(str(bed.built("dataplane/sluice-dp")), "--version")

    def intent(self, in_port, out_port, subscribers):
        """One listener serves both sides."""
        return {"listeners": {"main": {"url": f"srt://127.0.0.1:{in_port}", "open": True}}}

    def start(self, bed, in_port, out_port, subscribers):
        folders = {name: bed.folder / name for name in ("run", "state")}
        for folder in folders.values():
            folder.mkdir()
        env = {f"SLUICE_{name.upper()}_DIR": str(folder) for name, folder in folders.items()}
        document = bed.folder / "sluice.json"
        document.write_text(json.dumps({"sluice": 1, **self.intent(in_port, out_port, subscribers)}))
        dp = bed.relay("sluice-dp", [bed.built("dataplane/sluice-dp"), "--port", "sock", "--memory", 128], env=env)
        wait_until(lambda: dp.must_run() and (folders["run"] / "dp.sock").exists(), "sluice-dp opens its socket")
        ctl = bed.relay("sluiced", [bed.built("ctl/daemon/sluiced"), "--listen", "none", "--config", document], env=env)
        wait_until(lambda: dp.must_run() and ctl.must_run() and self.serves(in_port), "sluice-dp serves the stream", 20)
        return [dp, ctl]

    @staticmethod
    def serves(port):
        """Is the stream's port bound by now?"""
        with open("/proc/net/udp") as table:
            return any(line.split()[1].endswith(f":{port:04X}") for line in table if ":" in line.split()[1])


class SluiceUdp(Sluice):
    name, carries, one_port = "sluice-udp", "udp", False

    def intent(self, in_port, out_port, subscribers):
        return {
            "sources": {"in": {"stream": STREAM, "url": f"udp://127.0.0.1:{in_port}"}},
            "routes": {f"r{i}": {"stream": STREAM, "url": f"udp://127.0.0.1:{out_port + i}"} for i in range(subscribers)},
        }
