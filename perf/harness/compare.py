# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""What differs between two results beyond the noise of their runs."""

from dataclasses import dataclass

from .results import METRICS, label, metrics_of, middle, spread, values

SIGMAS = 3
OF_SPREAD = 1.4826  # a median distance of normal noise is so much of its sigma
LEAST = 0.03  # a change of less is none, however quiet the runs were
LEAST_OF_ONE = 0.10  # and where a single run does not tell how quiet it was


@dataclass
class Change:
    point: str
    metric: str
    before: float
    after: float
    worse: bool | None  # None: the metric has no better and worse

    @property
    def ratio(self):
        return self.after / self.before if self.before else float("inf")

    def __str__(self):
        unit = METRICS[self.metric][0]
        word = {True: "WORSE", False: "better", None: "changed"}[self.worse]
        return f"{word:7} {self.metric} {self.before:g} -> {self.after:g} {unit} ({self.ratio:.2f} x)  {self.point}"


def noise(a, b, metric):
    """What the medians of two points may differ by without meaning anything."""
    sigma = max(spread(a, metric), spread(b, metric)) * OF_SPREAD
    least = LEAST if min(len(values(a, metric)), len(values(b, metric))) > 1 else LEAST_OF_ONE
    return max(SIGMAS * sigma, least * abs(middle(a, metric)))


def compare(before, after):
    """Returns (changes, worst first; keys of points that only one of them has)."""
    old = {label(p["params"]): p for p in before["points"]}
    new = {label(p["params"]): p for p in after["points"]}
    changes = []
    for key in old.keys() & new.keys():
        a, b = old[key], new[key]
        for metric in metrics_of([a, b]):
            if not values(a, metric) or not values(b, metric):
                continue
            x, y, sense = middle(a, metric), middle(b, metric), METRICS[metric][2]
            if abs(y - x) > noise(a, b, metric):
                changes.append(Change(key, metric, x, y, (y - x) * sense < 0 if sense else None))
    order = list(old)
    changes.sort(key=lambda c: (c.worse is not True, order.index(c.point), list(METRICS).index(c.metric)))
    return changes, sorted(old.keys() ^ new.keys())
