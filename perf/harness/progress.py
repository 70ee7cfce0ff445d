# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""How far a long run is: a bar that is drawn over on a terminal, a line per step elsewhere."""

import sys
import time


def clock(seconds):
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


class Progress:
    """total: steps to come; what they take is learnt from those that are over."""

    def __init__(self, total, out=None, now=time.monotonic):
        self.total, self.done, self.out, self.now = total, 0, out or sys.stderr, now
        self.began = now()
        self.live = self.out.isatty()

    def text(self, what):
        share = self.done / self.total if self.total else 1.0
        spent = self.now() - self.began
        left = f", {clock(spent / self.done * (self.total - self.done))} left" if self.done else ""
        filled = int(20 * share)
        return f"[{'#' * filled}{'.' * (20 - filled)}] {self.done}/{self.total}{left}  {what}"

    def begin(self, what):
        """A step begins."""
        if self.live:
            self.out.write("\r\033[K" + self.text(what)[:120])
            self.out.flush()

    def end(self, what):
        """It is over."""
        self.done += 1
        if self.live:
            self.begin(what)
        else:
            self.out.write(self.text(what) + "\n")

    def close(self):
        if self.live:
            self.out.write("\r\033[K")
