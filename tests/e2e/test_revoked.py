# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""As many revoked tokens as are kept, with those who came by them, over restarts of both daemons."""

import json
import sqlite3
import time

from kit import libsrt
from kit.api import Api
from kit.proc import wait_until
from kit.publishers import SrtPublisher

MOST = 10_000


def fill_store(path, n):
    """Revocations as the daemon writes them: one at a time, through the API, they take a durable write each."""
    with sqlite3.connect(path) as store:
        rev = store.execute("SELECT value FROM meta WHERE name = 'rev'").fetchone()[0]
        now = int(time.time())
        store.executemany("INSERT INTO kv(key, val, mod_rev) VALUES(?, ?, ?)", (
            (f"/sluice/1/intent/token/old{i:05d}".encode(),
             json.dumps({"id": f"old{i:05d}", "until_s": now + 3600, "revoked_s": now}).encode(), rev) for i in range(n)))
    store.close()


def count(relay):
    api, n, cursor = Api(relay), 0, ""
    while cursor is not None:
        page = api.get("/v1/tokens?limit=1000" + (f"&cursor={cursor}" if cursor else ""))
        n, cursor = n + len(page["items"]), page["next"]
    return n


def test_ten_thousand_revocations(make_relay, programs):
    relay = make_relay()
    relay.listen()
    relay.ctl("stream", "add", "a", "--play-auth", "token")
    relay.ctl("key", "rotate")
    SrtPublisher(programs, relay.url("a", "publish"))
    relay.wait_live("a")
    bad, good = (relay.json("token", "create", "--stream", "a", "--mode", "request")["token"] for _ in range(2))
    plays = {token: libsrt.Caller(relay.port, f"#!::r=a,sluice_token={token}") for token in (bad, good)}

    relay.daemon.stop()
    fill_store(relay.state_dir / "sluice.db", MOST - 2)
    relay.start_daemon()
    relay.wait_connected()
    wait_until(lambda: f"sent all {MOST + 2} objects" in relay.daemon.output(), "the dataplane has them", 20)
    assert plays[bad].receive() and plays[good].receive(), "nobody is put out by a restart"

    relay.ctl("token", "revoke", bad)
    wait_until(lambda: relay.stream("a")["subscribers"] == 1, "whom it let in is out")
    relay.ctl("token", "revoke", "0123456789ab")
    done = relay.run("token", "revoke", "0123456789ac")
    assert done.returncode == 4
    assert "10000 tokens are revoked and have not ended; revoke their key" in done.stderr and done.stderr.count("\n") == 1
    relay.ctl("token", "revoke", "old00007", "--own-id")  # again: it is there

    relay.dp.stop()
    relay.start_dp()
    relay.wait_connected()
    wait_until(lambda: libsrt.reject_code(relay.port, f"#!::r=a,sluice_token={good}") is None, "it is back")
    assert libsrt.reject_code(relay.port, f"#!::r=a,sluice_token={bad}") == 2401
    assert "the token was revoked" in relay.dp.output()
    assert count(relay) == MOST
    for caller in plays.values():
        caller.close()
