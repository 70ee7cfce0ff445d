# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Passphrases, signing keys and tokens on the daemon's side: what goes in never comes out again but where it must."""

import base64
import hashlib
import hmac
import json
import time
from pathlib import Path

import pytest
from kit.api import Api
from kit.proc import free_port, wait_until

pytestmark = pytest.mark.basic

WORDS = "correct horse battery"
OTHER = "staple in the haystack"


@pytest.fixture
def bare(make_relay, shared_path):
    relay = make_relay()
    relay.words = shared_path / "words"
    relay.words.write_text(WORDS + "\n")
    return relay


def commands_of_all():
    """What everybody on the machine may read of every process."""
    seen = b""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            seen += path.read_bytes() + b"\n"
        except OSError:
            pass  # it has ended
    return seen


def everything_said(relay):
    """Every answer of the API, every log and file, as bytes by name."""
    api = Api(relay)
    said = {path: api("GET", path).data for path in (
        "/v1/status", "/v1/streams", "/v1/listeners", "/v1/routes", "/v1/sources", "/v1/users", "/v1/keys", "/v1/tokens",
        "/metrics", "/openapi.json")}
    said |= {p.name: p.log.read_bytes() for p in relay.programs.started}
    said |= {str(f): f.read_bytes() for f in relay.state_dir.rglob("*") if f.is_file()}
    said["commands"] = commands_of_all()
    return said


def test_a_passphrase_is_nowhere_to_be_read(bare):
    bare.ctl("stream", "add", "live/a", "--publish-passphrase-file", bare.words)
    done = bare.run("stream", "set", "live/a", "--play-passphrase-file", "-", input=OTHER)
    assert done.returncode == 0, done.stderr
    bare.ctl("user", "add", "joe", "--prefix", "live/", "--mode", "request", "--passphrase-file", bare.words)
    shown = bare.stream("live/a")
    assert set(shown["publish_passphrase"]) == {"ref"} and set(shown["play_passphrase"]) == {"ref"}
    said = everything_said(bare)
    assert b"joe" in said["/v1/users"]
    for secret in (WORDS, OTHER):
        for form in (secret.encode(), base64.b64encode(secret.encode()), secret.encode().hex().encode()):
            assert [name for name, text in said.items() if form in text] == []
    assert (bare.state_dir / "master.key").stat().st_mode & 0o777 == 0o600


def test_what_was_shown_can_be_put_back(bare):
    bare.ctl("stream", "add", "a", "--play-passphrase-file", bare.words)
    ref = bare.stream("a")["play_passphrase"]
    bare.ctl("stream", "set", "a", "--latency", "300")
    assert bare.stream("a")["play_passphrase"] == ref
    bare.ctl("stream", "add", "a", "--latency", "300", "--play-passphrase-file", bare.words)  # the same object again
    bare.words.write_text(OTHER)
    done = bare.run("stream", "add", "a", "--latency", "300", "--play-passphrase-file", bare.words)
    assert done.returncode == 4 and "with other content" in done.stderr
    bare.ctl("stream", "set", "a", "--play-passphrase-file", "default")
    assert bare.stream("a")["play_passphrase"] is None


def test_a_passphrase_leaves_its_url(bare):
    url = f"srt://127.0.0.1:{free_port()}?streamid=x&latency=200"
    bare.ctl("stream", "add", "a")
    added = bare.run("--json", "route", "add", "a", f"{url}&passphrase={WORDS.replace(' ', '%20')}")  # nobody listens there
    assert added.returncode == 8, added.stderr
    shown = json.loads(added.stdout)
    assert "passphrase=***" in shown["url"] and set(shown["passphrase"]) == {"ref"}
    for again in (f"{url}&passphrase={WORDS.replace(' ', '%20')}", shown["url"]):
        assert json.loads(bare.run("--json", "route", "add", "a", again).stdout)["id"] == shown["id"]
    assert json.loads(bare.run("--json", "route", "add", "a", url, "--passphrase-file", bare.words).stdout)["id"] == shown["id"]
    done = bare.run("route", "add", "a", f"{url}&passphrase={OTHER.replace(' ', '%20')}")
    assert done.returncode == 4 and OTHER not in done.stderr
    done = bare.run("route", "add", "a", url)
    assert done.returncode == 4  # without one it is another route to the same place
    said = everything_said(bare)
    forms = [form for words in (WORDS, OTHER) for form in (words.encode(), words.replace(" ", "%20").encode())]
    assert [name for name, text in said.items() if any(form in text for form in forms)] == []
    bare.ctl("route", "del", shown["id"])
    done = bare.run("route", "add", "a", shown["url"])
    assert done.returncode == 2 and done.stderr == "passphrase: no secret *** is kept for it\n"


@pytest.mark.parametrize("line, sentence", [
    ("stream add x --play-passphrase-file {words}", "--play-passphrase-file: a passphrase has 10 to 80 bytes, this one has 9"),
    ("stream add x --play-passphrase-file /nowhere", "--play-passphrase-file: /nowhere cannot be read: No such file or directory"),
    ("stream add x --allow 10.0.0.1/8", "--allow: a range is an address or ADDRESS/BITS with no bit set behind BITS: 192.0.2.0/24"),
    ("stream add x --play-auth maybe", '--play-auth must be none, token or hook, not "maybe"'),
    ("stream add x --play-auth hook", "a stream that asks a hook needs its URL, and the daemon has no default"),
    ("stream add x --hook ftp://a", "--hook: a hook is http://HOST/.. or https://HOST/.."),
    ("stream add x --hook-failure shut", '--hook-failure must be closed or open, not "shut"'),
    ("stream add x --cryptomode aes", '--cryptomode must be auto, ctr or gcm, not "aes"'),
    ("stream add x --km-refresh 5", "--km-refresh must be between 128 and 1073741824, not 5"),
    ("user add joe --mode publish", "user add needs --passphrase-file F"),
    ("user add joe --mode watch --passphrase-file {words}", '--mode must be publish or request, not "watch"'),
    ("token create --stream x", "token create needs --mode publish|request"),
    ("token create --stream x --mode publish --ip 1.2.3", "--ip: a range is an address or ADDRESS/BITS"),
    ("token revoke ../x", "that is neither a token nor a token's id"),
])
def test_a_bad_value_is_one_sentence(bare, line, sentence):
    bare.words.write_text("too short")
    done = bare.run(*line.format(words=bare.words).split())
    assert done.returncode == 2
    assert done.stderr.startswith(sentence) and done.stderr.count("\n") == 1
    assert "too short" not in done.stderr
    assert bare.items("stream", "list") == [] and bare.items("user", "list") == []


def test_the_first_rule_of_an_address_counts(bare):
    bare.listen("--deny", "10.1.0.0/16", "--allow", "10.0.0.0/8", "--deny", "::/0")
    assert bare.items("listener", "list")[0]["acl"] == ["deny 10.1.0.0/16", "allow 10.0.0.0/8", "deny ::/0"]
    many = [word for i in range(33) for word in ("--allow", f"10.0.{i}.0/24")]
    done = bare.run("stream", "add", "x", *many)
    assert done.returncode == 2 and done.stderr == "acl has more than 32 items\n"


def restart(relay, change):
    assert relay.daemon.stop() == 0
    change()
    relay.start_daemon()
    relay.wait_connected()


def test_without_the_master_key_nothing_is_made_anew(bare):
    bare.ctl("stream", "add", "a", "--play-passphrase-file", bare.words)
    key = bare.state_dir / "master.key"
    kept = key.read_text()
    restart(bare, key.unlink)
    said = wait_until(lambda: bare.status_now()["secrets_error"], "status says what is missing", 5)
    assert said == f"the master key {key} cannot be read: No such file or directory"
    done = bare.run("status")
    assert done.returncode == 8 and said in done.stderr
    assert said in bare.run("doctor").stdout
    done = bare.run("stream", "add", "b", "--play-passphrase-file", bare.words)
    assert done.returncode != 0 and said in done.stderr
    assert not key.exists() and bare.stream("b") == {}

    def other_key():
        key.write_text("00" * 32)
        bare.programs.own(key)

    restart(bare, other_key)
    said = wait_until(lambda: bare.status_now()["secrets_error"], "status says that it is another key", 5)
    assert said == f"secrets of the store were sealed under another master key than {key}"
    restart(bare, lambda: key.write_text(kept))
    wait_until(lambda: bare.run("stream", "add", "a", "--play-passphrase-file", bare.words).returncode == 0, "it holds again")
    assert bare.status()["secrets_error"] is None


def test_systemd_hands_over_the_master_key(make_relay, programs, shared_path):
    (shared_path / "words").write_text(WORDS)
    (shared_path / "sluice-master-key").write_text("5a" * 32)
    programs.own(shared_path / "sluice-master-key")
    relay = make_relay(env={"CREDENTIALS_DIRECTORY": str(shared_path)})
    relay.ctl("stream", "add", "a", "--play-passphrase-file", shared_path / "words")
    assert not (relay.state_dir / "master.key").exists() and relay.status()["secrets_error"] is None


def token_by_hand(key, head, mode, stream):
    mac = hmac.new(key.encode(), f"{head}\n{mode}\n{stream}".encode(), hashlib.sha256).digest()[:16]
    return f"{head}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def test_a_platform_signs_as_we_do(bare):
    done = bare.run("token", "create", "--stream", "live/a", "--mode", "request")
    assert done.returncode == 3
    assert done.stderr == "no signing key is for live/a, make one: sluicectl key rotate\n"
    bare.ctl("key", "rotate")
    bare.ctl("key", "rotate", "--prefix", "live/")
    made = bare.json("token", "create", "--stream", "live/a", "--mode", "publish", "--ttl", "60", "--ip", "192.0.2.0/24")
    key = bare.json("key", "show", made["kid"])
    assert key["prefix"] == "live/" and key["state"] == "signing"
    head, _, _ = made["token"].rpartition(".")
    version, kid, ident, until, *where = head.split(".")
    assert (version, kid, ident, ".".join(where)) == ("v1", made["kid"], made["id"], "192.0.2.0/24")
    assert 0 < int(until, 36) - time.time() <= 61
    assert made["token"] == token_by_hand(key["key"], head, "publish", "live/a")
    assert made["stream_id"] == f"#!::r=live/a,m=publish,sluice_token={made['token']}"
    said = everything_said(bare)
    assert [name for name, text in said.items() if key["key"].encode() in text] == []


def test_two_keys_of_a_prefix_are_valid(bare):
    kids = [bare.json("key", "rotate")["kid"] for _ in range(3)]
    states = {k["kid"]: k["state"] for k in bare.items("key", "list")}
    assert states == {kids[2]: "signing", kids[1]: "valid"}
    assert all("key" not in k for k in bare.items("key", "list"))
    bare.ctl("key", "revoke", kids[2])
    assert bare.json("token", "create", "--stream", "a", "--mode", "request")["kid"] == kids[1]
    assert bare.run("key", "show", kids[2]).returncode == 3


def test_users_and_keys_say_whether_the_dataplane_has_them(bare):
    bare.ctl("user", "add", "joe", "--mode", "request", "--passphrase-file", bare.words)
    bare.ctl("key", "rotate")

    def said():
        return [(o["state"], o["error"]) for noun in ("user", "key") for o in bare.items(noun, "list")]

    assert said() == [("active", None), ("signing", None)]
    bare.dp.stop()
    wait_until(lambda: bare.status_now()["dataplane"] == "away", "it is missed")
    assert said() == [("pending", "the dataplane is away"), ("signing", "the dataplane is away")]
    done = bare.run("user", "add", "jim", "--mode", "publish", "--passphrase-file", bare.words)
    assert done.returncode == 8 and "user jim is stored, but the dataplane is away" in done.stderr
    bare.start_dp()
    bare.wait_connected()
    wait_until(lambda: said() == [("active", None)] * 2 + [("signing", None)], "it has them all")


def test_a_revocation_lasts_as_long_as_the_token(bare):
    bare.ctl("key", "rotate")
    made = bare.json("token", "create", "--stream", "a", "--mode", "request", "--ttl", "3600")
    assert bare.items("token", "list") == []  # what was signed is not kept
    assert bare.json("token", "revoke", made["token"])["until"] == made["until"]
    bare.ctl("token", "revoke", made["id"])  # again, by its id
    bare.ctl("token", "revoke", "of-elsewhere", "--own-id")
    restart(bare, lambda: None)
    assert {t["id"] for t in bare.items("token", "list")} == {made["id"], "of-elsewhere"}


def test_a_revocation_ends_with_its_token(bare):
    bare.ctl("key", "rotate")
    made = bare.json("token", "create", "--stream", "a", "--mode", "request", "--ttl", "1")
    bare.ctl("token", "revoke", made["token"])
    wait_until(lambda: bare.items("token", "list") == [], "nothing is kept of a token that has ended", 10)


def test_the_first_document_names_files(bare, programs, shared_path):
    document = {"sluice": 1, "daemon": {"master_key_file": str(shared_path / "key")},
                "streams": {"live/a": {"play_passphrase": {"file": str(bare.words)}, "acl": ["allow 127.0.0.0/8"]}},
                "users": {"joe": {"mode": "publish", "passphrase": {"file": str(bare.words)}}}}
    (shared_path / "key").write_text("5a" * 32)
    programs.own(shared_path / "key")
    (shared_path / "doc.json").write_text(json.dumps(document))
    bare.daemon_flags = ["--config", str(shared_path / "doc.json")]
    restart(bare, lambda: [f.unlink() for f in bare.state_dir.glob("sluice.db*")])
    assert set(bare.stream("live/a")["play_passphrase"]) == {"ref"}
    assert [u["name"] for u in bare.items("user", "list")] == ["joe"]
    restart(bare, lambda: None)
    assert "differs" not in bare.daemon.output()
    assert all(WORDS.encode() not in f.read_bytes() for f in bare.state_dir.rglob("*") if f.is_file())
