# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Who publishes. Each keeps what it sent, so that readers can be compared with it."""

import socket
import struct
import subprocess
import threading
import time

from . import ts


class Paced:
    """Sends datagrams of a generated stream at an even pace, from a thread, until stop() or `count`."""

    def __init__(self, send, generator=None, bitrate=2_000_000, count=None):
        self.send, self.generator = send, generator or ts.Generator()
        self.period = ts.DATAGRAM * 8 / bitrate
        self.count = count
        self.sent = bytearray()
        self.error = None
        self.running = True
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        due = time.monotonic()
        done = 0
        while self.running and done != self.count:
            data = self.generator.datagram()
            self.sent += data  # before it is out, so that no reader can be ahead of it
            try:
                self.send(data)
            except (OSError, ValueError) as error:  # its reader is gone, or the pipe is closed
                self.error = error
                return
            done += 1
            due += self.period
            pause = due - time.monotonic()
            if pause > 0:
                time.sleep(pause)

    def data(self):
        return bytes(self.sent)

    def finish(self, deadline=60.0):
        """Waits until `count` datagrams are out."""
        self.thread.join(deadline)
        assert not self.thread.is_alive(), "the publisher is not through"
        assert not self.error, self.error
        return self.data()

    def stop(self):
        self.running = False
        self.thread.join(10)
        return self.data()


class SrtPublisher(Paced):
    """srt-live-transmit, fed through its standard input: one write of 1,316 bytes, one SRT packet."""

    def __init__(self, programs, url, **paced):
        self.program = programs.client(
            "srt-live-transmit-publish", ["srt-live-transmit", "-a:no", "-chunk:1316", "file://con", url], stdin=subprocess.PIPE
        )
        programs.on_close(self.stop)
        self.program.says("SRT target connect")  # it throws away what it reads before
        pipe = self.program.process.stdin

        def send(data):
            pipe.write(data)
            pipe.flush()

        super().__init__(send, **paced)

    def leave(self):
        """Ends the program, and with it the connection. Returns what was sent."""
        self.program.stop()
        return super().stop()


class UdpPublisher(Paced):
    """Bare TS datagrams to an address."""

    def __init__(self, programs, host, port, interface=None, source_port=0, wrap=None, **paced):
        s = self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        if interface:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(interface))
            s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        s.bind((interface or "127.0.0.1", source_port))
        programs.on_close(self.stop)
        wrap = wrap or (lambda data: data)
        super().__init__(lambda data: s.sendto(wrap(data), (host, port)), **paced)

    def stop(self):
        data = super().stop()
        self.socket.close()
        return data


class RtpWrap:
    """Puts an RTP header before each datagram (RFC 3550, 5.1; RFC 2250 for payload type 33)."""

    def __init__(self, payload_type=33, ssrc=0x534C5543, sequence=65500, clock=90000, bitrate=2_000_000):
        self.payload_type, self.ssrc, self.sequence = payload_type, ssrc, sequence
        self.step = clock * ts.DATAGRAM * 8 / bitrate
        self.sent = 0

    def __call__(self, data):
        head = struct.pack(">BBHII", 0x80, self.payload_type, self.sequence + self.sent & 0xFFFF,
                           int(self.sent * self.step) & 0xFFFFFFFF, self.ssrc)
        self.sent += 1
        return head + data


class FfmpegPublisher:
    """ffmpeg that publishes in real time, and writes the very same bytes beside it."""

    def __init__(self, programs, url, source):
        self.copy = programs.folder / f"published-{len(programs.started)}.ts"
        target = url.replace("\\", "\\\\").replace(":", "\\:").replace("|", "\\|")
        self.program = programs.client("ffmpeg-publish", [
            "ffmpeg", "-nostdin", "-v", "error", "-re", *source, "-f", "tee", f"[f=mpegts]{target}|[f=mpegts]{self.copy}"])

    def data(self):
        return self.copy.read_bytes()

    def stop(self):
        """Ends it, which also writes what is left to the file. Returns the bytes published."""
        self.program.stop()
        return self.data()


def ffmpeg_file(programs, url, file):
    """Publishes a file over and over."""
    return FfmpegPublisher(programs, url, ["-stream_loop", "-1", "-i", file, "-map", "0", "-c", "copy"])


def ffmpeg_picture(programs, url):
    """Publishes a test picture with a tone, encoded as it goes."""
    return FfmpegPublisher(programs, url, [
        "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25", "-f", "lavfi", "-i", "sine=frequency=440",
        "-map", "0", "-map", "1", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", "25", "-b:v", "1M", "-c:a", "aac"])
