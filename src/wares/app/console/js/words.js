// All words of the console in the operator's language, and how numbers, shares, days and moments are written.

import { recall, remember } from "./memory.js";
import { en } from "./text_en.js";
import { zh } from "./text_zh.js";

const LANGUAGES = { en, zh };
const known = recall("language");
const preferred = navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";

export let language = known in LANGUAGES ? known : preferred;

export function speak(other) {
  language = other;
  remember("language", other);
}

/** The text of this name; some take facts: t("products", 12). */
export function t(name, ...facts) {
  const text = LANGUAGES[language][name];
  return typeof text === "function" ? text(...facts) : text;
}

/** A word of a list of words, or the code itself where the list has none. */
export const named = (list, code) => t(list)[code] ?? code;

const locale = () => t("locale");
const missing = "–";

export const count = (n) => (n === null || n === undefined ? missing : new Intl.NumberFormat(locale()).format(n));

export const compact = (n) => new Intl.NumberFormat(locale(), { notation: "compact", maximumFractionDigits: 1 }).format(n);

export const share = (x, digits = 1) =>
  x === null || x === undefined
    ? missing
    : new Intl.NumberFormat(locale(), { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(x);

export const number = (x, digits = 4) =>
  x === null || x === undefined ? missing : new Intl.NumberFormat(locale(), { maximumSignificantDigits: digits }).format(x);

export const signed = (x, digits = 4) =>
  x === null || x === undefined
    ? missing
    : new Intl.NumberFormat(locale(), { signDisplay: "exceptZero", minimumFractionDigits: digits, maximumFractionDigits: digits }).format(x);

export const milliseconds = (ms) => (ms === null || ms === undefined ? missing : `${number(ms, 3)} ms`);

export function money(amount, currency) {
  if (amount === null || amount === undefined) return missing;
  const style = currency ? { style: "currency", currency, currencyDisplay: "narrowSymbol" } : { minimumFractionDigits: 2 };
  return new Intl.NumberFormat(locale(), style).format(amount);
}

export const day = (ms) => new Intl.DateTimeFormat(locale(), { day: "numeric", month: "short", timeZone: "UTC" }).format(ms);

export const longDay = (ms) =>
  new Intl.DateTimeFormat(locale(), { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }).format(ms);

export const moment = (ms) => new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short" }).format(ms);

const STEPS = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
];

/** "3 days ago" */
export function ago(ms) {
  const past = Date.now() - ms;
  const [unit, size] = STEPS.find(([, size]) => past >= size) ?? STEPS.at(-1);
  return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(-Math.max(0, Math.floor(past / size)), unit);
}
