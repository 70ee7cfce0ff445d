# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""SRT in, SRT out: all on libsrt, for there is nothing else."""

from .bed import wait_until
from .peer import Peer, first_line, lacks
from .sluice import Sluice


class Srt(Peer):
    carries = "srt"

    def argv(self, bed, in_port, out_port):
        raise NotImplementedError

    def start(self, bed, in_port, out_port, subscribers):
        program = bed.relay(self.name, self.argv(bed, in_port, out_port))
        for port in (in_port, out_port):
            wait_until(lambda port=port: program.must_run() and Sluice.serves(port), f"{self.name} listens on port {port}")
        return [program]


class LibsrtLoop(Srt):
    """The least that a relay on libsrt has to do (loop_srt.c)."""

    name = "libsrt-loop"

    def available(self, bed):
        built = (bed.build / "perf/peers/loop_srt").exists()
        return None if built else "perf/peers/loop_srt is not built (Debian: libsrt-openssl-dev, before meson setup)"

    def version(self, bed):
        return first_line("pkg-config", "--modversion", "srt")

    def argv(self, bed, in_port, out_port):
        return [bed.built("perf/peers/loop_srt"), in_port, out_port]


class GstSrtsink(Srt):
    name, join_rate = "gst-srtsink", 100  # at 400 a second it refuses some

    def available(self, bed):
        missing = lacks("gst-launch-1.0", "gstreamer1.0-tools")
        if not missing and "No such element" in (first_line("gst-inspect-1.0", "srtsink") or "No such element"):
            missing = "GStreamer has no srtsink (Debian: gstreamer1.0-plugins-bad)"
        return missing

    def version(self, bed):
        return first_line("gst-launch-1.0", "--version")

    def argv(self, bed, in_port, out_port):
        return ["gst-launch-1.0", "-q", "srtsrc", f"uri=srt://127.0.0.1:{in_port}?mode=listener", "!", "srtsink",
                f"uri=srt://127.0.0.1:{out_port}?mode=listener", "wait-for-connection=false", "sync=false", "async=false"]


class SrtLiveTransmit(Srt):
    """One to one: its listener takes a single caller."""

    name, most = "srt-live-transmit", 1

    def available(self, bed):
        return lacks("srt-live-transmit", "srt-tools")

    def version(self, bed):
        return first_line("srt-live-transmit", "-version")

    def argv(self, bed, in_port, out_port):
        return ["srt-live-transmit", "-a:no", f"srt://127.0.0.1:{in_port}?mode=listener", f"srt://127.0.0.1:{out_port}?mode=listener"]
