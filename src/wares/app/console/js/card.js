// The pieces that every page is made of: its head, cards, chips, tables, bars.

import { h } from "../../storefront/js/dom.js";

export const pageHead = (title, text, ...tools) =>
  h("div", { class: "page-head" }, h("div", {}, h("h1", { tabindex: -1 }, title), h("p", { class: "lead" }, text)), tools.length > 0 && h("div", { class: "page-tools" }, tools));

/** A panel with a heading; `traits` may hold a class and tools for its right corner. */
export function card(title, { tools, note, kind = "" } = {}, ...children) {
  const head = title && h("div", { class: "card-head" }, h("h2", {}, title), tools && h("div", { class: "card-tools" }, tools));
  return h("section", { class: `card ${kind}` }, head, note && h("p", { class: "fine card-note" }, note), children);
}

/** `kind`: good, warn, bad, quiet or accent. */
export const chip = (text, kind = "quiet", title) => h("span", { class: `chip ${kind}`, title }, text);

/** A table that scrolls by itself; `columns`: [{name, right, cell(row)}]. */
export function table(label, columns, rows) {
  const head = columns.map((column) => h("th", { scope: "col", class: column.right && "right" }, column.name));
  const body = rows.map((row) =>
    h("tr", {}, columns.map((column, i) => h(i === 0 ? "th" : "td", { scope: i === 0 && "row", class: column.right && "right" }, column.cell(row)))),
  );
  return h(
    "div",
    { class: "scroll", tabindex: 0, role: "group", "aria-label": label },
    h("table", {}, h("caption", { class: "unseen" }, label), h("thead", {}, h("tr", {}, head)), h("tbody", {}, body)),
  );
}

/** A bar of this share of its place; below zero it is of the other colour. The number beside it says the same. */
export const bar = (x, most) =>
  h("span", { class: `bar ${x < 0 ? "minus" : ""}`, "aria-hidden": "true", "--share": most > 0 ? String(Math.min(1, Math.abs(x) / most)) : "0" }, h("span", {}));

/** Name and value, one below the other. */
export const facts = (...pairs) => h("dl", { class: "facts" }, pairs.filter(Boolean).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
