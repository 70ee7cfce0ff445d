# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""A bad path between a client and the relay: ../proxy.c as an object."""

import json
import signal

from .proc import BUILD, wait_until


class BadPath:
    """profile: loss, reorder and dup per 1,000; reorder_ms; delay_ms one way; seed."""

    def __init__(self, programs, to_port, **profile):
        options = [f"{name.replace('_', '-')}={value}" for name, value in profile.items()]
        self.program = programs.start("proxy", [BUILD / "tests/e2e/proxy", to_port, *options])
        self.port = wait_until(self._lines, "the proxy listens")[0]["port"]

    def _lines(self):
        return [json.loads(line) for line in self.program.output().splitlines(keepends=True) if line.endswith("\n")]

    def counts(self):
        """What happened so far."""
        before = len(self._lines())
        self.program.signal(signal.SIGUSR1)
        return wait_until(lambda: self._lines()[before:], "the proxy reports")[0]

    def cut(self):
        """Nothing passes any more; the next call mends it."""
        self.program.signal(signal.SIGUSR2)

    mend = cut
