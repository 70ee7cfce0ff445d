# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Fixtures of the end-to-end cases."""


def pytest_addoption(parser):
    parser.addoption("--run-as", metavar="USER", help="start the daemons as this user (pytest itself runs as root)")
