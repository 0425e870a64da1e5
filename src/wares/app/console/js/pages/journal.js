// Who changed what from this console.

import { h } from "../../../storefront/js/dom.js";
import * as api from "../api.js";
import { card, pageHead, table } from "../card.js";
import { empty, filled } from "../states.js";
import { ago, moment, t } from "../words.js";

export function journal(params, visit) {
  const place = h("div", {});
  filled(place, api.journal, render, visit);
  return h("div", {}, pageHead(t("pages").journal, t("journalText")), place);
}

function render({ changes }) {
  if (!changes.length) return card("", {}, empty(t("noChanges"), t("noChangesText")));
  const columns = [
    { name: t("what"), cell: (one) => told(one) },
    { name: t("byWhom"), cell: (one) => one.by },
    { name: t("whenItWas"), cell: (one) => h("span", { title: moment(one.at_ms) }, `${moment(one.at_ms)} (${ago(one.at_ms)})`) },
    { name: t("note"), cell: (one) => one.note ?? "" },
  ];
  return card("", {}, table(t("pages").journal, columns, changes));
}

const told = (one) => (one.what in t("deeds") ? t("deeds")[one.what](one) : one.what);
