# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Results: what a run wrote, and what its runs have in common.

A result is one JSON object: {schema, scenario, command, started, commit, machine, testbed, seconds, points}. A point is
{params, runs, invalid}: runs is a list of {metric: number}, invalid one of the sentences of what was no result.
"""

import json
import statistics
from pathlib import Path

from peers.bed import Failed

SCHEMA = 1
# metric: (unit, what it is, +1 when more is better, -1 when less is, 0 when neither)
METRICS = {
    "cost_ns": ("ns", "CPU time of the relay per delivered packet", -1),
    "cycles": ("cycles", "CPU cycles per delivered packet", -1),
    "delivered_pps": ("packets/s", "delivered to all subscribers together", 1),
    "ndr_pps": ("packets/s", "most that was delivered without a loss", 1),
    "pdr_pps": ("packets/s", "most that was delivered with 0.5 % lost", 1),
    "missing": ("packets", "not delivered", -1),
    "latency_p50_us": ("us", "publisher to subscriber, median", -1),
    "latency_p99_us": ("us", "the same, 99 %", -1),
    "latency_p999_us": ("us", "the same, 99.9 %", -1),
    "latency_max_us": ("us", "the same, longest", 0),
    "first_p999_us": ("us", "publisher to the first subscriber, 99.9 %", -1),
    "last_p50_us": ("us", "publisher to the last subscriber, median", -1),
    "last_p999_us": ("us", "publisher to the last subscriber, 99.9 %", -1),
    "join_p50_us": ("us", "from a call's first datagram to its answer, median", -1),
    "join_p99_us": ("us", "the same, 99 %", -1),
    "failed_joins": ("calls", "refused or not answered", -1),
    "handshake_ns": ("ns", "CPU time of the relay per handshake answered", -1),
    "answered_per_s": ("1/s", "handshakes answered", 1),
    "ack_us": ("us/s", "CPU time of the relay per subscriber and second, beyond plain UDP", -1),
    "plain_core": ("cores", "used by the relay for plain UDP", 0),
    "bundle": ("packets", "in one message to the kernel", 0),
    "relay_core": ("cores", "used by the relay", 0),
    "subscriber_bytes": ("bytes", "memory of one subscriber more", -1),
    "memory_kb": ("KiB", "resident memory of sluice-dp and its huge pages", 0),
    "rss_kb": ("KiB", "resident memory of the relay", 0),
}


def values(point, metric):
    """The metric's figure in each run that has one."""
    return [run[metric] for run in point["runs"] if run.get(metric) is not None]


def middle(point, metric):
    """Median over the runs; None when no run has the metric."""
    found = values(point, metric)
    return statistics.median(found) if found else None


def spread(point, metric):
    """Median distance from the median: what one run may differ by."""
    found = values(point, metric)
    return statistics.median(abs(v - statistics.median(found)) for v in found) if found else None


def metrics_of(points):
    """Those that any point has, in the order of METRICS."""
    return [name for name in METRICS if any(values(point, name) for point in points)]


def label(params):
    """A point's parameters for people."""
    return " ".join(f"{name}={value}" for name, value in params.items())


def read(path):
    """A result. Raises Failed with one sentence."""
    try:
        result = json.loads(Path(path).read_text())
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}") from None
    except ValueError:
        raise Failed(f"{path}: not JSON") from None
    if not isinstance(result, dict) or result.get("schema") != SCHEMA or not isinstance(result.get("points"), list):
        raise Failed(f"{path}: not a result of perf/run.py, schema {SCHEMA}")
    return result


def write(path, result):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(result, indent=1) + "\n")
