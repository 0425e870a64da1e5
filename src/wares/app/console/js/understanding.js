// How a query was read: spelling, terms with their readings, wishes, and how many products answer it.

import { h } from "../../storefront/js/dom.js";
import { card, chip, facts } from "./card.js";
import { count, milliseconds, money, named, number, t } from "./words.js";

const READINGS = 6;

export function understanding(query, page) {
  const told = page.explanation;
  return card(
    t("understanding"),
    {},
    h(
      "div",
      { class: "understood" },
      facts(
        [t("searchedFor"), h("span", { class: "quoted" }, told.text.trim() || query)],
        page.correction && [t("spelling"), h("span", {}, h("s", {}, query), " → ", h("b", {}, page.correction))],
        [t("answers"), count(page.total)],
        told.matched !== null && [t("matchSet"), count(told.matched)],
        [t("ranker"), told.ranker ? named("rankers", told.ranker) : t("otherOrder")],
        told.relaxed && [t("relaxed"), named("relaxations", told.relaxed)],
        told.rules.length > 0 && [t("rulesHeld"), told.rules.join(", ")],
        [t("took"), milliseconds(page.took_ms)],
      ),
      told.terms.length > 0 && h("div", {}, h("h3", {}, t("terms")), h("ul", { class: "terms" }, told.terms.map(term))),
      page.wishes.length > 0 && h("div", {}, h("h3", {}, t("wishes")), h("ul", { class: "chips" }, page.wishes.map((wish) => h("li", {}, chip(wishText(wish), wish.strict ? "accent" : "quiet", t(wish.strict ? "strict" : "lenient")))))),
      told.excluded.length > 0 && h("div", {}, h("h3", {}, t("excluded")), h("ul", { class: "chips" }, told.excluded.map((word) => h("li", {}, chip(word, "bad"))))),
      page.notes.length > 0 && h("ul", { class: "notes", lang: "en" }, page.notes.map((note) => h("li", {}, note))),
      page.redirect && h("p", { class: "alert warn" }, t("redirects"), " ", h("code", {}, page.redirect)),
    ),
  );
}

function term(one) {
  const readings = one.readings.slice(0, READINGS).map((reading) =>
    h("li", {}, chip(`${reading.words.join(" + ")}${reading.why ? ` · ${named("whyRead", reading.why)}` : ""}`, reading.why ? "quiet" : "good", t("weight", number(reading.weight, 2)))),
  );
  const more = one.readings.length - READINGS;
  return h("li", {}, h("b", {}, one.said), h("ul", { class: "chips" }, readings.length ? readings : h("li", {}, chip(t("noSuchWord"), "bad")), more > 0 && h("li", {}, chip(t("more", more)))));
}

function wishText(wish) {
  const span = [wish.low, wish.high].map((edge) => (edge === null ? "" : wish.field === "price" ? money(edge, "") : number(edge)));
  const what = wish.values.length ? wish.values.join(", ") : wish.excluded.length ? t("without", wish.excluded.join(", ")) : span.join(" – ");
  return `${named("wishKinds", wish.kind)}: ${what}`;
}

/** The facets of an answer, folded. */
export function facets(page) {
  const told = page.facets.filter((facet) => facet.values.length || facet.low !== null);
  if (!told.length) return null;
  const one = (facet) =>
    h(
      "div",
      { class: "facet" },
      h("h3", {}, named("fields", facet.field)),
      facet.low !== null ? h("p", { class: "fine" }, `${number(facet.low, 6)} – ${number(facet.high, 6)}`) : h("ul", {}, facet.values.slice(0, 8).map((value) => h("li", {}, h("span", {}, value.value), h("span", { class: "n" }, count(value.count))))),
      facet.values.length > 8 && h("p", { class: "fine" }, t("more", facet.values.length - 8)),
    );
  return h("details", { class: "card facets" }, h("summary", {}, h("h2", {}, t("facetsTitle"))), h("div", { class: "facet-grid" }, told.map(one)));
}
