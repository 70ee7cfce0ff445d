# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Routes that have the publisher's passphrase: what it has encrypted passes as it is; and what becomes of them when it goes."""

import pytest
from kit import libsrt, ts
from kit.proc import free_port, wait_until
from kit.publishers import Paced, SrtPublisher
from kit.readers import srt_player
from kit.tap import Tap

WORDS, OTHER = "correct horse battery", "staple in the haystack"
RATE = 8_000_000


@pytest.fixture
def words(shared_path):
    for name, text in (("words", WORDS), ("other", OTHER)):
        (shared_path / name).write_text(text + "\n")
    return shared_path


@pytest.fixture
def stream(relay, words):
    relay.ctl("stream", "add", "a", "--publish-passphrase-file", words / "words")
    return relay


def publish(relay, programs, length=16, **more):
    """srt-live-transmit behind a tap."""
    tap = Tap(programs, relay.port)
    url = relay.url("a", "publish", passphrase=WORDS, pbkeylen=length).replace(f":{relay.port}", f":{tap.port}")
    publisher = SrtPublisher(programs, url, bitrate=RATE, **more)
    relay.wait_live("a")
    return publisher, tap


def target(relay, programs, file, passphrase=WORDS):
    """A route to a listener of srt-live-transmit behind a tap."""
    port = free_port()
    tap = Tap(programs, port)
    player = srt_player(programs, f"srt://127.0.0.1:{port}?mode=listener&passphrase={passphrase}")
    relay.ctl("route", "add", "a", f"srt://127.0.0.1:{tap.port}", "--passphrase-file", file)
    return player, tap


def assert_no_keystream_twice(*uses):
    """uses: (tap, the bytes that its packets carry in turn). What is sent xor what is meant serves one payload only."""
    used = {}
    for tap, data in uses:
        media = tap.media()
        for i, number in enumerate(sorted(media)):
            key, payload = media[number]
            plain = bytes(data[i * ts.DATAGRAM : (i + 1) * ts.DATAGRAM])
            assert key in (1, 2), "a clear packet"
            if len(plain) == ts.DATAGRAM:
                stream = bytes(a ^ b for a, b in zip(payload[:48], plain))
                assert used.setdefault(stream, plain) == plain, f"number {number} goes under a keystream that was used"
    assert used


@pytest.mark.basic
@pytest.mark.parametrize("length", [16, 32])
def test_the_publishers_bytes_pass_untouched(stream, programs, words, length):
    """Key message, numbers and payloads are those of the publisher; the route's URL says nothing about the length."""
    publisher, ours = publish(stream, programs, length)
    player, theirs = target(stream, programs, words / "words")
    player.wait(800_000)
    ts.assert_exact(publisher.stop(), player.stop(), at_least=3000, tail=10_000_000)
    assert theirs.first_key() == ours.first_key() and len(theirs.first_key()) == 40 + length
    sent, passed = ours.media(), theirs.media()
    assert len(passed) > 500 and all(sent[number] == found for number, found in passed.items())
    assert not theirs.new_keys()


@pytest.mark.basic
def test_with_another_passphrase_they_are_encrypted_anew(stream, programs, words):
    publisher, ours = publish(stream, programs)
    player, theirs = target(stream, programs, words / "other", OTHER)
    player.wait(400_000)
    published, received = publisher.stop(), player.stop()
    ts.assert_exact(published, received, at_least=1500, tail=10_000_000)
    assert theirs.first_key() != ours.first_key()
    sent = {payload for _, payload in ours.media().values()}
    assert sent.isdisjoint(payload for _, payload in theirs.media().values())


@pytest.mark.basic
def test_a_publisher_that_comes_back_brings_no_clear_and_no_second_use_of_a_key(stream, programs, words):
    """Its key and its numbers are others: the target goes on under a key of the relay's, and one that comes later passes again."""
    first, wire1 = publish(stream, programs, generator=ts.Generator(1))
    player, theirs = target(stream, programs, words / "words")
    player.wait(400_000)
    published = [first.leave()]
    stream.wait_stream("a", state="idle")
    passed = theirs.media()
    at = player.file.stat().st_size
    second, wire2 = publish(stream, programs, generator=ts.Generator(2))
    player.wait(at + 400_000)
    later, later_wire = target(stream, programs, words / "words")
    later.wait(400_000)
    published.append(second.stop())
    received = player.stop()
    ts.assert_follows(published, received)
    ts.assert_exact(published[1], later.stop(), at_least=1500, tail=10_000_000)
    # Its very last packets may come with its goodbye: then they go under the relay's key, in the other slot.
    sent = wire1.media()
    others = {number for number, found in passed.items() if found != sent[number]}
    assert all(passed[number][0] != sent[number][0] and number > max(passed) - 64 for number in others)
    assert all(wire2.media()[number] == found for number, found in later_wire.media().items())
    assert len(theirs.new_keys()) == 1
    assert_no_keystream_twice((wire1, published[0]), (wire2, published[1]), (theirs, received))


@pytest.mark.basic
def test_a_publishers_new_keys_go_to_the_target(stream, programs, words):
    """Every 600 packets, announced 100 ahead, by libsrt: its messages as they are, and its bytes wherever the slot is the same."""
    ours = Tap(programs, stream.port)
    options = [(libsrt.SRTO_PASSPHRASE, WORDS), (libsrt.SRTO_KMREFRESHRATE, 600), (libsrt.SRTO_KMPREANNOUNCE, 100)]
    count = 3700
    with libsrt.Caller(ours.port, "#!::r=a,m=publish", options) as caller:
        paced = Paced(caller.send, bitrate=8_000_000, count=count)
        stream.wait_live("a")
        player, theirs = target(stream, programs, words / "words")
        published = paced.finish()
        wait_until(lambda: theirs.media().keys() >= {max(ours.media())}, "the last packet is at the target")
        player.wait(2500 * ts.DATAGRAM)
        announced = theirs.new_keys()  # when the publisher leaves the relay makes one of its own
    received = player.stop()
    ts.assert_exact(published, received, at_least=2500 * 7, tail=len(published))
    sent, passed = ours.media(), theirs.media()
    assert len(announced) >= 4 and set(announced) <= set(ours.new_keys())
    same = [number for number in passed if passed[number] == sent[number]]
    assert all(passed[number][0] != sent[number][0] for number in passed.keys() - set(same))
    assert len(same) > 0.75 * len(passed)
    assert_no_keystream_twice((ours, published), (theirs, received))
