// Before something is changed: what it is, and who does it. The name is remembered; a dialog's answer is null when left.

import { h } from "../../storefront/js/dom.js";
import { textField } from "./fields.js";
import { recall, remember } from "./memory.js";
import { trouble } from "./states.js";
import { t } from "./words.js";

/** Ask, then `act({by, note, ...values})`; stays open, with the trouble told, where that fails. Gives what `act` gave. */
export function confirmed({ title, text, verb, danger = false, note = false, fields = [], act }) {
  return new Promise((resolve) => {
    const who = textField(t("who"), recall("by") ?? "", { required: true, maxlength: 100, autocomplete: "name" });
    const why = note && textField(t("note"), "", { maxlength: 500, placeholder: t("noteHint") });
    const fault = h("div", { class: "dialog-fault" });
    const go = h("button", { type: "submit", class: `button ${danger ? "danger" : "primary"}` }, verb);
    const leave = h("button", { type: "button", class: "button", onclick: () => dialog.close() }, t("cancel"));
    const form = h(
      "form",
      { method: "dialog" },
      h("h2", { id: "dialog-title" }, title),
      text && h("p", { class: "dialog-text" }, text),
      fields.map((field) => field.node),
      who.node,
      why && why.node,
      fault,
      h("div", { class: "dialog-ways" }, leave, go),
    );
    const dialog = h("dialog", { class: "dialog", "aria-labelledby": "dialog-title" }, form);
    let outcome = null;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      const by = who.input.value.trim();
      if (!by) return who.input.focus();
      remember("by", by);
      go.disabled = true;
      try {
        outcome = await act({ by, ...(why && { note: why.input.value.trim() }) });
        dialog.close();
      } catch (problem) {
        fault.replaceChildren(trouble(problem));
        go.disabled = false;
      }
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(outcome);
    });
    document.body.append(dialog);
    dialog.showModal();
    (fields[0] ?? who).input.focus();
  });
}
