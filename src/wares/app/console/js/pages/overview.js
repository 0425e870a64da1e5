// How the shop does: what wants attention, the figures at a glance, and how they went day by day.

import { h } from "../../../storefront/js/dom.js";
import * as api from "../api.js";
import { card, chip, pageHead, table } from "../card.js";
import { chart, sparkline } from "../chart.js";
import { segments } from "../fields.js";
import { icon } from "../icons.js";
import { kept } from "../kept.js";
import { go, link } from "../route.js";
import { ago, compact, count, milliseconds, moment, named, number, share, t } from "../words.js";

const SPANS = ["7", "28", "90"];
const KINDS = ["view", "click", "search", "cart", "purchase"]; // the ones with a colour of their own; the rest are together
const HIGH_NO_RESULT = 0.15;
const OLD_DAYS = 30;

export function overview(params, visit) {
  const days = SPANS.includes(params.get("days")) ? params.get("days") : "28";
  const place = h("div", { class: "stack" });
  const tools = kept(place, (anew, signal) => api.overview(days, anew, signal), (told) => render(told, Number(days)), visit, t("overviewWorking"));
  const span = segments(t("span"), days, SPANS.map((n) => [n, t("daysSpan", n)]), (n) => go(link("overview", { days: n })));
  return h("div", {}, pageHead(t("pages").overview, t("overviewText"), span, tools), place);
}

function render({ value, serving }, n) {
  return [alerts(value, serving), tiles(value, serving, n), h("div", { class: "charts" }, charts(value)), surfaces(value)];
}

function alerts(value, serving) {
  const last = recent(value.no_result, value.searches);
  const found = [
    !serving.snapshot && ["bad", t("alertNoSnapshot")],
    serving.made_ms && Date.now() - serving.made_ms > OLD_DAYS * 86_400_000 && ["warn", t("alertOld", ago(serving.made_ms)), "snapshots"],
    serving.aside && ["warn", t("alertAside", serving.aside.name), "snapshots"],
    serving.held && ["warn", t("alertHeld", serving.held), "snapshots"],
    last !== null && last > HIGH_NO_RESULT && ["warn", t("alertNoResult", share(last)), "queries"],
    serving.dropped > 0 && ["bad", t("alertDropped", count(serving.dropped))],
    ...serving.warnings.map((text) => ["bad", text, "health", "en"]),
  ].filter(Boolean);
  if (!found.length) return h("p", { class: "alert good" }, icon("check"), h("span", {}, t("allWell")));
  const rows = found.map(([kind, text, page, lang]) =>
    h("li", { class: `alert ${kind}` }, icon("warning"), h("span", { lang }, text), page && h("a", { href: link(page) }, t("lookAtIt"), icon("next"))),
  );
  return h("ul", { class: "alerts", "aria-label": t("alerts") }, rows);
}

/** The share over the last seven days, each search counted once. */
function recent(shares, searches) {
  const from = -7;
  const asked = searches.slice(from).reduce((sum, one) => sum + one, 0);
  const empty = shares.slice(from).reduce((sum, one, i) => sum + (one ?? 0) * searches.slice(from)[i], 0);
  return asked ? empty / asked : null;
}

function tiles(value, serving, n) {
  const all = value.satisfaction.find((line) => line.label === "all");
  const searches = value.searches.reduce((sum, one) => sum + one, 0);
  const empty = value.no_result.reduce((sum, one, i) => sum + (one ?? 0) * value.searches[i], 0);
  const events = value.days_ms.map((_, i) => Object.values(value.events).reduce((sum, one) => sum + one[i], 0));
  const p95 = value.took_ms.p95.filter((one) => one !== null);
  return h(
    "div",
    { class: "tiles" },
    tile(t("tileSnapshot"), serving.snapshot ? h("span", { class: "mono fit" }, serving.snapshot) : t("none"), serving.made_ms ? h("span", { title: moment(serving.made_ms) }, t("snapshotAge", ago(serving.made_ms), compact(serving.events_since))) : t("notTrained")),
    tile(t("tileEvents"), compact(value.counts.events_in_span), t("eventsBy", count(value.counts.shoppers_in_span)), events),
    tile(t("tileSuccess"), all ? share(all.success.mean) : "–", all ? t("ofAsks", compact(all.asks)) : t("noAsks", n), value.outcomes.success),
    tile(t("tileNoResult"), searches ? share(empty / searches) : "–", t("ofSearches", compact(searches)), value.no_result),
    tile(t("tileBought"), all ? share(all.bought.mean) : "–", t("afterAnswer"), value.outcomes.bought),
    tile(t("tileTime"), p95.length ? milliseconds(p95.at(-1)) : "–", t("p95OfDay"), value.took_ms.p95),
  );
}

const tile = (name, figure, text, values) =>
  h("section", { class: "tile" }, h("h2", {}, name), h("p", { class: "figure" }, figure), h("p", { class: "fine" }, text), values && sparkline(values));

function charts(value) {
  const days = value.days_ms;
  const few = KINDS.filter((kind) => value.events[kind]);
  const rest = Object.keys(value.events).filter((kind) => !KINDS.includes(kind));
  const others = rest.length && { name: t("otherKinds"), values: days.map((_, i) => rest.reduce((sum, kind) => sum + value.events[kind][i], 0)) };
  const events = [...few.map((kind) => ({ name: named("kinds", kind), values: value.events[kind] })), others].filter(Boolean);
  const answers = Object.entries(value.answers).map(([surface, values]) => ({ name: named("surfaces", surface), values }));
  const line = (name, values) => ({ name, values });
  return [
    chart({ title: t("chartEvents"), days, series: events, stacked: true, format: tidy }),
    chart({ title: t("chartAnswers"), days, series: answers, stacked: true, format: tidy }),
    chart({
      title: t("chartSearch"),
      note: t("chartSearchNote"),
      days,
      series: [line(t("success"), value.outcomes.success), line(t("noResult"), value.no_result), line(t("abandoned"), value.outcomes.abandoned)],
      format: (x) => share(x, 0),
      most: 1,
    }),
    chart({
      title: t("chartAfter"),
      note: t("chartAfterNote"),
      days,
      series: [line(t("cart"), value.outcomes.cart), line(t("bought"), value.outcomes.bought)],
      format: (x) => share(x, 0),
    }),
    chart({ title: t("chartTime"), note: t("chartTimeNote"), days, series: [line("p50", value.took_ms.p50), line("p95", value.took_ms.p95)], format: milliseconds }),
  ];
}

const tidy = (n) => (n === null ? "–" : n >= 10_000 ? compact(n) : count(n));

function surfaces(value) {
  if (!value.satisfaction.length) return null;
  const figure = (name, write) => ({ name: t(name), right: true, cell: (line) => cell(line[name], write) });
  const columns = [
    { name: t("surface"), cell: (line) => (line.label === "all" ? t("allSurfaces") : named("surfaces", line.label)) },
    { name: t("asks"), right: true, cell: (line) => count(line.asks) },
    ...["success", "reworded", "abandoned", "empty", "cart", "bought"].map((name) => figure(name, share)),
    figure("seconds", (x) => number(x, 3)),
  ];
  const note = value.asks_of_nobody ? t("asksOfNobody", count(value.asks_of_nobody)) : t("shoppersCounted");
  return card(t("bySurface"), { note, tools: chip(t("interval")) }, table(t("bySurface"), columns, value.satisfaction));
}

const cell = ({ mean, low, high }, write) =>
  h("span", {}, mean === null ? "–" : write(mean), low !== null && h("small", { class: "interval" }, `${write(low)} – ${write(high)}`));
