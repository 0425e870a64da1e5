// What went wrong, said kindly, with a way on.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

function explain(problem) {
  if (problem.status === 0) return [t("unreachable"), t("unreachableText")];
  if (problem.status === 404) return [t("gone"), t("goneText")];
  return [t("sorry"), t("busyText")];
}

/** A panel with the trouble; `again` retries, without it the way home is offered. */
export function trouble(problem, again) {
  const [title, text] = explain(problem);
  const said = problem.status !== 404 && (problem.detail || problem.title);
  const way = again
    ? h("button", { type: "button", class: "button primary", onclick: again }, t("tryAgain"))
    : h("a", { class: "button primary", href: "#/" }, t("home"));
  return h(
    "div",
    { class: "panel", role: "alert" },
    h("span", { class: "panel-icon" }, icon("note")),
    h("h2", {}, title),
    h("p", {}, text),
    said && h("p", { class: "fine" }, said),
    way,
  );
}

export const aborted = (error) => error.name === "AbortError";
