# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""A router on the way that takes no packet of the stream's size, and says so by ICMP (decisions A23)."""

import os

import pytest
from kit.net import FAR4, FAR6, RELAY4, RELAY6, NarrowNetwork
from kit.placed import PlacedPublisher, PlacedRelay
from kit.proc import free_port, wait_until
from kit.readers import FilePlayer

pytestmark = pytest.mark.skipif(os.getuid() != 0, reason="namespaces are root's")


@pytest.fixture
def net(programs):
    return NarrowNetwork(programs)


@pytest.fixture
def relay(programs, net):
    relay = PlacedRelay(programs, net)
    relay.start()
    relay.ctl("listener", "add", f"srt://:{relay.port}", "--open")
    return relay


def host(address):
    return f"[{address}]" if ":" in address else address


def publish(relay, programs, net):
    publisher = PlacedPublisher(programs, net, relay.url("live/a", "publish"))
    relay.wait_live("live/a")
    return publisher


@pytest.mark.parametrize("address", [RELAY4, RELAY6])
def test_a_subscriber_is_closed_with_a_reason(relay, programs, net, address):
    publish(relay, programs, net)
    watch = programs.client("watch", [relay.program("sluicectl"), "watch", "--json"], env=relay.env)
    url = relay.url("live/a").replace("127.0.0.1", host(address))
    near = FilePlayer(programs, "near", [*net.at("relay"), "srt-live-transmit", "-a:no", relay.url("live/a"), "file://con"])
    near.wait(100_000)
    far = FilePlayer(programs, "far", [*net.at("far"), "srt-live-transmit", "-a:no", url, "file://con"])
    watch.says("takes no packet of the stream's size")
    far.program.wait(15)
    assert not far.data()
    assert [sub["peer"].rsplit(":", 1)[0] for sub in relay.items("sub", "list")] == ["127.0.0.1"]
    near.wait(300_000)


@pytest.mark.parametrize("address", [FAR4, FAR6])
def test_a_push_shows_it(relay, programs, net, address):
    publish(relay, programs, net)
    relay.run("route", "add", "live/a", f"udp://{host(address)}:{free_port()}")
    wait_until(lambda: "takes no packet of the stream's size" in (relay.items("route", "list")[0]["error"] or ""),
               lambda: f"the route says why; it shows {relay.items('route', 'list')}")
    assert relay.items("route", "list")[0]["state"] == "error"
