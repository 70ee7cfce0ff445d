# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""The measured comparison: a number only of a run that was one, and the search for the highest rate."""

import os
import sys

import pytest
from kit.proc import BUILD, ROOT

sys.path.insert(0, str(ROOT / "perf"))

import peers  # noqa: E402
from peers import measure  # noqa: E402
from peers.peer import Peer  # noqa: E402

two_cores = pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="relay and load need a core each")


@pytest.fixture
def cpus():
    return tuple(sorted(os.sched_getaffinity(0))[:2])


@two_cores
@pytest.mark.alone
@pytest.mark.parametrize("name, pps", [("sluice", 100), ("libsrt-loop", 100), ("sluice-udp", 200), ("segment", 200)])
def test_a_run_counts_what_was_delivered_and_spent(name, pps, cpus):
    peer = peers.PEERS[name]
    with peers.Bed(BUILD, *cpus) as bed:
        if missing := peer.available(bed):
            pytest.skip(missing)
    seen = peers.trial(peer, 10, pps, 0.5, build=BUILD, cpus=cpus)
    assert seen["invalid"] is None
    assert abs(seen["delivered"] - seen["expected"]) <= 0.02 * seen["expected"] + 20
    assert 500 < seen["cpu_ns_per_packet"] < 2_000_000 and seen["rss_kb"] > 500
    assert seen["peer"] == name and 1 <= seen["bundle"] <= 16


@two_cores
def test_what_is_not_there_has_a_reason_and_no_number(tmp_path, cpus):
    seen = peers.trial(peers.PEERS["segment"], 10, 100, 0.5, build=tmp_path, cpus=cpus)
    assert seen["invalid"] == "perf/peers/loop_udp is not built" and "cpu_ns_per_packet" not in seen
    seen = peers.trial(peers.PEERS["srt-live-transmit"], 2, 100, 0.5, build=BUILD, cpus=cpus)
    assert seen["invalid"] == "srt-live-transmit serves 1 at most" and "cpu_ns_per_packet" not in seen


def test_one_core_is_not_enough():
    seen = peers.trial(peers.PEERS["segment"], 10, 100, 0.5, build=BUILD, cpus=(0, 0))
    assert "need a core each" in seen["invalid"] and "cpu_ns_per_packet" not in seen


@two_cores
def test_a_program_that_ends_at_once_is_said_with_its_last_words(cpus):
    class Broken(Peer):
        name, carries = "broken", "udp"

        def start(self, bed, in_port, out_port, subscribers):
            program = bed.relay(self.name, ["sh", "-c", "echo no such knob >&2; exit 3"])
            program.process.wait()
            program.must_run()

    seen = peers.trial(Broken(), 10, 100, 0.5, build=BUILD, cpus=cpus)
    assert seen["invalid"] == "broken ended with status 3: no such knob"


WINDOW = {"pps_in": 100.0, "elapsed_s": 10.0, "delivered": 10_000, "up": 10}


@pytest.mark.parametrize("seen, sent, got, words", [
    ({}, {}, {}, None),
    ({}, {"kept_rate": False}, {}, "could not keep its rate"),
    ({"pps_in": 90.0}, {}, {}, "could not keep its rate: 90 of 100"),
    ({"up": 9}, {}, {}, "only 9 of 10 subscribers stayed"),
    ({"delivered": 9_900}, {}, {}, "99.0 % of the packets"),
    ({"delivered": 9_940}, {}, {}, None),
    ({"delivered": 12_000}, {}, {}, "stood still"),
    ({}, {}, {"corrupt": 3}, "3 packets were corrupt"),
])
def test_when_a_run_is_no_result(seen, sent, got, words):
    said = measure.verdict(peers.PEERS["sluice"], {**WINDOW, **seen}, 10, 100, sent, got)
    assert said is None if words is None else words in said


@pytest.mark.parametrize("edge, start", [(1000, 100), (1000, 90_000), (37, 400)])
def test_the_search_ends_close_below_the_edge(monkeypatch, edge, start):
    asked = []

    def made_up(peer, subscribers, pps, seconds, **_):
        asked.append(pps)
        return {"pps": pps, "delivered": 1, "relay_core": min(1, pps / edge), "invalid": "98 % of the packets were delivered" if pps > edge else None}

    monkeypatch.setattr(measure, "trial", made_up)
    found = peers.saturate(peers.PEERS["segment"], 10, build=BUILD, start=start)
    assert edge / 1.08 <= found["pps"] <= edge and found["invalid"] is None and found["saturated"] and len(asked) < 40


def test_one_bad_run_does_not_end_the_search(monkeypatch):
    asked = []

    def made_up(peer, subscribers, pps, seconds, **_):
        asked.append(pps)
        bad = pps > 1000 or len(asked) == 3
        return {"pps": pps, "delivered": 1, "relay_core": 0.4, "invalid": "somebody stood still" if bad else None}

    monkeypatch.setattr(measure, "trial", made_up)
    found = peers.saturate(peers.PEERS["segment"], 10, build=BUILD, start=100)
    assert 1000 / 1.08 <= found["pps"] <= 1000 and found["saturated"] is False


def test_a_search_that_finds_nothing_says_so(monkeypatch):
    monkeypatch.setattr(measure, "trial", lambda *_, **__: {"delivered": 1, "invalid": "0 % of the packets were delivered"})
    found = peers.saturate(peers.PEERS["segment"], 10, build=BUILD, start=8)
    assert found["invalid"].startswith("no rate was delivered whole")
