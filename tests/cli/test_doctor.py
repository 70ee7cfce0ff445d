# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""doctor: the machine as this process sees it, and the daemons' view."""

import os
import socket


def checks(r):
    return {c["name"]: c for c in r.json["checks"]}


def test_all_is_well(api, ctl):
    api.status["version"] = ctl("--version").out.split()[1]
    r = ctl("doctor", "--json")
    found = checks(r)
    assert r.rc == 0 and r.json["degraded"] is False and r.err == ""
    assert os.uname().release in found["kernel"]["detail"]
    assert found["cores"]["detail"].startswith(f"{len(os.sched_getaffinity(0))} of ")
    with open("/proc/sys/net/core/rmem_max") as f:
        assert f"rmem_max {f.read().strip()}," in found["socket buffers"]["detail"]
    for name in ["sluiced", "sluice-dp", "kernel drops", "listener", "source", "route"]:
        assert found[name]["state"] == "ok", found[name]
    text = ctl("doctor")
    assert text.rc == 0 and len(text.out.splitlines()) == 1 + len(found)


def test_no_daemon(ctl, run_dir):
    r = ctl("doctor", "--json")
    found = checks(r)
    assert r.rc == 8 and r.json["degraded"] is True
    assert found["sluiced"]["state"] == found["sluice-dp"]["state"] == "bad"
    assert f"{run_dir}/dp.sock" in found["sluice-dp"]["detail"]
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as dp:
        dp.bind(f"{run_dir}/dp.sock")
        dp.listen()
        assert checks(ctl("doctor", "--json"))["sluice-dp"]["state"] == "ok"
    text = ctl("doctor")
    assert "sluiced: start sluiced\n" in text.err


def test_what_does_not_run_is_named(api, ctl):
    api.status |= {"version": "9.9", "dataplane": "away", "drops": {"socket_overflow": 5}}
    api.objects["routes"]["r1"] = {"id": "r1", "url": "udp://x:1", "state": "unresolved",
                                   "error": "no such host"}
    r = ctl("doctor", "--json")
    found = checks(r)
    assert r.rc == 8
    assert found["route"]["detail"] == "r1 udp://x:1 is unresolved: no such host"
    assert found["sluiced"]["state"] == found["sluice-dp"]["state"] == "bad"
    assert found["kernel drops"]["state"] == "note"


def test_old_dataplane_is_a_note(api, ctl):
    api.status |= {"version": ctl("--version").out.split()[1], "dataplane_version": "0.0.9"}
    r = ctl("doctor", "--json")
    found = checks(r)["sluice-dp"]
    assert r.rc == 0 and found["state"] == "note" and "restart pending" in found["detail"]
