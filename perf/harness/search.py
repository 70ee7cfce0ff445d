# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""The highest rate that is delivered: NDR without any loss, PDR with 0.5 % (RFC 2544, 26.1; FD.io CSIT)."""

from peers.bed import Failed

LOSS = {"ndr": 0.0, "pdr": 0.005}
STEP = 1.5  # while no bound is known
CLOSE = 1.05  # between the highest that passed and the lowest that did not


def find(trial, start, loss, close=CLOSE, least=1.0, most=1e7):
    """trial(rate) -> share of packets lost. Returns the highest rate whose share was at most `loss`, within `close`.

    A rate that fails is tried once more before it counts: on a shared machine one bad run says little. Raises Failed
    when not even `least` passes.
    """

    def passes(rate):
        return trial(rate) <= loss or trial(rate) <= loss

    low = high = None
    rate = start
    while low is None or high is None or high / low > close:
        if rate < least:
            raise Failed(f"not even {least:g} packets/s came through with at most {100 * loss:g} % lost")
        if passes(rate):
            low = rate
            if rate >= most:
                return low
        else:
            high = rate
        if high is None:
            rate = min(low * STEP, most)
        elif low is None:
            rate = high / STEP
        else:
            rate = (low * high) ** 0.5
    return low
