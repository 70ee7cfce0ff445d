# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""What a user would pick instead of Sluice, each started and measured the same way; see README.md."""

from .bed import Bed, Failed
from .ceiling import Testpmd
from .sluice import Sluice, SluiceUdp
from .srt import GstSrtsink, LibsrtLoop, SrtLiveTransmit
from .measure import saturate, trial
from .udp import FfmpegTee, GstMultiudpsink, Samplicator, SegmentLoop, SendmmsgLoop, SendtoLoop

PEERS = {peer.name: peer() for peer in (
    Sluice, LibsrtLoop, GstSrtsink, SrtLiveTransmit,
    SluiceUdp, SegmentLoop, SendmmsgLoop, SendtoLoop, Samplicator, GstMultiudpsink, FfmpegTee,
    Testpmd,
)}

__all__ = ["PEERS", "Bed", "Failed", "saturate", "trial"]
