# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""A network of namespaces: a relay, a router, and a far end behind a narrow link. Needs root."""

import os
import subprocess

RELAY4, RELAY6, FAR4, FAR6 = "10.77.0.1", "fd77::1", "10.78.0.2", "fd78::2"


class NarrowNetwork:
    """relay --1500-- middle --mtu-- far. `at(place)` is the prefix of a command that runs there."""

    def __init__(self, programs, mtu=1300):
        self.names = {place: f"sl{os.getpid()}{place[0]}" for place in ("relay", "middle", "far")}
        programs.on_close(self.close)
        for name in self.names.values():
            subprocess.run(["ip", "netns", "add", name], check=True)
        self.link("relay", "middle", RELAY4, "10.77.0.2", RELAY6, "fd77::2", 1500)
        self.link("far", "middle", FAR4, "10.78.0.1", FAR6, "fd78::1", mtu)
        for place in self.names:
            self.ip(place, "link", "set", "lo", "up")
        for place, net4, net6 in (("relay", "10.77.0.2", "fd77::2"), ("far", "10.78.0.1", "fd78::1")):
            self.ip(place, "route", "add", "default", "via", net4)
            self.ip(place, "-6", "route", "add", "default", "via", net6)
        self.run("middle", "sysctl", "-q", "-w", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")

    def at(self, place):
        return ["nsenter", f"--net=/run/netns/{self.names[place]}"]

    def run(self, place, *argv):
        subprocess.run([*self.at(place), *argv], check=True)

    def ip(self, place, *argv):
        self.run(place, "ip", *argv)

    def link(self, one, other, ip1, ip2, v61, v62, mtu):
        ends = [(one, f"{one[0]}0", ip1, v61), (other, f"{one[0]}1", ip2, v62)]
        subprocess.run(["ip", "link", "add", ends[0][1], "netns", self.names[one], "type", "veth",
                        "peer", "name", ends[1][1], "netns", self.names[other]], check=True)
        for place, device, v4, v6 in ends:
            self.ip(place, "addr", "add", f"{v4}/24", "dev", device)
            self.ip(place, "addr", "add", f"{v6}/64", "dev", device, "nodad")
            self.ip(place, "link", "set", device, "mtu", str(mtu), "up")

    def close(self):
        for name in self.names.values():
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
