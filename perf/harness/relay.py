# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Both daemons of Sluice in a bed, with an intent of their own."""

import json

from peers.bed import wait_until
from peers.usage import cpu_ns, rss_kb


class Relay:
    """intent: the document of `sluiced --config` without its version; port: the one to wait for; case: see trial; flags:
    more of sluice-dp's. Raises Failed where there are fewer cores than workers."""

    def __init__(self, bed, intent, port, case, flags=()):
        cores = bed.cores_of_relay(case.workers)
        self.bed, self.port = bed, port
        folders = {name: bed.folder / name for name in ("run", "state")}
        for folder in folders.values():
            folder.mkdir()
        env = {f"SLUICE_{name.upper()}_DIR": str(folder) for name, folder in folders.items()}
        document = bed.folder / "sluice.json"
        document.write_text(json.dumps({"sluice": 1, **intent}))
        self.dp = bed.relay("sluice-dp", [bed.built("dataplane/sluice-dp"), *bed.port_of_relay(case), "--cores", ",".join(map(str, cores)), *flags],
                            cores=cores, env=env)
        wait_until(lambda: self.dp.must_run() and (folders["run"] / "dp.sock").exists(), "sluice-dp opens its socket")
        self.ctl = bed.relay("sluiced", [bed.built("ctl/daemon/sluiced"), "--listen", "none", "--config", document], env=env)
        self.programs = [self.dp, self.ctl]
        wait_until(lambda: self.must_run() and self._serves(), f"sluice-dp serves port {port}", 20)

    def _serves(self):
        with open(f"/proc/{self.dp.pid}/net/udp") as table:
            return any(line.split()[1].endswith(f":{self.port:04X}") for line in table if ":" in line.split()[1])

    def must_run(self):
        return all(program.must_run() for program in self.programs)

    @property
    def pids(self):
        return [program.pid for program in self.programs]

    def cpu_ns(self):
        return cpu_ns(self.pids)

    def rss_kb(self):
        return rss_kb(self.pids)
