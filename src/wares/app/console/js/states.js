// What stands where there is nothing to see yet, nothing at all, or something went wrong.

import { h } from "../../storefront/js/dom.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

/** Grey shapes of what is coming; screen readers hear that it is. */
export function waiting(text = t("loading"), lines = 3) {
  const bones = Array.from({ length: lines }, () => h("span", { class: "bone" }));
  return h("div", { class: "waiting", role: "status" }, h("span", { class: "unseen" }, text), h("div", { class: "bones", "aria-hidden": "true" }, bones));
}

/** What takes seconds says so. */
export const working = (text) => h("div", { class: "working", role: "status" }, h("span", { class: "spinner", "aria-hidden": "true" }), h("p", {}, text));

export function empty(title, text, ...ways) {
  return h("div", { class: "empty" }, h("span", { class: "empty-icon" }, icon("box")), h("p", { class: "empty-title" }, title), text && h("p", { class: "fine" }, text), ways);
}

export function trouble(problem, again) {
  const [title, text] = problem.status === 0 ? [t("unreachable"), t("unreachableText")] : [t("refused"), ""];
  return h(
    "div",
    { class: "trouble", role: "alert" },
    icon("warning"),
    h("div", {}, h("p", { class: "trouble-title" }, title), text && h("p", {}, text), said(problem)),
    again && h("button", { type: "button", class: "button small", onclick: again }, t("tryAgain")),
  );
}

/** The server's own sentences, each on its line. */
export const said = (problem) => problem.detail && h("ul", { class: "said", lang: "en" }, problem.detail.split("\n").map((line) => h("li", {}, line)));

/** Ask, and fill the place with what `render` makes of the answer: waiting before, the trouble where there is one. */
export async function filled(place, question, render, { signal, failed }) {
  place.replaceChildren(waiting());
  try {
    const answer = await question(signal);
    if (!signal.aborted) place.replaceChildren(...[render(answer)].flat(Infinity).filter(Boolean));
  } catch (problem) {
    failed(problem, (told) => place.replaceChildren(trouble(told, () => filled(place, question, render, { signal, failed }))));
  }
}
