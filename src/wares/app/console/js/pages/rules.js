// The shopkeeper's rules: what serves, the draft with its check and preview, publishing, undoing, and the log.

import { h } from "../../../storefront/js/dom.js";
import * as api from "../api.js";
import { card, chip, pageHead } from "../card.js";
import { confirmed } from "../dialog.js";
import { editor } from "../editor.js";
import { icon } from "../icons.js";
import { go, link } from "../route.js";
import { empty, filled } from "../states.js";
import { toast } from "../toast.js";
import { count, moment, named, t } from "../words.js";

export function rules(params, visit) {
  const place = h("div", { class: "stack" });
  const load = () => filled(place, api.rules, (told) => render(told, params, visit, again), visit);
  const again = () => {
    go(link("rules"));
  };
  load();
  return h("div", {}, pageHead(t("pages").rules, t("rulesText")), place);
}

function render(told, params, visit, again) {
  const { published } = told;
  const number = chip(published.version ? t("versionServes", published.version) : t("noVersion"), published.version ? "good" : "quiet");
  return [
    told.faults.map((fault) => h("p", { class: "alert bad", lang: "en" }, icon("warning"), fault)),
    editor(told, params.get("query") ?? "", visit, again),
    h("div", { class: "sides two" }, card(t("serving"), { tools: number, note: byWhom(published) }, ruleList(published.rules)), card(t("log"), {}, log(told, again))),
  ];
}

const byWhom = (version) => (version.version ? t("byAt", version.by, moment(Date.parse(version.at))) : t("nothingPublished"));

function ruleList(list) {
  if (!list.length) return empty(t("noRules"), t("noRulesText"));
  return h("ol", { class: "rules" }, list.map((rule, i) => h("li", {}, ruleCard(rule, i + 1))));
}

const WHENS = ["query", "query_contains", "category", "surface", "segment", "market", "from", "until"];

/** A rule in words: when it holds, and what it does then. */
export function ruleCard(rule, number) {
  const when = Object.entries(rule.when ?? {}).filter(([name]) => WHENS.includes(name));
  const then = Object.entries(rule).filter(([name]) => !["name", "when"].includes(name));
  return h(
    "div",
    { class: "rule" },
    h("p", { class: "rule-name" }, h("span", { class: "place" }, String(number)), rule.name || t("ruleNumber", number)),
    h("p", { class: "rule-line" }, h("span", { class: "rule-word" }, t("when")), when.length ? when.map(([name, value]) => chip(`${named("whens", name)}: ${plain(value)}`)) : chip(t("always"))),
    h("p", { class: "rule-line" }, h("span", { class: "rule-word" }, t("then")), then.map(([name, value]) => chip(`${named("thens", name)}: ${plain(value)}`, "accent"))),
  );
}

/** Values of rules as people write them. */
function plain(value) {
  if (Array.isArray(value)) return value.map(plain).join(", ");
  if (value && typeof value === "object") return Object.entries(value).map(([name, inner]) => `${name} ${plain(inner)}`).join("; ");
  return String(value);
}

const SIGNS = { added: "+", changed: "~", removed: "−", moved: "↕" };

function log(told, again) {
  if (!told.log.length) return empty(t("nothingPublished"), t("nothingPublishedText"));
  const serving = told.published.version;
  return h(
    "ol",
    { class: "log" },
    told.log.map((entry) =>
      h(
        "li",
        {},
        h("div", { class: "log-head" }, h("b", {}, t("version", entry.version)), entry.version === serving && chip(t("servesNow"), "good"), entry.damaged && chip(t("damaged"), "bad", entry.damaged), entry.same_as !== entry.version && chip(t("repeats", entry.same_as))),
        h("p", { class: "fine" }, entry.by ? t("byAt", entry.by, moment(Date.parse(entry.at))) : ""),
        entry.note && h("p", { class: "log-note" }, entry.note),
        changes(entry.changes),
        undoWay(entry, told, again),
      ),
    ),
  );
}

function changes(list) {
  if (!list.length) return h("p", { class: "fine" }, t("nothingChanged"));
  const one = (change) =>
    h(
      "details",
      { class: "change" },
      h("summary", {}, h("span", { class: `sign ${change.kind}`, "aria-hidden": "true" }, SIGNS[change.kind]), `${change.rule}: ${named("changes", change.kind)}`),
      h("pre", { tabindex: 0 }, [...change.before.map((line) => h("span", { class: "minus" }, `- ${line}\n`)), ...change.after.map((line) => h("span", { class: "plus" }, `+ ${line}\n`))]),
    );
  return h("div", {}, list.map(one));
}

function undoWay(entry, told, again) {
  const serving = told.published.version;
  if (entry.damaged || entry.same_as === told.published.same_as) {
    if (entry.version !== serving) return null;
    const undo = () => undone(t("undoTitle", serving), t("undoText"), null, told, again);
    return told.published.same_as > 0 && h("button", { type: "button", class: "button small", onclick: undo }, icon("undo"), t("undo"));
  }
  const back = () => undone(t("backTitle", entry.version), t("backText"), entry.version, told, again);
  return h("button", { type: "button", class: "button small", onclick: back }, icon("undo"), t("backTo", entry.version));
}

async function undone(title, text, to, told, again) {
  const done = await confirmed({ title, text, verb: t("publish"), note: true, act: (who) => api.undoRules({ ...who, to, serving: told.published.version }) });
  if (!done) return;
  toast(t("published", count(done.version)));
  again();
}
