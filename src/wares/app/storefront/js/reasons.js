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
};

// In a list that somebody asked for, only what is personal or unexpected is worth a line.
export const OBVIOUS_IN_LISTS = new Set(["matches_words", "popular", "popular_lately", "boosted", "like_this"]);
export const NONE_OBVIOUS = new Set();

/** The weightiest reason that can be told, or null. */
export function topReason(hit, obvious = NONE_OBVIOUS) {
  const tellable = hit.reasons.filter((reason) => reason.code in ICONS && !obvious.has(reason.code));
  return tellable.reduce((best, reason) => (best && best.weight >= reason.weight ? best : reason), null);
}

export function reasonLine(hit, obvious) {
  const reason = topReason(hit, obvious);
  if (!reason) return null;
  const text = t("reasons")[reason.code](reason.shown?.[0]);
  return h("p", { class: "reason", "data-code": reason.code, title: text }, icon(ICONS[reason.code]), h("span", {}, text));
}
