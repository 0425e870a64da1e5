// Why a product is shown: the server's codes as one small friendly line.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

const ICONS = {
  matches_words: "search",
  similar_meaning: "spark",
  bought_before: "again",
  bought_together: "pair",
  like_your_purchases: "spark",
  like_this: "spark",
  popular: "rising",
  popular_lately: "rising",
  taste: "heart",
  your_interest: "heart",
  new: "star",
  pinned: "star",
  boosted: "star",
  recently_viewed: "clock",
  wish_listed: "heart",
};

// What the shop did to the order beside ranking, as far as a shopper may want to know it: policy -> icon and text.
const MARKS = { swaps: "dice", exploration: "dice", sponsored: "coin" };

// In a list that somebody asked for, only what is personal or unexpected is worth a line.
export const OBVIOUS_IN_LISTS = new Set(["matches_words", "popular", "popular_lately", "boosted", "like_this"]);
export const NONE_OBVIOUS = new Set();

/** The weightiest reason that can be told, or null. */
export function topReason(hit, obvious = NONE_OBVIOUS) {
  const tellable = hit.reasons.filter((reason) => reason.code in ICONS && !obvious.has(reason.code));
  return tellable.reduce((best, reason) => (best && best.weight >= reason.weight ? best : reason), null);
}

/** Every reason that can be told, the weightiest first, each an icon and a text. */
export function reasonLines(hit) {
  const tellable = hit.reasons.filter((reason) => reason.code in ICONS).sort((a, b) => b.weight - a.weight);
  return tellable.map((reason) => [ICONS[reason.code], t("reasons")[reason.code](reason.shown?.[0])]);
}

/** What put a hit where it stands beside its reasons: chance, or money. */
export function markLines(hit) {
  const moved = (hit.adjustments ?? []).filter(({ policy }) => policy in MARKS && (policy !== "sponsored" || hit.sponsored));
  const policies = new Set(moved.map(({ policy }) => policy));
  return [...policies].map((policy) => [MARKS[policy], t("marks")[policy]]);
}

/** "Sponsored" and by whom, where money put a hit where it stands. */
export function sponsorMark(hit) {
  return hit.sponsored ? h("span", { class: "sponsored" }, `${t("sponsored")} · ${hit.sponsored.label}`) : null;
}

export function reasonLine(hit, obvious) {
  const reason = topReason(hit, obvious);
  if (!reason) return null;
  const text = t("reasons")[reason.code](reason.shown?.[0]);
  return h("p", { class: "reason", "data-code": reason.code, title: text }, icon(ICONS[reason.code]), h("span", {}, text));
}
