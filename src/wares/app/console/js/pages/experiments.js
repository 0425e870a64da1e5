// Experiments: what is tried on whom, and what the last look at it found.

import { h } from "../../../storefront/js/dom.js";
import * as api from "../api.js";
import { card, chip, facts, pageHead, table } from "../card.js";
import { icon } from "../icons.js";
import { empty, filled } from "../states.js";
import { ago, count, day, moment, named, number, share, t } from "../words.js";

const MISMATCH = 0.001; // below, shoppers are surely not shared out as planned
const NUMBERS = ["revenue", "seconds", "latency"]; // the other measures are shares

export function experiments(params, visit) {
  const place = h("div", { class: "stack" });
  filled(place, api.experiments, render, visit);
  return h("div", {}, pageHead(t("pages").experiments, t("experimentsText")), place);
}

function render({ experiments: all, warnings }) {
  const told = warnings.map((text) => h("p", { class: "alert bad", lang: "en" }, icon("warning"), h("span", {}, text)));
  return [...told, ...(all.length ? all.map(experiment) : [card("", {}, empty(t("noExperiments"), t("noExperimentsText")))])];
}

function experiment(one) {
  const state = one.running ? ["running", "good"] : one.stopped ? ["stopped", "warn"] : ["over", "quiet"];
  const span = t("untilDay", day(Date.parse(one.started)), day(Date.parse(one.stopped ?? one.ends)));
  return card(
    one.name,
    { tools: [chip(named("experimentKinds", one.kind), "accent"), chip(t(state[0]), state[1])], note: [t("byAt", one.by, span), one.note].filter(Boolean).join(" · ") },
    one.why && h("p", { class: "alert warn" }, icon("warning"), h("span", { lang: "en" }, one.why), one.stopped_by && chip(t("stoppedBy", one.stopped_by), "warn")),
    facts(
      [t("surface"), named("surfaces", one.surface)],
      [t("triedOn"), t("ofShoppers", share(one.share, 0))],
      [t("measuredBy"), measureName(one.measure)],
      ...Object.entries(one.variants).map(([name, part]) => [`${t("variant")} ${name}`, share(part, 0)]),
    ),
    one.result ? reading(one.result, one) : h("p", { class: "fine" }, t("notReadYet")),
  );
}

const measureName = (name) => t(name) ?? name;
const written = (name, x) => (NUMBERS.includes(name) ? number(x) : share(x));

function interval(name, value) {
  if (!value || value.mean === null) return "–";
  return h("span", {}, written(name, value.mean), value.low !== null && h("small", { class: "interval" }, `${written(name, value.low)} – ${written(name, value.high)}`));
}

function reading(result, one) {
  const columns = [
    { name: t("variant"), cell: (each) => each.name },
    { name: t("shoppers"), right: true, cell: (each) => count(each.shoppers) },
    { name: t("asks"), right: true, cell: (each) => count(each.answers) },
    { name: measureName(one.measure), right: true, cell: (each) => interval(one.measure, each.figures[one.measure]) },
    { name: t("againstControl"), right: true, cell: (each) => interval(one.measure, each.differences[one.measure]) },
    { name: t("latency"), right: true, cell: (each) => interval("latency", each.figures.latency) },
  ];
  const { preference } = result;
  const read = Date.parse(result.read);
  return h(
    "div",
    { class: "stack" },
    result.says && h("p", { class: `alert ${result.broken ? "bad" : "good"}` }, icon(result.broken ? "warning" : "check"), h("span", { lang: "en" }, result.says)),
    result.mismatch_p !== null && result.mismatch_p < MISMATCH && h("p", { class: "alert bad" }, icon("warning"), h("span", {}, t("mismatch"))),
    preference && h("p", {}, chip(t("preferenceOf", preference.wins, preference.losses, preference.ties), "accent")),
    table(`${one.name}: ${t("variant")}`, columns, result.variants),
    read && h("p", { class: "fine", title: moment(read) }, t("readAt", ago(read))),
  );
}
