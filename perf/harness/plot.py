# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Two kinds of plots as inline SVG. A plotting library would bring 360 MB of packages for these."""

import math
from html import escape

WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT = 760, 340, 80, 50, 14, 200
COLOURS = ("#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2", "#be185d", "#4d7c0f")


def short(value):
    """A number for an axis."""
    for unit, size in (("M", 1e6), ("k", 1e3)):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def steps(low, high, log):
    """Where an axis is marked."""
    if log:
        return [10.0**e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)]
    raw = (high - low or 1) / 5
    size = 10 ** math.floor(math.log10(raw))
    size *= next(m for m in (1, 2, 5, 10) if m * size >= raw)
    return [size * i for i in range(math.floor(low / size), math.ceil(high / size) + 1)]


class Axis:
    """Values to pixels from `start` to `end`."""

    def __init__(self, found, start, end, log):
        self.log = log and min(found) > 0
        self.marks = steps(min(found) if self.log else 0, max(found), self.log)
        self.low, self.high, self.start, self.end = self.marks[0], max(self.marks[-1], self.marks[0] + 1e-9), start, end

    def at(self, value):
        scale = math.log10 if self.log else float
        low, high = scale(self.low), scale(self.high)
        return self.start + (scale(value) - low) / (high - low) * (self.end - self.start)


def text(x, y, words, anchor="middle", more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{more}>{escape(str(words))}</text>'


def frame(x, y, x_label, y_label):
    """Grid, marks and names of the axes."""
    out = []
    for mark in y.marks:
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y.at(mark):.1f}" y2="{y.at(mark):.1f}" stroke="#e5e7eb"/>')
        out.append(text(LEFT - 8, y.at(mark) + 4, short(mark), "end"))
    for mark in x.marks if x else []:
        out.append(text(x.at(mark), HEIGHT - BOTTOM + 18, short(mark)))
    out.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 10, x_label))
    middle = (TOP + HEIGHT - BOTTOM) / 2
    out.append(text(16, middle, y_label, more=f' transform="rotate(-90 16 {middle})"'))
    return out


def svg(parts):
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" font-size="12" font-family="sans-serif">{"".join(parts)}</svg>'


def lines(series, x_label, y_label):
    """series: {name: [(x, y, lowest, highest)]}. Bars show the spread of the runs."""
    points = [point for found in series.values() for point in found]
    x = Axis([p[0] for p in points], LEFT, WIDTH - RIGHT, log=max(p[0] for p in points) > 20 * max(1e-9, min(p[0] for p in points)))
    y = Axis([v for p in points for v in p[1:]], HEIGHT - BOTTOM, TOP, log=False)
    out = frame(x, y, x_label, y_label)
    for i, (name, found) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        path = " ".join(f"{x.at(p[0]):.1f},{y.at(p[1]):.1f}" for p in sorted(found))
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for p in found:
            out.append(f'<line x1="{x.at(p[0]):.1f}" x2="{x.at(p[0]):.1f}" y1="{y.at(p[2]):.1f}" y2="{y.at(p[3]):.1f}" stroke="{colour}"/>')
            out.append(f'<circle cx="{x.at(p[0]):.1f}" cy="{y.at(p[1]):.1f}" r="3" fill="{colour}"><title>{escape(name)}: {p[1]:g}</title></circle>')
        out.append(text(WIDTH - RIGHT + 12, TOP + 16 + 18 * i, name, "start", f' fill="{colour}"'))
    return svg(out)


def bars(found, y_label):
    """found: [(name, value, lowest, highest)]."""
    y = Axis([v for bar in found for v in bar[1:]], HEIGHT - BOTTOM, TOP, log=False)
    out, room = frame(None, y, "", y_label), (WIDTH - RIGHT - LEFT) / len(found)
    for i, (name, value, low, high) in enumerate(found):
        left, colour = LEFT + room * (i + 0.15), COLOURS[i % len(COLOURS)]
        out.append(f'<rect x="{left:.1f}" y="{y.at(value):.1f}" width="{room * 0.7:.1f}" height="{y.at(0) - y.at(value):.1f}" fill="{colour}"/>')
        middle = left + room * 0.35
        out.append(f'<line x1="{middle:.1f}" x2="{middle:.1f}" y1="{y.at(low):.1f}" y2="{y.at(high):.1f}" stroke="#111"/>')
        out.append(text(middle, y.at(high) - 5, short(float(f"{value:.3g}"))))
        out.append(text(WIDTH - RIGHT + 12, TOP + 16 + 18 * i, name, "start", f' fill="{colour}"'))
    return svg(out)
