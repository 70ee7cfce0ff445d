# SPDX-License-Identifier: Apache-2.0
# SPDX-FileCopyrightText: The Sluice authors
"""Results for people: one HTML page that needs nothing else, a Markdown table, the README's section."""

from html import escape

from peers.bed import Failed

from . import plot
from .results import METRICS, label, metrics_of, middle, values

COST, LATENCY = "cost_ns", ("latency_p50_us", "latency_p99_us", "latency_p999_us", "first_p999_us", "last_p999_us")
START, END = "<!-- numbers: begin -->", "<!-- numbers: end -->"
STYLE = ("body{font-family:sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#111}"
         "table{border-collapse:collapse;font-size:.9rem}td,th{border:1px solid #d1d5db;padding:.25rem .5rem;text-align:right}"
         "td:first-child,th:first-child{text-align:left}.no{color:#b91c1c}.machine{color:#4b5563;font-size:.9rem}")


def number(value):
    """Three digits, and no more zeros than that says."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def figure(point, metric):
    """Median and, of several runs, where they lie."""
    found = values(point, metric)
    if not found:
        return ""
    text = number(middle(point, metric))
    return text if len(found) < 2 or min(found) == max(found) else f"{text} ({number(min(found))} to {number(max(found))})"


def machine_line(result):
    m = result["machine"]
    kind = "virtual machine, " if m.get("virtual") else ""
    return f"{m['cpu']}, {kind}{m['cores']} cores, Linux {m['kernel']}, testbed {result['testbed']['name']}, commit {result['commit']}, {result['started'][:10]}"


def heads(result, metrics):
    return ["point"] + [f"{name} [{METRICS[name][0]}]" for name in metrics]


def row(point, metrics):
    if not point["runs"]:
        return [label(point["params"]), "no result: " + "; ".join(dict.fromkeys(point["invalid"]))]
    return [label(point["params"])] + [figure(point, name) for name in metrics]


def markdown(result, metrics=None):
    """One table: medians, with the lowest and highest of the runs."""
    metrics = metrics or metrics_of(result["points"])
    lines = ["| " + " | ".join(heads(result, metrics)) + " |", "|---|" + "---:|" * len(metrics)]
    for point in result["points"]:
        cells = row(point, metrics)
        lines.append("| " + " | ".join(cells + [""] * (len(metrics) + 1 - len(cells))) + " |")
    return "\n".join(lines)


def bar(point, metric):
    found = values(point, metric)
    return middle(point, metric), min(found), max(found)


def series(points, x, metric):
    """{what else is set: [(x, median, lowest, highest)]}."""
    out = {}
    for point in points:
        if values(point, metric) and x in point["params"]:
            rest = label({k: v for k, v in point["params"].items() if k != x and len({str(p["params"].get(k)) for p in points}) > 1})
            out.setdefault(rest or metric, []).append((float(point["params"][x]), *bar(point, metric)))
    return out


def axis_of(points):
    """The number that differs most between the points; None when none does."""
    counts = {name: len({p["params"].get(name) for p in points}) for name in points[0]["params"]
              if all(isinstance(p["params"].get(name), (int, float)) for p in points)}
    best = max(counts, key=counts.get, default=None)
    return best if best and counts[best] > 1 else None


def plots(result):
    """(title, SVG) of what the result has figures for."""
    points = [p for p in result["points"] if p["runs"]]
    if not points:
        return
    x = axis_of(points)
    if result["scenario"] == "peers":
        for n in sorted({p["params"]["subscribers"] for p in points}):
            for metric in (COST, "delivered_pps"):
                found = [(p["params"]["peer"], *bar(p, metric)) for p in points if p["params"]["subscribers"] == n and values(p, metric)]
                if found:
                    yield f"{METRICS[metric][1]}, {n} subscribers", plot.bars(found, METRICS[metric][0])
        return
    if not x:
        return
    for metric in (COST, "ndr_pps", "pdr_pps", "delivered_pps", "missing", "handshake_ns"):
        found = series(points, x, metric)
        if found:
            yield f"{METRICS[metric][1]} over {x}", plot.lines(found, x, METRICS[metric][0])
    found = {name: line for metric in LATENCY for name, line in ((metric, sum(series(points, x, metric).values(), [])),) if line}
    if found:
        yield f"latency over {x}", plot.lines(found, x, "us")


def table(result):
    metrics = metrics_of(result["points"])
    head = "".join(f"<th>{escape(name)}</th>" for name in heads(result, metrics))
    body = []
    for point in result["points"]:
        cells = row(point, metrics)
        span = f' colspan="{len(metrics)}" class="no"' if len(cells) < len(metrics) + 1 else ""
        body.append("<tr>" + f"<td>{escape(cells[0])}</td>" + "".join(f"<td{span}>{escape(cell)}</td>" for cell in cells[1:]) + "</tr>")
    return f"<table><tr>{head}</tr>{''.join(body)}</table>"


def html(results):
    """The whole page."""
    parts = []
    for result in results:
        parts.append(f"<h2>{escape(result['scenario'])}</h2><p>{escape(result['says'])}.</p>")
        parts.append(f'<p class="machine">{escape(machine_line(result))}<br>{escape(" ".join(result["command"]))}</p>')
        parts += [f"<h3>{escape(title)}</h3>{svg}" for title, svg in plots(result)]
        parts.append(table(result))
    return f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Sluice: what a packet costs</title><style>{STYLE}</style><h1>What a packet costs</h1>{"".join(parts)}</html>\n'


def section(results):
    """What stands between the marks of a README."""
    parts = []
    for result in results:
        shown = [m for m in metrics_of(result["points"]) if m in (COST, "delivered_pps", "bundle", "ndr_pps", "latency_p50_us", "last_p999_us", "missing")]
        parts.append(f"{result['says'][0].upper()}{result['says'][1:]} (`perf/run.py {result['scenario']}`; {machine_line(result)}):\n\n{markdown(result, shown)}")
    return "\n\n".join(parts)


def into_readme(path, results):
    """Raises Failed when the file has no place for it."""
    text = path.read_text()
    if START not in text or END not in text:
        raise Failed(f"{path}: no '{START}' and '{END}' in it")
    before, rest = text.split(START, 1)
    path.write_text(f"{before}{START}\n{section(results)}\n{END}{rest.split(END, 1)[1]}")
