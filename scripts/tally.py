# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors

"""Counts what the suites reported.

tally.py note FOLDER NAME passed|failed     one result that no suite reports: a build, a check
tally.py close FOLDER SKIPS                 the counts by suite, then the last line; exit 1 on failures

FOLDER holds *.meson.json (meson's testlog.json), *.junit.xml (pytest) and notes. SKIPS names the
tests that may be skipped: one a line, then why.
"""

import json
import os
import re
import sys
import xml.etree.ElementTree as xml
from pathlib import Path

MESON = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}
CMOCKA = re.compile(r"^\[\s+(OK|SKIPPED)\s+\] (\w+)", re.M)
CMOCKA_FAILED = re.compile(r"^\[\s+FAILED\s+\] ([A-Za-z_]\w*)", re.M)  # not its "2 test(s), listed below"


def from_meson(path):
    """One result per case where the program is a cmocka one, else one per program."""
    suite = path.name.split(".")[0]
    for line in path.read_text().splitlines():
        test = json.loads(line)
        name = test["name"].split(":")[-1].replace(" / ", "/")
        whole = MESON.get(test["result"], "failed")
        cases = CMOCKA.findall(test.get("stdout", ""))
        for verdict, case in cases:
            yield suite, f"{name}::{case}", "passed" if verdict == "OK" else "skipped"
        failed = set(CMOCKA_FAILED.findall(test.get("stdout", "") + test.get("stderr", "")))
        for case in failed:
            yield suite, f"{name}::{case}", "failed"
        # A program without cases, or one that died outside of them.
        if not cases or (whole == "failed" and not failed):
            yield suite, name, whole


def from_junit(path):
    suite = path.name.split(".")[0]
    for case in xml.parse(path).iter("testcase"):
        name = f"{case.get('classname', '').split('.')[-1]}::{case.get('name')}"
        kinds = {child.tag for child in case}
        verdict = "failed" if kinds & {"failure", "error"} else "skipped" if "skipped" in kinds else "passed"
        yield suite, name, verdict


def from_notes(path):
    for line in path.read_text().splitlines():
        verdict, name = line.split(" ", 1)
        yield "builds and checks", name, verdict


def allowed(path):
    lines = (line.strip() for line in Path(path).read_text().splitlines())
    return {line.split()[0] for line in lines if line and not line.startswith("#")}


def close(folder, skips):
    readers = (("notes", from_notes), ("*.meson.json", from_meson), ("*.junit.xml", from_junit))
    results = [r for glob, read in readers for path in sorted(Path(folder).glob(glob)) for r in read(path)]
    may_skip = allowed(skips)
    counts = {}
    for suite, name, verdict in results:
        if verdict == "skipped" and os.getuid() == 0 and name not in may_skip:
            print(f"failed: {suite}: {name} was skipped, and {skips} does not name it")
            verdict = "failed"
        elif verdict != "passed":
            print(f"{verdict}: {suite}: {name}")
        counts.setdefault(suite, dict(passed=0, failed=0, skipped=0))[verdict] += 1
    for suite, n in counts.items():
        print(f"  {suite}: {n['passed']} passed, {n['failed']} failed, {n['skipped']} skipped")
    total = {v: sum(n[v] for n in counts.values()) for v in ("passed", "failed", "skipped")}
    print(f"{total['passed']} passed, {total['failed']} failed, {total['skipped']} skipped")
    return 1 if total["failed"] or not total["passed"] else 0


def main(argv):
    if argv[0] == "note":
        with open(Path(argv[1]) / "notes", "a") as notes:
            notes.write(f"{argv[3]} {argv[2]}\n")
        return 0
    return close(argv[1], argv[2])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
