# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""A push to a network that nothing leads to, until something does."""

import os

import pytest
from kit.net import FAR4, FAR6, NarrowNetwork
from kit.placed import PlacedPublisher, PlacedRelay
from kit.proc import free_port, wait_until

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="namespaces are root's")


@pytest.mark.parametrize("version, url, gateway", [
    ("-4", f"udp://{FAR4}", "10.77.0.2"), ("-6", f"udp://[{FAR6}]", "fd77::2"), ("-4", f"rtp://{FAR4}", "10.77.0.2")])
def test_a_route_goes_on_by_itself_when_the_network_is_back(programs, version, url, gateway):
    net = NarrowNetwork(programs, mtu=1500)
    relay = PlacedRelay(programs, net)
    relay.start()
    relay.ctl("listener", "add", f"srt://:{relay.port}", "--open")
    PlacedPublisher(programs, net, relay.url("live/a", "publish"))
    relay.wait_live("live/a")

    def route():
        return relay.items("route", "list")[0]

    relay.ctl("route", "add", "live/a", f"{url}:{free_port()}")
    wait_until(lambda: route()["state"] == "active" and route()["tx_packets"] > 50, lambda: f"it goes out: {route()}")
    net.ip("relay", version, "route", "del", "default")
    wait_until(lambda: route()["state"] == "error", lambda: f"it says so: {route()}")
    assert route()["error"] == "no route leads to its network"
    sent = [route()["tx_packets"]]
    net.ip("relay", version, "route", "add", "default", "via", gateway)
    wait_until(lambda: route()["state"] == "active", lambda: f"it goes on: {route()}")
    assert route()["error"] is None
    wait_until(lambda: route()["tx_packets"] > sent[0] + 50, lambda: f"it counts on: {route()}")
