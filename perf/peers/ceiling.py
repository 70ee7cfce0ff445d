# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""What no relay can beat: packets made out of nothing and sent to nobody."""

import re

from .bed import Failed, wait_until
from .peer import Peer, first_line, lacks
from .usage import cpu_ns


class Testpmd(Peer):
    """DPDK's testpmd, txonly on net_null: two segments as a relay has them, no input, no subscribers. It polls, so
    CPU time per packet is the time of one packet at its full rate."""

    name, carries, ceiling = "testpmd", "udp", True

    def available(self, bed):
        return lacks("dpdk-testpmd", "dpdk-dev")

    def version(self, bed):
        return first_line("dpkg-query", "-W", "-f", "DPDK ${Version}", "dpdk-dev")

    def measure(self, bed, subscribers, seconds):
        """One run of so many seconds; the number of subscribers means nothing to it."""
        lcores = f"0@{bed.load_cpu},1@{bed.relay_cpu}"
        program = bed.relay(self.name, [
            "dpdk-testpmd", "--no-huge", "-m", "256", "--no-pci", "--no-shconf", "--no-telemetry",
            f"--file-prefix=slp{bed.folder.name}", "--vdev=net_null0", f"--lcores={lcores}", "--", "--auto-start",
            "--forward-mode=txonly", "--txpkts=58,1316", "--total-num-mbufs=16384", "--stats-period=1"])
        wait_until(lambda: program.must_run() and len(self.sent(program)) >= 2, "testpmd shows what it sends", 30)
        first, spent = self.sent(program)[-1], cpu_ns([program.pid])
        wait_until(lambda: program.must_run() and self.sent(program)[-1][0] - first[0] >= seconds, "testpmd runs on", seconds + 30)
        last, spent = self.sent(program)[-1], cpu_ns([program.pid]) - spent
        elapsed, packets = last[0] - first[0], last[1] - first[1]
        if packets <= 0:
            raise Failed("testpmd sent nothing")
        return {"delivered": packets, "delivered_pps": round(packets / elapsed), "cpu_ns_per_packet": round(spent / packets, 1),
                "relay_core": round(spent / 1e9 / elapsed, 3), "invalid": None}

    @staticmethod
    def sent(program):
        """(time, packets so far) of each report."""
        return [(at, int(found[1])) for at, line in list(program.lines) if (found := re.search(r"TX-packets: (\d+)", line))]
