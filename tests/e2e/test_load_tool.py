# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""sluice-load against libsrt's own program: it may say how much, so first it has to be right."""

import hashlib
import json
import socket
import struct
import subprocess
import time

import pytest
from kit.proc import BUILD, free_port, wait_until
from kit.readers import FilePlayer, UdpReader

pytestmark = pytest.mark.kit

PAYLOAD = 1316
MAGIC = b"SluSLoad"


def load(programs, *argv, expected=(0,)):
    """A started sluice-load with --json."""
    program = programs.start("sluice-load", [BUILD / "perf/load/sluice-load", *argv, "--json"])
    program.expected = set(expected)
    return program


def report(program):
    program.wait(40)
    return json.loads(program.output().splitlines()[-1])


def counter(payload):
    """What the layout in perf/load/payload.c says of a payload: its number and its session."""
    assert len(payload) == PAYLOAD and all(payload[i] == 0x47 for i in range(0, PAYLOAD, 188))
    magic, number, _sent, tag, _index = struct.unpack_from("=8sQQII", payload, 4)
    assert magic == MAGIC
    return number, tag


def numbers(data):
    payloads = [data[i : i + PAYLOAD] for i in range(0, len(data), PAYLOAD)]
    assert len({counter(p)[1] for p in payloads}) == 1
    return [counter(p)[0] for p in payloads]


def listening(programs, port, latency=120):
    sink = FilePlayer(
        programs, "srt-live-transmit-listen",
        ["srt-live-transmit", "-a:no", f"srt://127.0.0.1:{port}?mode=listener&latency={latency}", "file://con"],
    )
    sink.program.says("Media path")
    return sink


def test_what_it_publishes_arrives_whole(programs):
    port = free_port()
    sink = listening(programs, port)
    said = report(load(programs, "publish", f"srt://127.0.0.1:{port}?streamid=x", "--packets", "800", "--rate", "4M"))
    sink.wait(800 * PAYLOAD)
    assert numbers(sink.stop()) == list(range(800))
    assert (said["sent"], said["unacked"], said["peers_up"], said["good"]) == (800, 0, 1, True)


def test_it_answers_the_loss_reports_of_libsrt(programs):
    port = free_port()
    sink = listening(programs, port, latency=600)
    said = report(load(
        programs, "publish", f"srt://127.0.0.1:{port}?latency=600", "--packets", "1500", "--rate", "6M",
        "--loss", "3", "--reorder", "2", "--dup", "1", "--delay", "10", "--seed", "4", "--isn", "2147483000",
    ))
    sink.wait(1500 * PAYLOAD)
    assert numbers(sink.stop()) == list(range(1500))
    assert said["datagrams"]["lost"] > 20 and said["retransmitted"] > 20


@pytest.mark.parametrize("path", [[], ["--loss", "3", "--reorder", "2", "--dup", "1", "--delay", "10", "--latency", "600"]])
def test_what_it_plays_is_checked_and_repaired(programs, path):
    port, feed = free_port(), free_port()
    programs.client("srt-live-transmit", ["srt-live-transmit", "-a:no", f"udp://127.0.0.1:{feed}", f"srt://127.0.0.1:{port}?mode=listener"]).says("Media path")
    sender = load(programs, "send", f"udp://127.0.0.1:{feed}", "--rate", "4M", "--duration", "30")
    said = report(load(programs, "play", f"srt://127.0.0.1:{port}", "--packets", "1000", "--duration", "25", "--retry", *path))
    sender.stop()
    assert said["unique"] >= 1000 and said["good"]
    assert (said["missing"], said["skipped"], said["corrupt"], said["foreign"]) == (0, 0, 0, 0)
    assert (said["recovered"] > 10) == bool(path)


def test_a_sink_finds_every_fault(programs):
    """Payloads of its own, recorded and sent on: one missing, one twice, one changed, one of somebody else."""
    port = free_port()
    reader = UdpReader(port)
    report(load(programs, "send", f"udp://127.0.0.1:{port}", "--packets", "50", "--rate", "10M"))
    reader.wait(50)
    reader.close()
    payloads = [bytes(d.data) for d in reader.datagrams]
    changed = bytearray(payloads[20])
    changed[700] ^= 1
    faulty = [*payloads[:10], *payloads[11:20], bytes(changed), payloads[30], *payloads[21:50], b"G" * 188]
    sink = load(programs, "recv", f"udp://127.0.0.1:{port}", "--packets", "48", "--duration", "20", expected=(8,))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        wait_until(lambda: answered(s, b"x"), "the sink is there")
        for payload in faulty:
            s.send(payload)
    said = report(sink)
    assert sink.status == 8
    assert (said["unique"], said["missing"], said["duplicates"], said["corrupt"]) == (48, 2, 1, 1)


def answered(sock, data):
    """True when nobody refuses the datagram: loopback reports a closed port on the next call."""
    try:
        sock.send(data)
        sock.send(data)
    except ConnectionRefusedError:
        return False
    return True


def test_rtp_streams_are_told_apart(programs):
    port = free_port()
    sink = load(programs, "recv", f"rtp://127.0.0.1:{port}", "--count", "20", "--packets", "100", "--duration", "20")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port + 19))
        wait_until(lambda: answered(s, b""), "the sinks are there")
    sender = load(programs, "send", f"rtp://127.0.0.1:{port}", "--count", "20", "--packets", "100", "--rate", "2M")
    assert report(sender)["sent"] == 2000
    said = report(sink)
    assert (said["unique"], said["missing"], said["duplicates"], said["corrupt"], said["silent"]) == (2000, 0, 0, 0, 0)


def test_time_is_measured_and_the_rate_kept(programs):
    """Each packet's time on its way lies between what nothing takes and what a second is; progress is told."""
    port = free_port()
    sink = load(programs, "recv", f"udp://127.0.0.1:{port}", "--count", "2", "--packets", "1000", "--duration", "20", "--interval", "0.2")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port + 1))
        wait_until(lambda: answered(s, b""), "the sinks are there")
    sender = load(programs, "send", f"udp://127.0.0.1:{port}", "--count", "2", "--packets", "1000", "--rate", "8M", "--spin")
    sent, said = report(sender), report(sink)
    assert sent["kept_rate"] and sent["lag_us"]["n"] == 2000
    assert sent["elapsed_s"] == pytest.approx(1000 * PAYLOAD * 8 / 8e6, abs=0.2)
    assert said["latency_us"]["n"] == 2000 and said["first_copy_us"]["n"] == 2000
    points = [said["latency_us"][p] for p in ("min", "p50", "p99", "p99_9", "max")]
    assert points == sorted(points) and 0 < points[-1] < 1e6
    told = [json.loads(line)["packets"] for line in sink.output().splitlines()[:-1]]
    assert len(told) >= 5 and told == sorted(told) and 0 < told[-1] <= 2000 + 2


def test_a_rate_that_cannot_be_kept_is_no_result(programs):
    """1 Gb/s of payloads with an MD5 each, for 16 streams: more than one core makes."""
    sender = load(programs, "send", f"udp://127.0.0.1:{free_port()}", "--count", "16", "--rate", "1G", "--duration", "1",
                  "--layout", "srt-xtransmit", expected=(8,))
    said = report(sender)
    assert sender.status == 8 and not said["kept_rate"] and not said["good"]
    assert "the rate could not be kept" in sender.output()


def test_the_layout_of_srt_xtransmit(programs):
    """Numbers, clocks, length and MD5 where that program looks for them; and what it would send is checked."""
    port = free_port()
    reader = UdpReader(port)
    report(load(programs, "send", f"udp://127.0.0.1:{port}", "--packets", "40", "--rate", "10M", "--layout", "srt-xtransmit"))
    reader.wait(40)
    reader.close()
    payloads = [bytes(d.data) for d in reader.datagrams]
    for n, payload in enumerate(payloads):
        number, system_us, steady_us, _, length = struct.unpack_from("=5Q", payload)
        assert (number, length) == (n, PAYLOAD)
        assert abs(system_us / 1e6 - time.time()) < 60 and abs(steady_us / 1e6 - time.monotonic()) < 60
        assert payload[40:56] == hashlib.md5(payload[:40] + payload[56:]).digest()
    sink = load(programs, "recv", f"udp://127.0.0.1:{port}", "--packets", "38", "--duration", "20", "--layout", "srt-xtransmit", expected=(8,))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect(("127.0.0.1", port))
        wait_until(lambda: answered(s, b"x"), "the sink is there")
        for payload in [*payloads[:10], payloads[11][:-1] + b"!", *payloads[12:], payloads[12]]:
            s.send(payload)
    said = report(sink)
    assert (said["unique"], said["missing"], said["corrupt"]) == (38, 2, 1)


def test_what_goes_through_shared_memory_arrives_whole(programs):
    """Two of it on the ends of a net_memif: no socket and no interface between them, contents checked."""
    def port(role, host):
        return f"--port=dpdk:net_memif0,role={role},socket={programs.folder}/memif.sock,socket-abstract=no,addr=10.0.0.{host}"

    sink = load(programs, "recv", "udp://10.0.0.1:5000", port("server", 1), "--count", "4", "--packets", "5000", "--duration", "25")
    wait_until((programs.folder / "memif.sock").exists, "the server's end is there")
    sender = load(programs, "send", "udp://10.0.0.1:5000", port("client", 2), "--count", "4", "--packets", "5000", "--rate", "50M", "--spin")
    sent, said = report(sender), report(sink)
    assert (sent["sent"], sent["datagrams"]["tx_refused"], sent["good"]) == (20000, 0, True)
    assert (said["unique"], said["missing"], said["corrupt"], said["good"]) == (20000, 0, 0, True)
    assert said["latency_us"]["n"] == 20000


def test_nobody_there_is_told(programs):
    said = report(load(programs, "play", f"srt://127.0.0.1:{free_port()}", "--duration", "1", expected=(8,)))
    assert said["failed_calls"] == {"timeout": 1} and said["peers_up"] == 0 and not said["good"]


@pytest.mark.parametrize(
    "argv, sentence",
    [
        ([], "say what to do and where: sluice-load play|publish|recv|send URL"),
        (["fly", "srt://h:1"], "fly is none of play, publish, recv, send"),
        (["play", "srt://h:1", "--fast"], "--fast is no option, or lacks its value"),
        (["play", "srt://h:1", "--count", "0"], "--count is a number from 1 to 200000"),
        (["play", "srt://h:1", "--loss", "x"], "--loss is a number from 0 to 100"),
        (["send", "udp://h:1", "--layout", "mp4"], "--layout is own or srt-xtransmit"),
        (["play", "srt://h:1", "--churn", "5", "--reconnect-every", "2"], "--churn and --reconnect-every exclude each other"),
        (["send", "udp://10.0.0.1:1", "--port", "tin"], "--port 'tin': there are sock, mem and dpdk:DEVICE"),
        (["send", "udp://10.0.0.1:1", "--port", "dpdk:net_null0"], "dpdk: net_null0 has no address: give it one by addr="),
        (["play", "udp://h:1"], "this takes srt:// URLs"),
        (["recv", "srt://h:1"], "this takes udp:// and rtp:// URLs"),
        (["send", "udp://127.0.0.1"], "the URL has no port"),
        (["send", "udp://127.0.0.1:65000", "--count", "1000"], "the ports of so many peers run past 65535"),
    ],
)
def test_a_wrong_command_line_is_one_sentence(argv, sentence):
    done = subprocess.run([BUILD / "perf/load/sluice-load", *argv], capture_output=True, text=True, timeout=10)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"sluice-load: {sentence}\n")
