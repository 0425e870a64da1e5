// Where the shop has keys, the console asks for one with the scope admin. It stays in this tab alone.

import { h } from "../../storefront/js/dom.js";
import { textField } from "./fields.js";
import { icon } from "./icons.js";
import { keepKey } from "./memory.js";
import { t } from "./words.js";

export const isLocked = (problem) => problem.status === 401 || (problem.status === 403 && problem.code === "scope-missing");

/** `problem`: why one stands before the door; `enter` tries again. */
export function door(problem, enter) {
  const key = textField(t("key"), "", { type: "password", required: true, autocomplete: "off" });
  const open = (event) => {
    event.preventDefault();
    keepKey(key.input.value.trim());
    enter();
  };
  const tried = problem.code !== "unauthorised" || problem.tried;
  return h(
    "form",
    { class: "door card", onsubmit: open },
    h("span", { class: "door-icon" }, icon("lock")),
    h("h1", { tabindex: -1 }, t("locked")),
    h("p", { class: "fine" }, t("lockedText")),
    key.node,
    tried && h("p", { class: "door-fault", role: "alert" }, problem.status === 403 ? t("notAdmin") : t("wrongKey")),
    h("button", { type: "submit", class: "button primary wide" }, t("open")),
  );
}
