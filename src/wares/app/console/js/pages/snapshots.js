// Snapshots: what serves, what was kept aside and why, how each was compared; going back, and letting one serve.

import { h } from "../../../storefront/js/dom.js";
import * as api from "../api.js";
import { card, chip, facts, pageHead, table } from "../card.js";
import { confirmed } from "../dialog.js";
import { icon } from "../icons.js";
import { renew } from "../route.js";
import { empty, filled } from "../states.js";
import { toast } from "../toast.js";
import { ago, count, moment, named, number, share, signed, t } from "../words.js";

const STATES = { current: "good", "kept aside": "warn", damaged: "bad", older: "quiet" };

export function snapshots(params, visit) {
  const place = h("div", { class: "stack" });
  filled(place, api.snapshots, render, visit);
  return h("div", {}, pageHead(t("pages").snapshots, t("snapshotsText")), place);
}

function render(told) {
  if (!told.snapshots.length) return card("", {}, empty(t("noSnapshots"), t("noSnapshotsText")));
  const newest = [...told.snapshots].reverse();
  return [told.held && h("p", { class: "alert warn" }, icon("warning"), h("span", {}, t("heldText", told.held))), ...newest.map((one) => snapshot(one, told))];
}

function snapshot(one, told) {
  const { facts: known, report } = one;
  const made = known.made_ms;
  const tools = [chip(named("snapshotStates", one.state), STATES[one.state]), way(one, told)];
  return card(
    h("span", { class: "mono" }, one.name),
    { tools, note: made ? `${moment(made)} · ${ago(made)}` : "", kind: one.state === "current" ? "current" : "" },
    one.why && h("p", { class: "alert warn", lang: "en" }, icon("warning"), one.why),
    facts(
      one.products !== null && [t("products"), count(one.products)],
      one.events !== null && [t("eventsLearnt"), count(one.events)],
      one.state === "current" && [t("eventsSince"), count(told.serving.events_since)],
    ),
    one.models.length > 0 && h("div", {}, h("h3", {}, t("models")), h("ul", { class: "chips" }, one.models.map((name) => h("li", {}, chip(named("sources", name)))))),
    comparison(report),
  );
}

function comparison(report) {
  if (!report.compared) {
    const why = report.why?.length ? h("span", { lang: "en" }, report.why.join("; ")) : "";
    return h("p", { class: "fine" }, t("notCompared"), why && " ", why);
  }
  const measured = Object.entries(report).filter(([, value]) => value && typeof value === "object" && "difference" in value);
  const guards = Object.entries(report.guardrails ?? {});
  const columns = [
    { name: t("measure"), cell: (row) => row.name },
    { name: report.serving, right: true, cell: (row) => row.before },
    { name: t("thisOne"), right: true, cell: (row) => row.after },
    { name: t("difference"), right: true, cell: (row) => h("span", { class: row.worse ? "minus" : "plus" }, row.change) },
  ];
  const rows = [
    ...measured.map(([name, value]) => ({
      name,
      before: number(value.serving),
      after: number(value.candidate),
      change: `${signed(value.difference)} (${signed(value.low)} … ${signed(value.high)})`,
      worse: value.difference < 0,
    })),
    ...guards.map(([name, value]) => ({
      name: named("guards", name),
      before: `${number(value.serving)} ${value.unit}`,
      after: `${number(value.candidate)} ${value.unit}`,
      change: value.change === null ? "–" : t("better", share(value.change)),
      worse: (value.change ?? 0) < 0,
    })),
  ];
  return h("div", {}, h("h3", {}, t("comparedWith", report.serving, count(report.questions))), table(t("comparedWith", report.serving, count(report.questions)), columns, rows), h("p", { class: "fine", lang: "en" }, (report.why ?? []).join("; ")));
}

/** Older ones are gone back to, newer ones are let serve. */
function way(one, told) {
  if (one.state === "current" || one.state === "damaged") return null;
  const back = one.name < told.current;
  const act = (who) => (back ? api.rollBack : api.promote)({ by: who.by, name: one.name, serving: told.current });
  const ask = async () => {
    const done = await confirmed({ title: t(back ? "rollBackTitle" : "promoteTitle", one.name), text: t(back ? "rollBackText" : "promoteText", told.current), verb: t(back ? "rollBack" : "promote"), danger: true, act });
    if (done) toast(t("servesNowName", done.current)), renew();
  };
  return h("button", { type: "button", class: "button small", onclick: ask }, icon(back ? "undo" : "check"), t(back ? "rollBack" : "promote"));
}
