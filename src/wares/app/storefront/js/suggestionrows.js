// What the rows below the search box look like.

import { h, marked } from "./dom.js";
import { icon } from "./icons.js";
import { badge, picture } from "./pictures.js";
import { money, t } from "./words.js";

const ICONS = { query: "search", category: "grid", brand: "spark", product: "bag" };

/** A way in which what is typed may go on; where it leads elsewhere than to a search, it says so. */
export function ideaRow({ text, kind, about }, query) {
  const above = kind === "category" ? about.split(" > ").slice(0, -1).join(" › ") : "";
  const name = h("span", { class: "s-title" }, begun(text, query), above && h("small", {}, above));
  return [icon(ICONS[kind]), name, kind === "query" ? null : h("span", { class: "s-kind" }, t("suggestionKinds")[kind])];
}

export function productRow({ product, highlights }) {
  const title = highlights?.title ? marked(highlights.title) : product.title;
  const cost = product.price === null ? "" : money(product.price, product.currency);
  return [picture(product), h("span", { class: "s-title" }, title, h("small", {}, product.brand)), h("span", { class: "s-price" }, cost)];
}

export function departmentRow(query, value) {
  return [badge(value), h("span", { class: "s-title" }, query, h("small", {}, `${t("inCategory")} ${value.split(" > ").at(-1)}`))];
}

/** The text with the typed letters marked where they begin a word; Chinese may begin anywhere. */
function begun(text, query) {
  const typed = query.match(/\p{Script=Han}+|[\p{L}\p{N}]+/gu);
  if (!typed) return text;
  const wanted = typed.sort((a, b) => b.length - a.length).map((word) => (/\p{Script=Han}/u.test(word) ? word : `(?<![\\p{L}\\p{N}])${word}`));
  return text.split(new RegExp(`(${wanted.join("|")})`, "giu")).map((part, i) => (i % 2 ? h("mark", {}, part) : part));
}
