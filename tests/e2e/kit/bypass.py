# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""A relay on port dpdk, whose device's other end is an interface of the kernel (net_tap), in a namespace of its own.
Other people's programs reach it by that interface. Needs root."""

import os
import subprocess

from .proc import wait_until
from .relay import Relay

RELAY4, RELAY6, HOST4, HOST6 = "10.79.0.1", "fd79::1", "10.79.0.2", "fd79::2"
RELAY_MAC, HOST_MAC, DEVICE = "02:00:00:00:79:01", "02:00:00:00:79:02", "slt0"


class TapNetwork:
    """`at()` is the prefix of a command that runs beside the interface."""

    def __init__(self, programs):
        self.name = f"sl{os.getpid()}t"
        programs.on_close(self.close)
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.run("ip", "link", "set", "lo", "up")

    def at(self, _place=None):
        return ["nsenter", f"--net=/run/netns/{self.name}"]

    def run(self, *argv):
        return subprocess.run([*self.at(), *argv], check=True, capture_output=True, text=True).stdout

    def has_device(self):
        return DEVICE in self.run("ip", "-o", "link")

    def set_up(self):
        """The device answers no ARP and no neighbour discovery: who it is, is told."""
        wait_until(self.has_device, "the interface is there")
        self.run("ip", "link", "set", DEVICE, "address", HOST_MAC)
        for version, host, bits, relay in (("-4", HOST4, 24, RELAY4), ("-6", HOST6, 64, RELAY6)):
            self.run("ip", version, "addr", "add", f"{host}/{bits}", "dev", DEVICE, *(["nodad"] if version == "-6" else []))
            self.run("ip", "link", "set", DEVICE, "up")
            self.run("ip", version, "neigh", "replace", relay, "lladdr", RELAY_MAC, "dev", DEVICE)

    def close(self):
        subprocess.run(["ip", "netns", "del", self.name], check=False, capture_output=True)


class BypassRelay(Relay):
    def __init__(self, programs, net):
        port = f"dpdk:net_tap0,iface={DEVICE},mac=fixed,addr={RELAY4},addr={RELAY6},peer={HOST_MAC}"
        super().__init__(programs, port=port, memory=128, dp=["--max-subscribers", "1000"])
        self.net = net

    def start_dp(self):
        self.dp = self.programs.start("sluice-dp", [*self.net.at(), self.program("sluice-dp"), *self.dp_flags], env=self.env)
        self.net.set_up()
        return self.dp

    def url(self, name=None, mode="request", port=None, address=RELAY4, **options):
        return super().url(name, mode, port, **options).replace("127.0.0.1", f"[{address}]" if ":" in address else address)
