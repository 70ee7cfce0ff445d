# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""perf/run.py: its search, its comparisons and reports on made-up results, its refusals, and one short run."""

import io
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from kit.proc import BUILD

PERF = Path(__file__).resolve().parents[2] / "perf"
sys.path.insert(0, str(PERF))

from harness import compare, progress, report, search  # noqa: E402
from peers.bed import Failed  # noqa: E402


def run(*argv, timeout=60):
    return subprocess.run([PERF / "run.py", *map(str, argv)], capture_output=True, text=True, timeout=timeout)


def result(scenario="fanout", **costs):
    """One with a point for each name: its cost in each run."""
    points = [{"params": {"carries": "srt", "subscribers": int(n[1:])}, "runs": [{"cost_ns": c, "missing": 0} for c in cost], "invalid": []}
              for n, cost in costs.items()]
    return {"schema": 1, "scenario": scenario, "says": "one stream to many", "command": ["perf/run.py", scenario], "started": "2026-01-01T00:00:00",
            "commit": "abc", "machine": {"cpu": "a <cpu>", "cores": 2, "kernel": "6.1"}, "testbed": {"name": "local-loopback"}, "seconds": 1, "points": points}


@pytest.mark.kit
@pytest.mark.parametrize("knee", [3.0, 777.0, 123_456.0])
def test_the_search_finds_the_knee(knee):
    tried = []

    def share(rate):
        tried.append(rate)
        return 0.0 if rate <= knee else 0.02

    found = search.find(share, 1000, 0.005)
    assert knee / search.CLOSE <= found <= knee and len(tried) < 60


@pytest.mark.kit
def test_one_bad_run_does_not_count_and_what_never_passes_is_no_number():
    bad = iter([1.0])
    assert search.find(lambda rate: next(bad, 0.0) if rate <= 500 else 1.0, 400, 0.0) > 400
    with pytest.raises(Failed, match="not even 1 packets/s"):
        search.find(lambda rate: 1.0, 100, 0.0)


@pytest.mark.kit
def test_only_what_leaves_the_noise_is_a_change(tmp_path):
    before = result(s1=[100, 101, 102], s10=[50, 60, 70], s100=[10, 10, 10])
    after = result(s1=[120, 121, 122], s10=[55, 62, 75], s100=[8, 8, 8])
    changes, alone = compare.compare(before, after)
    assert [(c.point, c.worse) for c in changes] == [("carries=srt subscribers=1", True), ("carries=srt subscribers=100", False)] and not alone
    paths = []
    for name, one in (("a", before), ("b", after), ("c", result(s1=[100, 101, 103]))):
        paths.append(tmp_path / name)
        paths[-1].write_text(json.dumps(one))
    worse, same = run("compare", paths[0], paths[1]), run("compare", paths[0], paths[2])
    assert worse.returncode == 8 and "WORSE   cost_ns 101 -> 121 ns (1.20 x)  carries=srt subscribers=1" in worse.stdout
    assert same.returncode == 0 and "only in one of them: carries=srt subscribers=10" in same.stdout


@pytest.mark.kit
def test_a_report_is_one_page_with_plots_and_says_what_was_no_result():
    one = result(s1=[100, 101, 102], s10=[50, 60, 70], s100=[10, 11, 12])
    one["points"].append({"params": {"carries": "srt", "subscribers": 1000}, "runs": [], "invalid": ["the generator <was> slow"]})
    page = report.html([one])
    assert "src=" not in page and "href=" not in page and "&lt;cpu&gt;" in page
    assert "no result: the generator &lt;was&gt; slow" in page
    drawn = page[page.index("<svg"):page.index("</svg>") + 6]
    assert len(ElementTree.fromstring(drawn).findall(".//circle")) == 3
    assert "| carries=srt subscribers=10 | 60 (50 to 70) | 0 |" in report.markdown(one)


@pytest.mark.kit
def test_the_readme_gets_its_section_and_keeps_the_rest(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text(f"above\n{report.START}\nold\n{report.END}\nbelow\n")
    report.into_readme(readme, [result(s1=[100])])
    text = readme.read_text()
    assert text.startswith("above\n") and text.endswith("below\n") and "old" not in text and "| carries=srt subscribers=1 | 100 |" in text
    readme.write_text("no place\n")
    with pytest.raises(Failed, match="no '<!-- numbers: begin -->'"):
        report.into_readme(readme, [result(s1=[100])])


@pytest.mark.kit
def test_progress_says_what_is_left():
    times, out = iter([0, 30, 30, 60]), io.StringIO()
    p = progress.Progress(4, out, lambda: next(times))
    p.end("first")
    assert out.getvalue() == "[#####...............] 1/4, 1:30 left  first\n"


@pytest.mark.kit
@pytest.mark.parametrize("argv, says", [
    (["fanout", "--testbed", "nowhere"], "testbed nowhere: No such file or directory; there are: local-loopback, local-memif, local-null, local-veth, two-hosts"),
    (["fanout", "--testbed", "two-hosts"], "testbed two-hosts: relay has no PCI device 0000:81:00.0 on this machine"),
    (["fanout", "--set", "colour=red"], "scenario fanout has no parameter 'colour' here; it has carries, subscribers, total_pps"),
    (["fanout", "--set", "subscribers=many"], "subscribers=many: a number is needed"),
    (["fanout", "--set", "subscribers"], "--set subscribers: NAME=VALUE[,VALUE..] is needed"),
    (["peers", "--testbed", "local-memif"], "scenario peers does not run on testbed local-memif, where one program plays and publishes"),
    (["streams", "--testbed", "local-null"], "scenario streams does not run on testbed local-null, which has no sockets"),
    (["fanout", "--build", "/proc"], "/proc: nothing is built there (meson setup, ninja)"),
    (["fanout", "--runs", "0"], "--runs and --seconds must be more than nothing"),
    (["compare", "/proc/none", "/proc/none"], "/proc/none: No such file or directory"),
    (["report", PERF / "run.py"], f"{PERF / 'run.py'}: not JSON"),
])
def test_a_slip_gets_one_sentence(argv, says):
    done = run(*argv)
    assert done.returncode in (1, 2) and done.stderr == f"perf/run.py: {says}\n" and not done.stdout


@pytest.mark.kit
@pytest.mark.parametrize("document, says", [
    ("kind: cloud", "kind must be one of loopback, veth, memif, null, hosts"),
    ("kind: loopback\ncolour: red", "unknown member 'colour'"),
    ("kind: loopback\nrelay_core: one", "relay_core must be a number"),
    ("- 1", "not a mapping"),
    ("kind: [", "not YAML: "),
    ("kind: loopback\nrelay_cores: 2", "relay_cores must be a list"),
    ("kind: loopback\nrelay_core: 4000", "needs the cores [1, 4000]"),
])
def test_a_testbed_that_cannot_be_is_refused(tmp_path, document, says):
    bed = tmp_path / "bed.yaml"
    bed.write_text(document)
    done = run("fanout", "--testbed", bed)
    assert done.returncode == 2 and says in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.alone
def test_a_short_run_gives_a_result_that_reports_and_compares(tmp_path):
    out = tmp_path / "result.json"
    done = run("fanout", "--set", "carries=srt", "--set", "subscribers=5", "--set", "total_pps=500", "--seconds", 0.5, "--runs", 2, "--build", BUILD, "--out", out)
    assert done.returncode == 0, done.stderr + done.stdout
    found = json.loads(out.read_text())
    (point,) = found["points"]
    assert point["params"] == {"carries": "srt", "subscribers": 5, "total_pps": 500} and len(point["runs"]) == 2
    for one in point["runs"]:
        assert one["cost_ns"] > 100 and 400 < one["delivered_pps"] < 600 and one["missing"] == 0
    assert found["machine"]["kernel"] and found["commit"] and found["testbed"]["name"] == "local-loopback"
    assert run("compare", out, out).returncode == 0
    assert run("report", out, "--out", tmp_path / "r.html").returncode == 0 and (tmp_path / "r.md").exists()


@pytest.mark.alone
@pytest.mark.parametrize("scenario, sets", [
    ("latency", {"subscribers": 20}), ("join-storm", {"joins": 100, "standing": 10, "rate": 500})], ids=lambda x: x if isinstance(x, str) else "")
def test_a_shared_memory_is_a_testbed(tmp_path, scenario, sets):
    out = tmp_path / "result.json"
    done = run(scenario, *(f"--set={k}={v}" for k, v in sets.items()), "--testbed", "local-memif", "--seconds", 0.5, "--runs", 1, "--build", BUILD, "--out", out)
    assert done.returncode == 0, done.stderr + done.stdout
    (one,) = json.loads(out.read_text())["points"][0]["runs"]
    assert one["missing"] == one["failed_joins"] == 0 and 0 < one["first_p999_us"] <= one["last_p999_us"] and one["join_p50_us"] > 0
    assert ("cost_ns" in one) == (scenario != "latency")


@pytest.mark.alone
@pytest.mark.parametrize("scenario, sets", [("fanout", ["port=mem,net_null", "subscribers=100"]), ("crypto", ["port=mem", "suite=1", "subscribers=100"])])
def test_the_whole_path_without_a_kernel(tmp_path, scenario, sets):
    out = tmp_path / "result.json"
    done = run(scenario, *(f"--set={one}" for one in sets), "--testbed", "local-null", "--seconds", 0.05, "--runs", 1, "--build", BUILD, "--out", out)
    assert done.returncode == 0, done.stderr + done.stdout
    for point in json.loads(out.read_text())["points"]:
        assert 1 < point["runs"][0]["cost_ns"] < 10_000 and point["runs"][0]["delivered_pps"] > 100_000


@pytest.mark.alone
def test_what_acks_cost_stands_beside_plain_packets(tmp_path):
    out = tmp_path / "result.json"
    done = run("acks", "--set", "subscribers=20", "--set", "pps=50", "--seconds", 0.5, "--runs", 1, "--build", BUILD, "--out", out)
    assert done.returncode == 0, done.stderr + done.stdout
    (one,) = json.loads(out.read_text())["points"][0]["runs"]
    assert 900 < one["delivered_pps"] < 1100 and one["missing"] == 0 and 0 < one["plain_core"] < 1
    assert abs(one["ack_us"] - (one["relay_core"] - one["plain_core"]) * 1e6 / 20) < 60  # as far as these are rounded


SSH = """#!/bin/bash
# What ssh is to two boxes: a shell of the other namespace runs the command.
while [ "$1" = -o ]; do shift 2; done
[ "$1" = far.example ] || { echo "ssh: Could not resolve hostname $1" >&2; exit 255; }
exec nsenter --net=/run/netns/SPACE sh -c "$2"
"""


@pytest.fixture
def boxes(tmp_path):
    """Two namespaces with a cable, and an ssh from the first to the second: the prefix of a command in the first."""
    spaces = [f"slh{os.getpid()}{side}" for side in "ab"]
    for space in spaces:
        subprocess.run(["ip", "netns", "add", space], check=True)
    inside = {space: ["nsenter", f"--net=/run/netns/{space}"] for space in spaces}  # `ip -n` wants to mount, and a chroot cannot
    subprocess.run([*inside[spaces[0]], "ip", "link", "add", "slh0", "type", "veth", "peer", "name", "slh0", "netns", spaces[1]], check=True)
    for number, space in enumerate(spaces, 1):
        for command in (f"addr add 10.78.0.{number}/24 dev slh0", "link set slh0 up", "link set lo up"):
            subprocess.run([*inside[space], "ip", *command.split()], check=True)
    ssh = tmp_path / "bin/ssh"
    ssh.parent.mkdir()
    ssh.write_text(SSH.replace("SPACE", spaces[1]))
    ssh.chmod(0o755)
    yield ["env", f"PATH={ssh.parent}:{os.environ['PATH']}", *inside[spaces[0]]]
    for space in spaces:
        subprocess.run(["ip", "netns", "del", space], check=False)


def two_hosts(folder, **load):
    tree = folder / "tree"
    tree.mkdir()
    (tree / "build").symlink_to(BUILD)
    (tree / "perf").symlink_to(PERF)
    bed = folder / "bed.yaml"
    bed.write_text(json.dumps({"kind": "hosts", "hosts": {
        "relay": {"address": "10.78.0.1", "cores": [0]},
        "load": {"ssh": "far.example", "address": "10.78.0.2", "cores": [1], "tree": str(tree), **load}}}))
    return bed


@pytest.mark.alone
@pytest.mark.skipif(os.getuid() != 0, reason="namespaces are root's")
@pytest.mark.parametrize("scenario, sets", [
    ("crypto", {"key": 16, "subscribers": 5}), ("fanout", {"carries": "udp", "subscribers": 5, "total_pps": 500}),
    ("handshake-flood", {"rate": 500, "standing": 2})], ids=lambda x: x if isinstance(x, str) else "")
def test_two_boxes_by_ssh(tmp_path, boxes, scenario, sets):
    out = tmp_path / "result.json"
    argv = [scenario, *(f"--set={k}={v}" for k, v in sets.items()), "--seconds", "0.5", "--runs", "1", "--build", BUILD, "--out", out]
    done = subprocess.run([*boxes, PERF / "run.py", *map(str, argv), "--testbed", two_hosts(tmp_path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr + done.stdout
    found = json.loads(out.read_text())
    (one,) = found["points"][0]["runs"]
    assert found["testbed"]["kind"] == "hosts" and one["cost_ns"] > 100 and one["missing"] == 0
    assert not list(Path("/tmp").glob("tmp.*/secret"))


@pytest.mark.skipif(os.getuid() != 0, reason="namespaces are root's")
@pytest.mark.parametrize("load, says", [
    ({"ssh": "nobody.example"}, "nobody.example: ssh: Could not resolve hostname nobody.example"),
    ({"tree": "/proc"}, "far.example: /proc: no sluice-load is built there"),
    ({"address": None}, "hosts.load.address is needed"),
])
def test_a_second_box_that_cannot_be_used_is_refused(tmp_path, boxes, load, says):
    done = subprocess.run([*boxes, PERF / "run.py", "fanout", "--build", BUILD, "--testbed", two_hosts(tmp_path, **load)],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and says in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.alone
def test_throughput_over_cores_says_where_there_are_none(tmp_path):
    bed, out = tmp_path / "bed.yaml", tmp_path / "result.json"
    bed.write_text("kind: loopback\nrelay_core: 0\nrelay_cores: [0, 1]\nload_core: 1\n")
    done = run("cores", "--set", "workers=1,2,3", "--set", "streams=4", "--set", "subscribers=4", "--seconds", 0.5, "--runs", 1,
               "--testbed", bed, "--build", BUILD, "--out", out)
    assert done.returncode == 1, done.stderr + done.stdout
    one, two, three = json.loads(out.read_text())["points"]
    assert one["runs"][0]["missing"] == two["runs"][0]["missing"] == 0 and two["params"]["workers"] == 2
    assert not three["runs"] and three["invalid"] == ["3 workers need as many cores, and the relay has 2 here"]


@pytest.mark.alone
def test_what_a_subscriber_takes_is_told(tmp_path):
    out = tmp_path / "result.json"
    done = run("memory", "--set", "few=300", "--set", "subscribers=900", "--seconds", 0.5, "--runs", 1, "--build", BUILD, "--out", out)
    assert done.returncode == 0, done.stderr + done.stdout
    (one,) = json.loads(out.read_text())["points"][0]["runs"]
    # The larger alone uses pools that are of one size: for so few that is more than they take themselves.
    assert 640 < one["subscriber_bytes"] < 6000 and one["memory_kb"] > 30000
