// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// What each part of the page shows, and what it says when there is nothing.

import { bitrate, clock, count, duration, milliseconds, perSecond, percent } from "/format.js";
import { Table, element, setClass, setText, stateCell, textCell } from "/table.js";

const SVG = "http://www.w3.org/2000/svg";
const CURVE = { width: 96, height: 20, looks: 60 };

// A curve of the last minute, from zero to its own highest value.
function curveCell(td, values) {
  if (!td.firstChild) {
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("viewBox", `0 0 ${CURVE.width} ${CURVE.height}`);
    svg.setAttribute("class", "curve");
    svg.setAttribute("aria-hidden", "true");
    svg.append(document.createElementNS(SVG, "polyline"));
    td.append(svg);
  }
  const top = Math.max(...values, 1);
  const step = CURVE.width / (CURVE.looks - 1);
  const from = CURVE.looks - values.length;
  td.firstChild.firstChild.setAttribute("points", values.map((v, i) =>
    `${((from + i) * step).toFixed(1)},${(CURVE.height - 1 - (CURVE.height - 2) * (v / top)).toFixed(1)}`).join(" "));
}

// Numbers whose zero is not worth a look, and those that are when they are not zero.
const numberCell = (f, write = count) => (td, row) => {
  const n = f(row);
  setText(td, write(n));
  td.classList.toggle("quiet", !n);
};

const worryCell = (f) => (td, row) => {
  numberCell(f)(td, row);
  td.classList.toggle("worry", f(row) > 0);
};

const since = (time) => duration((Date.now() - new Date(time).getTime()) / 1000);

export class Streams {
  open = null; // name of the stream whose subscribers are shown
  onOpen = () => {};
  #table;
  #filter;
  #rates;
  #last = null;
  #detail;
  #subscribers;
  #heading = element("h3");
  #facts = element("p", { className: "facts" });

  constructor(host, filter, rates) {
    this.#rates = rates;
    this.#filter = filter;
    this.#table = new Table(host, this.#columns(), { none: "Reading…", caption: "Streams" });
    const inner = element("div", { className: "scroll" });
    this.#subscribers = new Table(inner, this.#subscriberColumns(),
      { none: "Nobody is watching.", caption: "Subscribers of the stream" });
    this.#detail = element("tr", { className: "detail" },
      element("td", { colSpan: this.#table.columns }, this.#heading, this.#facts, inner));
    filter.addEventListener("input", () => this.#render());
    addEventListener("hashchange", () => this.#fromHash());
    this.#fromHash();
  }

  #fromHash() {
    const name = decodeURIComponent(location.hash.slice(1));
    this.open = name || null;
    this.#subscribers.update([], (s) => s.id);
    this.#subscribers.none = "Reading…";
    this.#render();
    this.onOpen();
  }

  #toggle(name) {
    if (this.open === name) {
      history.replaceState(null, "", location.pathname);
      this.#fromHash();
    } else {
      location.hash = encodeURIComponent(name);
    }
  }

  #nameCell(td, s) {
    if (!td.firstChild) {
      const button = element("button", { type: "button", className: "name" });
      button.addEventListener("click", (event) => {
        event.stopPropagation();
        this.#toggle(button.dataset.name);
      });
      td.append(button);
      td.parentNode.addEventListener("click", () => {
        if (!getSelection().toString()) this.#toggle(button.dataset.name);
      });
      td.parentNode.classList.add("opens");
    }
    const button = td.firstChild;
    button.dataset.name = s.name;
    setText(button, s.name);
    button.setAttribute("aria-expanded", String(this.open === s.name));
    td.parentNode.classList.toggle("open", this.open === s.name);
  }

  #columns() {
    return [
      { title: "Name", cell: (td, s) => this.#nameCell(td, s) },
      { title: "State", cell: stateCell((s) => s.state) },
      { title: "In", num: true, cell: numberCell((s) => s.rx_bitrate, bitrate) },
      { title: "Last minute", cell: (td, s) => curveCell(td, this.#rates.curve(s.name, s.rx_bitrate ?? 0)) },
      { title: "Subscribers", num: true, cell: numberCell((s) => s.subscribers) },
      { title: "Out", num: true, cell: numberCell((s) => 8 * this.#rates.of(s.name, "tx_bytes", s.tx_bytes), bitrate) },
      { title: "Recovered", num: true, cell: numberCell((s) => s.recovered_packets) },
      { title: "Lost", num: true, cell: worryCell((s) => s.lost_packets) },
      { title: "Resent", num: true, cell: numberCell((s) => s.retransmitted_packets) },
    ];
  }

  #subscriberColumns() {
    const rate = (s) => 8 * this.#rates.of(s.id, "sub", s.tx_bytes);
    return [
      { title: "Peer", cell: textCell((s) => s.peer) },
      { title: "Protocol", cell: textCell((s) => s.proto + (s.encrypted ? ", encrypted" : "")) },
      { title: "Out", num: true, cell: numberCell(rate, bitrate) },
      { title: "Sent", num: true, cell: textCell((s) => count(s.tx_packets)) },
      { title: "Resent", num: true, cell: numberCell((s) => s.retransmitted_packets) },
      { title: "Dropped", num: true, cell: worryCell((s) => s.dropped_packets) },
      { title: "RTT", num: true, cell: textCell((s) => milliseconds(s.rtt_ms ?? NaN)) },
      { title: "Latency", num: true, cell: textCell((s) => milliseconds(s.latency_ms ?? NaN)) },
      { title: "Worker", num: true, cell: textCell((s) => count(s.worker)) },
      { title: "For", num: true, cell: textCell((s) => since(s.since)) },
    ];
  }

  show(streams, subscribers, listeners) {
    this.#last = { streams, listeners };
    if (subscribers !== null) {
      const shown = subscribers.items.length;
      this.#subscribers.none = "Nobody is watching.";
      this.#subscribers.update(subscribers.items, (s) => s.id);
      setText(this.#heading, subscribers.more ? `The first ${count(shown)} subscribers` :
        `${count(shown)} ${shown === 1 ? "subscriber" : "subscribers"}`);
    }
    this.#render();
  }

  #showFacts(s) {
    const made = s.declared ? "declared" : "made by an open listener";
    setText(this.#facts, `${made} · publisher ${s.publisher ?? "none"} · ` +
      `${count(s.rx_packets)} packets in, ${count(s.tx_packets)} out`);
  }

  #tellNone(listeners, all) {
    if (all) {
      this.#table.none = "No stream has that in its name.";
      return;
    }
    const srt = listeners.find((l) => l.state === "active");
    if (!srt) {
      this.#table.none = "No streams, and no listener that could take one: sluicectl listener add srt://0.0.0.0:9000 --open";
      return;
    }
    const to = `${srt.url.replace("0.0.0.0", location.hostname)}?streamid=publish:cam1`;
    this.#table.none = ["No streams yet. Publish one: ",
      element("code", {}, `ffmpeg -re -i FILE -c copy -f mpegts '${to}'`)];
  }

  #render() {
    if (!this.#last) return;
    const { streams, listeners } = this.#last;
    const wanted = this.#filter.value.trim().toLowerCase();
    const shown = streams.filter((s) => s.name.toLowerCase().includes(wanted))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    const open = shown.find((s) => s.name === this.open);
    if (open) this.#showFacts(open);
    if (!shown.length) this.#tellNone(listeners, streams.length);
    this.#table.update(shown, (s) => s.name, (name) => (name === this.open ? this.#detail : null));
  }
}

const tables = new WeakMap();

function tableFor(host, make) {
  if (!tables.has(host)) tables.set(host, make());
  return tables.get(host);
}

// The state, and below it why it is not active.
const stateColumn = {
  title: "State",
  cell: (td, o) => {
    if (!td.firstChild) td.append(element("span"), element("p", { className: "why" }));
    setText(td.firstChild, o.state);
    setClass(td.firstChild, `badge ${o.state}`);
    setText(td.lastChild, o.error ?? "");
    td.lastChild.hidden = !o.error;
  },
};

const urlColumn = {
  title: "URL",
  cell: (td, o) => {
    td.classList.add("url");
    setText(td, o.url);
  },
};

export function showListeners(host, items) {
  tableFor(host, () => new Table(host, [
    urlColumn,
    { title: "Who", cell: textCell((l) => (l.open ? "open: any stream id" : "declared streams")) },
    { title: "Latency", num: true, cell: textCell((l) => milliseconds(l.latency_ms ?? NaN)) },
    stateColumn,
  ], { none: "No listeners: nobody can call this node.", caption: "Listeners" })).update(items, (l) => l.id);
}

const traffic = (rates, name) => numberCell((o) => rates.of(o.id, name, o[name]), perSecond);

export function showSources(host, items, rates) {
  tableFor(host, () => new Table(host, [
    { title: "Stream", cell: textCell((s) => s.stream) },
    urlColumn,
    { title: "Packets", num: true, cell: traffic(rates, "rx_packets") },
    stateColumn,
  ], { none: "No sources: streams come from callers only.", caption: "Sources" })).update(items, (s) => s.id);
}

export function showRoutes(host, items, rates) {
  tableFor(host, () => new Table(host, [
    { title: "Stream", cell: textCell((r) => r.stream) },
    urlColumn,
    { title: "Packets", num: true, cell: traffic(rates, "tx_packets") },
    stateColumn,
  ], { none: "No routes: streams go to callers only.", caption: "Routes" })).update(items, (r) => r.id);
}

function busyCell(td, w) {
  if (!td.firstChild) td.append(element("span", { className: "bar" }, element("i")), element("span"));
  td.firstChild.firstChild.style.width = `${Math.min(100, 100 * (w.busy_ratio ?? 0))}%`;
  setClass(td.firstChild, w.busy_ratio > 0.9 ? "bar full" : "bar");
  setText(td.lastChild, percent(w.busy_ratio));
}

export function showWorkers(host, items, rates) {
  const rate = (name) => numberCell((w) => rates.of(w.id, `worker ${name}`, w[name]), perSecond);
  tableFor(host, () => new Table(host, [
    { title: "Worker", cell: textCell((w) => count(w.id)) },
    { title: "Core", num: true, cell: textCell((w) => (w.core >= 0 ? count(w.core) : "any")) },
    { title: "Busy", cell: busyCell },
    { title: "Packets in", num: true, cell: rate("rx_packets") },
    { title: "Packets out", num: true, cell: rate("tx_packets") },
  ], { none: "No workers are known: the dataplane has not been here yet.", caption: "Workers" }))
    .update(items, (w) => w.id);
}

export function showDrops(host, drops, rates) {
  const items = Object.entries(drops).filter(([, n]) => n > 0).sort((a, b) => b[1] - a[1])
    .map(([reason, n]) => ({ reason, n }));
  tableFor(host, () => new Table(host, [
    { title: "Reason", cell: textCell((d) => d.reason.replaceAll("_", " ")) },
    { title: "Packets", num: true, cell: textCell((d) => count(d.n)) },
    { title: "Now", num: true, cell: numberCell((d) => rates.of(d.reason, "drops", d.n), perSecond) },
  ], { none: "None.", caption: "Drops by reason" })).update(items, (d) => d.reason);
}

const came = { publisher: "began to publish", subscriber: "came to watch" };
const went = { publisher: "no longer publishes", subscriber: "no longer watches" };

// Events as sentences; one of a kind that this page does not know says what it holds.
const sentences = {
  stream: (e) => `${e.stream} is ${e.state}`,
  reject: (e) => `${e.peer} was refused (${e.code})${e.stream_id || e.stream ? `, it asked for ${e.stream_id || e.stream}` : ""}: ${e.reason}`,
  object: (e) => `${e.kind} ${e.id} is ${e.state}${e.error ? `: ${e.error}` : ""}`,
  intent: (e) => `${e.kind} ${e.name} was ${e.action}`,
  dataplane: (e) => `${e.state}${e.why ? `: ${e.why}` : ""}`,
  lost: (e) => `${count(e.count)} reports of the dataplane did not fit`,
};

function sentence(type, e) {
  if (type in came)
    return `${e.peer} (${e.proto}) ${e.up ? came[type] : went[type]} ${e.stream}${e.up ? "" : `: ${e.reason}`}`;
  return sentences[type]?.(e) ?? JSON.stringify(e);
}

// The newest events of the feed since the page was opened.
export class Events {
  static #MOST = 50;
  #host;

  constructor(host) {
    this.#host = host;
    host.append(element("li", { className: "none" }, "Nothing since this page was opened."));
  }

  add(event) {
    const { time, type } = event;
    this.#host.querySelector(".none")?.remove();
    this.#host.prepend(element("li", {}, element("time", { dateTime: time }, clock(time)),
      element("b", {}, type), element("span", {}, sentence(type, event))));
    while (this.#host.children.length > Events.#MOST) this.#host.lastElementChild.remove();
  }
}
