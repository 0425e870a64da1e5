// How the shop read the shopper's words, each with a way back: what it corrected, and what it took for a condition.

import { chip, rangeText } from "./chips.js";
import { h } from "./dom.js";
import { linkTo } from "./wish.js";
import { fieldName, t } from "./words.js";

/** Which words were answered where they are not the ones that were typed. */
export function corrected(wish, page) {
  if (!page.correction) return [];
  const typed = h("a", { href: linkTo({ ...wish, asTyped: true }) }, t("searchInstead", h("em", {}, wish.query)));
  return [h("p", {}, t("showingFor", h("strong", {}, page.correction)), " ", typed)];
}

/** What was read in the words beside the thing itself, as chips; and the way back to what was taken away before. */
export function understood(wish, page) {
  const each = page.wishes.map((one) => chip(textOf(one), { ...wish, without: [...wish.without, one.key] }, traitsOf(one)));
  const again = wish.without.length > 0 && h("a", { class: "chip clear", href: linkTo({ ...wish, without: [] }) }, t("readAgain"));
  return [each.length > 0 && h("span", { class: "chips-label" }, t("understood")), ...each, again].filter(Boolean);
}

const NAMED = ["brand", "category"]; // values that do not tell what they are

/** A price as this shop writes it, everything else in the shopper's own words. */
function textOf({ kind, said, field, low, high }) {
  if (NAMED.includes(kind)) return t("named", fieldName(field), said);
  if (kind !== "price" || (low === null && high === null)) return said;
  return rangeText("price", { low: low ?? undefined, high: high ?? undefined });
}

const traitsOf = ({ kind, strict }) => (strict || kind === "exclusion" ? { kind: "wished" } : { kind: "wished soft", about: t("preferred") });
