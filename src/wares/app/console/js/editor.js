// The draft of the rules: text that is checked while it is written, snippets to begin with, preview, publish.

import { h } from "../../storefront/js/dom.js";
import * as api from "./api.js";
import { card, chip } from "./card.js";
import { confirmed } from "./dialog.js";
import { choice, textField } from "./fields.js";
import { icon } from "./icons.js";
import { recall, remember } from "./memory.js";
import { preview } from "./preview.js";
import { filled, said, trouble } from "./states.js";
import { toast } from "./toast.js";
import { named, t } from "./words.js";

const CHECK_AFTER_MS = 450;
const SNIPPETS = {
  pin: 'pin = { "PRODUCT_ID" = 1 }',
  hide: 'hide = ["PRODUCT_ID"]',
  boost: 'boost = [{ where = { brand = "BRAND" }, factor = 2.0 }]',
  bury: 'bury = [{ where = { brand = "BRAND" }, factor = 0.5 }]',
  filter: 'filter = { category = "CATEGORY" }',
  synonym: 'synonym = ["OTHER WORDS"]',
  banner: 'banner = { text = "TEXT", url = "/sale" }',
  redirect: 'redirect = "/sale"',
};
const unsaved = { text: null, was: null }; // survives a change of language or page

/** `query`: begin a rule for it. */
export function editor(told, query, visit, again) {
  const saved = told.draft?.text ?? null;
  const base = saved ?? told.published.text;
  const conflicting = unsaved.text !== null && unsaved.was !== saved;
  const kept = unsaved.text !== null && !conflicting ? unsaved.text : base;
  const begun = query && !kept.includes(`query = ${JSON.stringify(query)}`) ? `${ended(kept)}${block(query)}` : kept;
  const lines = h("div", { class: "line-numbers", "aria-hidden": "true" });
  const area = h("textarea", { id: "rules-text", class: "code", spellcheck: "false", autocapitalize: "off", autocomplete: "off", wrap: "off", rows: 16 });
  area.value = begun;
  const findings = h("div", { class: "findings", "aria-live": "polite" });
  const shown = h("div", {});
  const state = h("span", { class: "draft-state" });
  const by = textField(t("who"), recall("by") ?? "", { maxlength: 100, autocomplete: "name" });

  const changed = () => area.value !== base;
  const number = () => {
    lines.replaceChildren(...area.value.split("\n").map((_, i) => h("span", {}, String(i + 1))));
    lines.scrollTop = area.scrollTop;
  };
  const sayState = () => {
    const words = changed() ? [t("unsaved"), "warn"] : saved !== null ? [t("draftSaved", told.draft.based_on ?? "–"), "accent"] : [t("asServing"), "quiet"];
    state.replaceChildren(chip(...words));
  };

  let checking = new AbortController();
  let timer;
  visit.signal.addEventListener("abort", () => checking.abort());
  const check = async () => {
    checking.abort();
    checking = new AbortController();
    try {
      const found = await api.checkRules(area.value, checking.signal);
      findings.replaceChildren(...verdict(found));
    } catch (problem) {
      visit.failed(problem, (one) => findings.replaceChildren(trouble(one, check)));
    }
  };
  const typed = () => {
    Object.assign(unsaved, changed() ? { text: area.value, was: saved } : { text: null, was: null });
    number();
    sayState();
    clearTimeout(timer);
    timer = setTimeout(check, CHECK_AFTER_MS);
  };
  area.addEventListener("input", typed);
  area.addEventListener("scroll", () => (lines.scrollTop = area.scrollTop));

  const insert = (name) => {
    area.value = `${ended(area.value)}${block("", SNIPPETS[name])}`;
    typed();
    area.focus();
    area.scrollTop = area.scrollHeight;
  };
  const settled = () => Object.assign(unsaved, { text: null, was: null });
  const save = async () => {
    const who = by.input.value.trim();
    if (!who) return by.input.focus();
    remember("by", who);
    try {
      await api.writeDraft({ by: who, text: area.value, was: saved });
      settled();
      toast(t("saved"));
      again();
    } catch (problem) {
      visit.failed(problem, (one) => findings.replaceChildren(trouble(one)));
    }
  };
  const discard = async () => {
    if (saved === null) {
      settled();
      return again();
    }
    const done = await confirmed({ title: t("discardTitle"), text: t("discardText"), verb: t("discard"), danger: true, act: (who) => api.discardDraft({ ...who, was: saved }) });
    if (done) settled(), toast(t("discarded")), again();
  };
  const publish = async () => {
    const found = await api.checkRules(area.value, visit.signal).catch(() => null);
    const conflicts = found?.conflicts.filter((one) => one.new) ?? [];
    const done = await confirmed({
      title: t("publishTitle"),
      text: conflicts.length ? t("publishAnyway", conflicts.length) : t("publishText"),
      verb: t("publish"),
      danger: conflicts.length > 0,
      note: true,
      act: (who) => api.publishRules({ ...who, text: area.value, was: saved, anyway: conflicts.length > 0 }),
    });
    if (done) settled(), toast(t("published", done.version)), again();
  };

  const surface = choice(t("surface"), "", [["", t("concerned")], ...Object.keys(visit.shop.profiles).map((name) => [name, named("surfaces", name)])]);
  const asked = textField(t("query"), query, { maxlength: 500 });
  const look = () => {
    const question = { text: area.value, surface: surface.input.value || (asked.input.value.trim() ? "search" : ""), query: asked.input.value.trim(), k: 10 };
    filled(shown, (signal) => api.previewRules(question, signal), preview, visit);
  };

  queueMicrotask(() => {
    number();
    sayState();
    check();
    if (begun !== kept) typed(), (area.scrollTop = area.scrollHeight);
  });
  const snippets = h("div", { class: "snippets", role: "group", "aria-label": t("newRule") }, h("span", { class: "fine" }, t("newRule")), Object.keys(SNIPPETS).map((name) => h("button", { type: "button", class: "button tiny", onclick: () => insert(name) }, icon("plus"), named("thens", name))));
  return card(
    t("draft"),
    { tools: state, note: t("draftText") },
    conflicting && h("p", { class: "alert warn" }, icon("warning"), t("draftOvertaken")),
    snippets,
    h(
      "div",
      { class: "editing" },
      h("div", { class: "code-place" }, h("label", { class: "unseen", for: "rules-text" }, t("rulesLabel")), lines, area),
      findings,
    ),
    h(
      "div",
      { class: "editor-ways" },
      by.node,
      h("button", { type: "button", class: "button", onclick: save }, t("save")),
      h("button", { type: "button", class: "button", onclick: discard }, t("discard")),
      h("button", { type: "button", class: "button primary", onclick: publish }, icon("check"), t("publish")),
    ),
    h("div", { class: "preview-form" }, h("h3", {}, t("preview")), surface.node, asked.node, h("button", { type: "button", class: "button", onclick: look }, t("previewNow"))),
    shown,
  );
}

/** What speaks against these rules: faults, then conflicts. */
function verdict({ faults, conflicts, rules }) {
  if (faults.length) return [h("p", { class: "alert bad" }, icon("cross"), h("b", {}, t("faults", faults.length))), said({ detail: faults.join("\n") })];
  const good = h("p", { class: "alert good" }, icon("check"), t("noFaults", rules.length));
  if (!conflicts.length) return [good];
  const one = (conflict) => h("li", { class: "alert warn" }, icon("warning"), h("span", { lang: "en" }, conflict.text), chip(conflict.new ? t("newConflict") : t("oldConflict"), conflict.new ? "warn" : "quiet"));
  return [good, h("ul", { class: "alerts" }, conflicts.map(one))];
}

const ended = (text) => (text.trim() ? `${text.replace(/\s+$/, "")}\n\n` : "");

/** A rule to fill in. TOML's strings are written as JSON's. */
function block(query, action = SNIPPETS.synonym) {
  return `[[rules]]\nname = ""\nwhen = { query = ${JSON.stringify(query || "WORDS")} }\n${action}\n`;
}
