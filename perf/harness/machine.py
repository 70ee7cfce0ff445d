# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""What a result was measured on."""

import os
import platform
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def text(path):
    """A file's text in one line, None when it cannot be read."""
    try:
        return Path(path).read_text(errors="replace").strip()
    except OSError:
        return None


def field(path, name):
    """`name: value` of a file of the kernel's."""
    found = re.search(rf"^{re.escape(name)}\s*:\s*(.+)$", text(path) or "", re.M)
    return found.group(1).strip() if found else None


def mitigations():
    folder = Path("/sys/devices/system/cpu/vulnerabilities")
    return {one.name: text(one) for one in sorted(folder.glob("*")) if text(one) not in (None, "Not affected")}


def interface(name):
    """Driver, speed and sizes of a network interface."""
    base = Path("/sys/class/net") / name
    if not base.exists():
        return None
    driver = base / "device/driver"
    return {"name": name, "driver": os.path.basename(os.readlink(driver)) if driver.is_symlink() else "virtual",
            "mtu": text(base / "mtu"), "speed_mbps": text(base / "speed"), "queues": len(list((base / "queues").glob("tx-*")))}


def facts(interfaces=()):
    """All that a reader of a figure asks for."""
    return {
        "cpu": field("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": os.cpu_count(),
        "threads_per_core": text("/sys/devices/system/cpu/smt/active"),
        "governor": text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "isolated_cores": text("/sys/devices/system/cpu/isolated") or None,
        "memory_kb": int((field("/proc/meminfo", "MemTotal") or "0").split()[0]),
        "hugepages": {"size": field("/proc/meminfo", "Hugepagesize"), "total": int(field("/proc/meminfo", "HugePages_Total") or 0)},
        "kernel": platform.release(),
        "virtual": "hypervisor" in (field("/proc/cpuinfo", "flags") or ""),
        "mitigations": mitigations(),
        "nics": [found for found in map(interface, interfaces) if found],
        "load_before": os.getloadavg()[0],
    }


def commit():
    """The commit of the tree, with `+` when it has changes; None outside of a clone."""
    git = ["git", "-C", str(ROOT)]
    done = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True)
    if done.returncode:
        return None
    changed = subprocess.run([*git, "status", "--porcelain", "--untracked-files=no"], capture_output=True, text=True).stdout
    return done.stdout.strip() + ("+" if changed.strip() else "")
