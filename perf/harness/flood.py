#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""INDUCTIONs of callers that never come back: flood.py ADDRESS PORT RATE SECONDS. Prints one JSON object."""

import json
import socket
import struct
import sys
import time

SOCKETS, SLICE_S = 64, 0.001


def induction(caller):
    """A libsrt caller's first packet (draft-sharabayko-srt-01, 4.3.1.1)."""
    header = struct.pack("!IIII", 0x80000000, 0, 0, 0)
    return header + struct.pack("!IHHIIIIII", 4, 0, 2, caller, 1500, 8192, 1, caller, 0) + bytes(16)


def main(address, port, rate, seconds):
    sockets = []
    for _ in range(SOCKETS):
        one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        one.connect((address, int(port)))
        one.setblocking(False)
        sockets.append(one)
    rate, seconds, sent, answered, caller = float(rate), float(seconds), 0, 0, 1
    began = time.monotonic()
    while (elapsed := time.monotonic() - began) < seconds:
        while sent < rate * elapsed:
            try:
                sockets[sent % SOCKETS].send(induction(caller := caller % 0x3FFFFFFF + 1))
            except (BlockingIOError, ConnectionRefusedError):
                pass
            sent += 1
        for one in sockets:
            try:
                while one.recv(2048):
                    answered += 1
            except (BlockingIOError, ConnectionRefusedError):
                continue
        time.sleep(SLICE_S)
    print(json.dumps({"sent": sent, "answered": answered, "elapsed_s": time.monotonic() - began}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
