// What the last imports did with their rows, and how to put the feeds right.

import { h } from "../../../storefront/js/dom.js";
import * as api from "../api.js";
import { card, chip, facts, pageHead, table } from "../card.js";
import { link } from "../route.js";
import { empty, filled } from "../states.js";
import { ago, count, moment, share, t } from "../words.js";

const KINDS = ["rejections", "repairs", "remarks"];

export function imports(params, visit) {
  const chosen = params.get("name");
  const place = h("div", {});
  const question = async (signal) => {
    const { imports: all } = await api.imports(signal);
    const name = chosen ?? all[0]?.name;
    return { all, one: name ? await api.oneImport(name, signal) : null };
  };
  filled(place, question, render, visit);
  return h("div", {}, pageHead(t("pages").imports, t("importsText")), place);
}

function render({ all, one }) {
  if (!all.length) return card("", {}, empty(t("noImports"), t("noImportsText")));
  const entry = (found) => {
    const rejected = found.reports.reduce((sum, report) => sum + report.rejected, 0);
    const read = found.reports.reduce((sum, report) => sum + report.read, 0);
    return h(
      "li",
      {},
      h(
        "a",
        { class: "entry", href: link("imports", { name: found.name }), "aria-current": found.name === one.name && "true" },
        h("b", {}, found.reports.map((report) => file(report.source)).join(", ") || t("none")),
        h("span", { class: "fine", title: moment(found.at_ms) }, `${ago(found.at_ms)} · ${t("rows", count(read))}`),
        rejected > 0 ? chip(t("rejectedN", count(rejected)), "bad") : chip(t("allKept"), "good"),
      ),
    );
  };
  return h("div", { class: "list-detail" }, h("nav", { "aria-label": t("pages").imports }, h("ul", { class: "entries" }, all.map(entry))), h("div", { class: "stack" }, one.reports.map(report)));
}

const file = (source) => String(source).split(/[\\/]/).at(-1);
const sum = (findings) => findings.reduce((total, finding) => total + finding.count, 0);

function report(told) {
  const parts = [
    ["good", t("kept"), told.kept],
    ["bad", t("rejected"), told.rejected],
  ];
  const missing = Object.entries(told.missing ?? {}).filter(([, n]) => n > 0);
  return card(
    file(told.source),
    { note: t("readRows", count(told.read)) },
    h("div", { class: "split", role: "img", "aria-label": parts.map(([, name, n]) => `${name} ${n}`).join(", ") }, parts.filter(([, , n]) => n > 0).map(([kind, , n]) => h("span", { class: kind, "--share": String(told.read ? n / told.read : 0) }))),
    facts(
      ...parts.map(([, name, n]) => [name, `${count(n)} (${share(told.read ? n / told.read : 0)})`]),
      [t("repaired"), count(sum(told.repairs))],
      told.repeated > 0 && [t("repeated"), count(told.repeated)],
    ),
    KINDS.filter((kind) => told[kind].length).map((kind) => findings(kind, told[kind], file(told.source))),
    missing.length > 0 && h("div", {}, h("h3", {}, t("missing")), h("ul", { class: "chips" }, missing.map(([name, n]) => h("li", {}, chip(`${name} ${count(n)}`))))),
    told.notes.length > 0 && h("ul", { class: "notes", lang: "en" }, told.notes.map((note) => h("li", {}, note))),
  );
}

function findings(kind, list, source) {
  const rows = list.flatMap((finding) => (finding.examples.length ? finding.examples.map((example, i) => ({ finding, example, first: i === 0 })) : [{ finding, example: null, first: true }]));
  const of = (name) => ({ name: t("example")[name], cell: (row) => row.example?.[name] || "" });
  const columns = [
    { name: t("finding"), cell: (row) => (row.first ? h("span", { lang: "en" }, row.finding.rule) : "") },
    { name: t("times"), right: true, cell: (row) => (row.first ? count(row.finding.count) : "") },
    { ...of("line"), right: true },
    of("field"),
    { name: t("example").value, cell: (row) => row.example?.value && h("code", {}, row.example.value) },
    { name: t("example").fix, cell: (row) => h("span", { lang: "en" }, row.example?.fix ?? "") },
  ];
  return h("div", {}, h("h3", {}, t("findingKinds")[kind]), table(`${source}: ${t("findingKinds")[kind]}`, columns, rows));
}
