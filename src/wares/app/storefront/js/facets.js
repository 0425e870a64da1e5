// The filters beside a listing: values to tick with their counts, and ranges.

import { h } from "./dom.js";
import { go } from "./router.js";
import { choosing, linkTo, toggling } from "./wish.js";
import { count, fieldName, t } from "./words.js";

const FEW = 7; // values shown before "show all"
const MANY = 250; // a longer list is for searching, not for reading
const unfolded = new Set(); // fields whose values are all shown
const folded = new Set(); // fields that the shopper closed

const depth = (value) => value.split(" > ").length;
const leaf = (value) => value.split(" > ").at(-1);
const under = (parent) => (value) => value.startsWith(`${parent} > `) && depth(value) === depth(parent) + 1;

/** All facets of a page of goods as nodes. */
export function facetGroups(wish, facets) {
  return facets.map((facet) => group(wish, facet, facet.values.length || !isRange(facet) ? values(wish, facet) : range(wish, facet)));
}

const isRange = (facet) => facet.low !== null || facet.high !== null;

function group(wish, facet, content) {
  if (!content) return null;
  const { field } = facet;
  const remember = (event) => (event.currentTarget.open ? folded.delete(field) : folded.add(field));
  return h(
    "details",
    { class: "facet", open: !folded.has(field), ontoggle: remember, "data-field": field },
    h("summary", { "data-key": `${field}/` }, fieldName(field)),
    content,
  );
}

function values(wish, facet) {
  const chosen = wish.filters[facet.field] ?? [];
  const known = new Set(facet.values.map(({ value }) => value));
  const lost = chosen.filter((value) => !known.has(value)).map((value) => ({ value, count: 0 }));
  const all = [...facet.values, ...lost];
  const rows = facet.field === "category" ? tree(wish, all, chosen) : all.map((entry) => ({ ...entry, level: 0 }));
  if (!rows.length) return null;
  const open = unfolded.has(facet.field);
  const shown = open ? rows.slice(0, MANY) : rows.filter(({ value, pinned }, i) => i < FEW || pinned || chosen.includes(value));
  const list = h("ul", { class: open && rows.length > 14 ? "values long" : "values" }, shown.map((row) => tick(wish, facet.field, row, chosen)));
  return [list, rows.length > FEW && unfold(wish, facet, rows.length, open)];
}

/** Categories by level: the children of what is chosen (or of the only one) stand below it. */
function tree(wish, all, chosen) {
  const levelOf = (parent) => (parent ? all.filter(({ value }) => under(parent)(value)) : all.filter(({ value }) => depth(value) === 1));
  const grow = (entries, level) =>
    entries.flatMap((entry) => {
      const inside = chosen.some((value) => value === entry.value || value.startsWith(`${entry.value} > `));
      const below = inside || entries.length === 1 ? grow(levelOf(entry.value), level + 1) : [];
      return [{ ...entry, level, pinned: level > 0 }, ...below];
    });
  return grow(levelOf(wish.category), 0);
}

function tick(wish, field, { value, count: n, level }, chosen) {
  const box = h("input", {
    type: "checkbox",
    checked: chosen.includes(value),
    "data-key": `${field}/${value}`,
    onchange: () => go(linkTo(toggling(wish, field, value))),
  });
  const name = field === "category" ? leaf(value) : value;
  return h("li", { "--level": level }, h("label", {}, box, h("span", { class: "value" }, name), h("span", { class: "n" }, count(n))));
}

function unfold(wish, facet, n, open) {
  const flip = (event) => {
    if (open) unfolded.delete(facet.field);
    else unfolded.add(facet.field);
    const old = event.currentTarget.closest(".facet");
    const fresh = facetGroups(wish, [facet])[0];
    old.replaceWith(fresh);
    fresh.querySelector(".unfold").focus();
  };
  return h("button", { type: "button", class: "unfold", "data-key": `${facet.field}/*`, onclick: flip }, open ? t("showFewer") : t("showAll", n));
}

function range(wish, facet) {
  const { field, low, high } = facet;
  const chosen = wish.filters[field] ?? {};
  const side = (name, label, spoken, bound) =>
    h(
      "label",
      {},
      h("span", {}, label),
      h("input", {
        type: "number",
        inputmode: "decimal",
        min: 0,
        step: "any",
        placeholder: bound ?? "",
        value: chosen[name] ?? "",
        "aria-label": spoken,
        "data-key": `${field}/${name}`,
        onchange: choose,
      }),
    );
  const choose = (event) => {
    const typed = { low: undefined, high: undefined }; // both as they stand: the page may not have caught up with the first
    for (const input of event.currentTarget.closest(".range").querySelectorAll("input"))
      if (input.value !== "") typed[input.dataset.key.split("/").at(-1)] = Math.max(0, Number(input.value));
    go(linkTo(choosing(wish, field, typed)));
  };
  const name = fieldName(field);
  return h("div", { class: "range" }, side("low", t("low"), t("lowest", name), low), side("high", t("high"), t("highest", name), high));
}
