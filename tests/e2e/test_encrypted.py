# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Encrypted streams: the bytes of others' programs, new keys on the way, and storms of encrypted callers."""

import pytest
from kit import libsrt, ts
from kit.load import Load
from kit.publishers import Paced, SrtPublisher
from kit.readers import ffmpeg_player, srt_player

WORDS, OTHER = "correct horse battery", "staple in the haystack"
ENOUGH = 400_000


@pytest.fixture
def words(shared_path):
    for name, text in (("words", WORDS), ("other", OTHER)):
        (shared_path / name).write_text(text + "\n")
    return shared_path


@pytest.fixture
def strict(make_relay):
    relay = make_relay(workers=2, memory=256)
    relay.listen()
    return relay


@pytest.mark.basic
@pytest.mark.parametrize("length", [16, 24, 32])
def test_what_is_published_arrives_under_other_keys(strict, programs, words, length):
    """A key each way, lengths crossed; new keys for the players every 256 packets."""
    strict.ctl("stream", "add", "a", "--publish-passphrase-file", words / "words", "--play-passphrase-file", words / "other",
               "--km-refresh", "256")
    publisher = SrtPublisher(programs, strict.url("a", "publish", passphrase=WORDS, pbkeylen=length), bitrate=4_000_000)
    strict.wait_live("a")
    play = {"passphrase": OTHER, "pbkeylen": 48 - length}
    players = [srt_player(programs, strict.url("a", **play)), ffmpeg_player(programs, strict.url("a", "plain", **play))]
    for player in players:
        player.wait(3 * ENOUGH)
    assert all(s["encrypted"] for s in strict.items("sub", "list") + strict.items("pub", "list"))
    received = [player.stop() for player in players]
    published = publisher.stop()
    for data in received:
        ts.assert_exact(published, data, at_least=5000, tail=len(published))
    assert strict.drops()["undecryptable"] == 0


@pytest.mark.basic
def test_a_publisher_of_libsrt_refreshes_its_keys(strict, programs, words):
    """Both slots, announced 64 packets ahead, a new key every 200 packets."""
    strict.ctl("stream", "add", "a", "--publish-passphrase-file", words / "words")
    options = [(libsrt.SRTO_PASSPHRASE, WORDS), (libsrt.SRTO_KMREFRESHRATE, 200), (libsrt.SRTO_KMPREANNOUNCE, 64)]
    with libsrt.Caller(strict.port, "#!::r=a,m=publish", options) as caller:
        player = srt_player(programs, strict.url("a"))
        strict.wait_stream("a", subscribers=1)
        published = Paced(caller.send, bitrate=8_000_000, count=2000).finish()
        player.wait(1990 * ts.DATAGRAM)
    ts.assert_exact(published, player.stop(), at_least=1900 * 7, tail=len(published))
    assert strict.drops()["undecryptable"] == 0


@pytest.mark.alone
@pytest.mark.timeout(120)
def test_a_storm_of_encrypted_callers_disturbs_nobody(strict, programs, words):
    """500 within half a second, from one address: their keys are derived beside the workers, so that who watches misses nothing."""
    strict.ctl("stream", "add", "calm")
    strict.ctl("stream", "add", "storm", "--play-passphrase-file", words / "words")
    for name in ("calm", "storm"):
        Load(programs, "publish", strict.url(name, "publish"), rate="1M", duration=20)
        strict.wait_live(name)
    watch = Load(programs, "play", strict.url("calm"), count=20, duration=8)
    strict.wait_stream("calm", deadline=15, subscribers=20)
    storm = Load(programs, "play", strict.url("storm"), count=500, join_rate=1000, duration=6,
                 passphrase_file=words / "words", retry=True)
    strict.wait_stream("storm", deadline=15, subscribers=500)
    calm = watch.report()
    assert calm["good"] and not calm["failed_calls"] and calm["missing"] == 0, calm
    came = storm.report()
    assert came["undecryptable"] == 0 and came["corrupt"] == 0 and came["unique"] > 500 * 50, came


@pytest.mark.basic
@pytest.mark.parametrize("refreshes", ["publisher", "player"])
def test_libsrt_goes_through_many_keys(strict, programs, words, refreshes):
    """A new key every 600 packets, five times and more, from libsrt as publisher and to libsrt as player: every byte is compared."""
    strict.ctl("stream", "add", "a", "--publish-passphrase-file", words / "words", "--play-passphrase-file", words / "other",
               *(["--km-refresh", "600"] if refreshes == "player" else []))
    publish = [(libsrt.SRTO_PASSPHRASE, WORDS)]
    if refreshes == "publisher":
        publish += [(libsrt.SRTO_KMREFRESHRATE, 600), (libsrt.SRTO_KMPREANNOUNCE, 100)]
    count, received = 3700, bytearray()
    with libsrt.Caller(strict.port, "#!::r=a,m=publish", publish) as publisher, \
            libsrt.Caller(strict.port, "a", [(libsrt.SRTO_PASSPHRASE, OTHER)]) as player:
        strict.wait_stream("a", subscribers=1)
        paced = Paced(publisher.send, bitrate=12_000_000, count=count)
        while len(received) < count * ts.DATAGRAM:
            data = player.receive()
            assert data, "the player was closed"
            received += data
        assert bytes(received) == paced.finish()
    assert strict.drops()["undecryptable"] == 0


@pytest.mark.basic
@pytest.mark.parametrize("passphrase", [None, "not these words"], ids=["none", "another"])
def test_who_enforces_nothing_is_refused_all_the_same(strict, programs, words, passphrase):
    """libsrt without SRTO_ENFORCEDENCRYPTION would go on in clear: the relay neither takes nor gives anything then."""
    strict.ctl("stream", "add", "a", "--publish-passphrase-file", words / "words", "--play-passphrase-file", words / "other")
    options = [(libsrt.SRTO_ENFORCEDENCRYPTION, 0), *([(libsrt.SRTO_PASSPHRASE, passphrase)] if passphrase else [])]
    before = strict.drops()["refused_secret"]
    for streamid in ("#!::r=a,m=publish", "a"):
        assert libsrt.reject_code(strict.port, streamid, options) == (1010 if passphrase else 1011)
    assert strict.drops()["refused_secret"] == before + 2
    stream = strict.stream("a")
    assert stream["publisher"] is None and stream["subscribers"] == 0 and stream["rx_packets"] == 0


@pytest.mark.basic
def test_a_secret_that_the_stream_has_not_is_not_played_in_clear(strict, programs, words):
    """A passphrase for a stream without one: libsrt that does not enforce would take clear data. Not from us."""
    strict.ctl("stream", "add", "a")
    options = [(libsrt.SRTO_ENFORCEDENCRYPTION, 0), (libsrt.SRTO_PASSPHRASE, WORDS)]
    for streamid in ("#!::r=a,m=publish", "a"):
        assert libsrt.reject_code(strict.port, streamid, options) in (1010, 1011)
    assert strict.stream("a")["publisher"] is None and strict.stream("a")["subscribers"] == 0
