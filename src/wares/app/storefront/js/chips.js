// What is chosen, as chips that can be taken away one by one.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { session } from "./session.js";
import { choosing, linkTo, toggling } from "./wish.js";
import { fieldName, money, t } from "./words.js";

export function chips(wish) {
  const entries = Object.entries(wish.filters);
  if (!entries.length) return [];
  const each = entries.flatMap(([field, choice]) =>
    Array.isArray(choice)
      ? choice.map((value) => chip(value.split(" > ").at(-1), toggling(wish, field, value)))
      : [chip(rangeText(field, choice), choosing(wish, field, []))],
  );
  const clear = h("a", { class: "chip clear", href: linkTo({ ...wish, filters: {} }) }, t("clearAll"));
  return [...each, each.length > 1 && clear].filter(Boolean);
}

/** A chip that leads to the wish without it; what says more of it is `about`. */
export function chip(text, without, { kind = "", about = null } = {}) {
  const traits = { class: `chip ${kind}`.trim(), href: linkTo(without), "aria-label": t("remove", text), title: about };
  return h("a", traits, text, icon("close"));
}

export function rangeText(field, { low, high }) {
  const amount = (value) => (field === "price" ? money(value, session.shop.currency) : String(value));
  const name = field === "price" ? "" : `${fieldName(field)} `;
  if (low === undefined) return name + t("atMost", amount(high));
  if (high === undefined) return name + t("atLeast", amount(low));
  return `${name}${amount(low)} – ${amount(high)}`;
}
