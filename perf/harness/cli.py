# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""The command line of perf/run.py. Exit status: 0, 1 no result, 2 usage, 8 a regression."""

import argparse
import datetime
import sys
from pathlib import Path

from peers.bed import Failed

from . import compare, machine, report, results, search, testbed
from .progress import Progress
from .scenarios import SCENARIOS, Run

PERF = Path(__file__).resolve().parents[1]


def arguments(argv):
    p = argparse.ArgumentParser(prog="perf/run.py", description="What a packet costs.")
    verbs = p.add_subparsers(dest="verb", required=True, metavar="SCENARIO|VERB")
    for scenario in SCENARIOS.values():
        v = verbs.add_parser(scenario.name, help=scenario.says)
        v.add_argument("--testbed", default="local-loopback", help="a file, or the name of one in perf/testbeds")
        v.add_argument("--set", action="append", default=[], metavar="NAME=A,B", help=f"values of {', '.join(scenario.axes)}")
        v.add_argument("--seconds", type=float, default=3.0, help="of each run (3)")
        v.add_argument("--runs", type=int, default=3, help="of each point, in turn (3)")
        v.add_argument("--find", choices=sorted(search.LOSS), help="the highest rate without a loss, or with 0.5 %%")
        v.add_argument("--build", type=Path, help="the folder that meson built in")
        v.add_argument("--out", type=Path, help="the result (perf/results/SCENARIO-TIME.json)")
    v = verbs.add_parser("report", help="one HTML page and a Markdown table of results")
    v.add_argument("results", nargs="+")
    v.add_argument("--out", type=Path, default=Path("report.html"), help="beside it: the same name with .md")
    v = verbs.add_parser("compare", help="what differs beyond the noise; exit 8 when something is worse")
    v.add_argument("before")
    v.add_argument("after")
    v = verbs.add_parser("numbers", help="the section of README.md")
    v.add_argument("results", nargs="+")
    v.add_argument("--readme", type=Path, default=machine.ROOT / "README.md")
    return p.parse_args(argv)


def chosen(words):
    """NAME=A,B of the command line."""
    out = {}
    for word in words:
        name, _, values = word.partition("=")
        if not name or not values:
            raise Failed(f"--set {word}: NAME=VALUE[,VALUE..] is needed")
        out[name] = values.split(",")
    return out


def measure(scenario, bed, build, o, points):
    """All runs of all points, in turn, so that a change of the machine meets all alike."""
    run = Run(bed, build, o.seconds, o.find)
    found = [{"params": point, "runs": [], "invalid": []} for point in points]
    progress = Progress(o.runs * len(points))
    try:
        for _ in range(o.runs):
            for point in found:
                progress.begin(results.label(point["params"]))
                try:
                    point["runs"].append(scenario.measure(run, point["params"]))
                except Failed as failed:
                    point["invalid"].append(str(failed))
                progress.end(results.label(point["params"]))
    finally:
        progress.close()
    return found


def run_scenario(o, argv):
    scenario, bed = SCENARIOS[o.verb], testbed.load(o.testbed)
    if o.runs < 1 or o.seconds <= 0:
        raise Failed("--runs and --seconds must be more than nothing")
    points = scenario.points(bed, chosen(o.set))
    bed.check()
    build = (o.build or machine.ROOT / bed.build).resolve()
    if not (build / "build.ninja").exists():
        raise Failed(f"{build}: nothing is built there (meson setup, ninja)")
    started = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds")
    interfaces = ["lo"] if bed.kind == "loopback" else []
    result = {"schema": results.SCHEMA, "scenario": scenario.name, "says": scenario.says, "command": ["perf/run.py", *argv],
              "started": started, "commit": machine.commit(), "machine": machine.facts(interfaces),
              "testbed": {"name": bed.name, "kind": bed.kind, "relay_core": bed.relay_core, "load_core": bed.load_core},
              "seconds": o.seconds, "points": measure(scenario, bed, build, o, points)}
    out = o.out or PERF / "results" / f"{scenario.name}-{started[:19].replace(':', '')}.json"
    results.write(out, result)
    print(report.markdown(result))
    for point in result["points"]:
        if point["runs"] and point["invalid"]:
            print(f"{results.label(point['params'])}: {len(point['invalid'])} of {o.runs} runs were no result: {point['invalid'][0]}")
    print(f"\n{out}")
    return 0 if all(point["runs"] for point in result["points"]) else 1


def run_compare(o):
    changes, alone = compare.compare(results.read(o.before), results.read(o.after))
    for change in changes:
        print(change)
    for point in alone:
        print(f"only in one of them: {point}")
    if not changes:
        print("nothing differs beyond the noise")
    return 8 if any(change.worse for change in changes) else 0


def run_report(o):
    found = [results.read(path) for path in o.results]
    o.out.write_text(report.html(found))
    o.out.with_suffix(".md").write_text("\n\n".join(f"## {r['scenario']}\n\n{report.machine_line(r)}\n\n{report.markdown(r)}" for r in found) + "\n")
    print(o.out)
    return 0


def main(argv):
    o = arguments(argv)
    try:
        if o.verb == "compare":
            return run_compare(o)
        if o.verb == "report":
            return run_report(o)
        if o.verb == "numbers":
            report.into_readme(o.readme, [results.read(path) for path in o.results])
            return 0
        return run_scenario(o, argv)
    except Failed as failed:
        print(f"perf/run.py: {failed}", file=sys.stderr)
        return 2 if o.verb in SCENARIOS else 1
    except OSError as error:
        print(f"perf/run.py: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
