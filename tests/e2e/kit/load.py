# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""sluice-load: many peers in one process. It proves scale; correctness is what libsrt's programs say."""

import json

from .proc import BUILD

PROGRAM = BUILD / "perf/load/sluice-load"


class Load:
    def __init__(self, programs, role, url, **flags):
        argv = [PROGRAM, "--json", role, url]
        for name, value in flags.items():
            argv[2:2] = [f"--{name.replace('_', '-')}" + ("" if value is True else f"={value}")]
        self.program = programs.client(f"sluice-load-{role}", argv)

    def report(self, deadline=60.0):
        """Waits for its end: what it counted."""
        self.program.wait(deadline)
        lines = [line for line in self.program.output().splitlines() if line.startswith("{")]
        assert lines, f"sluice-load: {self.program.output()[-600:]}"
        return json.loads(lines[-1])
