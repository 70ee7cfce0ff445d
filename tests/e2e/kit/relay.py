# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""A relay: sluice-dp, sluiced, and sluicectl to ask and to order."""

import json
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from .proc import BUILD, free_port, wait_until

PATHS = {"sluice-dp": "dataplane/sluice-dp", "sluiced": "ctl/daemon/sluiced", "sluicectl": "ctl/cli/sluicectl"}


class CtlError(AssertionError):
    """sluicectl said no."""

    def __init__(self, argv, done):
        super().__init__(f"sluicectl {' '.join(argv)}: exit {done.returncode}: {done.stderr.strip()}")
        self.status, self.message = done.returncode, done.stderr.strip()


class Relay:
    """One box of Sluice in a folder of its own. Nothing runs before start()."""

    def __init__(self, programs, workers=1, dp=(), daemon=(), env=None, memory=64, port="sock"):
        self.programs = programs
        self.dp_flags = ["--port", port, "--workers", workers, "--memory", memory, *dp]
        self.daemon_flags = list(daemon)
        self.port, self.http = free_port(), free_port()
        self.folder = programs.folder / f"r{self.http}"
        self.folder.mkdir()
        self.run_dir, self.state_dir = self.folder / "run", self.folder / "state"
        for folder in (self.run_dir, self.state_dir):
            folder.mkdir()
            if programs.user:
                os.chown(folder, pwd.getpwnam(programs.user).pw_uid, -1)
        self.env = {"SLUICE_RUN_DIR": str(self.run_dir), "SLUICE_STATE_DIR": str(self.state_dir), **(env or {})}
        self.dp = self.daemon = None

    def program(self, name):
        """Path of a program of ours; a copy where the user of --run-as may read it."""
        built = BUILD / PATHS[name]
        if not self.programs.user:
            return built
        copy = self.programs.folder / name
        if not copy.exists():
            shutil.copy(built, copy)
        return copy

    def start_dp(self):
        self.dp = self.programs.start(
            "sluice-dp", self.programs.as_user([self.program("sluice-dp"), *self.dp_flags]), env=self.env
        )
        return self.dp

    def start_daemon(self):
        argv = [self.program("sluiced"), "--listen", f"127.0.0.1:{self.http}", *self.daemon_flags]
        self.daemon = self.programs.start("sluiced", self.programs.as_user(argv), env=self.env)
        return self.daemon

    def start(self):
        self.start_dp()
        self.start_daemon()
        self.wait_connected()
        return self

    def wait_connected(self):
        def connected():
            for program in (self.dp, self.daemon):
                assert program.status is None, f"{program.name} ended with {program.status}: {program.output()[-800:]}"
            done = self.run("--json", "status")
            return done.stdout and json.loads(done.stdout).get("dataplane") == "connected"

        wait_until(connected, "the daemon has the dataplane", 20)

    def listen(self, *flags, port=None):
        """Adds the SRT listener."""
        self.ctl("listener", "add", f"srt://127.0.0.1:{port or self.port}", *flags)

    def run(self, *argv, **more):
        """sluicectl as it is: status and output."""
        argv = [str(a) for a in argv]
        command = self.programs.as_user([str(self.program("sluicectl")), *argv])
        return subprocess.run(command, env={**os.environ, **self.env}, capture_output=True, text=True, timeout=30, **more)

    def ctl(self, *argv):
        """sluicectl that must succeed; its output."""
        done = self.run(*argv)
        if done.returncode:
            raise CtlError([str(a) for a in argv], done)
        return done.stdout

    def json(self, *argv):
        return json.loads(self.ctl("--json", *argv))

    def items(self, *argv):
        return self.json(*argv)["items"]

    def status(self):
        return self.json("status")

    def status_now(self):
        """The document also when status exits 8."""
        return json.loads(self.run("--json", "status").stdout)

    def drops(self):
        return self.status()["drops"]

    def stream(self, name):
        """The stream's document, {} when there is none."""
        done = self.run("--json", "stream", "show", name)
        if done.returncode == 3:
            return {}
        if done.returncode:
            raise CtlError(["stream", "show", name], done)
        return json.loads(done.stdout)

    def wait_stream(self, name, deadline=10.0, **fields):
        """Waits until the stream shows these fields; a function is asked about the value."""
        last = {}

        def fits():
            last.clear()
            last.update(self.stream(name))
            return all((v(last.get(k)) if callable(v) else last.get(k) == v) for k, v in fields.items()) and last

        wait_until(fits, lambda: f"stream {name} shows {fields}; it shows {last}", deadline)
        return dict(last)

    def wait_live(self, name, deadline=10.0):
        return self.wait_stream(name, deadline, state="live", rx_packets=lambda n: n and n > 0)

    def url(self, name=None, mode="request", port=None, **options):
        """srt:// URL of a stream. name None: no stream id. mode "plain": the short form of ids."""
        if name is not None:
            options["streamid"] = name if mode == "plain" else f"#!::r={name},m={mode}"
        query = "&".join(f"{k}={v}" for k, v in options.items())
        return f"srt://127.0.0.1:{port or self.port}" + (f"?{query}" if query else "")


def built():
    """Are the programs there?"""
    return all(os.access(Path(BUILD) / path, os.X_OK) for path in PATHS.values())
