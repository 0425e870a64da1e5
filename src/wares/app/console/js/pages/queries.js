// Searches that went badly, with a way to put each right: a synonym, a rule, a look at it in the lab.

import { h } from "../../../storefront/js/dom.js";
import * as api from "../api.js";
import { bar, card, chip, pageHead } from "../card.js";
import { confirmed } from "../dialog.js";
import { segments, textField, tick } from "../fields.js";
import { icon } from "../icons.js";
import { kept } from "../kept.js";
import { go, link } from "../route.js";
import { empty } from "../states.js";
import { toast } from "../toast.js";
import { ago, count, share, t } from "../words.js";

const SPANS = ["7", "28", "90"];

export function queries(params, visit) {
  const days = SPANS.includes(params.get("days")) ? params.get("days") : "28";
  const place = h("div", { class: "stack" });
  const tools = kept(place, (anew, signal) => api.overview(days, anew, signal), ({ value }) => render(value.queries), visit, t("overviewWorking"));
  const span = segments(t("span"), days, SPANS.map((n) => [n, t("daysSpan", n)]), (n) => go(link("queries", { days: n })));
  return h("div", {}, pageHead(t("pages").queries, t("queriesText"), span, tools), place);
}

function render(found) {
  const privacy = h("p", { class: "privacy" }, icon("lock"), h("span", {}, t("privacy", found.least_shoppers, count(found.hidden))));
  return [
    privacy,
    h(
      "div",
      { class: "sides two" },
      list(t("noResultTitle"), t("noResultNote"), found.no_result, (one) => [t("emptyOf", count(one.empty), count(one.asks)), -one.empty / one.asks, "bad"]),
      list(t("lowClickTitle"), t("lowClickNote"), found.low_click, (one) => [t("chosenOf", share(one.chosen / one.asks, 0), count(one.asks)), one.chosen / one.asks, "quiet"]),
    ),
  ];
}

function list(title, note, rows, tell) {
  if (!rows.length) return card(title, { note }, empty(t("noneFound"), t("noneFoundText")));
  return card(title, { note, tools: chip(count(rows.length)) }, h("ul", { class: "queries" }, rows.map((one) => row(one, ...tell(one)))));
}

function row(one, words, part, kind) {
  return h(
    "li",
    {},
    h("div", { class: "query-head" }, h("a", { class: "query", href: link("search", { q: one.query }) }, one.query), chip(words, kind)),
    h("div", { class: "query-bar" }, bar(part, 1)),
    h(
      "div",
      { class: "query-foot" },
      h("span", { class: "fine" }, [t("byShoppers", count(one.shoppers)), one.reworded ? t("rewordedN", count(one.reworded)) : "", ago(one.last_ms)].filter(Boolean).join(" · ")),
      h(
        "span",
        { class: "query-ways" },
        h("button", { type: "button", class: "button small", onclick: () => makeSynonym(one.query), "aria-label": `${t("makeSynonym")}: ${one.query}` }, icon("plus"), t("makeSynonym")),
        h("a", { class: "button small", href: link("rules", { query: one.query }), "aria-label": `${t("makeRule")}: ${one.query}` }, icon("rules"), t("makeRule")),
      ),
    ),
  );
}

async function makeSynonym(query) {
  const said = textField(t("saidWords"), query, { required: true, maxlength: 200 });
  const meant = textField(t("meantWords"), "", { required: true, maxlength: 200, placeholder: t("meantHint") });
  const both = tick(t("bothWays"), false);
  const done = await confirmed({
    title: t("synonymTitle"),
    text: t("synonymText"),
    verb: t("addSynonym"),
    fields: [said, meant, both],
    act: ({ by }) => api.addSynonym({ by, said: said.input.value.trim(), meant: meant.input.value.trim(), one_way: !both.input.checked }),
  });
  if (done) toast(done.new ? t("synonymAdded", done.line) : t("synonymKnown"));
}
