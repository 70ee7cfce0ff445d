# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""A valid transport stream whose every packet can be told from every other (ISO 13818-1, 2.4).

Written from the standard, not from Sluice's own reader of it. One programme, one video PID. Each
video packet carries its number, so that a reader says what is missing, doubled or out of order.
"""

import binascii
import struct
from dataclasses import dataclass

PACKET = 188
PER_DATAGRAM = 7
DATAGRAM = PACKET * PER_DATAGRAM
PID_PAT, PID_PMT, PID_VIDEO = 0, 0x1000, 0x100
TABLES_EVERY = 20  # datagrams
MARK = b"SLCE"


def crc32_mpeg(data):
    """CRC-32/MPEG-2: annex A. Bitwise is fast enough for two tables."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc


def _section(table_id, extension, body):
    head = struct.pack(">BHHBBB", table_id, 0xB000 | len(body) + 9, extension, 0xC1, 0, 0)
    return head + body + struct.pack(">I", crc32_mpeg(head + body))


PAT = _section(0, 1, struct.pack(">HH", 1, 0xE000 | PID_PMT))
PMT = _section(2, 1, struct.pack(">HH", 0xE000 | PID_VIDEO, 0xF000) + struct.pack(">BHH", 0x1B, 0xE000 | PID_VIDEO, 0xF000))


def _table(pid, section, counter):
    return (struct.pack(">BHBB", 0x47, 0x4000 | pid, 0x10 | counter & 15, 0) + section).ljust(PACKET, b"\xff")


def _video(number, seed):
    """Packet `number` of the video: 4 header bytes, the mark, the number, a body that depends on both."""
    head = struct.pack(">BHB", 0x47, (0x4000 if number % 50 == 0 else 0) | PID_VIDEO, 0x10 | number & 15)
    start = struct.pack(">4sQI", MARK, number, seed)
    salt = struct.pack(">I", binascii.crc32(start))
    return head + start + (salt * 42)[: PACKET - len(head) - len(start)]


class Generator:
    """Datagrams of seven TS packets, without end; the same seed gives the same bytes."""

    def __init__(self, seed=1):
        self.seed = seed
        self.datagrams = 0
        self.video = 0

    def datagram(self):
        packets = []
        if self.datagrams % TABLES_EVERY == 0:
            turn = self.datagrams // TABLES_EVERY
            packets += [_table(PID_PAT, PAT, turn), _table(PID_PMT, PMT, turn)]
        while len(packets) < PER_DATAGRAM:
            packets.append(_video(self.video, self.seed))
            self.video += 1
        self.datagrams += 1
        return b"".join(packets)

    def take(self, count):
        return b"".join(self.datagram() for _ in range(count))


@dataclass
class Count:
    """What a reader of a generated stream saw."""

    first: int
    last: int
    missing: int
    doubled: int
    backwards: int


def count(data):
    """Counts the video packets of a generated stream. Raises ValueError where it is not one."""
    if len(data) % PACKET:
        raise ValueError(f"{len(data)} bytes are not whole TS packets")
    numbers = []
    for at in range(0, len(data), PACKET):
        if data[at] != 0x47:
            raise ValueError(f"no sync byte at {at}")
        if struct.unpack_from(">H", data, at + 1)[0] & 0x1FFF == PID_VIDEO:
            mark, number = struct.unpack_from(">4sQ", data, at + 4)
            if mark != MARK:
                raise ValueError(f"video packet at {at} is not one of ours")
            numbers.append(number)
    if not numbers:
        raise ValueError("no video packet")
    seen = set(numbers)
    first, last = min(seen), max(seen)
    backwards = sum(b < a for a, b in zip(numbers, numbers[1:]))
    return Count(first, last, last - first + 1 - len(seen), len(numbers) - len(seen), backwards)


def join_offset(published, received):
    """Where in the published bytes a reader's bytes begin. None when they are nowhere in them."""
    probe = received[: 4 * PACKET]
    at = published.find(probe)
    return None if at < 0 else at


def assert_exact(published, received, at_least=1, tail=0):
    """What was received is byte for byte what was published, from the joining point on.

    at_least: packets that must have come; tail: bytes at the end that may not have arrived yet.
    """
    assert len(received) >= at_least * PACKET, f"only {len(received)} bytes arrived, {at_least} packets expected"
    at = join_offset(published, received)
    assert at is not None, f"the first packet received was never published: {received[:24].hex()}"
    expected = published[at : at + len(received)]
    if received != expected:
        wrong = next(i for i in range(len(received)) if received[i : i + 1] != expected[i : i + 1])
        raise AssertionError(
            f"differs at byte {wrong} of {len(received)} (joined at {at} of {len(published)}): "
            f"got {received[wrong : wrong + 20].hex()}, published {expected[wrong : wrong + 20].hex()}"
        )
    missing = len(published) - at - len(received)
    assert missing <= tail, f"{missing} bytes at the end did not arrive, {tail} allowed"


def assert_follows(published, received):
    """Several publishers of one stream, one after the other: the reader got the end-less part of each in turn.

    published: their bytes in turn. The first is joined anywhere; of each the end may be missing, as a
    publisher that leaves takes it along; each later one comes whole from its first packet on.
    """
    rest, first = received, True
    for now, then in zip(published, [*published[1:], None]):
        cut = len(rest)
        if then is not None:
            # Tables are alike in all; the first video packet is the publisher's own.
            cut = rest.find(then[2 * PACKET : 3 * PACKET]) - 2 * PACKET
            assert cut >= 0, "the first packet of the next publisher did not arrive"
        assert_exact(now, rest[:cut], tail=len(now))
        assert first or join_offset(now, rest[:cut]) == 0
        rest, first = rest[cut:], False
