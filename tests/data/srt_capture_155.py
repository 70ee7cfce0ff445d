#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Record what Debian's libsrt cannot say: AES-GCM, by srt-live-transmit of libsrt 1.5.5.

srt_gcm.pcap     two publishers with a passphrase and cryptomode 2 (AES-128, then AES-256), each with
                 new keys every 64 packets; what they carry is payload()

Needs root (tcpdump on lo) and a build with ENABLE_AEAD_API_PREVIEW.
Usage: srt_capture_155.py FOLDER BUILD
"""

import pathlib
import socket
import subprocess
import sys
import time

OUT, BUILD = (pathlib.Path(a) for a in sys.argv[1:])
PASSPHRASE = "correct horse battery"
PERIOD = 0.005


def payload(n):
    """Known to the tests too."""
    return bytes((n * 31 + i * 7) & 0xFF for i in range(60 + n * 13 % 200))


def free_port():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def spawn(*args):
    return subprocess.Popen([BUILD / "srt-live-transmit", "-q", *args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def capture(name, *ports):
    p = subprocess.Popen(
        ["tcpdump", "-i", "lo", "-U", "-w", str(OUT / name), " or ".join(f"udp port {p}" for p in ports)],
        stderr=subprocess.PIPE,
    )
    p.stderr.readline()  # "listening on"
    return p


def stop(*procs):
    for p in procs:
        p.terminate()
        p.wait()


def feed(port, count):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        for n in range(count):
            s.sendto(payload(n), ("127.0.0.1", port))
            time.sleep(PERIOD)


def session(listener, caller, feed_port, count):
    far = spawn(*listener)
    time.sleep(0.5)
    near = spawn(*caller)
    time.sleep(1.0)
    feed(feed_port, count)
    time.sleep(0.5)
    stop(near, far)


def gcm():
    ports = free_port(), free_port()
    dump = capture("srt_gcm.pcap", *ports)
    for port, length in zip(ports, (16, 32)):
        src, secret = free_port(), f"passphrase={PASSPHRASE}&pbkeylen={length}&cryptomode=2"
        plain = f"udp://127.0.0.1:{free_port()}"
        session(
            (f"srt://127.0.0.1:{port}?mode=listener&{secret}", plain),
            ("-buffering:1", f"udp://127.0.0.1:{src}",
             f"srt://127.0.0.1:{port}?{secret}&kmrefreshrate=64&kmpreannounce=20"),
            src, 200,
        )
    stop(dump)


gcm()
