#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""How much a leg delivers when a fifth of all datagrams is lost, both ways, at four and eight round trips of latency.

The legs are those of matrix.py: a publisher is read back over a UDP route, a subscriber is fed from a UDP source, so
that the path stands between one program and the relay only. `libsrt` is srt-live-transmit to srt-live-transmit over
the same path, without the relay: what the programs do among themselves.

    tests/interop/loss.py                       all legs; the table goes into README.md beside this file
    tests/interop/loss.py --only ffmpeg         some of it; nothing is written
"""

import argparse
import concurrent.futures
import itertools
import random
import subprocess
import sys

import matrix
from kit import ts
from kit.path import BadPath
from kit.proc import free_port
from kit.publishers import Paced

START, END = "<!-- loss: begin -->", "<!-- loss: end -->"
RTT_MS, LOSS = 20, 20
GOALS = {4: 0.998, 8: 0.9999}  # round trips of latency: what must come
BITRATE, DATAGRAMS = 10_000_000, 13_000
LEGS = [("srt-live-transmit", "blocking", "publisher"), ("ffmpeg", "", "publisher"),
        ("srt-live-transmit", "blocking", "subscriber"), ("ffmpeg", "", "subscriber"), ("libsrt", "", "alone")]

for times, goal in GOALS.items():
    matrix.MEDIA[times * RTT_MS] = (BITRATE, DATAGRAMS)
    matrix.DELAY_MS[times * RTT_MS] = RTT_MS // 2
    matrix.LOST_MAX[times * RTT_MS] = 1 - goal


def judge(cell, published, received, of_matrix=matrix.judge):
    """Where bytes are wrong, all that did not come as it was counts as missing. ffmpeg sends what it reads in two pieces
    now and then, and without one of them nothing behind it stands where it should."""
    result = of_matrix(cell, published, received)
    if result["wrong"]:
        result["missing"] = len(published) // ts.PACKET - result["received"] + result["wrong"]
    return result


matrix.judge = judge


class Bed(matrix.Bed):
    """The bed of the matrix, with other losses in each run."""

    def __init__(self, seed):
        super().__init__(seed)
        self.turns = itertools.count()

    def path(self, cell, port):
        seed = random.Random(f"{self.seed} {next(self.turns)}").randrange(1 << 30)
        return BadPath(self.programs, port, loss=LOSS * 10, delay_ms=RTT_MS // 2, seed=seed)

    def run(self, cell):
        if cell[0] != "libsrt":
            return super().run(cell)
        for _ in range(matrix.TURNS):  # the answer to the one caller may be lost, see README.md
            result = self.alone(cell)
            if "error" not in result:
                break
        return result

    def alone(self, cell):
        """libsrt to libsrt."""
        held, port, latency = [], free_port(), cell[-1]
        out = self.programs.folder / f"alone-{random.randrange(1 << 40):x}"
        try:
            with open(out, "w+b") as file:
                player = self.start(held, cell, ["srt-live-transmit", "-a:no", f"srt://127.0.0.1:{port}?mode=listener&latency={latency}",
                                                 "file://con"], stdout=file)
            path = self.path(cell, port)
            held.append(path.program)
            url = f"srt://127.0.0.1:{path.port}?latency={latency}"
            program = self.start(held, cell, ["srt-live-transmit", "-a:no", "-chunk:1316", "file://con", url], stdin=subprocess.PIPE)
            program.says("SRT target connect", 15)
            pipe = program.process.stdin

            def send(data):
                pipe.write(data)
                pipe.flush()

            published = Paced(send, bitrate=BITRATE, count=DATAGRAMS).finish()
            matrix.settled(out, latency)
            player.stop(15)
            return judge(cell, published, out.read_bytes())
        except (AssertionError, OSError) as error:
            return {"ok": False, "error": str(error)[-200:]}
        finally:
            for one in held:
                one.kill()


def share(results):
    """Of several runs: packets that came, of all that were sent between the first and the last."""
    received, missing = (sum(r[k] for r in results) for k in ("received", "missing"))
    return received / (received + missing) if received else 0


def word(results, goal):
    if any("error" in r for r in results):
        return "**" + next(r["error"] for r in results if "error" in r)[:40] + "**"
    got = share(results)
    text = f"{100 * got:.3f} %"
    return text if got >= goal else f"**{text}**"


def table(results):
    heads = [f"{times} x RTT ({times * RTT_MS} ms), goal {100 * goal:g} %" for times, goal in GOALS.items()]
    lines = ["| leg | " + " | ".join(heads) + " |", "|---|" + "---|" * len(heads)]
    for program, wait, role in LEGS:
        row = [results.get((program, wait, role, "caller", 0, LOSS, times * RTT_MS)) for times in GOALS]
        if any(row):
            words = [word(r, goal) if r else "not run" for r, goal in zip(row, GOALS.values())]
            lines.append(f"| {program} {role} | " + " | ".join(words) + " |")
    return "\n".join(lines)


def write_table(results, o):
    readme = matrix.HERE / "README.md"
    before, rest = readme.read_text().split(START)
    after = rest.split(END)[1]
    note = f"{o.runs} runs of {DATAGRAMS} packets each at {BITRATE // 1_000_000} Mbit/s, RTT {RTT_MS} ms, {LOSS} % lost in each direction."
    readme.write_text(f"{before}{START}\n{note}\n\n{table(results)}\n{END}{after}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--runs", type=int, default=4, help="of each leg and latency")
    p.add_argument("--seed", type=int, default=1, help="of the paths' losses")
    p.add_argument("--only", metavar="TEXT", help="legs whose name holds this; nothing is written")
    p.add_argument("--jobs", type=int, default=2)
    o = p.parse_args()
    todo = [(*leg, "caller", 0, LOSS, times * RTT_MS) for leg in LEGS for times in GOALS]
    todo = [cell for cell in todo if not o.only or o.only in matrix.name_of(cell)] * o.runs
    bed, results = Bed(o.seed), {}
    try:
        with concurrent.futures.ThreadPoolExecutor(o.jobs) as pool:
            futures = {pool.submit(bed.run, cell): cell for cell in todo}
            for future in concurrent.futures.as_completed(futures):
                results.setdefault(futures[future], []).append(future.result())
                print(matrix.name_of(futures[future]), future.result(), flush=True)
    finally:
        bed.close()
    print(table(results))
    if not o.only:
        write_table(results, o)
    bad = [cell for cell, r in results.items() if cell[0] != "libsrt" and "**" in word(r, 1 - matrix.LOST_MAX[cell[-1]])]
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
