// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The Sluice authors

// A table that is told its rows again and again. Rows are known by key and cells are only touched
// when they change, so that focus, selection and screen readers are left in peace.

export function element(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function setClass(node, name) {
  if (node.className !== name) node.className = name;
}

// columns: {title, num, cell(td, row), key}: cell fills a <td>. none: text for no rows.
export class Table {
  #rows = new Map();
  #host;
  #columns;
  #body = element("tbody");
  #table;
  #none;

  constructor(host, columns, { none, caption }) {
    const head = element("tr");
    for (const c of columns)
      head.append(element("th", { scope: "col", className: c.num ? "num" : "" }, c.title));
    this.#host = host;
    this.#columns = columns;
    this.#table = element("table", { hidden: true }, element("caption", {}, caption),
      element("thead", {}, head), this.#body);
    this.#none = element("p", { className: "none" }, none);
    host.classList.add("scroll");
    host.replaceChildren(this.#none, this.#table);
  }

  // What to say when there is nothing to show.
  set none(content) {
    if (typeof content === "string") setText(this.#none, content);
    else this.#none.replaceChildren(...content);
  }

  get columns() {
    return this.#columns.length;
  }

  row(key) {
    return this.#rows.get(key);
  }

  #make(key) {
    const tr = element("tr");
    for (const c of this.#columns) tr.append(element("td", { className: c.num ? "num" : "" }));
    this.#rows.set(key, tr);
    return tr;
  }

  // detail(key): a row to stand below that key's row, or null.
  update(items, keyOf, detail = () => null) {
    const wanted = new Set(items.map(keyOf));
    for (const [key, tr] of this.#rows) {
      if (wanted.has(key)) continue;
      tr.remove();
      this.#rows.delete(key);
    }
    let at = this.#body.firstElementChild;
    const place = (tr) => {
      if (tr === at) at = at.nextElementSibling;
      else this.#body.insertBefore(tr, at);
    };
    for (const item of items) {
      const key = keyOf(item);
      const tr = this.#rows.get(key) ?? this.#make(key);
      this.#columns.forEach((c, i) => c.cell(tr.cells[i], item));
      place(tr);
      const below = detail(key);
      if (below) place(below);
    }
    while (at) {
      const next = at.nextElementSibling;
      at.remove();
      at = next;
    }
    this.#table.hidden = items.length === 0;
    this.#none.hidden = items.length !== 0;
  }
}

// Cells of the usual kinds.
export const textCell = (f) => (td, row) => setText(td, f(row));

export const stateCell = (f) => (td, row) => {
  const state = f(row) ?? "–";
  if (!td.firstChild) td.append(element("span"));
  setText(td.firstChild, state);
  setClass(td.firstChild, `badge ${state}`);
};
