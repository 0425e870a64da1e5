// All words of the interface in the shopper's language.

import { recall, remember } from "./memory.js";
import { en } from "./text_en.js";
import { zh } from "./text_zh.js";

const LANGUAGES = { en, zh };
const preferred = () => (navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en");
const known = recall("language");

export let language = known in LANGUAGES ? known : preferred();

/** The shop's own language counts for a shopper who has not chosen one yet. */
export function greetIn(own) {
  if (!(known in LANGUAGES) && own in LANGUAGES) language = own;
}

export function speak(other) {
  language = other;
  remember("language", other);
}

/** The text of this name; some take facts: t("products", 12). */
export function t(name, ...facts) {
  const text = LANGUAGES[language][name];
  return typeof text === "function" ? text(...facts) : text;
}

export const count = (n) => new Intl.NumberFormat(t("locale")).format(n);

export function money(amount, currency) {
  const style = currency ? { style: "currency", currency, currencyDisplay: "narrowSymbol" } : { minimumFractionDigits: 2 };
  return new Intl.NumberFormat(t("locale"), style).format(amount);
}

export const duration = (ms) => `${new Intl.NumberFormat(t("locale"), { maximumSignificantDigits: 2 }).format(ms)} ms`;

/** The name of a facet: known ones are translated, others are shown as the shop calls them. */
export function fieldName(field) {
  return t("fields")[field] ?? field.replace(/[_-]+/g, " ").replace(/^\w/, (c) => c.toUpperCase());
}
