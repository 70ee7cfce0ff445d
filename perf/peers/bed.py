# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Where a run takes place: a folder of its own, two cores, ports that nobody uses, programs that end by their pid."""

import os
import random
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from pathlib import Path


class Failed(Exception):
    """There will be no number; the text is one sentence that says why."""


def wait_until(check, what, deadline=10.0):
    """Calls check until it gives something true, and returns that."""
    end = time.monotonic() + deadline
    while not (seen := check()):
        if time.monotonic() > end:
            raise Failed(f"not within {deadline:g} s: {what}")
        time.sleep(0.01)
    return seen


def is_free(port):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


class Program:
    """A started program. `lines` is what it has said on its standard output, each with the time it was read."""

    def __init__(self, name, argv, folder, cpu, env=None, on_line=None, stdin=subprocess.DEVNULL):
        self.name, self.lines, self.on_line = name, [], on_line
        self.log = Path(folder) / f"{name}-{random.randrange(1 << 30):x}.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [str(a) for a in argv], stdin=stdin, stdout=subprocess.PIPE, stderr=log, cwd=folder,
                env={**os.environ, **(env or {})}, text=True, preexec_fn=lambda: os.sched_setaffinity(0, cpu if isinstance(cpu, (set, tuple, list)) else {cpu}))
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append((time.monotonic(), line.rstrip("\n")))
            if self.on_line:
                self.on_line(line)

    @property
    def pid(self):
        return self.process.pid

    def complaint(self):
        """The last it said, for a sentence about its failure."""
        said = self.log.read_text(errors="replace").split("\n") + [line for _, line in self.lines]
        said = [line.strip() for line in said if line.strip()]
        return said[-1][-200:] if said else "it said nothing"

    def must_run(self):
        if self.process.poll() is not None:
            raise Failed(f"{self.name} ended with status {self.process.returncode}: {self.complaint()}")
        return True

    def stop(self, deadline=10.0):
        """Ends it; what does not go is killed. The exit status."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(deadline)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.join(5)
        return self.process.returncode


class Bed:
    """Use as a context: what was started in it has ended behind it, and its folder is gone."""

    relay_cpus = None  # where the relay has more than its one core

    def __init__(self, build, relay_cpu=0, load_cpu=1):
        self.build, self.relay_cpu, self.load_cpu = Path(build), relay_cpu, load_cpu
        able = os.sched_getaffinity(0)
        if relay_cpu == load_cpu or not {relay_cpu, load_cpu} <= able:
            raise Failed(f"relay and load need a core each, of those allowed here ({sorted(able)}); asked: {relay_cpu} and {load_cpu}")
        self.programs = []

    def __enter__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="slp-"))
        return self

    def __exit__(self, *_):
        for program in reversed(self.programs):
            program.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    one_load = False  # does one program publish and play?

    def port_of_relay(self, case):
        """Options of sluice-dp that say how the load reaches it."""
        return ["--port", "sock", "--memory", 128 * case.workers]

    def acks(self, _case):
        """How subscribers acknowledge: as often as libsrt's."""
        return ["--eager-acks"]

    def built(self, path):
        program = self.build / path
        if not os.access(program, os.X_OK):
            raise Failed(f"{program} is not built")
        return program

    def cores_of_relay(self, n):
        """So many cores of the relay's. Raises Failed where there are fewer."""
        cores = self.relay_cpus or [self.relay_cpu]
        if n > len(cores):
            raise Failed(f"{n} workers need as many cores, and the relay has {len(cores)} here")
        return cores[:n]

    def relay(self, name, argv, cores=None, **more):
        """Starts a program on the core of the relay, or on these."""
        return self._start(name, argv, cores or self.relay_cpu, **more)

    def load(self, *argv, **more):
        """Starts a sluice-load that reports ten times a second on the other core."""
        argv = [self.built("perf/load/sluice-load"), *argv, "--json", "--interval", "0.1"]
        return self._start(f"sluice-load-{argv[1]}", argv, self.load_cpu, **more)

    def hand_over(self, path):
        """A file for the side of the load: its path there."""
        return path

    def _start(self, name, argv, cpu, **more):
        program = Program(name, argv, self.folder, cpu, **more)
        self.programs.append(program)
        return program

    def port(self, count=1):
        """The first of so many neighbouring UDP ports that nobody uses, below those the kernel gives away."""
        for _ in range(100):
            first = random.SystemRandom().randrange(10000, 32000 - count)
            if all(is_free(first + i) for i in range(count)):
                return first
        raise Failed(f"no {count} neighbouring UDP ports are free")
