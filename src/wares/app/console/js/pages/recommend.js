// The recommendation lab: what a surface offers somebody, why, who proposed it, and what policies changed.

import { h } from "../../../storefront/js/dom.js";
import * as api from "../api.js";
import { bar, card, chip, pageHead } from "../card.js";
import { choice, textField } from "../fields.js";
import { hitList } from "../hits.js";
import { icon } from "../icons.js";
import { link, settle } from "../route.js";
import { empty, filled } from "../states.js";
import { count, milliseconds, named, number, share, t } from "../words.js";

export function recommend(params, visit) {
  const { shop } = visit;
  const names = Object.keys(shop.profiles).sort((a, b) => shop.profiles[a].all_matches - shop.profiles[b].all_matches);
  const first = "home" in shop.profiles ? "home" : names[0];
  const surface = choice(t("surface"), params.get("surface") ?? first, names.map((name) => [name, named("surfaces", name)]));
  const shopper = textField(t("shopper"), params.get("shopper") ?? "", { list: "lab-shoppers", placeholder: t("nobody"), maxlength: 200 });
  const seeds = textField(t("seeds"), params.get("seeds") ?? "", { placeholder: t("seedsHint"), maxlength: 2000 });
  const market = choice(t("market"), params.get("market") ?? "", [["", t("ownMarket")], ...shop.markets.map((name) => [name, name])]);
  const place = h("div", {});
  const form = h(
    "form",
    { class: "card lab-form inline", onsubmit: (event) => (event.preventDefault(), ask()) },
    surface.node,
    shopper.node,
    seeds.node,
    shop.markets.length > 0 && market.node,
    h("datalist", { id: "lab-shoppers" }, shop.shoppers.map((id) => h("option", { value: id }))),
    h("button", { type: "submit", class: "button primary" }, icon("recommend"), t("look")),
  );
  form.addEventListener("change", () => ask());

  let looking = new AbortController();
  visit.signal.addEventListener("abort", () => looking.abort());
  function ask() {
    const who = shopper.input.value.trim();
    const chosen = { surface: surface.input.value, shopper: who, seeds: seeds.input.value.trim(), market: market.input.value };
    settle(link("recommend", chosen));
    looking.abort();
    looking = new AbortController();
    const asked = {
      seeds: chosen.seeds.split(",").map((id) => id.trim()).filter(Boolean),
      sides: [{ surface: chosen.surface, shopper: who || null, market: chosen.market }],
      k: 20,
    };
    const profile = shop.profiles[chosen.surface];
    const both = async (signal) => Promise.all([api.lab(asked, signal), who ? api.interests(who, signal) : null]);
    filled(place, both, ([answer, known]) => render(answer.sides[0], profile, who, known), { signal: looking.signal, failed: visit.failed });
  }
  ask();
  return h("div", {}, pageHead(t("pages").recommend, t("recommendText")), form, place);
}

function render(side, profile, who, known) {
  const { page } = side;
  const note = `${t("hitsOf", count(page.hits.length), count(page.total))} · ${milliseconds(page.took_ms)}`;
  const told = page.hits.length ? hitList(side, { open: true }) : empty(t("noHits"), t("noRecommendationText"));
  return h(
    "div",
    { class: "lab-result" },
    h("div", { class: "stack" }, page.notes.length > 0 && h("ul", { class: "notes", lang: "en" }, page.notes.map((one) => h("li", {}, one))), card(named("surfaces", side.surface), { note }, told)),
    h("div", { class: "stack aside" }, interests(who, known), way(side, profile)),
  );
}

/** What the profile says, and how often each source spoke for what is shown. */
function way(side, profile) {
  const rows = profile.sources.map((source) => {
    const spoke = side.page.hits.filter((hit) => hit.votes[source]).length;
    return h("li", {}, h("span", { class: "bar-name" }, named("sources", source)), bar(spoke, side.page.hits.length), h("span", { class: "bar-value" }, count(spoke)));
  });
  return card(
    t("howMade"),
    { note: t("sourcesNote") },
    h("ul", { class: "bars" }, rows),
    h("h3", {}, t("ranker")),
    h("p", {}, named("rankers", side.page.explanation?.ranker || profile.ranker)),
    h("h3", {}, t("policiesOf")),
    h("ul", { class: "chips" }, profile.policies.map((name) => h("li", {}, chip(named("policies", name))))),
  );
}

function interests(who, known) {
  if (!who) return card(t("interests"), {}, h("p", { class: "fine" }, t("interestsNobody")));
  if (!known.known) return card(t("interests"), {}, h("p", { class: "fine" }, t("interestsUnknown")));
  const groups = ["departments", "categories", "brands", "prices"].filter((name) => known[name].length);
  const tags = (name) =>
    h("div", {}, h("h3", {}, t("interestGroups")[name]), h("ul", { class: "tags" }, known[name].map((tag) => h("li", {}, h("span", {}, tag.value), h("small", {}, t("interestAbout", share(tag.share, 0), number(tag.lift, 2)))))));
  return card(t("interests"), { note: t("interestsOf", count(known.events)) }, groups.length ? groups.map(tags) : h("p", { class: "fine" }, t("interestsNone")));
}
