// The doctor's findings: is everything in order here?

import { h } from "../../../storefront/js/dom.js";
import * as api from "../api.js";
import { card, chip, pageHead } from "../card.js";
import { icon } from "../icons.js";
import { kept } from "../kept.js";
import { named, t } from "../words.js";

const KINDS = { ok: ["good", "check"], warning: ["warn", "warning"], problem: ["bad", "cross"] };
const WORST_FIRST = ["problem", "warning", "ok"];

export function health(params, visit) {
  const place = h("div", { class: "stack" });
  const tools = kept(place, (anew, signal) => api.health(anew, signal), render, visit, t("healthWorking"));
  return h("div", {}, pageHead(t("pages").health, t("healthText"), tools), place);
}

function render({ value }) {
  const many = (state) => value.filter((finding) => finding.state === state).length;
  const sorted = [...value].sort((a, b) => WORST_FIRST.indexOf(a.state) - WORST_FIRST.indexOf(b.state));
  const summary = h("ul", { class: "chips large" }, WORST_FIRST.filter(many).map((state) => h("li", {}, chip(t("findingsOf", named("findingStates", state), many(state)), KINDS[state][0]))));
  return card("", {}, summary, h("ul", { class: "health" }, sorted.map(row)));
}

function row({ state, what, found, advice }) {
  const [kind, mark] = KINDS[state];
  return h(
    "li",
    {},
    h("span", { class: `mark ${kind}`, title: named("findingStates", state) }, icon(mark), h("span", { class: "unseen" }, named("findingStates", state))),
    h("div", {}, h("h2", {}, named("findings", what)), h("p", { lang: "en" }, found), advice && h("p", { class: "advice", lang: "en" }, advice)),
  );
}
