# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Where a scenario runs, as a YAML file says: loopback, two namespaces and a veth pair, a shared memory, no kernel at
all, or two boxes."""

import itertools
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from peers.bed import Bed, Failed

from . import hosts, memif

FOLDER = Path(__file__).resolve().parents[1] / "testbeds"
KINDS = ("loopback", "veth", "memif", "null", "hosts")
KINDS_OF_MEMBERS = {int: "a number", str: "text", list: "a list", dict: "a mapping"}
NUMBERS = itertools.count()


@dataclass(frozen=True)
class Testbed:
    """relay_core and load_core: one each; relay_cores: for more workers than one, relay_core first. hosts: `relay` and
    `load`, see hosts.py; link_gbps: between them."""

    name: str
    kind: str
    relay_core: int = 0
    relay_cores: list = field(default_factory=list)
    load_core: int = 1
    build: str = "build"
    link_gbps: float = 0
    hosts: dict = field(default_factory=dict)

    def bed(self, build):
        """A place for one run; a context."""
        if self.kind in BEDS:
            bed = BEDS[self.kind](build, self.relay_core, self.load_core)
            bed.relay_cpus = self.relay_cores
            return bed
        if self.kind == "hosts":
            return hosts.HostsBed(build, *hosts.members(self))
        raise Failed(f"testbed {self.name}: scenarios that need sockets do not run on kind '{self.kind}'")

    def check(self):
        """Raises Failed when this machine cannot be this testbed."""
        able = os.sched_getaffinity(0)
        needs = {self.relay_core, self.load_core, *self.relay_cores} if self.kind in BEDS else {self.relay_core}
        if self.kind != "hosts" and not needs <= able:
            raise Failed(f"testbed {self.name}: needs the cores {sorted(needs)}, allowed here are {sorted(able)}")
        if self.kind == "veth" and os.geteuid() != 0:
            raise Failed(f"testbed {self.name}: needs root, to make network namespaces")
        if self.kind == "hosts":
            hosts.check(self)


def load(name):
    """A Testbed of a file, or of one of those in perf/testbeds by name. Raises Failed with one sentence."""
    path = Path(name) if "/" in name or name.endswith(".yaml") else FOLDER / f"{name}.yaml"
    try:
        document = yaml.safe_load(path.read_text())
    except OSError as error:
        there = ", ".join(sorted(p.stem for p in FOLDER.glob("*.yaml")))
        raise Failed(f"testbed {name}: {error.strerror}; there are: {there}") from None
    except yaml.YAMLError as error:
        raise Failed(f"testbed {path}: not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(document, dict):
        raise Failed(f"testbed {path}: not a mapping")
    unknown = set(document) - set(Testbed.__dataclass_fields__)
    if unknown:
        raise Failed(f"testbed {path}: unknown member '{min(unknown)}'")
    if document.get("kind") not in KINDS:
        raise Failed(f"testbed {path}: kind must be one of {', '.join(KINDS)}")
    for name, type_ in (("relay_core", int), ("load_core", int), ("relay_cores", list), ("build", str), ("hosts", dict)):
        if name in document and not isinstance(document[name], type_):
            raise Failed(f"testbed {path}: {name} must be {KINDS_OF_MEMBERS[type_]}")
    return Testbed(**{"name": path.stem, **document})


class LoopbackBed(Bed):
    address = "127.0.0.1"

    def tool(self, name, argv, **more):
        """Another program on the side of the load."""
        return self._start(name, argv, self.load_cpu, **more)


class VethBed(Bed):
    """The relay in one network namespace, the load in another, a veth pair between them."""

    address, far = "10.77.0.1", "10.77.0.2"

    def __enter__(self):
        super().__enter__()
        number = f"{os.getpid()}-{next(NUMBERS)}"
        self.spaces = {"relay": f"slp-r{number}", "load": f"slp-l{number}"}
        try:
            for command in self._commands():
                done = subprocess.run(["ip", *command.split()], capture_output=True, text=True)
                if done.returncode:
                    raise Failed(f"ip {command}: {done.stderr.strip()}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def _commands(self):
        r, l = self.spaces["relay"], self.spaces["load"]
        yield f"netns add {r}"
        yield f"netns add {l}"
        yield f"-n {r} link add slp0 type veth peer name slp0 netns {l}"
        for space, address in ((r, "10.77.0.1/24"), (l, "10.77.0.2/24")):
            yield f"-n {space} addr add {address} dev slp0"
            yield f"-n {space} link set slp0 up"
            yield f"-n {space} link set lo up"

    def __exit__(self, *_):
        super().__exit__()
        for space in self.spaces.values():
            subprocess.run(["ip", "netns", "del", space], capture_output=True)

    def _inside(self, space, argv):
        return ["nsenter", f"--net=/run/netns/{self.spaces[space]}", *argv]

    def relay(self, name, argv, **more):
        return super().relay(name, self._inside("relay", argv), **more)

    def load(self, *argv, **more):
        argv = [self.built("perf/load/sluice-load"), *argv, "--json", "--interval", "0.1"]
        return self._start(f"sluice-load-{argv[1]}", self._inside("load", argv), self.load_cpu, **more)

    def tool(self, name, argv, **more):
        """Another program on the side of the load."""
        return self._start(name, self._inside("load", argv), self.load_cpu, **more)


BEDS = {"loopback": LoopbackBed, "veth": VethBed, "memif": memif.MemifBed}
