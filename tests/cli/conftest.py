# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors

import json
import os
import shutil
import subprocess
import tempfile

import pytest

from fake_api import FakeApi

SLUICECTL = os.environ.get("SLUICECTL", "build/ctl/cli/sluicectl")


class Result:
    def __init__(self, done):
        self.rc, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def json(self):
        return json.loads(self.out)


class Ctl:
    """Runs sluicectl with nothing of the tester's environment but a run directory of its own."""

    def __init__(self, run_dir):
        self.env = {"SLUICE_RUN_DIR": run_dir, "LSAN_OPTIONS": "exitcode=99"}

    def __call__(self, *args, **kw):
        env = self.env | kw.pop("env", {})
        program = kw.pop("program", SLUICECTL)
        return Result(subprocess.run([program, *args], env=env, text=True, timeout=30,
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.PIPE, **kw))


@pytest.fixture
def run_dir():
    path = tempfile.mkdtemp(prefix="sluicectl-")  # short: socket paths are
    yield path
    shutil.rmtree(path)


@pytest.fixture
def api(run_dir):
    fake = FakeApi(f"{run_dir}/api.sock")
    yield fake
    fake.close()


@pytest.fixture
def ctl(run_dir):
    return Ctl(run_dir)
