# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""What processes have used: CPU time in nanoseconds, memory."""

from pathlib import Path


def tree(pids):
    """These processes and their children, as far as they live."""
    found, new = [], list(pids)
    while new:
        pid = new.pop()
        found.append(pid)
        for children in Path(f"/proc/{pid}/task").glob("*/children"):
            try:
                new += [int(child) for child in children.read_text().split()]
            except OSError:
                continue
    return found


def cpu_ns(pids):
    """CPU time so far of all threads of these processes and of their children."""
    total = 0
    for pid in tree(pids):
        for stat in Path(f"/proc/{pid}/task").glob("*/schedstat"):
            try:
                total += int(stat.read_text().split()[0])
            except OSError:
                continue
    return total


def rss_kb(pids, counts=("VmRSS:",)):
    """Resident memory of these processes and of their children, KiB."""
    total = 0
    for pid in tree(pids):
        try:
            for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                if line.startswith(counts):
                    total += int(line.split()[1])
        except OSError:
            continue
    return total


def memory_kb(pids):
    """The same, and the huge pages that they use."""
    return rss_kb(pids, ("VmRSS:", "HugetlbPages:"))
