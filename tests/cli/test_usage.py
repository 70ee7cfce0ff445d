# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""What is refused before any daemon is asked, and help."""

import pytest

NOUNS = ["status", "listener", "stream", "source", "route", "sub", "pub", "node", "watch", "doctor"]

BAD = [
    ("strem list", "sluicectl has no command strem, did you mean stream?"),
    ("stream lsit", "stream has no command lsit, did you mean list?"),
    ("stream rm x", "stream has no command rm, did you mean del?"),
    ("stream", "stream needs a command: add, set, list, show or del"),
    ("stream add", "stream add needs NAME"),
    ("stream add ../etc", "name"),
    ("stream add a//b", "name"),
    ("stream show ../listeners", "name"),
    ("stream add cam1 --latency soon", "--latency must be a whole number"),
    ("stream add cam1 --latency 120000", "--latency must be between 1 and 20000"),
    ("stream add cam1 --latncy 120", "did you mean --latency?"),
    ("stream add cam1 cam2", "cam2"),
    ("stream set cam1", "nothing to set"),
    ("listener add", "listener add needs srt://ADDR:PORT"),
    ("listener add udp://:9000", "url"),
    ("listener del ../streams/cam1", '"../streams/cam1" is not an id'),
    ("listener show ..", '".." is not an id'),
    ("listener add srt://:70000", "url: the URL's port is a number from 1 to 65535"),
    ("source add cam1 udp://", "url: the URL has no port"),
    ("route add cam1 udp://h:1?ttl=999", "ttl is a number from 1 to 255"),
    ("route add cam1", "route add needs URL"),
    ("route add cam1 http://x", "url"),
    ("sub kick", "sub kick needs ID"),
    ("sub kick a/b", '"a/b" is not an id'),
    ("sub list ../x", "STREAM"),
    ("node sync", "node sync needs NAME"),
    ("node sync n1", "say so with --force"),
    ("node sync ../x --force", '"../x" is not an id'),
    ("status --timeout 0", "--timeout"),
    ("status --timeout -1", "--timeout"),
    ("status --timeout", "--timeout needs a value: --timeout S"),
    ("status --socket /a --url http://b", "--socket and --url name two daemons"),
    ("status --url ftp://x", "ftp://x"),
    ("status --url http://127.0.0.1/v2", "http(s)://HOST:PORT"),
    ("status --url http://127.0.0.1:9 --token-file /nowhere", "/nowhere"),
    ("status --socket " + "x" * 120, "too long"),
    ("status --socket=", "--socket is empty"),
    ("watch --count none", "--count must be a whole number above 0"),
    ("status --bogus", "status has no flag --bogus"),
]


@pytest.mark.parametrize("line,sentence", BAD)
def test_bad_line(api, ctl, line, sentence):
    """One sentence, exit status 2, and the daemon was not bothered."""
    r = ctl(*line.split(" "))
    assert r.rc == 2, r.err
    assert r.out == ""
    assert sentence in r.err
    assert r.err.count("\n") == 1
    assert api.seen == []


def test_alone_it_shows_help(ctl):
    r = ctl()
    assert r.rc == 2 and r.out == ""
    for noun in NOUNS:
        assert f"\n  {noun} " in r.err


def test_help_stands_anywhere(ctl):
    for line in ["--help", "-h", "help", "--json --help"]:
        r = ctl(*line.split())
        assert r.rc == 0 and r.err == ""
        assert "Usage: sluicectl COMMAND" in r.out
    texts = {ctl(*line.split()).out for line in
             ["stream add --help", "help stream add", "stream --help add", "stream add x --help",
              "stream add --latency -h", "--socket /x stream -h add"]}
    assert len(texts) == 1
    assert "Usage: sluicectl stream add NAME [flags]" in texts.pop()


@pytest.mark.parametrize("noun", NOUNS)
def test_every_command_has_help(ctl, noun):
    r = ctl(noun, "--help")
    assert r.rc == 0 and f"Usage: sluicectl {noun}" in r.out
    verbs = r.out.partition("Commands:\n")[2].partition("\n\n")[0]
    for verb in [v.split()[0] for v in verbs.splitlines()]:
        sub = ctl(noun, verb, "--help")
        assert sub.rc == 0 and f"Usage: sluicectl {noun} {verb}" in sub.out


def test_version(ctl):
    r = ctl("--version")
    assert r.rc == 0 and r.out.startswith("sluicectl 0.")
