# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Who comes in, by srt-live-transmit: passphrases, users, tokens, the hook."""

import json
from pathlib import Path

import pytest
from kit import libsrt
from kit.api import Api
from kit.hook import Hook
from kit.proc import free_port, wait_until
from kit.publishers import SrtPublisher
from kit.readers import BLOCK, srt_player

WORDS = "correct horse battery"
OTHER = "staple in the haystack"


@pytest.fixture
def hook():
    server = Hook()
    yield server
    server.close()


@pytest.fixture
def strict(make_relay, shared_path):
    """A relay whose listener lets nobody in by itself."""
    relay = make_relay()
    relay.listen()
    relay.words, relay.other = shared_path / "words", shared_path / "other"
    relay.words.write_text(WORDS + "\n")
    relay.other.write_text(OTHER + "\n")
    return relay


def caller(relay, stream, mode, passphrase=None, **keys):
    """The URL of a caller with more keys in its stream id."""
    ident = ",".join([f"#!::r={stream}", f"m={mode}", *(f"{k}={v}" for k, v in keys.items())])
    return f"srt://127.0.0.1:{relay.port}?streamid={ident}" + (f"&passphrase={passphrase}" if passphrase else "")


def plays(relay, programs, stream, *args, **keys):
    player = srt_player(programs, caller(relay, stream, "request", *args, **keys))
    player.wait(20 * 1316)
    return player


def refused(relay, programs, code, stream, *args, **keys):
    """The caller is turned away with this code; returns the line that says why."""
    before = relay.dp.output().count("may not")
    player = srt_player(programs, caller(relay, stream, "request", *args, **keys))

    def said():
        lines = [line for line in relay.dp.output().splitlines() if "may not" in line]
        return lines[-1] if len(lines) > before else None

    line = wait_until(said, "the relay says why")
    assert f"({code})" in line, line
    player.program.says("REJECT reported")
    assert not player.data()
    return line


def publishes(relay, programs, stream, *args, **keys):
    publisher = SrtPublisher(programs, caller(relay, stream, "publish", *args, **keys))
    relay.wait_live(stream)
    return publisher


def test_passphrases_of_publisher_and_subscriber_differ(strict, programs):
    strict.ctl("stream", "add", "a", "--publish-passphrase-file", strict.words, "--play-passphrase-file", strict.other)
    publishes(strict, programs, "a", WORDS)
    player = plays(strict, programs, "a", OTHER)
    assert [(s["encrypted"], s["cipher"]) for s in strict.items("sub", "list")] == [(True, "AES-128-CTR")]
    assert "passphrase" in refused(strict, programs, 1010, "a", WORDS)
    refused(strict, programs, 1011, "a")
    # Another passphrase counts for who comes from now on.
    strict.ctl("stream", "set", "a", "--play-passphrase-file", strict.words)
    refused(strict, programs, 1010, "a", OTHER)
    plays(strict, programs, "a", WORDS)
    player.wait(len(player.data()) + 3 * BLOCK)
    assert WORDS not in strict.dp.output() and OTHER not in strict.dp.output()


CALLERS = {
    "clear": [],
    "clear and content with it": [(libsrt.SRTO_ENFORCEDENCRYPTION, 0)],
    "knows it": [(libsrt.SRTO_PASSPHRASE, WORDS)],
    "wrong": [(libsrt.SRTO_PASSPHRASE, OTHER)],
    "wrong and content with clear": [(libsrt.SRTO_PASSPHRASE, OTHER), (libsrt.SRTO_ENFORCEDENCRYPTION, 0)],
}


def answer_of_libsrt(programs, options, passphrase):
    """What a listener of libsrt that keeps its defaults says to such a caller."""
    port = free_port()
    query = "mode=listener" + (f"&passphrase={passphrase}" if passphrase else "")
    listener = programs.client("srt-live-transmit", ["srt-live-transmit", "-ll:fatal", f"srt://127.0.0.1:{port}?{query}",
                                                     f"udp://127.0.0.1:{free_port()}"])
    wait_until(lambda: f":{port:04X} " in Path("/proc/net/udp").read_text(), "it listens")
    code = libsrt.reject_code(port, None, options)
    listener.kill()
    return code


@pytest.mark.parametrize("name", CALLERS)
def test_who_does_not_share_the_passphrase_hears_what_libsrt_says(strict, programs, name):
    strict.ctl("stream", "add", "clear")
    strict.ctl("stream", "add", "kept", "--play-passphrase-file", strict.words)
    for stream, passphrase in (("clear", None), ("kept", WORDS)):
        ours = libsrt.reject_code(strict.port, f"#!::r={stream}", CALLERS[name])
        assert ours == answer_of_libsrt(programs, CALLERS[name], passphrase), stream


@pytest.mark.parametrize("size", [10, 79, 80])
def test_the_shortest_and_longest_passphrases_of_libsrt(strict, size):
    """Its documents say 79 at most, it takes 80 itself."""
    strict.words.write_text("x" * size)
    strict.ctl("stream", "add", "a", "--play-passphrase-file", strict.words)
    assert libsrt.reject_code(strict.port, "#!::r=a", [(libsrt.SRTO_PASSPHRASE, "x" * size)]) is None
    assert libsrt.reject_code(strict.port, "#!::r=a", [(libsrt.SRTO_PASSPHRASE, "y" * size)]) == 1010


def test_a_user_brings_a_passphrase_of_its_own(strict, programs):
    strict.ctl("stream", "add", "live/a", "--publish-passphrase-file", strict.words, "--play-passphrase-file", strict.words)
    strict.ctl("user", "add", "joe", "--prefix", "live/", "--mode", "publish", "--passphrase-file", strict.other)
    publishes(strict, programs, "live/a", OTHER, u="joe")
    (publisher,) = strict.items("pub", "list")
    assert publisher["encrypted"] and (publisher["user"], publisher["token"]) == ("joe", None)
    refused(strict, programs, 1010, "live/a", OTHER)
    refused(strict, programs, 2403, "live/a", OTHER, u="joe")  # it may publish, not play
    plays(strict, programs, "live/a", WORDS)


def token_for(relay, *args):
    return relay.json("token", "create", *args)


def test_a_token_opens_one_stream_in_one_mode(strict, programs):
    strict.ctl("stream", "add", "a", "--play-auth", "token")
    strict.ctl("stream", "add", "b", "--play-auth", "token")
    strict.ctl("key", "rotate")
    publishes(strict, programs, "a")
    good = token_for(strict, "--stream", "a", "--mode", "request", "--ip", "127.0.0.0/8")
    player = plays(strict, programs, "a", sluice_token=good["token"])
    refused(strict, programs, 2401, "a")
    refused(strict, programs, 2401, "b", sluice_token=good["token"])
    elsewhere = token_for(strict, "--stream", "a", "--mode", "request", "--ip", "192.0.2.0/24")
    refused(strict, programs, 2403, "a", sluice_token=elsewhere["token"])
    writer = token_for(strict, "--stream", "a", "--mode", "publish")
    refused(strict, programs, 2403, "a", sluice_token=writer["token"])
    # The stream id that came with it is ready to be used.
    ready = srt_player(programs, f"srt://127.0.0.1:{strict.port}?streamid={good['stream_id']}")
    ready.wait(20 * 1316)
    strict.ctl("token", "revoke", good["id"])
    for gone in (player, ready):
        gone.program.wait(10)
    refused(strict, programs, 2401, "a", sluice_token=good["token"])
    assert good["token"] not in strict.dp.output() + strict.daemon.output()


@pytest.mark.parametrize("typed", ["nonsense", "0123456789a", "0123456789abc", "0123456789AB"])
def test_a_slip_is_no_revocation(strict, typed):
    done = strict.run("token", "revoke", typed)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "that is neither a token nor a token's id, which is 12 hex digits\n"
    assert not strict.items("token", "list")
    strict.ctl("token", "revoke", typed, "--own-id")
    assert [t["id"] for t in strict.items("token", "list")] == [typed]


def test_a_key_is_not_revoked_as_a_token(strict):
    strict.ctl("key", "rotate")
    kid = strict.json("key", "rotate")["kid"]
    done = strict.run("token", "revoke", kid, "--own-id")
    assert done.returncode == 2 and done.stderr == f"{kid} is a signing key, not a token: sluicectl key revoke {kid}\n"
    strict.ctl("key", "revoke", kid)
    assert kid not in [k["kid"] for k in strict.items("key", "list")]


def test_a_key_goes_though_a_token_of_its_name_went(strict):
    """The name of what was revoked may come again as that of a key."""
    strict.ctl("token", "revoke", "k0", "--own-id")
    kid = strict.json("key", "rotate")["kid"]
    strict.ctl("key", "revoke", kid)
    assert {t["id"] for t in strict.items("token", "list")} == {"k0", kid}


def test_from_a_viewer_to_its_token(strict, programs):
    strict.ctl("stream", "add", "a", "--play-auth", "token")
    strict.ctl("key", "rotate")
    publishes(strict, programs, "a")
    token = token_for(strict, "--stream", "a", "--mode", "request")
    player = plays(strict, programs, "a", sluice_token=token["token"])
    (viewer,) = strict.items("sub", "list", "a")
    unsigned = token["stream_id"].rsplit(".", 1)[0] + ".***"
    assert (viewer["stream_id"], viewer["token"], viewer["kid"]) == (unsigned, token["id"], token["kid"])
    assert unsigned in strict.ctl("sub", "show", viewer["id"])
    assert [p["stream_id"] for p in strict.items("pub", "list", "a")] == ["#!::r=a,m=publish"]
    assert not strict.items("pub", "list", "b")
    strict.ctl("token", "revoke", token["stream_id"])
    player.program.wait(10)
    assert [t["id"] for t in strict.items("token", "list")] == [token["id"]]


def test_a_revoked_key_takes_its_tokens_along(strict, programs):
    strict.ctl("stream", "add", "a", "--play-auth", "token")
    publishes(strict, programs, "a")
    kid = strict.json("key", "rotate")["kid"]
    old = token_for(strict, "--stream", "a", "--mode", "request")
    strict.ctl("key", "rotate")
    # The key before the last one is valid; and who came by it stays when its successors push it out.
    old_player = plays(strict, programs, "a", sluice_token=old["token"])
    (session,) = strict.items("sub", "list")
    assert (session["token"], session["kid"], session["user"]) == (old["id"], kid, None)
    new_kid = strict.json("key", "rotate")["kid"]
    new = token_for(strict, "--stream", "a", "--mode", "request")
    new_player = plays(strict, programs, "a", sluice_token=new["token"])
    refused(strict, programs, 2401, "a", sluice_token=old["token"])
    strict.ctl("key", "revoke", new_kid)
    new_player.program.wait(10)
    refused(strict, programs, 2401, "a", sluice_token=new["token"])
    assert [s["kid"] for s in strict.items("sub", "list")] == [kid]
    size = len(old_player.data())
    old_player.wait(size + 20 * 1316)


def verdicts(relay):
    text = Api(relay)("GET", "/metrics").data.decode()
    return {v: int(line.rsplit(" ", 1)[1]) for line in text.splitlines() for v in ("allow", "refuse", "fail")
            if line.startswith(f'sluice_hook_requests_total{{verdict="{v}"}}')}


def test_the_hook_decides(strict, programs, hook):
    strict.ctl("stream", "add", "a", "--play-auth", "hook", "--hook", hook.url)
    publishes(strict, programs, "a")
    plays(strict, programs, "a", u="joe", s="once")
    asked = hook.asked[-1]
    assert asked["query"].startswith("#!::r=a,m=request")
    assert asked == {"action": "play", "stream": "a", "user": "joe", "token": "", "ip": "127.0.0.1", "protocol": "srt",
                     "session": "once", "query": asked["query"]}
    hook.answer = None
    plays(strict, programs, "a", u="joe", s="once")  # what it said last holds while it does not answer
    hook.answer = (403, None)
    refused(strict, programs, 2403, "a", u="jim")
    hook.answer = (401, {"code": 2404})
    refused(strict, programs, 2404, "a", u="jane")
    assert verdicts(strict) == {"allow": 1, "refuse": 2, "fail": 1}


def test_the_daemons_hook_is_for_streams_without_one(make_relay, programs, hook, shared_path):
    (shared_path / "doc.json").write_text(json.dumps({"sluice": 1, "daemon": {"hook": hook.url}}))
    relay = make_relay(daemon=["--config", shared_path / "doc.json"])
    relay.listen()
    relay.ctl("stream", "add", "a", "--publish-auth", "hook")
    publishes(relay, programs, "a")
    assert [(q["action"], q["stream"]) for q in hook.asked] == [("publish", "a")]


def test_a_hook_that_fails_closes_or_opens(strict, programs, hook):
    strict.ctl("stream", "add", "shut", "--play-auth", "hook", "--hook", hook.url)
    strict.ctl("stream", "add", "wide", "--play-auth", "hook", "--hook", hook.url, "--hook-failure", "open")
    publishes(strict, programs, "shut")
    publishes(strict, programs, "wide")
    hook.answer = (500, None)
    refused(strict, programs, 2424, "shut", u="a")
    hook.answer = None
    refused(strict, programs, 2424, "shut", u="b")
    plays(strict, programs, "wide", u="c")
    hook.close()
    refused(strict, programs, 2424, "shut", u="d")
    plays(strict, programs, "wide", u="e")
    assert verdicts(strict)["fail"] == 5
