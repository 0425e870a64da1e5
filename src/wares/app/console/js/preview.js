// What other rules would change: the same question before and after, beside each other.

import { h } from "../../storefront/js/dom.js";
import { chip } from "./card.js";
import { icon } from "./icons.js";
import { empty } from "./states.js";
import { count, named, t } from "./words.js";

const MOST = 12;

export function preview({ previews }) {
  if (!previews.length) return empty(t("nothingDiffers"), t("nothingDiffersText"));
  const first = [...previews].sort((a, b) => b.changes - a.changes);
  return h("div", { class: "stack" }, first.slice(0, MOST).map(one), first.length > MOST && h("p", { class: "fine" }, t("morePreviews", first.length - MOST)));
}

function one(found) {
  const asked = [named("surfaces", found.surface), found.query && `“${found.query}”`, found.category, found.market].filter(Boolean).join(" · ");
  const { before, after } = found;
  const totals = before.total === after.total ? t("hitsTotal", count(after.total)) : `${count(before.total)} → ${t("hitsTotal", count(after.total))}`;
  const titles = Object.fromEntries(found.ranks.map((rank) => [rank.id, rank]));
  return h(
    "div",
    { class: "preview" },
    h("div", { class: "preview-head" }, h("h4", {}, asked), chip(found.changes ? t("changesIt") : t("changesNothing"), found.changes ? "accent" : "quiet"), h("span", { class: "fine" }, totals)),
    beside(before, after),
    found.changes && h("div", { class: "before-after" }, column(t("before"), before.ids, titles, false), column(t("after"), after.ids, titles, true)),
  );
}

function beside(before, after) {
  const words = (side) => [...side.banners.map((banner) => `${t("banner")}: ${banner.text}`), side.redirect && `${t("redirect")}: ${side.redirect}`].filter(Boolean).join(" · ");
  const [old, now] = [words(before), words(after)];
  return old !== now && h("p", { class: "fine" }, h("s", {}, old), old && " → ", h("b", {}, now || t("none")));
}

function column(name, ids, titles, moved) {
  const row = (id) => h("li", {}, h("span", {}, titles[id]?.title || id), moved && mark(titles[id]));
  return h("div", {}, h("h5", {}, name), h("ol", {}, ids.length ? ids.map(row) : h("li", { class: "fine" }, t("noHits"))));
}

function mark({ before, after }) {
  if (before === null) return chip(t("new"), "good");
  if (before === after || after === null) return null;
  const up = after < before;
  return h("span", { class: `move ${up ? "up" : "down"}` }, icon(up ? "up" : "down"), String(Math.abs(before - after)), h("span", { class: "unseen" }, t("wasAt", before)));
}
