// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The page: read the API once a second, show it, and look again at once when the feed says that
// something happened. It only reads.

import { follow, get, list } from "/api.js";
import { bitrate, clock, count, duration } from "/format.js";
import { Rates } from "/rates.js";
import { setClass, setText } from "/table.js";
import { Events, Streams, showDrops, showListeners, showRoutes, showSources, showWorkers } from "/views.js";

const EVERY_MS = 1000;
const ROWS_MAX = 500;

const byId = (id) => document.getElementById(id);
const rates = new Rates();
const streams = new Streams(byId("streams"), byId("filter"), rates);
const events = new Events(byId("events"));
let answered = null; // when the API answered last
let reading = false;
let again = false;

function banner(text) {
  byId("banner").hidden = !text;
  setText(byId("banner"), text);
}

function sum(items, field) {
  return items.reduce((all, item) => all + (item[field] ?? 0), 0);
}

function showStatus(status) {
  const away = status.dataplane !== "connected";
  const place = [status.node, status.region].filter(Boolean).join(" · ");
  setText(byId("node"), `${place} · ${status.version} · up ${duration(status.uptime_s)}`);
  document.title = `${status.node} – Sluice`;
  byId("dataplane").hidden = false;
  setText(byId("dataplane"), away ? "dataplane away" : "dataplane connected");
  setClass(byId("dataplane"), `badge ${away ? "error" : "live"}`);
  banner(away ? "The dataplane is away: nothing is known of traffic, and changes wait until it is back." : "");
}

function showTotals(status, all) {
  const drops = Object.values(status.drops ?? {}).reduce((a, b) => a + b, 0);
  setText(byId("t-live"), `${count(all.filter((s) => s.state === "live").length)} / ${count(status.streams)}`);
  setText(byId("t-subscribers"), count(status.subscribers));
  setText(byId("t-in"), bitrate(sum(all, "rx_bitrate")));
  setText(byId("t-out"), bitrate(8 * rates.of("all", "tx_bytes", sum(all, "tx_bytes"))));
  setText(byId("t-drops"), count(drops));
}

async function readAll() {
  const [status, streamList, listeners, sources, routes] = await Promise.all([
    get("/v1/status"), list("/v1/streams", ROWS_MAX), list("/v1/listeners", ROWS_MAX),
    list("/v1/sources", ROWS_MAX), list("/v1/routes", ROWS_MAX)]);
  const away = status.dataplane !== "connected";
  const subscribers = away || streams.open === null ? null :
    await list(`/v1/subscribers?stream=${encodeURIComponent(streams.open)}&limit=200`, 200);
  rates.tick();
  showStatus(status);
  showTotals(status, streamList.items);
  streams.show(streamList.items, subscribers, listeners.items);
  byId("more").hidden = !streamList.more;
  setText(byId("more"), `There are more: these are the first ${ROWS_MAX}.`);
  showListeners(byId("listeners"), listeners.items);
  showSources(byId("sources"), sources.items, rates);
  showRoutes(byId("routes"), routes.items, rates);
  showWorkers(byId("workers"), status.workers ?? [], rates);
  showDrops(byId("drops"), status.drops ?? {}, rates);
}

function tellFailure(error) {
  if (error.status === 401 || error.status === 403)
    banner(`This node does not let you read: ${error.message}.`);
  else if (error.status)
    banner(`The daemon answered with an error: ${error.message}.`);
  else
    banner(`No answer from sluiced${answered ? ` since ${clock(answered)}; what you see is that old` : ""}. Trying again.`);
  document.body.classList.add("stale");
}

async function refresh() {
  if (reading) {
    again = true;
    return;
  }
  reading = true;
  try {
    await readAll();
    answered = Date.now();
    document.body.classList.remove("stale", "unread");
  } catch (error) {
    tellFailure(error);
  }
  reading = false;
  if (again) {
    again = false;
    soon();
  }
}

// Many events in a row are one look.
let due = 0;
function soon() {
  if (!due) due = setTimeout(() => { due = 0; refresh(); }, 150);
}

streams.onOpen = soon;
setInterval(() => { if (!document.hidden) refresh(); }, EVERY_MS);
document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
refresh();
follow(
  (up) => {
    setText(byId("live"), up ? "live" : "feed interrupted");
    setClass(byId("live"), up ? "up" : "down");
  },
  (type, event) => {
    if (type !== "reset") events.add(event);
    soon();
  });
