#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""What a packet costs: named scenarios on a named testbed, results as JSON, reports and comparisons of them.

    perf/run.py fanout                              on this machine's loopback, a few minutes
    perf/run.py fanout --set subscribers=1,100 --set carries=srt --seconds 5 --runs 5
    perf/run.py fanout --find ndr --set subscribers=100
    perf/run.py crypto --testbed local-null         the whole path without a kernel
    perf/run.py peers                               what a user would pick instead, beside it
    perf/run.py report results/*.json               one HTML page and a Markdown table
    perf/run.py compare before.json after.json      exit 8 when something got worse beyond the noise
    perf/run.py numbers results/*.json              the section "Numbers" of README.md
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness.cli import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
