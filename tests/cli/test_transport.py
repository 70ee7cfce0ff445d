# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Finding the daemon, answers that are none, and where output goes."""

import os
import pty
import shutil
import subprocess
import time

import pytest

from conftest import SLUICECTL
from fake_api import FakeApi


def test_unreachable(ctl, run_dir):
    for line in ["status", "stream list", "listener add srt://:9000", "stream set cam1 --leg own"]:
        r = ctl(*line.split())
        assert r.rc == 6 and r.out == "" and r.err.count("\n") == 1
        assert f"{run_dir}/api.sock" in r.err and "start sluiced" in r.err
    r = ctl("status", "--url", "http://127.0.0.1:1")
    assert r.rc == 6 and "http://127.0.0.1:1" in r.err


def test_no_permission(api, ctl, run_dir):
    if os.geteuid() != 0:
        pytest.skip("needs root to become somebody else")
    os.chmod(run_dir, 0o755)
    os.chmod(f"{run_dir}/api.sock", 0o600)
    # Somebody else may not read the folder this was built in.
    program = shutil.copy(SLUICECTL, f"{run_dir}/sluicectl")
    r = ctl("status", program=program, user=65534, group=65534, extra_groups=[])
    assert r.rc == 5 and "no permission" in r.err and "group sluice" in r.err


@pytest.mark.parametrize("status,rc", [(400, 2), (422, 2), (404, 3), (409, 4), (412, 4), (401, 5),
                                       (403, 5), (500, 1), (503, 8), (504, 7)])
def test_problem_decides_exit_status(api, ctl, status, rc):
    api.rules.append(lambda h, *a: h.problem(status, "because of this") or True)
    for line in ["status", "stream list", "stream add x", "listener del l1", "pub kick s-1"]:
        r = ctl(*line.split(), "--json")
        assert (r.rc, r.out, r.err) == (rc, "", "because of this\n"), line


def test_answers_that_are_none(api, ctl):
    for raw in [b"", b"<html>", b'{"items": [', b"\xff\xfe"]:
        api.rules[:] = [lambda h, *a, raw=raw: h.answer(200, raw=raw) or True]
        r = ctl("status")
        assert r.rc == 1 and r.out == "" and r.err.count("\n") == 1


def test_answers_of_another_shape(api, ctl):
    """Whatever JSON comes, no crash: a newer or older daemon may leave things out."""
    for raw in [b"{}", b"[]", b"7", b"null", b'{"items": 5, "ports": {}, "workers": 1}',
                b'{"items": [1, null, {}], "drops": [], "name": {}, "state": 1}']:
        api.rules[:] = [lambda h, *a, raw=raw: h.answer(200, raw=raw) or True]
        for line in ["status", "stream list", "stream show x", "listener add srt://:9000",
                     "stream set x --leg own", "sub list", "pub kick s-1"]:
            assert ctl(*line.split()).rc in (0, 1, 8), (raw, line)


def test_timeout(api, ctl):
    api.rules.append(lambda h, *a: time.sleep(3) or True)
    start = time.monotonic()
    r = ctl("status", "--timeout", "300ms")
    assert r.rc == 7 and time.monotonic() - start < 2 and "in time" in r.err


def test_precedence(api, ctl, tmp_path):
    """Flag before environment before run directory; the token goes to URLs only."""
    token = tmp_path / "token"
    token.write_text("sesame\n")
    far = FakeApi(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{far.server.server_port}"
    far.status = far.status | {"node": "far"}
    env = {"SLUICE_URL": url, "SLUICE_TOKEN_FILE": str(token)}
    assert ctl("status", "--json").json["node"] == "n1"
    assert ctl("status", "--json", env=env).json["node"] == "far"
    assert far.seen[-1][4]["Authorization"] == "Bearer sesame"
    r = ctl("status", "--json", "--socket", ctl.env["SLUICE_RUN_DIR"] + "/api.sock", env=env)
    assert r.json["node"] == "n1" and "Authorization" not in api.seen[-1][4]
    assert ctl("status", "--url", url, "--json").json["node"] == "far"
    assert "Authorization" not in far.seen[-1][4]
    far.close()


def test_reader_goes_away(api, ctl):
    for i in range(3000):
        api.objects["streams"][f"cam{i}"] = {"name": f"cam{i}", "state": "idle"}
    for flag in ["", "--json"]:
        p = subprocess.run(["sh", "-c", f"{SLUICECTL} stream list {flag} | head -1"],
                           env=ctl.env | {"PATH": "/usr/bin:/bin"}, capture_output=True, text=True,
                           timeout=20)
        assert p.stderr == "" and len(p.stdout.splitlines()) == 1


def test_disk_full(api, ctl):
    with open("/dev/full", "w") as full:
        p = subprocess.run([SLUICECTL, "status"], env=ctl.env, stdout=full, text=True,
                           stderr=subprocess.PIPE, timeout=20)
    assert p.returncode == 1 and "No space left" in p.stderr


def on_terminal(ctl, width, *args):
    ours, theirs = pty.openpty()
    p = subprocess.Popen([SLUICECTL, *args], env=ctl.env | {"COLUMNS": str(width)}, stdout=theirs,
                         stderr=subprocess.PIPE, stdin=subprocess.DEVNULL)
    os.close(theirs)
    text = b""
    try:
        while chunk := os.read(ours, 65536):
            text += chunk
    except OSError:  # the other side has closed
        pass
    os.close(ours)
    p.stderr.close()
    assert p.wait(20) == 0
    return text.decode().replace("\r\n", "\n")


def test_tables_fit_the_terminal(api, ctl):
    for i in range(3):
        api.objects["routes"][f"r{i}"] = {
            "id": f"r{i:010x}", "stream": "tenant/" + i * 30 * "x", "url": "udp://10.0.0.1:5000",
            "state": "error", "error": "e" * i * 50, "tx_packets": 1, "tx_bytes": 2}
    for width in [60, 80, 120]:
        text = on_terminal(ctl, width, "route", "list")
        assert len(text.splitlines()) == 4
        assert max(len(line) for line in text.splitlines()) <= width
        assert "\x1b" not in text and "r0000000002" in text
    assert "e" * 100 in ctl("route", "list").out
