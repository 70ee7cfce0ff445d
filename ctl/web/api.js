// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// The daemon's API as the page uses it: lists of bounded length, and the feed. The feed is read by
// fetch() and not by EventSource, which could not send a token.

const PATIENCE_MS = 8000;

export class ApiError extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export async function get(path) {
  const reply = await fetch(path, { signal: AbortSignal.timeout(PATIENCE_MS) });
  const doc = await reply.json().catch(() => null);
  if (!reply.ok) throw new ApiError(reply.status, doc?.detail ?? `status ${reply.status}`);
  return doc;
}

// Up to `most` items of a list, and whether there are more.
export async function list(path, most) {
  const items = [];
  let next = null;
  do {
    const mark = path.includes("?") ? "&" : "?";
    const page = await get(next === null ? path : `${path}${mark}cursor=${encodeURIComponent(next)}`);
    items.push(...page.items);
    next = page.next ?? null;
  } while (next !== null && items.length < most);
  return { items: items.slice(0, most), more: next !== null || items.length > most };
}

// Cut a stream of text into events {id, type, data}; the rest waits for more.
function* events(state, text) {
  state.text += text;
  for (;;) {
    const end = state.text.indexOf("\n\n");
    if (end < 0) return;
    const event = { id: "", type: "message", data: "" };
    for (const line of state.text.slice(0, end).split("\n")) {
      const colon = line.indexOf(":");
      if (colon <= 0) continue;
      const value = line.slice(colon + 1).replace(/^ /, "");
      if (line.startsWith("id:")) event.id = value;
      else if (line.startsWith("event:")) event.type = value;
      else if (line.startsWith("data:")) event.data += value;
    }
    state.text = state.text.slice(end + 2);
    if (event.data) yield event;
  }
}

async function readFeed(lastId, onOpen, onEvent) {
  const headers = lastId ? { "Last-Event-ID": lastId } : {};
  const reply = await fetch("/v1/watch", { headers, cache: "no-store" });
  if (!reply.ok) throw new ApiError(reply.status, `status ${reply.status}`);
  onOpen();
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  const state = { text: "" };
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    for (const event of events(state, value)) onEvent(event);
  }
}

// Follow the feed for ever; after an interruption it goes on behind the last event seen.
export async function follow(onState, onEvent) {
  let lastId = "";
  let wait = 1000;
  for (;;) {
    try {
      await readFeed(lastId, () => { wait = 1000; onState(true); }, (event) => {
        lastId = event.id || lastId;
        onEvent(event.type, JSON.parse(event.data));
      });
    } catch {
      // Told below, tried again after a while.
    }
    onState(false);
    await new Promise((resume) => setTimeout(resume, wait));
    wait = Math.min(2 * wait, 10000);
  }
}
