# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Nothing spins: without a stream the programs use next to nothing of a core."""

import time
from pathlib import Path

import pytest
from kit import libsrt

pytestmark = pytest.mark.alone
SECONDS = 4


def cpu_seconds(pid):
    """On-CPU time of all threads, in the scheduler's nanoseconds."""
    return sum(int(f.read_text().split()[0]) for f in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def share(program):
    """Share of one core over some seconds in which nothing happens."""
    before, began = cpu_seconds(program.pid), time.monotonic()
    program.stays(SECONDS)
    return (cpu_seconds(program.pid) - before) / (time.monotonic() - began)


@pytest.mark.parametrize("flags", [{}, {"workers": 2}, {"port": "sock,rx=epoll"}], ids=["io_uring", "two workers", "epoll"])
def test_an_idle_dataplane_uses_less_than_a_hundredth_of_a_core(make_relay, flags):
    relay = make_relay(**flags)
    relay.listen("--open")
    assert share(relay.dp) < 0.01


def test_an_idle_daemon_uses_less_than_a_hundredth_of_a_core(relay):
    assert share(relay.daemon) < 0.01


def test_waiting_players_cost_next_to_nothing(relay):
    relay.ctl("stream", "add", "live/i")
    callers = [libsrt.Caller(relay.port, "live/i") for _ in range(5)]
    relay.wait_stream("live/i", subscribers=5)
    assert share(relay.dp) < 0.01
    for caller in callers:
        caller.close()
