# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors

"""The demo of scripts/run: demo.py SECONDS SRT_PORT SLUICECTL, with the relay running.

ffmpeg publishes a test picture and keeps the very bytes in a file. Eight players watch: two
srt-live-transmit, two ffmpeg, two readers of a UDP route, two of an RTP route. Each must have got
what was published, byte for byte from its joining point on.
"""

import json
import signal
import subprocess
import sys

from kit import ts
from kit.proc import Programs, free_port, wait_until
from kit.publishers import ffmpeg_picture
from kit.readers import UdpReader, ffmpeg_player, srt_player

STREAM = "demo/picture"


class Demo:
    def __init__(self, seconds, port, sluicectl):
        self.seconds, self.sluicectl = seconds, sluicectl
        self.base = f"srt://127.0.0.1:{port}?streamid="
        self.programs = Programs()
        self.readers = []

    def ctl(self, *argv):
        done = subprocess.run([self.sluicectl, "--json", *argv], capture_output=True, text=True, timeout=20)
        if done.returncode:
            raise AssertionError(f"sluicectl {' '.join(argv)}: {done.stderr.strip()}")
        return json.loads(done.stdout or "{}")

    def route(self, scheme):
        """A reader, and the route that feeds it."""
        reader = UdpReader(free_port(pair=True))
        self.readers.append(reader)
        self.ctl("route", "add", STREAM, f"{scheme}://127.0.0.1:{reader.port}")
        return reader

    def attach(self):
        """The eight: name and how to get the bytes of each."""
        play = self.base + STREAM
        programs = [("srt-live-transmit", srt_player(self.programs, play)) for _ in range(2)]
        programs += [("ffmpeg", ffmpeg_player(self.programs, play)) for _ in range(2)]
        players = [(name, "SRT", player.stop) for name, player in programs]
        players += [("plain reader", "UDP", self.route("udp").data) for _ in range(2)]
        players += [("plain reader", "RTP", self.route("rtp").payload) for _ in range(2)]
        return players

    def run(self):
        """Returns the number of players that got anything else than what was published."""
        publisher = ffmpeg_picture(self.programs, self.base + "publish/" + STREAM)
        wait_until(lambda: self.live(), "the picture is live", 20)
        players = self.attach()
        wait_until(lambda: self.ctl("stream", "show", STREAM)["subscribers"] == len(players), "eight players are there", 20)
        print(f"live: {STREAM}, eight players; watching for {self.seconds} s", flush=True)
        publisher.program.stays(self.seconds)
        shown = self.ctl("stream", "show", STREAM)
        received = [(name, kind, data()) for name, kind, data in players]
        published = publisher.stop()
        wrong = sum(self.judge(published, *player) for player in received)
        print(f"relay: {shown['rx_packets']} packets in, {shown['tx_packets']} out, "
              f"{shown['lost_packets']} lost, {shown['retransmitted_packets']} sent again")
        return wrong

    def live(self):
        try:
            return self.ctl("stream", "show", STREAM)["state"] == "live"
        except AssertionError:
            return False  # nobody has published yet

    def judge(self, published, name, kind, data):
        packets = len(data) // ts.PACKET
        try:
            # Half of the time at least: a player may take a moment to start, none takes that long.
            ts.assert_exact(published, data, at_least=len(published) // ts.PACKET // 2, tail=len(published))
            verdict = f"as published from packet {ts.join_offset(published, data) // ts.PACKET} on"
            wrong = 0
        except AssertionError as difference:
            verdict, wrong = f"WRONG: {difference}", 1
        print(f"  {kind:4} {name:18} {packets:7} TS packets  {verdict}")
        return wrong

    def close(self):
        for reader in self.readers:
            reader.close()
        self.programs.close()
        self.programs.remove()


def main(argv):
    def leave(*_):
        raise SystemExit(1)

    signal.signal(signal.SIGTERM, leave)
    demo = Demo(float(argv[0]), argv[1], argv[2])
    try:
        wrong = demo.run()
    except AssertionError as failure:
        print(f"demo: {failure}")
        return 1
    finally:
        demo.close()
    print(f"demo: {wrong} of 8 players got something else" if wrong else "demo: all eight players got what was published, byte for byte")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
