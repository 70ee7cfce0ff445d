# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""What a subscriber costs beside its packets: CPU time for what it says, and memory."""

import time
from dataclasses import replace
from types import SimpleNamespace

from peers.bed import Failed
from peers.measure import settle
from peers.usage import memory_kb

from . import trial
from .relay import Relay

SOCKETS = 256  # of a swarm of sluice-load's


def acks(run, params):
    """The same packets to SRT subscribers and, as plain datagrams, to UDP routes: what the former cost beyond the
    latter is for their ACKs and the answers to these, and for the timers of their sessions. As many sockets receive
    both, for on loopback the relay pays for waking them."""
    if run.testbed.kind != "loopback":
        raise Failed("ACKs are measured on a loopback testbed, whose many addresses share sockets")
    case = trial.Case(subscribers=params["subscribers"], pps=params["pps"], sockets=SOCKETS)
    plain = trial.whole(run.testbed, run.build, replace(case, carries="udp"), run.seconds)
    found = trial.whole(run.testbed, run.build, case, run.seconds)
    core, plain_core = ((one["cost_ns"] * one["delivered_pps"] / 1e9) for one in (found, plain))
    return {"ack_us": round((core - plain_core) * 1e6 / params["subscribers"], 3), "plain_core": plain["relay_core"],
            **{name: found[name] for name in ("cost_ns", "delivered_pps", "missing", "relay_core", "rss_kb")}}


def connected(run, n, pps):
    """KiB that sluice-dp takes with places for n SRT subscribers, all of them there for run.seconds, and their report."""
    case = trial.Case(subscribers=n, pps=pps)
    with run.testbed.bed(run.build) as bed:
        port = bed.port()
        relay = Relay(bed, trial.intent(bed, case, port, 0), port, case, flags=["--max-subscribers", n])
        trial.publisher(bed, case, port)
        receivers = trial.subscribers(bed, case, port, 0)
        settle(SimpleNamespace(carries="srt", join_rate=2000), receivers, n)
        end = time.monotonic() + run.seconds
        while time.monotonic() < end:
            receivers.next()
        relay.must_run()
        used, up = memory_kb([relay.dp.pid]), receivers.latest()["up"]
        if up < n:
            raise Failed(f"only {up} of {n} subscribers stayed")
        return used, receivers.report()


def memory(run, params):
    """Two relays, all of whose places are taken: what a subscriber takes that only the larger has. sluice-dp's resident
    memory and huge pages; what is taken once is in both."""
    if run.testbed.kind not in ("loopback", "veth"):
        raise Failed("memory is measured on a loopback or veth testbed: elsewhere devices take some, too")
    few, many = params["few"], params["subscribers"]
    if few >= many:
        raise Failed(f"few={few} must be less than subscribers={many}")
    (small, _), (large, got) = (connected(run, n, params["pps"]) for n in (few, many))
    return {"subscriber_bytes": round((large - small) * 1024 / (many - few), 1), "memory_kb": large,
            "missing": got["missing"], "failed_joins": sum(got["failed_calls"].values())}
