# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""What every peer has: a name, what it carries, whether it is here, and how it starts."""

import shutil
import subprocess


class Peer:
    """A way to hand one stream to many. A class is used as it is; start() gives the programs of one run."""

    name = None
    carries = None  # "srt": in and out; "udp": in and out
    most = None  # subscribers it can serve at most; None: any number
    ceiling = False  # no relay, but what a relay cannot beat
    join_rate = 500  # callers a second that it takes without refusing any
    publish_query = play_query = ""  # behind the SRT URLs
    one_port = False  # subscribers call the port that the publisher calls

    def available(self, bed):
        """None, or one sentence that says why it cannot be measured here."""
        return None

    def version(self, bed):
        return None

    def start(self, bed, in_port, out_port, subscribers):
        """Starts it on bed.relay(): the stream arrives at in_port. SRT: subscribers call out_port. UDP: they
        are the ports from out_port on. Returns the programs whose CPU time counts."""
        raise NotImplementedError


def lacks(program, package):
    """Why a program cannot be used, None when it can."""
    return None if shutil.which(program) else f"{program} is not installed (Debian: {package})"


def first_line(*argv):
    """What a program says of its version."""
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20)
    lines = [line.strip() for line in (done.stdout + done.stderr).splitlines() if line.strip()]
    return lines[0] if lines else None
