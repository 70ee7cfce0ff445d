# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""A memory that two programs share as the only wire: relay at one end, publisher and all its subscribers at the other."""

import pytest
from kit.load import PROGRAM, Load
from kit.relay import Relay

RELAY, LOAD = "10.80.0.1", "10.80.0.2"
SUBSCRIBERS = 200


@pytest.fixture
def wire(programs):
    """The relay's end of a memif, and the option that is sluice-load's."""
    socket = programs.folder / "memif.sock"
    port = f"dpdk:net_memif0,role=server,socket={socket},addr={RELAY}"
    relay = Relay(programs, port=port, memory=64, dp=["--max-subscribers", "1000"]).start()
    relay.ctl("listener", "add", f"srt://{RELAY}:{relay.port}", "--open")
    return relay, f"dpdk:net_memif0,role=client,socket={socket},addr={LOAD}"


def url(relay, streamid):
    return f"srt://{RELAY}:{relay.port}?streamid={streamid}"


def test_many_subscribers_get_every_packet_whole(wire, programs):
    relay, port = wire
    load = Load(
        programs, "play", url(relay, "live/a"), publish=url(relay, "publish/live/a"), port=port,
        count=SUBSCRIBERS, rate="500k", join_rate=1000, duration=3, eager_acks=True,
    )
    said = load.report()
    sent = said["publish"]
    assert said["good"] and said["peers_up"] == said["sessions"] == SUBSCRIBERS, said
    assert (said["missing"], said["skipped"], said["corrupt"], said["foreign"]) == (0, 0, 0, 0)
    assert sent["kept_rate"] and sent["peers_up"] == 1 and sent["sent"] > 100 and sent["unacked"] == 0
    assert said["per_peer"]["unique"]["min"] > 0.8 * sent["sent"]
    assert said["latency_us"]["n"] == said["unique"] and said["first_copy_us"]["n"] <= sent["sent"]
    (worker,) = relay.status()["workers"]
    assert worker["joins"] == SUBSCRIBERS + 1 and worker["tx_packets"] >= said["unique"]


def test_streams_of_their_own_stay_apart(wire, programs):
    relay, port = wire
    load = Load(
        programs, "play", url(relay, "live/%d"), publish=url(relay, "publish/live/%d"), port=port,
        count=10, publishers=10, rate="500k", duration=2,
    )
    said = load.report()
    assert said["good"] and said["publish"]["peers_up"] == said["peers_up"] == 10, said
    assert said["first_copy_us"]["n"] == said["unique"], "nobody got what another one got"


@pytest.mark.parametrize("argv, says", [
    (["publish", "srt://127.0.0.1:9000", "--publish", "srt://127.0.0.1:9000"], "--publish goes with play"),
    (["play", "srt://127.0.0.1:9000", "--publish", "srt://127.0.0.1:9001"], "the address and port that are played from"),
    (["play", "srt://127.0.0.1:9000", "--publish", "udp://127.0.0.1:9000"], "srt:// URLs"),
    (["play", "srt://127.0.0.1:9000", "--publishers", "0"], "--publishers is a number from 1"),
])
def test_a_wrong_pair_of_urls_is_one_sentence(programs, argv, says):
    program = programs.client("wrong", [PROGRAM, *argv])
    program.wait(10)
    assert program.status == 2 and says in program.output() and program.output().strip().count("\n") == 0
