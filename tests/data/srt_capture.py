#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Record what two srt-live-transmit say to each other through a lossy path: srt_*.pcap here.

srt_media.pcap    the leg between path and listener: a publisher with a stream id, losses,
                  reordering, duplicates, repairs, keepalives, shutdown
srt_refused.pcap  conclusions that a listener of ours refuses: encrypted, file mode, packet filter

Needs root (tcpdump on lo). Usage: srt_capture.py FOLDER
"""

import pathlib
import random
import signal
import socket
import struct
import subprocess
import sys
import time

PACKETS, PAYLOAD, PERIOD = 400, 188, 0.004
OUT = pathlib.Path(sys.argv[1])


def udp_socket(port=0):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", port))
    s.setblocking(False)
    return s


def free_port():
    with udp_socket() as s:
        return s.getsockname()[1]


class Path:
    """Hands datagrams between a caller and a listener; loses, delays and doubles some."""

    def __init__(self, listener_port, seed):
        self.near, self.far = udp_socket(), udp_socket()
        self.port = self.near.getsockname()[1]
        self.listener = ("127.0.0.1", listener_port)
        self.caller = None
        self.rand = random.Random(seed)
        self.queue = []
        self.lossy = False

    def offer(self, sock, dest, data):
        delay = 0.005
        if self.lossy:
            roll = self.rand.random()
            if roll < 0.05:
                return
            if roll < 0.07:
                delay += 0.01
            elif roll < 0.08:
                self.queue.append((time.time() + delay, sock, dest, data))
        self.queue.append((time.time() + delay, sock, dest, data))

    def turn(self):
        for here, there in ((self.near, self.far), (self.far, self.near)):
            try:
                while True:
                    data, addr = here.recvfrom(2048)
                    if here is self.near:
                        self.caller = addr
                    self.offer(there, self.listener if there is self.far else self.caller, data)
            except BlockingIOError:
                pass
        now = time.time()
        for item in [q for q in self.queue if q[0] <= now]:
            self.queue.remove(item)
            item[1].sendto(item[3], item[2])


def spawn(src, dst):
    return subprocess.Popen(
        ["srt-live-transmit", "-chunk:1316", "-q", "-buffering:1", src, dst],
        stderr=subprocess.DEVNULL,
    )


def capture(name, port):
    p = subprocess.Popen(
        ["tcpdump", "-i", "lo", "-U", "-w", str(OUT / name), f"udp port {port}"],
        stderr=subprocess.PIPE,
    )
    p.stderr.readline()  # "listening on"
    return p


def stop(*procs):
    for p in procs:
        p.terminate()
        p.wait()


def turns(path, seconds, each=lambda: None):
    end = time.time() + seconds
    while time.time() < end:
        path.turn()
        each()
        time.sleep(0.0002)


def media():
    listen, feed, sink = free_port(), free_port(), udp_socket()
    path = Path(listen, seed=2)
    dump = capture("srt_media.pcap", listen)
    far = spawn(f"srt://127.0.0.1:{listen}?mode=listener", f"udp://127.0.0.1:{sink.getsockname()[1]}")
    time.sleep(0.3)
    near = spawn(f"udp://127.0.0.1:{feed}", f"srt://127.0.0.1:{path.port}?streamid=publish/cam-1")
    turns(path, 1)
    out = udp_socket()
    state = {"n": 0, "due": time.time()}

    def produce():
        while state["n"] < PACKETS and time.time() >= state["due"]:
            path.lossy = state["n"] >= 60
            out.sendto(bytes([0x47, state["n"] >> 8, state["n"] & 255]) * 62 + b"\0\0", ("127.0.0.1", feed))
            state["n"] += 1
            state["due"] += PERIOD

    turns(path, PACKETS * PERIOD, produce)
    path.lossy = False
    turns(path, 2.5)
    far.send_signal(signal.SIGINT)
    turns(path, 1)
    stop(near, far, dump)


def induction_answer(request):
    """What a listener says first (draft 4.3.1.1): version 5, magic, a cookie."""
    out = bytearray(request)
    out[12:16] = request[40:44]
    out[16:24] = bytes.fromhex("00000005" "00004a17")
    out[44:48] = b"cook"
    return bytes(out)


def frame(datagram, port):
    """Ethernet, IPv4 and UDP around a datagram, as tcpdump would have seen it on lo."""
    udp = struct.pack(">HHHH", port, 9000, 8 + len(datagram), 0) + datagram
    ip = struct.pack(">BBHIBBHII", 0x45, 0, 20 + len(udp), 0, 64, 17, 0, 0x7F000001, 0x7F000001)
    return bytes(12) + b"\x08\x00" + ip + udp


def refused():
    options = (
        "passphrase=0123456789ab&pbkeylen=16",
        "transtype=file&messageapi=0",
        "transtype=file&messageapi=1",
        "packetfilter=fec,cols:5",
    )
    with (OUT / "srt_refused.pcap").open("wb") as f:
        f.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for i, option in enumerate(options):
            listener = udp_socket()
            listener.settimeout(5)
            near = spawn(
                f"udp://127.0.0.1:{free_port()}", f"srt://127.0.0.1:{listener.getsockname()[1]}?{option}"
            )
            request, addr = listener.recvfrom(2048)
            listener.sendto(induction_answer(request), addr)
            while request[36:40] != b"\xff\xff\xff\xff":
                request, addr = listener.recvfrom(2048)
            data = frame(request, addr[1])
            f.write(struct.pack("<IIII", i, 0, len(data), len(data)) + data)
            stop(near)


media()
refused()
