# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Relay and load at the two ends of a memory that they share (net_memif): no kernel between them."""

from peers.bed import Bed

MOST = 100_000  # sessions of a worker
DAEMON_MB, SWARM_MB, SWARM = 256, 512, 10_000


class MemifBed(Bed):
    """A memif has one program at its far end: that plays and publishes, and never sleeps."""

    address, far, one_load = "10.80.0.1", "10.80.0.2", True

    def port_of_relay(self, case):
        sessions = case.subscribers + case.streams
        memory = SWARM_MB if sessions > SWARM else DAEMON_MB
        return ["--port", self._end("server", self.address), "--memory", memory, "--max-subscribers", min(MOST, sessions + 10),
                "--idle", "spin" if case.spin else "adaptive"]

    def acks(self, case):
        """A hundred thousand that acknowledge as often as libsrt's are more than one core of load can play."""
        return [] if case.subscribers > SWARM else super().acks(case)

    def load(self, *argv, **more):
        return super().load(*argv, "--port", self._end("client", self.far), "--spin", **more)

    def _end(self, role, address):
        return f"dpdk:net_memif0,role={role},socket={self.folder / 'memif.sock'},addr={address}"


class Sending:
    """What a sluice-load that plays says of its publishers, as a swarm of its own would."""

    def __init__(self, receivers):
        self.receivers = receivers

    def latest(self):
        line = self.receivers.latest()
        return {**line, "packets": line["sent"], "cpu_s": 0.0}

    def report(self):
        return self.receivers.report().get("publish", {})
