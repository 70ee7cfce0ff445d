# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Passphrases, users, signing keys and tokens as typed: what is sent, what is shown."""

from urllib.parse import quote

import pytest

WORDS = "correct horse battery"


@pytest.fixture
def words(tmp_path):
    file = tmp_path / "words"
    file.write_text(WORDS + "\n")
    return file


def answers(api, method, path, status, doc):
    def rule(h, m, p, query, body):
        if (m, p) != (method, path):
            return False
        h.answer(status, doc)
        return True

    api.rules.append(rule)


def test_a_passphrase_comes_from_a_file(api, ctl, words):
    r = ctl("stream", "add", "a", "--publish-passphrase-file", str(words), "--play-auth", "token",
            "--hook", "http://127.0.0.1:1/x", "--hook-failure", "open", "--cryptomode", "gcm", "--km-refresh", "4096")
    assert r.rc == 0, r.err
    assert api.seen[0][3] == {"name": "a", "publish_passphrase": WORDS, "play_auth": "token", "hook": "http://127.0.0.1:1/x",
                              "hook_failure": "open", "cryptomode": "gcm", "km_refresh_packets": 4096}


def test_rules_keep_their_order(api, ctl):
    r = ctl("listener", "add", "srt://:9000", "--allow", "10.0.0.0/8", "--deny", "10.1.0.0/16", "--allow=::1")
    assert r.rc == 0, r.err
    assert api.seen[0][3] == {"url": "srt://:9000", "acl": ["allow 10.0.0.0/8", "deny 10.1.0.0/16", "allow ::1"]}


def test_dialects_are_a_list(api, ctl):
    r = ctl("listener", "add", "srt://:9000", "--dialects", "sls,ome")
    assert r.rc == 0, r.err
    assert api.seen[0][3] == {"url": "srt://:9000", "dialects": ["sls", "ome"]}
    r = ctl("listener", "add", "srt://:9000", "--dialects", "sls,,ome")
    assert r.rc == 2
    assert r.err == ("--dialects: a dialect is one of sluice, srs, mediamtx, srtrelay, sls, openirl, ome, restreamer\n")


def test_set_goes_back_to_no_passphrase_and_no_rules(api, ctl, words):
    ctl("stream", "add", "a", "--play-passphrase-file", str(words), "--deny", "10.0.0.0/8")
    r = ctl("stream", "set", "a", "--play-passphrase-file", "default", "--deny", "default", "--hook", "default")
    assert r.rc == 0, r.err
    method, path, _, body, _ = api.seen[-1]
    assert (method, path) == ("PUT", "/v1/streams/a")
    assert body["play_passphrase"] is None and body["acl"] == [] and body["hook"] is None


def test_the_help_says_who_comes_in_and_how(ctl):
    for line in (["stream", "add"], ["stream", "set"], ["listener", "add"]):
        text = " ".join(ctl(*line, "--help").out.split())
        assert "Who matches none may come in where all rules are denials; one --allow among them keeps everybody else out" in text
    text = ctl("listener", "add", "--help").out
    for dialect in ("srs", "mediamtx", "srtrelay", "sls", "openirl", "ome", "restreamer"):
        assert f"\n  {dialect} " in text, dialect
    assert "beside the bans that are there" in " ".join(ctl("sub", "kick", "--help").out.split())
    assert "2404" in ctl("watch", "--help").out and "1404" in ctl("watch", "--help").out


def test_secrets_are_stars_on_the_screen(api, ctl):
    api.objects["streams"]["a"] = {"name": "a", "play_passphrase": {"ref": "x0123456789"}, "publish_passphrase": None,
                                   "acl": ["allow 10.0.0.0/8", "deny ::/0"]}
    lines = dict(line.split("  ", 1) for line in ctl("stream", "show", "a").out.splitlines())
    shown = {k.strip(): v.strip() for k, v in lines.items()}
    assert shown["play passphrase"] == "***" and shown["publish passphrase"] == "-"
    assert shown["rules"] == "allow 10.0.0.0/8, deny ::/0"


def test_keys(api, ctl):
    key = {"kid": "k1", "prefix": "live/", "state": "signing", "since": "2026-01-01T00:00:00.000Z"}
    answers(api, "POST", "/v1/keys", 201, key)
    answers(api, "GET", "/v1/keys/k1", 200, key | {"key": "SECRET"})
    answers(api, "DELETE", "/v1/keys/k1", 204, None)
    r = ctl("key", "rotate", "--prefix", "live/")
    assert (r.rc, r.out, r.err) == (0, "k1  live/  signing\n", "") and api.seen[0][3] == {"prefix": "live/"}
    assert "key     SECRET\n" in ctl("key", "show", "k1").out
    r = ctl("key", "revoke", "k1")
    assert (r.rc, r.out, r.err) == (0, "", "key k1 revoked\n")


def test_a_token_and_a_stream_id_with_it(api, ctl):
    token = "v1.k1.t1.vf7lds.192.0.2.0/24.we8NBWbQhnDkY0TxBAyPIg"
    made = {"id": "t1", "token": token, "stream_id": f"#!::r=a,m=request,sluice_token={token}", "until": "2030-01-01T00:00:00.000Z"}
    answers(api, "POST", "/v1/tokens", 201, made)
    answers(api, "DELETE", f"/v1/tokens/{token}", 200, {"id": "t1", "until": made["until"], "revoked": made["until"]})
    r = ctl("token", "create", "--stream", "a", "--mode", "request", "--ttl", "60", "--ip", "192.0.2.0/24")
    assert r.rc == 0, r.err
    assert api.seen[0][3] == {"stream": "a", "mode": "request", "ttl_s": 60, "ip": "192.0.2.0/24"}
    assert r.out == (f"token      {token}\nstream id  {made['stream_id']}\nid         t1\nuntil      {made['until']}\n")
    assert ctl("token", "create", "--stream", "a", "--mode", "play", "--json").json == made
    assert api.seen[-1][3]["mode"] == "request", "as stream ids have it"
    for what in (token, made["stream_id"], quote(made["stream_id"], safe="")):
        r = ctl("token", "revoke", what)
        assert (r.rc, r.out, r.err) == (0, "", "token t1 revoked\n"), what
    answers(api, "DELETE", "/v1/tokens/t1", 200, {"id": "t1"})
    assert ctl("token", "revoke", "t1", "--own-id").rc == 0
    assert api.seen[-1][:2] == ("DELETE", "/v1/tokens/t1") and "own_id" in str(api.seen[-1][2])


@pytest.mark.parametrize("line, sentence", [
    ("user add joe --mode publish", "user add needs --passphrase-file F"),
    ("user add joe --passphrase-file {words}", "user add needs --mode publish|request"),
    ("token create --mode publish", "token create needs --stream NAME"),
    ("token revoke #!::r=a,m=request", "that is neither a token nor a token's id"),
    ("token revoke ../../v1/streams/a", "that is neither a token nor a token's id"),
    ("stream add a --deny 10.0.0.1/8",
     "--deny: a range is an address or ADDRESS/BITS with no bit set behind BITS: 192.0.2.0/24"),
    ("stream add a --play-passphrase-file /nowhere", "--play-passphrase-file: /nowhere cannot be read: No such file or directory"),
    ("stream add a --play-passphrase-file", "--play-passphrase-file needs a value: --play-passphrase-file F"),
])
def test_nothing_is_sent_that_is_wrong(api, ctl, words, line, sentence):
    r = ctl(*line.format(words=words).split())
    assert (r.rc, r.out, r.err) == (2, "", sentence + "\n")
    assert api.seen == []
