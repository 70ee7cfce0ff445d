# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""One run of Sluice between a publisher and subscribers of sluice-load, and whether that is a result at all."""

from dataclasses import dataclass
from types import SimpleNamespace

from peers.bed import Failed, wait_until
from peers.measure import GRAIN, KEPT, PAYLOAD, Swarm, settle, window

from .memif import Sending
from .relay import Relay

MOST_S = 600  # no program of a run lives longer
SECRET = "a-passphrase-of-the-harness"
LATENCIES = (("latency_p50_us", "latency_us", "p50"), ("latency_p99_us", "latency_us", "p99"),
             ("latency_p999_us", "latency_us", "p99_9"), ("latency_max_us", "latency_us", "max"),
             ("first_p999_us", "first_copy_us", "p99_9"), ("last_p50_us", "last_copy_us", "p50"), ("last_p999_us", "last_copy_us", "p99_9"),
             ("join_p50_us", "join_us", "p50"), ("join_p99_us", "join_us", "p99"))


@dataclass(frozen=True)
class Case:
    """pps: per stream; key: bytes of the subscribers' AES key, 0: clear; loss: percent on the subscribers' side;
    churn: sessions that end and begin anew per second; sockets: that UDP is received by, 0: one for each subscriber;
    workers: of the relay, each on a core of its own; join_rate: calls per second;
    spin: the relay never sleeps, where that can be chosen, and its time says nothing."""

    carries: str = "srt"
    subscribers: int = 1
    streams: int = 1
    pps: float = 100.0
    key: int = 0
    loss: float = 0.0
    churn: float = 0.0
    latency_ms: int = 120
    sockets: int = 0
    workers: int = 1
    join_rate: int = 2000
    spin: bool = False

    @property
    def sinks(self):
        """Ports that UDP is received on."""
        return min(self.sockets, self.subscribers) or self.subscribers


def intent(bed, case, port, sinks):
    """What the relay is told. SRT: one open listener; UDP: a source, and a route for each subscriber."""
    if case.carries == "srt":
        streams = {}
        if case.key:
            (bed.folder / "secret").write_text(SECRET + "\n")
            streams = {f"perf/{i}": {"play_passphrase": {"file": str(bed.folder / "secret")}} for i in range(case.streams)}
        return {"listeners": {"main": {"url": f"srt://{bed.address}:{port}", "open": True}}, "streams": streams}
    return {"sources": {"in": {"stream": "perf/0", "url": f"udp://{bed.address}:{port}"}},
            "routes": {f"r{i}": {"stream": "perf/0", "url": f"udp://{sink(bed, case, i)}:{sinks + i % case.sinks}"} for i in range(case.subscribers)}}


def sink(bed, case, i):
    """The address of UDP subscriber i: one socket is told by the addresses of this machine who a packet is for."""
    return f"127.0.0.{1 + i // case.sinks}" if bed.address == "127.0.0.1" else bed.far


def publisher(bed, case, port):
    rate = ["--rate", int(case.pps * PAYLOAD * 8), "--count", case.streams, "--duration", MOST_S, "--warm-up", 1]
    if case.carries == "udp":
        return Swarm(bed.load("send", f"udp://{bed.address}:{port}", *rate))
    swarm = Swarm(bed.load("publish", f"srt://{bed.address}:{port}?streamid=publish/perf/%d", *rate))
    wait_until(lambda: swarm.program.must_run() and (swarm.latest() or {}).get("up") == case.streams, "the publishers are connected", 30)
    return swarm


def subscribers(bed, case, port, sinks):
    flags = ["--count", case.subscribers, "--duration", MOST_S, "--warm-up", 1]
    if case.carries == "udp":
        flags[1] = case.sinks
        return Swarm(bed.load("recv", f"udp://{sink(bed, case, 0) if case.sinks == case.subscribers else '0.0.0.0'}:{sinks}", *flags))
    stream = "%d" if case.streams > 1 else "0"
    flags += ["--latency", case.latency_ms, "--join-rate", case.join_rate, "--retry", *bed.acks(case)]
    if bed.one_load:
        flags += ["--publish", f"srt://{bed.address}:{port}?streamid=publish/perf/%d", "--publishers", case.streams, "--rate", int(case.pps * PAYLOAD * 8)]
    if case.key:
        flags += ["--passphrase-file", bed.hand_over(bed.folder / "secret"), "--key-len", case.key]
    if case.loss:
        flags += ["--loss", case.loss]
    if case.churn:
        flags += ["--churn", case.churn]
    return Swarm(bed.load("play", f"srt://{bed.address}:{port}?streamid=perf/{stream}", *flags))


def complaint(case, seen, sent, got):
    """None, or one sentence that says why this run is no result."""
    if sent.get("kept_rate") is False or seen["pps_in"] < 0.98 * case.pps * case.streams:
        return f"the generator could not keep its rate: {seen['pps_in']:.0f} of {case.pps * case.streams:g} packets/s"
    if case.carries == "srt" and not case.churn and seen["up"] < case.subscribers:
        return f"only {seen['up']} of {case.subscribers} subscribers stayed"
    if got.get("datagrams", {}).get("rx_overflow"):
        return f"the sink itself lost {got['datagrams']['rx_overflow']} datagrams"
    if got.get("corrupt") or got.get("misplaced"):
        return f"{got.get('corrupt', 0) + got.get('misplaced', 0)} packets were corrupt"
    return None


def numbers(case, seen, got, relay):
    """The metrics of one run."""
    found = {
        "cost_ns": seen["cpu_ns"] / seen["delivered"] if seen["delivered"] and not case.spin else None,
        "delivered_pps": seen["delivered"] / seen["elapsed_s"],
        "missing": got.get("missing", 0) + got.get("skipped", 0),
        "failed_joins": sum(got.get("failed_calls", {}).values()) if case.carries == "srt" else None,
        "relay_core": seen["cpu_ns"] / 1e9 / seen["elapsed_s"],
        "rss_kb": relay.rss_kb(),
    }
    for metric, member, quantile in LATENCIES:
        found[metric] = (got.get(member) or {}).get(quantile)
    return {name: round(value, 3) for name, value in found.items() if value is not None}


def share_lost(case, seen, got):
    """Of what should have been delivered in the window, or of what came at all."""
    expected = seen["pps_in"] / case.streams * seen["elapsed_s"] * case.subscribers
    lacking = expected - seen["delivered"] - GRAIN * case.subscribers
    gone = got.get("missing", 0) + got.get("skipped", 0)
    return max(0.0, lacking / expected, gone / max(1, gone + got.get("unique", got.get("received", 0))))


def both(bed, case, port, sinks):
    """Starts who receives and who sends, in the order each kind needs."""
    if bed.one_load:
        receivers = subscribers(bed, case, port, sinks)
        return receivers, Sending(receivers)
    sender = publisher(bed, case, port) if case.carries == "srt" else None
    receivers = subscribers(bed, case, port, sinks)
    return receivers, sender or publisher(bed, case, port)


def run(testbed, build, case, seconds, also=None):
    """Returns (metrics, share of packets lost). Raises Failed when there is no result.

    also: called with (bed, relay, receivers, port) instead of watching idly; what it returns is added to the metrics."""
    with testbed.bed(build) as bed:
        port = bed.port(1 + (case.sinks if case.carries == "udp" else 0))
        sinks = port + 1
        relay = Relay(bed, intent(bed, case, port, sinks), port, case)
        receivers, sender = both(bed, case, port, sinks)
        settle(SimpleNamespace(carries=case.carries, join_rate=case.join_rate), receivers, case.subscribers)
        more = also(bed, relay, receivers, port) if also else {}
        seen = window(relay.pids, receivers, sender, seconds)
        relay.must_run()
        got, sent = receivers.report(), sender.report()
        why = complaint(case, seen, sent, got)
        if why:
            raise Failed(why)
        return {**numbers(case, seen, got, relay), **more}, share_lost(case, seen, got)


def whole(testbed, build, case, seconds, also=None):
    """The metrics of a run that delivered all but what the window cut off. Raises Failed otherwise."""
    found, lost = run(testbed, build, case, seconds, also)
    if lost > 1 - KEPT:
        raise Failed(f"{100 * lost:.1f} % of the packets were not delivered")
    return found
