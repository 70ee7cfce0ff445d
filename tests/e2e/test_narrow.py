# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Subscribers that cannot take the stream's packets."""

import pytest
from kit import libsrt
from kit.proc import wait_until
from kit.publishers import SrtPublisher
from kit.readers import srt_player

pytestmark = pytest.mark.basic
PLAY = "#!::r=live/a,m=request"


def takes(mss):
    """Options of a caller whose packets have so many bytes with all headers."""
    return [(libsrt.SRTO_PAYLOADSIZE, mss - 44), (libsrt.SRTO_MSS, mss)]


def test_one_that_was_there_is_closed_and_one_that_comes_late_is_refused(relay, programs):
    relay.ctl("stream", "add", "live/a")
    watch = programs.client("watch", [relay.program("sluicectl"), "watch", "--json"], env=relay.env)
    with libsrt.Caller(relay.port, PLAY, takes(1000)) as early:
        publisher = SrtPublisher(programs, relay.url("live/a", "publish"))
        relay.wait_live("live/a")
        player = srt_player(programs, relay.url("live/a"))
        player.wait(100_000)
        wait_until(lambda: len(relay.items("sub", "list")) == 1, "the early one is closed")
        while early.receive():
            pass
    watch.says("takes no packet of the stream's size")
    assert libsrt.reject_code(relay.port, PLAY, takes(1359)) == 2406
    assert libsrt.reject_code(relay.port, PLAY, takes(1360)) is None
    assert relay.drops()["refused_other"] == 1
    player.wait(200_000)
    publisher.stop()


@pytest.mark.parametrize("size, v4, v6", [(1436, None, None), (1437, None, 2406), (1456, None, 2406)])
def test_the_largest_payload_of_each_version(make_relay, size, v4, v6):
    relay = make_relay()
    relay.ctl("listener", "add", f"srt://:{relay.port}", "--open")
    with libsrt.Caller(relay.port, "#!::r=live/a,m=publish", [(libsrt.SRTO_PAYLOADSIZE, 1456)]) as publisher:
        publisher.send(bytes(size))
        relay.wait_live("live/a")

        def refused(**where):
            return libsrt.reject_code(relay.port, PLAY, **where)

        wait_until(lambda: (publisher.send(bytes(size)), refused(ipv6=True) == v6)[1], f"IPv6 of {size} bytes: {v6}")
        assert refused() == v4
