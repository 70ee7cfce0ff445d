# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""What a subscriber costs beside its packets: CPU time for what it says."""

from dataclasses import replace

from peers.bed import Failed

from . import trial

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
