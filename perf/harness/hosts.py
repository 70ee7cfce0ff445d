# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Two boxes: Sluice on this one, who publishes and plays on another that ssh reaches."""

import os
import shlex
import subprocess
from pathlib import Path, PurePosixPath

from peers.bed import Bed, Failed, Program

SSH = ("ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=5")
# Ends the program when our end of its standard input closes, so that it still says what it counted.
LEASH = "exec 3<&0; {command} & p=$!; (read _ <&3; kill -TERM $p) & r=$!; wait $p; s=$?; kill $r 2>/dev/null; exit $s"


def members(testbed):
    """The hosts `relay` and `load`. Raises Failed where a member lacks or is of another kind."""
    needs = {"relay": {"address": str, "cores": list}, "load": {"ssh": str, "address": str, "cores": list, "tree": str}}
    for name, fields in needs.items():
        host = testbed.hosts.get(name)
        if not isinstance(host, dict):
            raise Failed(f"testbed {testbed.name}: hosts.{name} is missing")
        for field, kind in fields.items():
            if not isinstance(host.get(field), kind) or not host[field]:
                raise Failed(f"testbed {testbed.name}: hosts.{name}.{field} is needed")
    return testbed.hosts["relay"], testbed.hosts["load"]


def there(host, command, **more):
    """Runs a shell command on the other box. Raises Failed with what it said."""
    done = subprocess.run([*SSH, host["ssh"], command], capture_output=True, text=True, timeout=30, **more)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Failed(f"{host['ssh']}: {said[-1] if said else f'status {done.returncode}'}")
    return done.stdout.strip()


def check(testbed):
    """Raises Failed when these boxes cannot be this testbed."""
    relay, load = members(testbed)
    if "pci" in relay:
        if not Path(f"/sys/bus/pci/devices/{relay['pci']}").exists():
            raise Failed(f"testbed {testbed.name}: relay has no PCI device {relay['pci']} on this machine")
        raise Failed(f"testbed {testbed.name}: port dpdk takes virtual devices only: leave hosts.relay.pci out to measure kernel sockets")
    if not set(relay["cores"]) <= os.sched_getaffinity(0):
        raise Failed(f"testbed {testbed.name}: needs the cores {relay['cores']}, allowed here are {sorted(os.sched_getaffinity(0))}")
    there(load, f"test -x {shlex.quote(load['tree'])}/build/perf/load/sluice-load || {{ echo {shlex.quote(load['tree'])}: no sluice-load is built there >&2; exit 1; }}")


class HostsBed(Bed):
    def __init__(self, build, relay, load):
        self.build, self.programs = Path(build), []
        self.relay_cpu, self.relay_cpus = relay["cores"][0], relay["cores"]
        self.address, self.far, self.host = relay["address"], load["address"], load
        self.tree = PurePosixPath(load["tree"])
        others = os.sched_getaffinity(0) - set(relay["cores"])
        self.ssh_cpu = min(others or {self.relay_cpu})

    def __enter__(self):
        super().__enter__()
        self.there = PurePosixPath(there(self.host, "mktemp -d"))
        return self

    def __exit__(self, *_):
        super().__exit__()
        there(self.host, f"rm -r {shlex.quote(str(self.there))}")

    def hand_over(self, path):
        copy = self.there / Path(path).name
        there(self.host, f"umask 077; cat > {shlex.quote(str(copy))}", input=Path(path).read_text())
        return copy

    def load(self, *argv, **more):
        argv = [self.tree / "build/perf/load/sluice-load", *argv, "--json", "--interval", "0.1"]
        return self._there(f"sluice-load-{argv[1]}", argv, **more)

    def tool(self, name, argv, **more):
        """A script of this folder on the other box."""
        script = self.tree / "perf/harness" / Path(argv[1]).name
        return self._there(name, ["python3", script, *argv[2:]], **more)

    def _there(self, name, argv, **more):
        core = ",".join(str(core) for core in self.host["cores"])
        command = shlex.join(["taskset", "-c", core, *(str(a) for a in argv)])
        program = Leashed(name, [*SSH, self.host["ssh"], LEASH.format(command=command)], self.folder, self.ssh_cpu, **more)
        self.programs.append(program)
        return program


class Leashed(Program):
    """A program behind ssh, which ends when its standard input does."""

    def __init__(self, *argv, **more):
        super().__init__(*argv, stdin=subprocess.PIPE, **more)

    def stop(self, deadline=10.0):
        self.process.stdin.close()
        try:
            self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            pass
        return super().stop(deadline)
