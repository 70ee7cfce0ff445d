# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Who comes in, by srt-live-transmit: passphrases."""

import pytest
from kit.proc import wait_until
from kit.publishers import SrtPublisher
from kit.readers import BLOCK, srt_player

WORDS = "correct horse battery"
OTHER = "staple in the haystack"


@pytest.fixture
def strict(make_relay, tmp_path):
    """A relay whose listener lets nobody in by itself."""
    relay = make_relay()
    relay.listen()
    relay.words, relay.other = tmp_path / "words", tmp_path / "other"
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
    player.program.wait(10)
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
    assert [s["encrypted"] for s in strict.items("sub", "list")] == [True]
    assert "passphrase" in refused(strict, programs, 1010, "a", WORDS)
    refused(strict, programs, 1011, "a")
    # Another passphrase counts for who comes from now on.
    strict.ctl("stream", "set", "a", "--play-passphrase-file", strict.words)
    refused(strict, programs, 1010, "a", OTHER)
    plays(strict, programs, "a", WORDS)
    player.wait(len(player.data()) + 3 * BLOCK)
    assert WORDS not in strict.dp.output() and OTHER not in strict.dp.output()
