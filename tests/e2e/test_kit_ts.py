# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""The generator of test streams and the comparison, before anybody relies on them."""

import subprocess

import pytest
from kit import ts

pytestmark = pytest.mark.kit


def test_the_generated_stream_is_valid_for_ffprobe(tmp_path):
    file = tmp_path / "generated.ts"
    file.write_bytes(ts.Generator().take(200))
    out = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,id", "-of", "csv=p=0", file],
        capture_output=True, text=True, timeout=20,
    )
    assert "h264" in out.stdout and "0x100" in out.stdout


def test_tables_carry_the_crc_of_the_standard():
    # The check value of CRC-32/MPEG-2 in the catalogue of parametrised CRC algorithms.
    assert ts.crc32_mpeg(b"123456789") == 0x0376E6E7


def test_every_datagram_differs_and_the_seed_decides():
    a, b, c = ts.Generator(1), ts.Generator(1), ts.Generator(2)
    first = [a.datagram() for _ in range(100)]
    assert first == [b.datagram() for _ in range(100)]
    assert len(set(first)) == 100
    assert c.datagram() != first[0]


@pytest.mark.parametrize("change, message", [
    (lambda d: d[: 5 * ts.PACKET] + d[6 * ts.PACKET :], "differs"),
    (lambda d: d[:4000] + b"\x00" + d[4001:], "differs"),
    (lambda d: d[: -ts.DATAGRAM], "did not arrive"),
    (lambda d: ts.Generator(9).take(10), "never published"),
    (lambda d: b"", "only 0 bytes"),
])
def test_the_comparison_notices(change, message):
    published = ts.Generator().take(100)
    received = published[10 * ts.DATAGRAM :]
    ts.assert_exact(published, received, at_least=600)
    with pytest.raises(AssertionError, match=message):
        ts.assert_exact(published, change(received))


def test_the_count_notices_loss_doubles_and_order():
    data = ts.Generator().take(50)
    whole = ts.count(data)
    assert (whole.first, whole.missing, whole.doubled, whole.backwards) == (0, 0, 0, 0)
    cut = [data[i : i + ts.PACKET] for i in range(0, len(data), ts.PACKET)]
    del cut[60]
    cut[100], cut[101] = cut[101], cut[100]
    cut.insert(200, cut[199])
    broken = ts.count(b"".join(cut))
    assert (broken.missing, broken.doubled, broken.backwards) == (1, 1, 1)
