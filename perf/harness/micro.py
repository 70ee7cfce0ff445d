# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""The whole path without a kernel: cases of bench_path (Google Benchmark), one process per run."""

import json
import os
import subprocess
from pathlib import Path

from peers.bed import Failed


def bench(build, name, pattern, core, seconds):
    """[(its parameters, its counters)] of the cases that match. Raises Failed."""
    program = Path(build) / "perf/bench" / f"bench_{name}"
    if not os.access(program, os.X_OK):
        raise Failed(f"{program} is not built (meson configure -Dbench=true)")
    done = subprocess.run(
        [program, f"--benchmark_filter={pattern}", "--benchmark_format=json", f"--benchmark_min_time={seconds}"],
        capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, {core}))
    if done.returncode:
        raise Failed(f"bench_{name} ended with {done.returncode}: {(done.stderr.strip().splitlines() or ['it said nothing'])[-1]}")
    try:
        found = json.loads(done.stdout[done.stdout.index("{"):])["benchmarks"]
    except (ValueError, KeyError):
        raise Failed(f"bench_{name} has no case that matches {pattern}") from None
    return [(dict(part.split(":") for part in one["name"].split("/") if ":" in part), one) for one in found]


def path(build, params, core, seconds):
    """Metrics of one copy of the whole path with these parameters of bench_path: its port, subscribers, packets in a
    burst and, of sealed copies, the suite."""
    numbers = "/".join(f"{name}:{params[name]}" for name in ("subscribers", "burst", "suite") if name in params)
    parts = f"{'sealed' if 'suite' in params else 'clear'}/{params['port']}/{numbers}"
    cases = bench(build, "path", f"^{parts}$", core, seconds)
    if not cases:
        raise Failed(f"bench_path has no case {parts}")
    counters = cases[0][1]
    if "error_message" in counters:
        raise Failed(f"bench_path: {counters['error_message']}")
    found = {"cost_ns": counters["ns"], "delivered_pps": counters.get("items_per_second")}
    if "cycles" in counters:
        found["cycles"] = counters["cycles"]
    return {name: round(value, 3) for name, value in found.items() if value is not None}
