# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""What a session counts, under libsrt's names, beside what libsrt counts at its other end."""

import json
import re

from kit.api import Api
from kit.path import BadPath
from kit.proc import wait_until
from kit.publishers import SrtPublisher, UdpPublisher
from kit.proc import free_port
from kit.readers import UdpReader

PUBLISHER = """pktRecvTotal pktRecvUniqueTotal pktRcvLossTotal pktRcvRetransTotal pktRcvDropTotal pktRcvBelatedTotal
    pktRcvUndecryptTotal byteRecvTotal pktSentACKTotal pktSentNAKTotal msRTT mbpsRecvRate msRcvBuf""".split()
SUBSCRIBER = """pktSentTotal pktSentUniqueTotal pktRetransTotal pktSndDropTotal byteSentTotal pktRecvACKTotal
    pktRecvNAKTotal msRTT mbpsSendRate pktFlightSize""".split()
HEADERS = 44


class Counting:
    """srt-live-transmit that reports its totals after every few packets."""

    def __init__(self, programs, name, source, target, side):
        argv = ["srt-live-transmit", "-a:no", "-q", "-f", "-s:20", "-pf:json", source, target]
        self.side, self.program = side, programs.client(name, argv)

    def totals(self):
        """The latest report."""
        lines = [line for line in self.program.output().splitlines() if line.startswith("{") and line.endswith("}")]
        return json.loads(lines[-1])[self.side] if lines else {}


def test_both_ends_count_alike_through_a_bad_path(relay, programs):
    """5 % lost both ways, on both legs: the relay's figures and libsrt's for the same session."""
    relay.ctl("stream", "add", "live/a", "--latency", "400")
    to_relay = [BadPath(programs, relay.port, loss=50, delay_ms=5, seed=seed) for seed in (1, 2)]
    feed, out = free_port(), UdpReader(free_port())
    url = "srt://127.0.0.1:{}?streamid=%23!::r=live/a,m={}&latency=400"
    sender = Counting(programs, "sender", f"udp://127.0.0.1:{feed}", url.format(to_relay[0].port, "publish"), "send")
    wait_until(lambda: relay.items("pub", "list"), "the publisher is here")
    receiver = Counting(programs, "receiver", url.format(to_relay[1].port, "request"), f"udp://127.0.0.1:{out.port}", "recv")
    wait_until(lambda: relay.items("sub", "list"), "the subscriber is here")
    UdpPublisher(programs, "127.0.0.1", feed, count=1500, bitrate=5_000_000).finish()
    out.wait(1400)
    pub = wait_until(lambda: (lambda p: p["pktRecvUniqueTotal"] >= 1400 and p)(relay.items("pub", "list")[0]), "all is here")
    sub = relay.items("sub", "list")[0]
    assert set(PUBLISHER) <= set(pub) and set(SUBSCRIBER) <= set(sub)
    sent, got = sender.totals(), receiver.totals()

    # Within what was on its way when each was read, and the last reports' age of 20 packets.
    near = lambda ours, theirs: abs(ours - theirs) <= 60
    assert near(pub["pktRecvUniqueTotal"], sent["packetsUnique"]), (pub, sent)
    assert 0.90 * sent["packets"] <= pub["pktRecvTotal"] <= sent["packets"] + 60, (pub, sent)
    assert 30 < pub["pktRcvLossTotal"] < 200 and pub["recovered_packets"] <= pub["pktRcvLossTotal"]
    assert 0 < pub["pktRcvRetransTotal"] <= sent["packetsRetransmitted"] + 60, (pub, sent)
    assert pub["pktRcvDropTotal"] == pub["pktRcvUndecryptTotal"] == 0
    assert pub["byteRecvTotal"] == pub["pktRecvTotal"] * (1316 + HEADERS)
    assert pub["pktSentACKTotal"] > 20 and pub["pktSentNAKTotal"] > 10
    assert 9 < pub["msRTT"] < 60 and 0.5 < pub["mbpsRecvRate"] < 8 and pub["msRcvBuf"] >= 0

    assert sub["pktSentTotal"] == sub["pktSentUniqueTotal"] + sub["pktRetransTotal"]
    assert near(sub["pktSentUniqueTotal"], got["packetsUnique"]), (sub, got)
    assert 0 < got["packetsRetransmitted"] <= sub["pktRetransTotal"], (sub, got)
    assert sub["byteSentTotal"] == sub["pktSentTotal"] * (1316 + HEADERS)
    assert sub["pktRecvNAKTotal"] > 10 and sub["pktRecvACKTotal"] > 10
    assert 9 < sub["msRTT"] < 60 and 0.5 < sub["mbpsSendRate"] < 8 and sub["pktFlightSize"] < 400
    check_histograms(relay)


def check_histograms(relay):
    """Round trips are 10 ms and what the machine adds; a repair takes one at least, and 400 ms at most."""
    stream = relay.stream("live/a")
    hists = stream["histograms"]
    for name, least, most in (("publisher_rtt", 9, 96), ("subscriber_rtt", 9, 96), ("recovery", 6, 512)):
        hist = hists[name]
        assert hist["count"] == sum(b["count"] for b in hist["buckets"]) > 10, (name, hist)
        assert least * hist["count"] < hist["sum_ms"] < most * hist["count"], (name, hist)
        assert all(b["le_ms"] > least for b in hist["buckets"]), (name, hist)
    assert abs(hists["recovery"]["count"] - stream["recovered_packets"]) < 5
    assert relay.items("stream", "list")[0]["histograms"] is None

    text = Api(relay)("GET", "/metrics").data.decode()
    for name in ("publisher_rtt_seconds", "subscriber_rtt_seconds", "recovery_seconds"):
        lines = re.findall(rf'^sluice_{name}_bucket{{stream="live/a",le="(.+)"}} (\d+)$', text, re.M)
        counts = [int(n) for _, n in lines]
        assert lines[-1][0] == "+Inf" and counts == sorted(counts) and counts[0] == 0 < counts[-1]
        assert f'sluice_{name}_count{{stream="live/a"}} {counts[-1]}\n' in text


def test_what_is_not_srt_has_none_of_them(relay, programs):
    relay.ctl("stream", "add", "live/a")
    SrtPublisher(programs, relay.url("live/a", "publish"))
    relay.wait_live("live/a")
    relay.ctl("route", "add", "live/a", f"udp://127.0.0.1:{UdpReader(free_port()).port}")
    sub = relay.items("sub", "list")[0]
    assert all(sub[name] is None for name in SUBSCRIBER) and sub["tx_packets"] is not None
