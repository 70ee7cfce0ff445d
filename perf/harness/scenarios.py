# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""The named scenarios: which points each has, and how one run of a point is measured."""

import itertools
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import peers
from peers.bed import Failed, wait_until

from . import micro, search, standing, trial
from .trial import Case

TOTAL_PPS = 20_000  # of all subscribers together, where a scenario's cost is asked for


@dataclass
class Scenario:
    """axes: {parameter: values}; a point is one of each. measure(run, params) -> metrics; raises Failed."""

    name: str
    says: str
    axes: dict
    measure: Callable
    null_axes: dict = field(default_factory=dict)  # on testbeds without a kernel; none: it does not run there
    memif_axes: dict | None = None  # what is different on a memif; None: it does not run there

    def points(self, testbed, chosen):
        """The points, with the values that were chosen for some parameters. Raises Failed."""
        axes = dict(self.null_axes if testbed.kind == "null" else self.axes)
        if testbed.kind == "memif":
            if self.memif_axes is None:
                raise Failed(f"scenario {self.name} does not run on testbed {testbed.name}, where one program plays and publishes")
            axes.update(self.memif_axes)
        if not axes:
            raise Failed(f"scenario {self.name} does not run on testbed {testbed.name}, which has no sockets")
        for name, values in chosen.items():
            if name not in axes:
                raise Failed(f"scenario {self.name} has no parameter '{name}' here; it has {', '.join(axes)}")
            axes[name] = [alike(name, value, axes[name][0]) for value in values]
        return [dict(zip(axes, one)) for one in itertools.product(*axes.values())]


def alike(name, word, example):
    """A value from the command line, of the kind that the parameter's values are. Raises Failed."""
    try:
        value = type(example)(word)
    except ValueError:
        raise Failed(f"{name}={word}: a number is needed") from None
    if not isinstance(value, str) and value < 0:
        raise Failed(f"{name}={word}: less than nothing")
    return value


@dataclass
class Run:
    """What a measurement is given beside its point."""

    testbed: object
    build: Path
    seconds: float
    find: str | None = None


def case_of(params):
    """Names that params and Case have in common; one rate for all subscribers together where none is given."""
    known = {name: value for name, value in params.items() if name in Case.__dataclass_fields__}
    if "pps" not in known:
        known["pps"] = max(10.0, params.get("total_pps", TOTAL_PPS) / known.get("subscribers", 1))
    return Case(**known)


def fanout(run, params):
    if run.testbed.kind == "null":
        return micro.path(run.build, params, run.testbed.relay_core, run.seconds)
    if run.find:
        return highest(run, params)
    return trial.whole(run.testbed, run.build, case_of(params), run.seconds)


def latency(run, params):
    if run.testbed.kind != "memif" or run.find:
        return fanout(run, params)
    return trial.whole(run.testbed, run.build, case_of({**params, "spin": True}), run.seconds)


def highest(run, params):
    """NDR or PDR of a point: its rate is what is looked for."""
    base, best = case_of(params), {}

    def share(pps):
        try:
            found, lost = trial.run(run.testbed, run.build, Case(**{**base.__dict__, "pps": pps}), run.seconds)
        except Failed as failed:
            share.why = str(failed)
            return 1.0
        if lost <= search.LOSS[run.find]:
            best.update(found)
        return lost

    share.why = None
    try:
        found = search.find(share, base.pps, search.LOSS[run.find])
    except Failed as failed:
        raise Failed(f"{failed}{'; the last try: ' + share.why if share.why else ''}") from None
    return {**best, f"{run.find}_pps": round(found * base.subscribers, 1)}


def streams(run, params):
    case = Case(streams=params["streams"], subscribers=params["streams"], pps=params["pps"])
    return trial.whole(run.testbed, run.build, case, run.seconds)


def loss(run, params):
    found, _ = trial.run(run.testbed, run.build, case_of(params), run.seconds)
    return found


def join_storm(run, params):
    """Callers at a rate, beside some who are there already and must not notice."""
    if run.testbed.kind == "memif":  # one program makes all calls: who came first must not notice the others
        case = Case(subscribers=params["standing"] + params["joins"], pps=params["pps"], join_rate=params["rate"])
        return trial.whole(run.testbed, run.build, case, run.seconds)
    joined = {}

    def storm(bed, relay, receivers, port):
        callers = bed.load("play", f"srt://{bed.address}:{port}?streamid=perf/0", "--count", params["joins"],
                           "--join-rate", params["rate"], "--duration", params["joins"] / params["rate"] + 2)
        swarm = trial.Swarm(callers)
        limit = 20 + 4 * params["joins"] / params["rate"]
        wait_until(lambda: callers.process.poll() is not None, "the storm is over", limit)
        report = swarm.report()
        joined.update(failed_joins=sum(report.get("failed_calls", {}).values()),
                      join_p50_us=report["join_us"]["p50"], join_p99_us=report["join_us"]["p99"])
        if report["sessions"] + joined["failed_joins"] < params["joins"]:
            raise Failed(f"the generator made {report['sessions']} of {params['joins']} calls")
        return {}

    found = trial.whole(run.testbed, run.build, Case(subscribers=params["standing"], pps=100), run.seconds, storm)
    return {**found, **joined}


def flood(run, params):
    """INDUCTIONs that lead to nothing, beside subscribers that must not notice."""
    heard = {}

    def pour(bed, relay, receivers, port):
        before = relay.cpu_ns()
        program = bed.tool("flood", [sys.executable, Path(__file__).with_name("flood.py"), bed.address, port, params["rate"], run.seconds])
        wait_until(lambda: program.process.poll() is not None, "the flood is over", run.seconds + 20)
        program.stop()
        said = json.loads(program.lines[-1][1]) if program.lines else {}
        if said.get("sent", 0) < 0.95 * params["rate"] * run.seconds:
            raise Failed(f"the generator could not keep its rate: {said.get('sent', 0) / run.seconds:.0f} of {params['rate']:g} handshakes/s")
        heard.update(answered_per_s=said["answered"] / said["elapsed_s"], handshake_ns=(relay.cpu_ns() - before) / said["sent"])
        return {}

    found = trial.whole(run.testbed, run.build, Case(subscribers=params["standing"], pps=20), run.seconds, pour)
    return {**found, **{name: round(value, 1) for name, value in heard.items()}}


def beside(run, params):
    """One peer: at a fixed rate, or the highest that it delivers."""
    if run.testbed.kind != "loopback":
        raise Failed("peers are measured on a loopback testbed")
    if params["peer"] not in peers.PEERS:
        raise Failed(f"no peer is called {params['peer']}; there are {', '.join(peers.PEERS)}")
    peer = peers.PEERS[params["peer"]]
    cpus = (run.testbed.relay_core, run.testbed.load_core)
    if run.find:
        seen = peers.saturate(peer, params["subscribers"], run.seconds, build=run.build, cpus=cpus)
    else:
        seen = peers.trial(peer, params["subscribers"], TOTAL_PPS / params["subscribers"], run.seconds, build=run.build, cpus=cpus)
    if seen["invalid"]:
        raise Failed(seen["invalid"])
    found = {"cost_ns": seen.get("cpu_ns_per_packet"), "delivered_pps": seen.get("delivered_pps"), "bundle": seen.get("bundle"),
             "relay_core": seen.get("relay_core"), "rss_kb": seen.get("rss_kb")}
    return {name: value for name, value in found.items() if value is not None}


SCENARIOS = {scenario.name: scenario for scenario in (
    Scenario("fanout", "one stream to many: cost of a delivered packet over the number of subscribers",
             {"carries": ["srt", "udp"], "subscribers": [1, 10, 100, 1000], "total_pps": [TOTAL_PPS]}, fanout,
             {"port": ["mem", "net_null", "net_null_copied"], "subscribers": [100, 1000, 10000, 100000, 1000000], "burst": [1]},
             {"carries": ["srt"], "subscribers": [10, 100, 1000, 10000], "total_pps": [200_000]}),
    Scenario("streams", "many streams with a subscriber each", {"streams": [1, 10, 100], "pps": [100.0]}, streams, memif_axes={}),
    Scenario("cores", "64 streams with a subscriber each, by workers of the relay",
             {"workers": [1, 2, 4], "streams": [64], "subscribers": [64], "pps": [100.0]}, fanout),
    Scenario("crypto", "subscribers with keys of their own, by key length in bytes",
             {"key": [0, 16, 24, 32], "subscribers": [100]}, fanout,
             {"port": ["mem", "net_null"], "suite": [1, 3, 4, 6], "subscribers": [1000], "burst": [1]}, {}),
    Scenario("loss", "subscribers that lose packets, in percent both ways: cost, and what is missing in the end",
             {"loss": [0.0, 1.0, 5.0, 10.0], "subscribers": [50], "latency_ms": [120]}, loss),
    Scenario("join-storm", "callers at a rate, beside some who are there", {"joins": [2000], "rate": [500, 1000, 2000], "standing": [20]}, join_storm,
             memif_axes={"joins": [20_000], "rate": [2000, 10_000], "standing": [1000], "pps": [10.0]}),
    Scenario("churn", "sessions that end and begin anew, per second", {"churn": [0.0, 10.0, 100.0], "subscribers": [100]}, loss,
             memif_axes={}),
    Scenario("latency", "publisher to first and last subscriber at half load",
             {"subscribers": [1, 10, 100], "pps": [100.0]}, latency, memif_axes={"subscribers": [1, 10, 100, 1000]}),
    Scenario("handshake-flood", "handshakes per second that lead to nothing", {"rate": [1000, 10000, 20000], "standing": [20]}, flood),
    Scenario("acks", "SRT beyond plain UDP, packets alike: what ACKs and sessions cost per subscriber and second",
             {"subscribers": [1000], "pps": [1.0, 20.0]}, standing.acks),
    Scenario("memory", "what one SRT subscriber more takes of sluice-dp's memory",
             {"few": [10000], "subscribers": [30000], "pps": [1.0]}, standing.memory),
    Scenario("peers", "what a user would pick instead, in the same run", {"peer": list(peers.PEERS), "subscribers": [100, 1000]}, beside),
)}
