// The search lab: how a query is read, what each hit's score is made of, and two ways to answer side by side.

import { h } from "../../../storefront/js/dom.js";
import * as api from "../api.js";
import { card, pageHead } from "../card.js";
import { choice, textField, tick } from "../fields.js";
import { hitList } from "../hits.js";
import { icon } from "../icons.js";
import { link, settle } from "../route.js";
import { empty, filled } from "../states.js";
import { facets, understanding } from "../understanding.js";
import { count, named, t } from "../words.js";

export function search(params, visit) {
  const { shop } = visit;
  const first = "search" in shop.profiles ? "search" : Object.keys(shop.profiles)[0];
  const query = textField(t("query"), params.get("q") ?? "", { type: "search", maxlength: 1000, wide: true });
  const compare = tick(t("compare"), params.has("p2"), { onchange: () => ask() });
  const sides = [side("1", params, shop, first), side("2", params, shop, params.has("p2") ? first : other(shop, first))];
  const place = h("div", { class: "stack" });
  const second = h("fieldset", { class: "side-form" }, h("legend", {}, t("sideB")), sides[1].nodes);
  const form = h(
    "form",
    { class: "card lab-form", onsubmit: (event) => (event.preventDefault(), ask()) },
    h("div", { class: "lab-query" }, query.node, h("button", { type: "submit", class: "button primary" }, icon("search"), t("look"))),
    h("div", { class: "sides-form" }, h("fieldset", { class: "side-form" }, h("legend", {}, t("sideA")), sides[0].nodes), second),
    compare.node,
  );
  form.addEventListener("change", () => query.input.value.trim() && ask());

  let looking = new AbortController();
  visit.signal.addEventListener("abort", () => looking.abort());
  function ask() {
    const two = compare.input.checked;
    second.hidden = !two;
    form.classList.toggle("two", two);
    const q = query.input.value.trim();
    settle(link("search", { q, ...sides[0].params(), ...(two ? sides[1].params() : {}) }));
    looking.abort();
    looking = new AbortController();
    if (!q) {
      place.replaceChildren(empty(t("labEmpty"), t("labEmptyText")));
      return;
    }
    const asked = { query: q, sides: (two ? sides : sides.slice(0, 1)).map((one) => one.value()), k: 20 };
    filled(place, (signal) => api.lab(asked, signal), (answer) => render(q, answer), { signal: looking.signal, failed: visit.failed });
  }
  ask();
  queueMicrotask(() => !params.get("q") && query.input.focus());
  return h("div", {}, pageHead(t("pages").search, t("searchText")), form, place);
}

/** What to compare with at first: another profile that lists all matches, best one that the shop made for searching. */
function other(shop, first) {
  const names = Object.keys(shop.profiles).filter((name) => name !== first && shop.profiles[name].all_matches);
  return names.find((name) => name !== "browse") ?? names[0] ?? first;
}

/** The fields of one side, and what they say: for the address and for the question. */
function side(n, params, shop, first) {
  const profile = choice(t("profile"), params.get(`p${n}`) ?? first, Object.keys(shop.profiles).map((name) => [name, named("surfaces", name)]));
  const shopper = textField(t("shopper"), params.get(`s${n}`) ?? "", { list: "lab-shoppers", placeholder: t("nobody"), maxlength: 200 });
  const market = choice(t("market"), params.get(`m${n}`) ?? "", [["", t("ownMarket")], ...shop.markets.map((name) => [name, name])]);
  const typed = tick(t("asTyped"), params.has(`t${n}`));
  const rules = tick(t("withoutRules"), params.has(`r${n}`));
  const suggested = n === "1" && h("datalist", { id: "lab-shoppers" }, shop.shoppers.map((id) => h("option", { value: id })));
  return {
    nodes: [profile.node, shopper.node, shop.markets.length > 0 && market.node, h("div", { class: "ticks" }, typed.node, rules.node), suggested].filter(Boolean),
    params: () => ({
      [`p${n}`]: profile.input.value === first && n === "1" ? "" : profile.input.value,
      [`s${n}`]: shopper.input.value.trim(),
      [`m${n}`]: market.input.value,
      [`t${n}`]: typed.input.checked ? "1" : "",
      [`r${n}`]: rules.input.checked ? "1" : "",
    }),
    value: () => ({
      surface: profile.input.value,
      shopper: shopper.input.value.trim() || null,
      market: market.input.value,
      as_typed: typed.input.checked,
      without_rules: rules.input.checked,
    }),
  };
}

function render(query, { sides }) {
  const two = sides.length === 2;
  const columns = sides.map((one, i) =>
    h(
      "div",
      { class: "stack" },
      understanding(query, one.page),
      card(
        `${two ? `${t(i ? "sideB" : "sideA")} · ` : ""}${named("surfaces", one.surface)}`,
        { note: t("hitsOf", count(one.page.hits.length), count(one.page.total)) },
        one.page.hits.length ? hitList(one, { against: two ? (i ? "B" : "A") : "", open: !two }) : empty(t("noHits"), t("noHitsText"), h("a", { class: "button small", href: link("rules", { query }) }, t("makeRule"))),
      ),
      facets(one.page),
    ),
  );
  return h("div", { class: `sides ${two ? "two" : ""}` }, columns);
}
