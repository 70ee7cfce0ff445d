# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""The two commands of the README and its tour, in a network of their own, so that their fixed ports are free."""

import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest
from kit.proc import ROOT, wait_until

pytestmark = [pytest.mark.alone, pytest.mark.timeout(180)]
# A network namespace with a loopback; a user may have one by a user namespace.
ALONE = ["unshare", "-n"] if os.getuid() == 0 else ["unshare", "-rn"]


def in_own_network(script):
    return [*ALONE, "bash", "-euc", f"ip link set lo up\ncd '{ROOT}'\n{script}"]


def test_the_demo_says_that_all_players_got_everything():
    done = subprocess.run(in_own_network("exec scripts/run --demo 6"), capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all eight players got what was published, byte for byte" in done.stdout
    assert done.stdout.count("as published from packet") == 8


def start(programs, name="run"):
    run = programs.client(name, in_own_network("exec scripts/run"))
    wait_until(lambda: "Ctrl-C ends it" in run.output() or run.status is not None, lambda: run.output(), 60)
    assert run.status is None, run.output()
    return run


def children(pid):
    done = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(p) for p in done.stdout.split()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_ctrl_c_ends_all_that_it_started(programs, number):
    run = start(programs)
    started = children(run.pid)
    assert len(started) == 2
    for client in ("ffmpeg", "ffplay", "OBS", "VLC", "srt-live-transmit", "http://127.0.0.1:8680/"):
        assert client in run.output()
    run.signal(number)
    assert run.wait(15) == 0
    assert not [p for p in started if os.path.exists(f"/proc/{p}")]


def test_a_daemon_that_dies_is_started_again(programs):
    run = start(programs)
    names = {Path(f"/proc/{pid}/comm").read_text().strip(): pid for pid in children(run.pid)}
    assert sorted(names) == ["sluice-dp", "sluiced"]
    for name, pid in names.items():
        wait_until(lambda p=pid: age(p) > 3, "it has run for a while")
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda n=name: f"{n} has ended and is started again" in run.output(), lambda: run.output(), 10)
    wait_until(lambda: len(children(run.pid)) == 2, "both run", 10)
    run.signal(signal.SIGTERM)
    assert run.wait(15) == 0


def age(pid):
    """Seconds since it began."""
    ticks = int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19])
    return time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("kind, port", [(socket.SOCK_DGRAM, 9000), (socket.SOCK_STREAM, 8680)], ids=["9000", "8680"])
def test_a_busy_port_is_one_sentence(kind, port):
    holder = f"import socket,sys,subprocess; s=socket.socket(socket.AF_INET,socket.{kind.name}); s.bind(('127.0.0.1',{port}))"
    if kind == socket.SOCK_STREAM:
        holder += "; s.listen()"
    script = f"exec /usr/bin/python3 -c \"{holder}; sys.exit(subprocess.run(['scripts/run']).returncode)\""
    done = subprocess.run(in_own_network(script), capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.strip().count("\n") == 0 and str(port) in done.stderr


@pytest.mark.parametrize("flags", ["--demo x", "--demo 5 6", "--help me", "--demo 0"])
def test_a_bad_flag_is_a_usage_error(flags):
    done = subprocess.run(f"scripts/run {flags}", shell=True, cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert done.returncode == 2 and done.stderr.startswith("usage:")


def test_the_tour_of_the_readme_works():
    """Every command of the tour, one after the other, as a newcomer would type them."""
    tour = (ROOT / "README.md").read_text().split("## A tour")[1].split("\n## ")[0]
    blocks = re.findall(r"```sh\n(.*?)```", tour, re.S)
    assert len(blocks) >= 4
    script = ["scripts/run >build/run-tour.log 2>&1 & relay=$!",
              "for i in $(seq 600); do grep -q 'Ctrl-C ends it' build/run-tour.log && break; sleep 0.1; done",
              "trap 'kill $(jobs -p); wait $relay' EXIT"]
    for block in blocks:
        script += [f"echo '== {block.splitlines()[0][:40]}'".replace("'", "\"", 0), block]
    done = subprocess.run(in_own_network("\n".join(script)), capture_output=True, text=True, timeout=150)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert said.count("h264") >= 3, said
    assert '"live/cam1"' in done.stdout and "udp://127.0.0.1:5004" in done.stdout
