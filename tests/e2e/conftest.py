# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Fixtures of the end-to-end cases."""

import subprocess

import pytest
from kit.proc import Programs
from kit.relay import Relay, built


def pytest_addoption(parser):
    parser.addoption("--run-as", metavar="USER", help="start the daemons as this user (pytest itself runs as root)")


def pytest_collection_modifyitems(config, items):
    if not built() and any(not item.get_closest_marker("kit") for item in items) and config.option.markexpr != "kit":
        raise pytest.UsageError("the build has no sluice-dp, sluiced and sluicectl; only -m kit can run")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """What the programs said goes into the report of a failing case."""
    report = (yield).get_result()
    if report.failed:
        for name, text in item.programs.logs() if hasattr(item, "programs") else []:
            report.sections.append((f"log of {name}", text))


@pytest.fixture
def programs(request):
    """Everything the case starts ends with it; a program of ours that ends badly fails the case."""
    held = request.node.programs = Programs(request.config.getoption("--run-as"))
    yield held
    try:
        held.close()
    finally:
        request.addfinalizer(held.remove)


@pytest.fixture
def shared_path(programs):
    """A folder for files that the daemons have to read, whoever they run as."""
    folder = programs.folder / "shared"
    folder.mkdir()
    folder.chmod(0o755)
    return folder


@pytest.fixture
def make_relay(programs):
    """A started relay, without listener. Arguments as in kit.relay.Relay."""
    return lambda **more: Relay(programs, **more).start()


@pytest.fixture
def relay(make_relay):
    """A started relay with an open SRT listener."""
    relay = make_relay()
    relay.listen("--open")
    return relay


@pytest.fixture(scope="session")
def picture(tmp_path_factory):
    """A few seconds of test picture and tone, made by ffmpeg."""
    file = tmp_path_factory.mktemp("picture") / "picture.ts"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=640x360:rate=25:duration=6",
         "-f", "lavfi", "-i", "sine=frequency=440:duration=6", "-c:v", "libx264", "-preset", "ultrafast",
         "-tune", "zerolatency", "-g", "25", "-b:v", "1M", "-c:a", "aac", "-f", "mpegts", file],
        check=True, timeout=60,
    )
    return file
