# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""A few cells of the matrix of other people's programs (tests/interop/README.md)."""

import subprocess
import sys

import pytest
from kit.proc import ROOT

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300)]


def test_thirty_cells():
    done = subprocess.run(
        [sys.executable, ROOT / "tests/interop/matrix.py", "--sample", "30", "--seed", "1", "--jobs", "3"],
        capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "30 cells, 0 not as they should be" in done.stdout
