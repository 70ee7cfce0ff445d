#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Other people's programs against the relay, one cell for each way they can be combined.

A cell is a program, its role, who calls, how it waits, the key, the loss and the latency. Publishers are read back
over a UDP route, subscribers are fed from a UDP source, so that only the program's own leg is under test; its
packets pass a seeded path. Every TS packet is numbered: what is missing and what is wrong is counted, not guessed.

    tests/interop/matrix.py                         the whole matrix, resumed from where it was
    tests/interop/matrix.py --sample 30 --seed 1    a few cells of it, nothing written; exit 1 when one fails
    tests/interop/matrix.py --only vlc --again      cells of one program, run anew

The table goes into README.md beside this file, the figures into a JSON file.
"""

import argparse
import collections
import concurrent.futures
import itertools
import json
import os
import random
import re
import subprocess
import sys
import threading
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "e2e"))

from kit import ts  # noqa: E402
from kit.path import BadPath  # noqa: E402
from kit.proc import Programs, free_port, wait_until  # noqa: E402
from kit.publishers import Paced, UdpPublisher  # noqa: E402
from kit.readers import UdpReader  # noqa: E402
from kit.relay import Relay  # noqa: E402

SECRET = "a-passphrase-for-all"
PROGRAMS = {"srt-live-transmit": ("blocking", "non-blocking"), "ffmpeg": ("",), "gstreamer": ("",), "vlc": ("",)}
KEYS, LOSSES, LATENCIES = (0, 16, 24, 32), (0, 5), (40, 120, 1000)
MEDIA = {40: (10_000_000, 3000), 120: (2_000_000, 450), 1000: (2_000_000, 450)}  # bit/s, datagrams: a promille needs many
DELAY_MS = {40: 5, 120: 10, 1000: 10}  # one way; 40 ms leave time for two repairs at RTT 10, not at 20
ENOUGH = 0.6  # of the packets sent: who joins late or leaves early loses ends, not middles
LOST_MAX = {40: 0.001, 120: 0, 1000: 0}
TURNS, NOT_UP = 3, re.compile("not within .* (pub|sub) of ")
NOT_OFFERED = {
    ("vlc", "publisher", "listener"): "VLC's output only calls",
    # 3.0.24 with its own streams: srt-live-transmit as listener gets no byte of it either.
    ("vlc", "publisher", "caller"): "VLC's output connects and sends nothing",
}
START, END = "<!-- matrix: begin -->", "<!-- matrix: end -->"


def cells():
    for program, waits in PROGRAMS.items():
        for wait, role, mode in itertools.product(waits, ("publisher", "subscriber"), ("caller", "listener")):
            for key, loss, latency in itertools.product(KEYS, LOSSES, LATENCIES):
                yield program, wait, role, mode, key, loss, latency


def name_of(cell):
    return "/".join(str(part) for part in cell)


# --- programs ---------------------------------------------------------------------------------------------------------


def url_of(cell, port, stream):
    """The SRT URL in the program's own spelling; vlc takes options apart."""
    program, wait, role, mode, key, _, latency = cell
    unit = 1000 if program == "ffmpeg" else 1
    query = {"latency": latency * unit}
    if mode == "listener":
        query["mode"] = "listener"
    else:
        query["streamid"] = stream if role == "subscriber" else f"publish/{stream}"
    if key:
        query |= {"passphrase": SECRET, "pbkeylen": key}
    if program == "srt-live-transmit":
        query["blocking"] = int(wait == "blocking")
    return f"srt://127.0.0.1:{port}?" + "&".join(f"{k}={v}" for k, v in query.items())


def vlc(folder, *argv):
    home = folder / f"vlc-{random.randrange(1 << 30):x}"
    home.mkdir()
    os.chmod(home, 0o777)
    return ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "env", f"HOME={home}",
            "cvlc", "-I", "dummy", "--no-color", *argv]


def vlc_options(cell, stream, prefix):
    _, _, role, mode, key, _, latency = cell
    options = {"latency": latency}
    if key:
        options |= {"passphrase": SECRET, "key-length": key}
    if mode == "caller" and role == "subscriber":
        options["streamid"] = stream
    return {prefix + k: v for k, v in options.items()}


def publisher_argv(cell, port, stream, folder, video):
    """A program that takes 1,316-byte writes on its standard input, and sends them on. VLC plays a file."""
    url = url_of(cell, port, stream)
    if cell[0] == "srt-live-transmit":
        return ["srt-live-transmit", "-a:no", "-chunk:1316", "file://con", url]
    if cell[0] == "ffmpeg":
        return ["ffmpeg", "-v", "error", "-f", "data", "-raw_packet_size", "1316", "-i", "pipe:0", "-map", "0",
                "-c", "copy", "-f", "data", url]
    if cell[0] == "gstreamer":
        return ["gst-launch-1.0", "-q", "fdsrc", "blocksize=1316", "!", "srtsink", "sync=false", f"uri={url}"]
    options = ",".join(f"{k}={v}" for k, v in vlc_options(cell, stream, "").items())
    return vlc(folder, str(video), f"--sout=#std{{access=srt{{{options}}},mux=ts,dst=127.0.0.1:{port}}}", "vlc://quit")


def subscriber_argv(cell, port, stream, folder, out):
    """A program that writes what it gets into `out`, or to its standard output."""
    url = url_of(cell, port, stream)
    if cell[0] == "srt-live-transmit":
        return ["srt-live-transmit", "-a:no", url, "file://con"]
    if cell[0] == "ffmpeg":
        return ["ffmpeg", "-v", "error", "-f", "data", "-i", url, "-map", "0", "-c", "copy", "-f", "data", "-"]
    if cell[0] == "gstreamer":
        return ["gst-launch-1.0", "-q", "srtsrc", f"uri={url}", "!", "filesink", f"location={out}", "buffer-mode=unbuffered"]
    options = [f"--{k}={v}" for k, v in vlc_options(cell, stream, "").items()]
    where = f"srt://127.0.0.1:{port}" + ("?mode=listener" if cell[3] == "listener" else "")
    return vlc(folder, "--demux=dump", f"--demuxdump-file={out}", *options, where)


# --- one cell ---------------------------------------------------------------------------------------------------------


def judge(cell, published, received):
    """What became of it: packets received, missing between the first and the last, wrong."""
    latency = cell[-1]
    whole = received[: len(received) // ts.PACKET * ts.PACKET]
    sent = {published[at : at + ts.PACKET] for at in range(0, len(published), ts.PACKET)}
    got = [whole[at : at + ts.PACKET] for at in range(0, len(whole), ts.PACKET)]
    wrong = sum(packet not in sent for packet in got)
    result = {"received": len(got), "missing": 0, "wrong": wrong, "of": len(sent)}
    if got and not wrong:
        seen = ts.count(whole)
        result["missing"] = seen.missing
    enough = len(got) >= ENOUGH * len(published) / ts.PACKET
    result["ok"] = enough and not wrong and result["missing"] <= LOST_MAX[latency] * (len(got) + result["missing"])
    return result


def judge_anew(cell, received):
    """A program that muxes anew: no byte is as it was, but each stream's continuity counter tells of every gap."""
    counters, gaps, packets = {}, 0, 0
    for at in range(0, len(received) - ts.PACKET + 1, ts.PACKET):
        head = received[at : at + 4]
        pid, counter, payload = int.from_bytes(head[1:3], "big") & 0x1FFF, head[3] & 15, head[3] & 0x10
        packets += 1
        if head[0] != 0x47:
            return {"received": packets, "missing": 0, "wrong": 1, "ok": False}
        if pid != 0x1FFF and payload:
            gaps += pid in counters and counter != (counters[pid] + 1) & 15
            counters[pid] = counter
    ok = packets > 200 and gaps <= LOST_MAX[cell[-1]] * packets
    return {"received": packets, "missing": gaps, "wrong": 0, "ok": ok, "muxed": True}


class Bed:
    """One relay for all cells; each has a stream of its own."""

    def __init__(self, seed):
        self.seed = seed
        self.programs = Programs()
        os.chmod(self.programs.folder, 0o755)
        self.relay = Relay(self.programs, memory=512).start()
        self.relay.listen()
        self.secret = self.programs.folder / "secret"
        self.secret.write_text(SECRET)
        self.lock, self.n, self.turns = threading.Lock(), 0, collections.Counter()
        self.picture = None

    def close(self):
        try:
            self.programs.close()
        finally:
            self.programs.remove()

    def next_stream(self):
        with self.lock:
            self.n += 1
            return f"cell/{self.n}"

    def ctl(self, *argv):
        return self.relay.run(*argv)

    def object_of(self, noun, stream, url):
        done = self.ctl("--json", noun, "add", stream, url)
        return json.loads(done.stdout)["id"] if done.stdout.startswith("{") else None

    def video(self):
        """A file that VLC can mux anew."""
        with self.lock:
            if not self.picture:
                self.picture = self.programs.folder / "picture.ts"
                subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=4",
                                "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-b:v", "1M", self.picture], check=True)
            return self.picture

    def path(self, cell, port):
        _, _, _, _, _, loss, latency = cell
        with self.lock:
            turn = self.turns[cell] = self.turns[cell] + 1
        return BadPath(self.programs, port, loss=loss * 10, delay_ms=DELAY_MS[latency] if loss else 0,
                       seed=random.Random(f"{self.seed} {name_of(cell)}" + f" {turn}" * (turn > 1)).randrange(1 << 30))

    def declare(self, cell, stream):
        role, key, latency = cell[2], cell[4], cell[6]
        flag = "--publish-passphrase-file" if role == "publisher" else "--play-passphrase-file"
        self.relay.ctl("stream", "add", stream, "--latency", latency, *([flag, self.secret] if key and cell[3] == "caller" else []))

    def call(self, cell, noun, stream, port):
        """The relay calls the program's listener."""
        key, latency = cell[4], cell[6]
        extra = f"&pbkeylen={key}" if key else ""
        flags = ["--passphrase-file", self.secret] if key else []
        self.relay.run(noun, "add", stream, f"srt://127.0.0.1:{port}?latency={latency}{extra}", *flags)

    def run(self, cell):
        """A program that listens closes its door with its first caller, as libsrt's own do. When the answer to that
        caller is lost nothing can come of it, whoever calls: then once more, on a path with other losses."""
        for turn in range(1, TURNS + 1):
            result = self.once(cell)
            if not (cell[3] == "listener" and cell[5] and NOT_UP.match(result.get("error", ""))):
                break
        return {**result, "turns": turn} if turn > 1 else result

    def once(self, cell):
        stream = self.next_stream()
        held = []
        try:
            self.declare(cell, stream)
            return (self.publish if cell[2] == "publisher" else self.subscribe)(cell, stream, held)
        except (AssertionError, OSError, ValueError, KeyError) as error:
            return {"ok": False, "error": str(error).splitlines()[0][-200:] if str(error) else type(error).__name__}
        finally:
            for program in held:
                program.kill()
            for noun, field in (("route", "stream"), ("source", "stream"), ("listener", "default_stream")):
                for item in self.relay.items(noun, "list"):
                    if item[field] == stream:
                        self.ctl(noun, "del", item["id"])
            self.ctl("stream", "del", stream)

    def start(self, held, cell, argv, **more):
        program = self.programs.client(re.sub(r"\W+", "-", name_of(cell)), argv, **more)
        held.append(program)
        return program

    def entrance(self, cell, stream):
        """Where a caller comes in. VLC's output sends no stream id: it needs a listener that knows its stream."""
        if (cell[0], cell[2]) != ("vlc", "publisher"):
            return self.relay.port
        port = free_port()
        self.relay.ctl("listener", "add", f"srt://127.0.0.1:{port}", "--default-stream", stream, "--default-mode", "publish")
        return port

    def leg(self, cell, stream, held):
        """The port that the program is given, and the one its path ends at when the relay calls."""
        if cell[3] == "caller":
            path = self.path(cell, self.entrance(cell, stream))
            held.append(path.program)
            return path.port, None
        port = free_port()
        path = self.path(cell, port)
        held.append(path.program)
        return port, path.port

    def up(self, noun, stream, deadline=15):
        wait_until(lambda: any(s["stream"] == stream and s["proto"] == "srt" for s in self.relay.items(noun, "list", *([stream] if noun == "sub" else []))),
                   f"{noun} of {stream}", deadline)

    def publish(self, cell, stream, held):
        reader = UdpReader(free_port())
        self.relay.ctl("route", "add", stream, f"udp://127.0.0.1:{reader.port}")
        port, far = self.leg(cell, stream, held)
        video = self.video() if cell[0] == "vlc" else None
        program = self.start(held, cell, publisher_argv(cell, port, stream, self.programs.folder, video), stdin=subprocess.PIPE)
        if far:
            self.call(cell, "source", stream, far)
        pipe = program.process.stdin

        def send(data):
            pipe.write(data)
            pipe.flush()

        if cell[0] == "vlc":
            self.up("pub", stream)
            wait_until(lambda: program.status is not None, "VLC has played", 20)
        else:
            if cell[0] == "srt-live-transmit":
                program.says("SRT target connect", 15)  # it throws away what it reads before
            paced = Paced(send, bitrate=MEDIA[cell[6]][0], count=MEDIA[cell[6]][1])
            self.up("pub", stream)
            published = paced.finish()
        quiet(reader, cell[6])
        reader.close()
        return judge_anew(cell, reader.data()) if cell[0] == "vlc" else judge(cell, published, reader.data())

    def subscribe(self, cell, stream, held):
        feed = free_port()
        self.relay.ctl("source", "add", stream, f"udp://127.0.0.1:{feed}")
        port, far = self.leg(cell, stream, held)
        out = self.programs.folder / f"out-{random.randrange(1 << 40):x}"
        out.touch(mode=0o666)
        os.chmod(out, 0o666)
        argv = subscriber_argv(cell, port, stream, self.programs.folder, out)
        with open(out, "r+b") as file:
            program = self.start(held, cell, argv, **({"stdout": file} if cell[0] in ("srt-live-transmit", "ffmpeg") else {}))
        if far:
            self.call(cell, "route", stream, far)
        self.up("sub", stream)
        published = UdpPublisher(self.programs, "127.0.0.1", feed, bitrate=MEDIA[cell[6]][0], count=MEDIA[cell[6]][1]).finish()
        settled(out, cell[6])
        # ffmpeg hears of a signal only with its next packet.
        program.kill() if cell[0] == "ffmpeg" else program.stop(15)
        return judge(cell, published, out.read_bytes())


def steady(size, latency_ms):
    """Waits until nothing has come for the latency and half a second."""
    last, since = size(), [0]

    def check():
        nonlocal last
        now = size()
        since[0] = since[0] + 1 if now == last else 0
        last = now
        return since[0] * 0.05 > latency_ms / 1000 + 0.5

    wait_until(check, "the stream has ended", 20)


def quiet(reader, latency_ms):
    steady(lambda: len(reader.datagrams), latency_ms)


def settled(file, latency_ms):
    steady(lambda: file.stat().st_size, latency_ms)


# --- the table --------------------------------------------------------------------------------------------------------


def word(result):
    if result is None:
        return "not run"
    if "skip" in result:
        return "n/a"
    if not result["ok"]:
        return "**" + (result.get("error", "").split(":")[0][:40] or f"{result['missing']} missing, {result['wrong']} wrong") + "**"
    if not result["missing"]:
        return "ok"
    return f"{100 * (1 - result['missing'] / result['received']):.2f} %"


def table(results):
    head = [f"{loss} %, {latency} ms" for loss in LOSSES for latency in LATENCIES]
    lines = ["| program | role | mode | key | " + " | ".join(head) + " |", "|---|---|---|---|" + "---|" * len(head)]
    rows = {}
    for cell in cells():
        rows.setdefault(cell[:5], []).append(word(results.get(name_of(cell))))
    for (program, wait, role, mode, key), row in rows.items():
        lines.append(f"| {program}{' ' + wait if wait else ''} | {role} | {mode} | {key * 8 or 'clear'} | " + " | ".join(row) + " |")
    return "\n".join(lines)


def write_table(results):
    readme = HERE / "README.md"
    text = readme.read_text()
    if START not in text:
        text = text.rstrip() + f"\n\n{START}\n{END}\n"
    before, after = text.split(START)[0], text.split(END)[1]
    done = [r for r in results.values() if r and "ok" in r]
    summary = (f"{len(done)} cells run, {sum(r['ok'] for r in done)} as they should be; "
               f"{sum(r.get('wrong', 0) for r in done)} packets with a wrong byte.")
    readme.write_text(f"{before}{START}\n{summary}\n\n{table(results)}\n{END}{after}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--sample", type=int, metavar="N", help="only N cells, chosen by --seed; nothing is written")
    p.add_argument("--seed", type=int, default=1, help="of the sample and of the paths' losses")
    p.add_argument("--only", metavar="TEXT", help="cells whose name holds this")
    p.add_argument("--again", action="store_true", help="run what has a result already")
    p.add_argument("--failed", action="store_true", help="run again what was not as it should be")
    p.add_argument("--jobs", type=int, default=4)
    p.add_argument("--json", type=Path, default=HERE / "matrix.json")
    o = p.parse_args()
    results = json.loads(o.json.read_text()) if o.json.exists() and not o.sample else {}
    todo = [c for c in cells() if not o.only or o.only in name_of(c)]
    for cell in todo:
        if cell[0:1] + cell[2:4] in NOT_OFFERED:
            results[name_of(cell)] = {"skip": NOT_OFFERED[cell[0:1] + cell[2:4]]}
    todo = [c for c in todo if "skip" not in results.get(name_of(c), {})]
    if o.failed:
        todo = [c for c in todo if not results.get(name_of(c), {"ok": True})["ok"]]
    elif not o.again:
        todo = [c for c in todo if name_of(c) not in results]
    if o.sample:
        todo = random.Random(o.seed).sample(todo, min(o.sample, len(todo)))
    bed, bad = Bed(o.seed), 0
    try:
        with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
            futures = {pool.submit(bed.run, cell): cell for cell in todo}
            for i, future in enumerate(concurrent.futures.as_completed(futures), 1):
                cell, result = futures[future], future.result()
                bad += not result["ok"]
                results[name_of(cell)] = result
                print(f"{i}/{len(todo)} {name_of(cell)}: {word(result)} {'' if result['ok'] else result}", flush=True)
                if not o.sample and i % 10 == 0:
                    o.json.write_text(json.dumps(results, indent=0, sort_keys=True) + "\n")
    finally:
        bed.close()
        if not o.sample:
            o.json.write_text(json.dumps(results, indent=0, sort_keys=True) + "\n")
            write_table(results)
    print(f"{len(todo)} cells, {bad} not as they should be")
    return bool(bad) and bool(o.sample)


if __name__ == "__main__":
    sys.exit(main())
