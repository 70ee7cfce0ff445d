# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Programs, ports and waiting."""

import fcntl
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
BUILD = Path(os.environ.get("SLUICE_BUILD", ROOT / "build")).resolve()
LOG_TAIL = 6000


def wait_until(check, what, deadline=10.0):
    """Calls check until it gives something true, and returns that. AssertionError after `deadline` seconds.

    what: a text, or a function that says what was seen last.
    """
    end = time.monotonic() + deadline
    pause = 0.005
    while True:
        seen = check()
        if seen:
            return seen
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline} s: {what() if callable(what) else what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)


def _is_free(port):
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as s:
            try:
                s.bind(("0.0.0.0", port))
            except OSError:
                return False
    return True


_given = set()
_ledger = None  # a file of all test processes of this user; byte N is locked: port N is given


def _open_ledger():
    global _ledger
    if not _ledger:
        path = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()) / f"sluice-test-ports-{os.getuid()}"
        _ledger = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600), "r+b")
    return _ledger


def _is_ours(port):
    """Between the look whether a port is free and its use another run's or worker's test must not get it."""
    if port in _given:
        return False
    try:
        fcntl.lockf(_open_ledger(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    _given.add(port)
    return True


def free_port(pair=False):
    """A port that nobody uses, below those the kernel gives away by itself. pair: even, and the next one too."""
    rng = random.SystemRandom()
    for _ in range(1000):
        port = rng.randrange(15000, 32000) & ~1
        if _is_ours(port) and _is_free(port) and (not pair or _is_free(port + 1)):
            return port
    raise RuntimeError("no free port")


class Program:
    """A running program with its output in a file. Ends by its pid, never by its name."""

    def __init__(self, name, argv, folder, env=None, stdin=None, stdout=None):
        self.name = name
        self.log = Path(folder) / f"{name}-{random.randrange(1 << 30):x}.log"
        self.argv = [str(a) for a in argv]
        self.expected = {0}  # exit statuses that are no failure
        # A suite in the background of a shell ignores SIGINT, and so would all that it starts.
        self.argv = ["env", "--default-signal=INT", *self.argv]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                self.argv, stdin=stdin or subprocess.DEVNULL, stdout=stdout or log, stderr=log,
                env={**os.environ, **(env or {})}, cwd=folder,
            )

    @property
    def pid(self):
        return self.process.pid

    @property
    def status(self):
        """Exit status, None while it runs."""
        return self.process.poll()

    def output(self):
        return self.log.read_text(errors="replace")

    def says(self, text, deadline=10.0):
        """Waits until the output holds the text."""
        return wait_until(lambda: text in self.output(), lambda: f"{self.name} says '{text}'; it said: {self.output()[-500:]}", deadline)

    def wait(self, deadline=10.0):
        """The exit status; AssertionError when it still runs."""
        try:
            return self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} still runs after {deadline} s") from None

    def stays(self, seconds):
        """Watches it run for so long. AssertionError when it ends."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return
        raise AssertionError(f"{self.name} ended with {status}: {self.output()[-400:]}")

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        """SIGKILL, as a crash would be."""
        if self.expected is not None:
            self.expected.add(-signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def stop(self, deadline=10.0):
        """SIGTERM and wait. Returns the exit status; a program that does not end is killed and counts as failed."""
        if self.process.poll() is None:
            self.process.terminate()
            if self.process.stdin:
                self.process.stdin.close()  # srt-live-transmit does not leave a read for a signal
            try:
                self.process.wait(deadline)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"{self.name} did not end within {deadline} s of SIGTERM") from None
        return self.process.returncode


class Programs:
    """Everything a test started; the fixture ends it in the order of starting, backwards."""

    def __init__(self, user=None):
        self.user = user
        # Short, because socket paths are; open, because the daemons may run as somebody else.
        self.folder = Path(tempfile.mkdtemp(prefix="sl-"))
        self.folder.chmod(0o755)
        self.started = []
        self.closers = []

    def as_user(self, argv):
        """The command line, run by the user that the daemons run as."""
        return ["setpriv", f"--reuid={self.user}", "--regid=nogroup", "--clear-groups", *argv] if self.user else list(argv)

    def start(self, name, argv, **more):
        program = Program(name, argv, self.folder, **more)
        self.started.append(program)
        return program

    def client(self, name, argv, **more):
        """A program of somebody else: its exit status says nothing about us."""
        program = self.start(name, argv, **more)
        program.expected = None
        return program

    def own(self, path):
        """Gives a file to the user that the daemons run as, for his eyes only."""
        os.chmod(path, 0o600)
        if self.user:
            shutil.chown(path, self.user)

    def on_close(self, function):
        self.closers.append(function)

    def close(self):
        """Ends everything. Raises when a closer failed or a program of ours ended badly."""
        bad = []
        for function in reversed(self.closers):
            try:
                function()
            except Exception as error:  # whatever it is, the programs must not be left running
                bad.append(repr(error))
        for program in reversed(self.started):
            try:
                status = program.stop()
            except AssertionError as late:
                if program.expected is not None:
                    bad.append(str(late))
                continue
            if program.expected is not None and status not in program.expected:
                bad.append(f"{program.name} ended with {status}")
        assert not bad, "; ".join(bad)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def logs(self):
        return [(p.name, p.output()[-LOG_TAIL:]) for p in self.started if p.log.exists()]
