# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""One run of one peer: CPU time of the relay per delivered packet, and whether that is a result at all."""

import json
import time

from .bed import Bed, Failed, wait_until
from .usage import cpu_ns, rss_kb

PAYLOAD = 1316
KEPT = 0.995  # a run that delivers less is over the edge
GRAIN = 2  # packets a subscriber may lack or have more by where the window was cut


class Swarm:
    """A sluice-load that is watched while it runs."""

    def __init__(self, program):
        self.program = program

    def latest(self):
        """Its last line on the way, None before the first."""
        for at, line in reversed(self.program.lines):
            if line.startswith('{"t_s"'):
                return {"at": at, **json.loads(line)}
        return None

    def next(self):
        """Its next line, as soon as it is there."""
        seen = len(self.program.lines)
        end = time.monotonic() + 10
        while len(self.program.lines) == seen:
            self.program.must_run()
            if time.monotonic() > end:
                raise Failed(f"{self.program.name} has said nothing for 10 s")
            time.sleep(0.001)
        return self.latest()

    def report(self):
        """Ends it. What it says in the end, {} when that is nothing."""
        self.program.stop()
        lines = [line for _, line in self.program.lines if line.startswith('{"role"')]
        return json.loads(lines[-1]) if lines else {}


def swarms(bed, peer, in_port, out_port, subscribers, pps, most_s):
    """Starts who receives and who sends, in the order each kind needs; (receivers, sender)."""
    rate = ["--rate", int(pps * PAYLOAD * 8), "--duration", most_s]
    if peer.carries == "udp":
        receivers = bed.load("recv", f"udp://127.0.0.1:{out_port}", "--count", subscribers, "--duration", most_s)
        sender = bed.load("send", f"udp://127.0.0.1:{in_port}", *rate)
        return Swarm(receivers), Swarm(sender)
    sender = Swarm(bed.load("publish", f"srt://127.0.0.1:{in_port}{peer.publish_query}", *rate))
    wait_until(lambda: sender.program.must_run() and (sender.latest() or {}).get("up"), "the publisher is connected")
    receivers = bed.load("play", f"srt://127.0.0.1:{out_port}{peer.play_query}", "--count", subscribers, "--duration", most_s,
                         "--join-rate", peer.join_rate, "--retry", "--eager-acks")
    return Swarm(receivers), sender


def settle(peer, receivers, subscribers):
    """Waits until all receive, then a second for the start to be over."""
    if peer.carries == "srt":
        limit = 20 + 4 * subscribers / peer.join_rate
        wait_until(lambda: receivers.program.must_run() and (receivers.latest() or {}).get("up") == subscribers,
                   f"{subscribers} subscribers are connected", limit)
    else:
        wait_until(lambda: receivers.program.must_run() and (receivers.latest() or {}).get("packets", 0) > 0,
                   "packets come through", 40)
    end = time.monotonic() + 1.0
    while time.monotonic() < end:
        receivers.next()


def window(pids, receivers, sender, seconds):
    """Watches for so long. What was sent, delivered and spent in between, and how long that was."""
    first, sent_first = receivers.next(), sender.latest()
    spent = cpu_ns(pids)
    while receivers.next()["at"] - first["at"] < seconds:
        pass
    last, sent_last = receivers.latest(), sender.latest()
    spent = cpu_ns(pids) - spent
    elapsed = last["at"] - first["at"]
    rate = (sent_last["packets"] - sent_first["packets"]) / (sent_last["t_s"] - sent_first["t_s"])
    return {"elapsed_s": elapsed, "pps_in": rate, "delivered": last["packets"] - first["packets"], "cpu_ns": spent,
            "up": last.get("up"), "load_cpu": (last["cpu_s"] - first["cpu_s"] + sent_last["cpu_s"] - sent_first["cpu_s"]) / elapsed}


def verdict(peer, seen, subscribers, pps, sent, got):
    """None, or one sentence that says why this run is no result."""
    if sent.get("kept_rate") is False or seen["pps_in"] < 0.98 * pps:
        return f"the generator could not keep its rate: {seen['pps_in']:.0f} of {pps:g} packets/s"
    if peer.carries == "srt" and seen["up"] < subscribers:
        return f"only {seen['up']} of {subscribers} subscribers stayed"
    expected = seen["pps_in"] * seen["elapsed_s"] * subscribers
    share = 100 * seen["delivered"] / expected
    if seen["delivered"] < KEPT * expected - GRAIN * subscribers:
        return f"{share:.1f} % of the packets were delivered"
    if seen["delivered"] > 1.02 * expected + GRAIN * subscribers:
        return f"{share:.1f} % of the packets were delivered: somebody stood still and caught up"
    if got.get("corrupt"):
        return f"{got['corrupt']} packets were corrupt"
    return None


def bundle(got):
    """Mean number of packets in a message to the kernel, as far as the subscribers saw; they are behind loopback,
    which leaves messages whole. None when they do not say."""
    datagrams = got.get("datagrams", {})
    return round(datagrams["rx"] / datagrams["rx_messages"], 2) if datagrams.get("rx_messages") else None


def run(bed, peer, subscribers, pps, seconds):
    """The run itself, in a bed that is open."""
    in_port = bed.port(1 + (subscribers if peer.carries == "udp" else 1))
    out_port = in_port + 1
    programs = peer.start(bed, in_port, out_port, subscribers)
    pids = [program.pid for program in programs]
    receivers, sender = swarms(bed, peer, in_port, in_port if peer.one_port else out_port, subscribers, pps, seconds + 180)
    settle(peer, receivers, subscribers)
    seen = window(pids, receivers, sender, seconds)
    memory = rss_kb(pids)
    for program in programs:
        program.must_run()
    got, sent = receivers.report(), sender.report()
    for program in reversed(programs):
        program.stop()
    return {
        "pps_in": round(seen["pps_in"], 1),
        "delivered": seen["delivered"],
        "delivered_pps": round(seen["delivered"] / seen["elapsed_s"]),
        "expected": round(seen["pps_in"] * seen["elapsed_s"] * subscribers),
        "cpu_ns_per_packet": round(seen["cpu_ns"] / seen["delivered"]) if seen["delivered"] else None,
        "relay_core": round(seen["cpu_ns"] / 1e9 / seen["elapsed_s"], 3),
        "load_core": round(seen["load_cpu"], 3),
        "bundle": bundle(got),
        "rss_kb": memory,
        "kept_rate": sent.get("kept_rate"),
        "latency_us": got.get("latency_us"),
        "invalid": verdict(peer, seen, subscribers, pps, sent, got),
    }


def trial(peer, subscribers, pps, seconds=5.0, *, build, cpus=(0, 1)):
    """One run. A dict; `invalid` holds a sentence when its numbers are none."""
    what = {"peer": peer.name, "carries": peer.carries, "subscribers": subscribers, "pps": pps, "seconds": seconds}
    if peer.most is not None and subscribers > peer.most:
        return {**what, "invalid": f"{peer.name} serves {peer.most} at most"}
    try:
        with Bed(build, *cpus) as bed:
            missing = peer.available(bed)
            if missing:
                raise Failed(missing)
            if peer.ceiling:
                return {**what, **peer.measure(bed, subscribers, seconds)}
            return {**what, **run(bed, peer, subscribers, pps, seconds)}
    except Failed as failed:
        return {**what, "invalid": str(failed)}


BUSY = 0.9  # of its core, from which on a relay counts as saturated


def saturate(peer, subscribers, seconds=3.0, *, build, cpus=(0, 1), start=None, step=1.5, close=1.08, progress=None):
    """The highest rate that it delivers whole, found by steps and then by halves: the dict of that run, with
    `invalid` when there is none. A rate counts as too high when two runs fail at it, for others may be busy here.
    `saturated` says whether the relay's core was the limit: when not, the rate is what this machine could show,
    and 1e9 / cpu_ns_per_packet what a core of it would do. progress: called with the dict of each trial."""
    low, high, best, last = 0.0, None, None, None
    pps = start or max(20.0, 40000.0 / subscribers)
    while pps >= 1 and not (high and low and high / low < close):
        for _ in range(2):
            last = trial(peer, subscribers, pps, seconds, build=build, cpus=cpus)
            if progress:
                progress(last)
            if "delivered" not in last:
                return last
            if not last["invalid"]:
                break
        if last["invalid"]:
            high, above = pps, last
        else:
            low, best = pps, last
        pps = low * step if not high else high / step if not low else (low * high) ** 0.5
    if not best:
        return {**last, "invalid": f"no rate was delivered whole; the last try: {last['invalid']}"}
    return {**best, "saturated": max(best["relay_core"], above["relay_core"]) >= BUSY}
