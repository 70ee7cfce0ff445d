# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""A relay and its publisher at the place `relay` of a network of namespaces."""

from kit.publishers import SrtPublisher
from kit.relay import Relay


class PlacedRelay(Relay):
    """Its dataplane runs there; sluiced works from any namespace."""

    def __init__(self, programs, net):
        super().__init__(programs)
        self.net = net

    def start_dp(self):
        self.dp = self.programs.start(
            "sluice-dp", [*self.net.at("relay"), self.program("sluice-dp"), *self.dp_flags], env=self.env)
        return self.dp


class PlacedPublisher(SrtPublisher):
    """srt-live-transmit beside the relay."""

    def __init__(self, programs, net, url):
        start = programs.client

        def there(name, argv, **more):
            return start(name, [*net.at("relay"), *argv], **more)

        programs.client = there
        try:
            super().__init__(programs, url)
        finally:
            programs.client = start
