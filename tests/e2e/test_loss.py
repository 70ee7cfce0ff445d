# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""SRT delivers everything through a path that loses, reorders and doubles, on both legs."""

import pytest
from kit import ts
from kit.path import BadPath
from kit.publishers import SrtPublisher
from kit.readers import srt_player

PACKETS = 60_000
BITRATE = 16_000_000
LATENCY_MS = 120
# libsrt 1.5.1 repeats its first loss report after 150 to 300 ms, later than the latency: what is lost
# in the first moments of a player's connection may stay lost with any server. Counting begins here.
WARM_UP = 5300  # TS packets, half a second
# 5 % loss, 2 % up to 10 ms late, 1 % twice; RTT 20 ms; both directions.
PROFILE = dict(loss=50, reorder=20, reorder_ms=10, dup=10, delay_ms=10)


class Run:
    """One stream through a bad path on each leg."""

    def __init__(self, relay, programs, turn):
        name = f"live/l{turn}"
        self.up = BadPath(programs, relay.port, seed=11 + turn, **PROFILE)
        self.down = BadPath(programs, relay.port, seed=12 + turn, **PROFILE)
        publisher = SrtPublisher(programs, relay.url(name, "publish", port=self.up.port), bitrate=BITRATE)
        relay.wait_live(name)
        player = srt_player(programs, relay.url(name, port=self.down.port))
        player.wait((WARM_UP + PACKETS) * ts.PACKET + 4096, 60)
        self.data = player.stop()
        self.stream = relay.stream(name)
        self.published = publisher.stop()
        self.counts = (self.up.counts(), self.down.counts())

    def stalled(self):
        """Did the test's own path stand still for a good part of the latency? Then no protocol could deliver."""
        return max(c["lag_ms"] for c in self.counts) > LATENCY_MS / 4

    def check(self):
        counted = self.data[WARM_UP * ts.PACKET :][: PACKETS * ts.PACKET]
        ts.assert_exact(self.published, counted, at_least=PACKETS, tail=len(self.published))
        assert self.stream["lost_packets"] == 0
        # The path did what it should, and the counters tell of it.
        for counts, way in zip(self.counts, ("up", "down")):
            c = counts[way]
            assert c["lost"] > 0.04 * c["in"] and c["in"] > 8000, c
            assert c["reordered"] > 100 and c["doubled"] > 50
        assert self.stream["recovered_packets"] > 300 and self.stream["retransmitted_packets"] > 300


@pytest.mark.alone
@pytest.mark.timeout(120)
def test_nothing_is_missing_of_60000_packets(relay, programs):
    for turn in range(3):
        run = Run(relay, programs, turn)
        try:
            run.check()
            return
        except AssertionError:
            if not run.stalled():
                raise
            print("the machine stood still for", [c["lag_ms"] for c in run.counts], "ms; once more")
    raise AssertionError("the machine stood still in each of three runs")
