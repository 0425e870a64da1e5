// Hits taken apart: where each stands, what its score is made of, what sources and policies said.

import { h } from "../../storefront/js/dom.js";
import { bar, chip, table } from "./card.js";
import { icon } from "./icons.js";
import { count, money, named, number, signed, t } from "./words.js";

const PARTS = 10; // of a score that are shown at once

/** `side`: one of the lab's answers; `against`: which side it is ("A" or "B"), where another one stands beside it. */
export function hitList(side, { against = "", open = false } = {}) {
  const hits = side.page.hits;
  const most = Math.max(0, ...hits.map((hit) => Math.abs(hit.priority)));
  return h("ol", { class: "hits" }, hits.map((hit, i) => h("li", {}, hitRow(hit, i + 1, side, { against, most, open: open && i === 0 }))));
}

function hitRow(hit, place, side, { against, most, open }) {
  const { product } = hit;
  const details = h(
    "details",
    { class: "hit", open },
    h(
      "summary",
      {},
      h("span", { class: "place" }, String(place)),
      h("span", { class: "hit-name" }, h("b", {}, product.title || product.id), h("small", {}, [product.brand, money(product.price, product.currency)].filter(Boolean).join(" · "))),
      against && move(place, hit.elsewhere, against),
      h("span", { class: "hit-score" }, h("span", {}, number(hit.priority)), bar(hit.priority, most)),
    ),
  );
  const fill = () => details.children.length === 1 && details.append(inside(hit, side));
  if (open) fill();
  details.addEventListener("toggle", fill);
  return details;
}

/** On side B how a hit moved, seen from A; on side A only what B does not have at all. */
function move(place, elsewhere, against) {
  if (against === "A" && elsewhere !== null) return h("span", {});
  if (elsewhere === null) return h("span", { class: "move new" }, t("onlyHere"));
  if (elsewhere === place) return h("span", { class: "move same", title: t("samePlace") }, "=", h("span", { class: "unseen" }, t("samePlace")));
  const up = elsewhere > place;
  return h(
    "span",
    { class: `move ${up ? "up" : "down"}`, title: t("thereAt", elsewhere) },
    icon(up ? "up" : "down"),
    String(Math.abs(elsewhere - place)),
    h("span", { class: "unseen" }, t("thereAt", elsewhere)),
  );
}

function inside(hit, side) {
  const { product } = hit;
  return h(
    "div",
    { class: "hit-inside" },
    h("p", { class: "fine" }, h("span", { class: "mono" }, product.id), product.category.length > 0 && ` · ${product.category.join(" / ")}`, hit.variants.length > 0 && ` · ${t("variants", hit.variants.length)}`, !product.available && ` · ${t("notAvailable")}`),
    hit.reasons.length > 0 && h("div", {}, h("h3", {}, t("reasonsTitle")), h("ul", { class: "chips" }, hit.reasons.map((reason) => h("li", {}, chip(reasonText(reason), "accent"))))),
    votes(hit, side),
    parts(hit, side),
    adjustments(hit),
  );
}

export function reasonText(reason) {
  const text = t("reasons")[reason.code];
  const about = reason.shown.slice(0, 2).join(", ");
  if (typeof text === "function") return text(about);
  return text ? (about ? `${text}: ${about}` : text) : reason.code;
}

/** What each source that proposed it said, against the highest that it said of any hit. */
function votes(hit, side) {
  const said = side.sources.filter((source) => hit.votes[source]);
  if (!said.length) return null;
  const highest = (source) => Math.max(...side.page.hits.map((other) => Math.abs(other.votes[source] ?? 0)));
  const rows = said.map((source) =>
    h("li", {}, h("span", { class: "bar-name" }, named("sources", source)), bar(hit.votes[source], highest(source)), h("span", { class: "bar-value" }, number(hit.votes[source], 3))),
  );
  return h("div", {}, h("h3", {}, t("votes")), h("ul", { class: "bars" }, rows));
}

/** Its score, feature by feature, the greatest parts first. */
function parts(hit, side) {
  const told = Object.entries(hit.explanation ?? {}).filter(([, one]) => one.part);
  if (!told.length) {
    const why = side.page.explanation?.ranker ? t("notTakenApart") : t("notScored");
    return h("p", { class: "fine" }, why);
  }
  const most = Math.max(...told.map(([, one]) => Math.abs(one.part)));
  const shown = told.slice(0, PARTS);
  const rest = told.slice(PARTS).reduce((sum, [, one]) => sum + one.part, 0);
  const columns = [
    { name: t("feature"), cell: ([name]) => (name ? named("features", name) : t("base")) },
    { name: t("value"), right: true, cell: ([, one]) => (one.value === undefined || one.value === null ? "" : number(one.value)) },
    { name: t("adds"), right: true, cell: ([, one]) => h("span", { class: one.part < 0 ? "minus" : "plus" }, signed(one.part)) },
    { name: "", cell: ([, one]) => bar(one.part, most) },
  ];
  const rows = told.length > PARTS ? [...shown, [t("moreParts", count(told.length - PARTS)), { value: null, part: rest }]] : shown;
  columns.at(-1).name = h("span", { class: "unseen" }, t("size"));
  return h("div", {}, h("h3", {}, t("scoreOf", number(hit.score))), table(t("scoreOf", number(hit.score)), columns, rows));
}

function adjustments(hit) {
  if (!hit.adjustments.length) return null;
  const rows = hit.adjustments.map((one) =>
    h("li", {}, h("span", {}, named("policies", one.policy), one.why && h("small", {}, ` ${named("whys", one.why)}`)), h("b", { class: one.amount < 0 ? "minus" : "plus" }, signed(one.amount))),
  );
  return h("div", {}, h("h3", {}, t("policiesTitle")), h("ul", { class: "changes" }, rows, h("li", { class: "sum" }, h("span", {}, t("priority")), h("b", {}, number(hit.priority)))));
}
