# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""UDP in, UDP out."""

from .bed import wait_until
from .peer import Peer, first_line, lacks
from .sluice import Sluice


class Udp(Peer):
    carries = "udp"

    def argv(self, bed, in_port, sinks):
        raise NotImplementedError

    def start(self, bed, in_port, out_port, subscribers):
        sinks = [out_port + i for i in range(subscribers)]
        program = bed.relay(self.name, self.argv(bed, in_port, sinks))
        wait_until(lambda: program.must_run() and Sluice.serves(in_port), f"{self.name} binds port {in_port}", 30)
        return [program]


class UdpLoop(Udp):
    """loop_udp.c, one class a way to send."""

    def available(self, bed):
        return None if (bed.build / "perf/peers/loop_udp").exists() else "perf/peers/loop_udp is not built"

    def argv(self, bed, in_port, sinks):
        return [bed.built("perf/peers/loop_udp"), self.way, in_port, sinks[0], len(sinks)]


class SendtoLoop(UdpLoop):
    name = way = "sendto"


class SendmmsgLoop(UdpLoop):
    name = way = "sendmmsg"


class SegmentLoop(UdpLoop):
    """UDP_SEGMENT: what has queued goes to a destination in one message."""

    name = way = "segment"


class Samplicator(Udp):
    name = "samplicator"

    def available(self, bed):
        return lacks("samplicate", "none; build github.com/sleinen/samplicator")

    def argv(self, bed, in_port, sinks):
        return ["samplicate", "-s", "127.0.0.1", "-p", in_port, *(f"127.0.0.1/{port}" for port in sinks)]


class GstMultiudpsink(Udp):
    name = "gst-multiudpsink"

    def available(self, bed):
        missing = lacks("gst-launch-1.0", "gstreamer1.0-tools")
        if not missing and "No such element" in (first_line("gst-inspect-1.0", "multiudpsink") or "No such element"):
            missing = "GStreamer has no multiudpsink (Debian: gstreamer1.0-plugins-good)"
        return missing

    def version(self, bed):
        return first_line("gst-launch-1.0", "--version")

    def argv(self, bed, in_port, sinks):
        clients = ",".join(f"127.0.0.1:{port}" for port in sinks)
        return ["gst-launch-1.0", "-q", "udpsrc", "address=127.0.0.1", f"port={in_port}", "buffer-size=8388608", "!",
                "multiudpsink", f"clients={clients}", "sync=false", "async=false"]


class FfmpegTee(Udp):
    """Copies datagrams as they are; it opens its outputs one by one, some seconds for hundreds."""

    name = "ffmpeg-tee"

    def available(self, bed):
        return lacks("ffmpeg", "ffmpeg")

    def version(self, bed):
        return first_line("ffmpeg", "-version")

    def argv(self, bed, in_port, sinks):
        outputs = "|".join(f"[f=data]udp\\://127.0.0.1\\:{port}?pkt_size=1316" for port in sinks)
        return ["ffmpeg", "-nostdin", "-v", "error", "-f", "data", "-raw_packet_size", "1316",
                "-i", f"udp://127.0.0.1:{in_port}?buffer_size=8388608&fifo_size=65536&overrun_nonfatal=1",
                "-map", "0", "-c", "copy", "-f", "tee", outputs]
