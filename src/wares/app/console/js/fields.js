// Fields of forms, each with its label.

import { h } from "../../storefront/js/dom.js";

let last = 0;

export function textField(label, value, traits = {}) {
  const id = `field-${++last}`;
  const input = h("input", { id, type: "text", value, autocomplete: "off", spellcheck: "false", ...traits });
  return { node: h("div", { class: `field ${traits.wide ? "wide" : ""}` }, h("label", { for: id }, label), input), input };
}

/** `options`: [[value, text]]. */
export function choice(label, value, options, traits = {}) {
  const id = `field-${++last}`;
  const input = h("select", { id, ...traits }, options.map(([name, text]) => h("option", { value: name, selected: name === value }, text)));
  return { node: h("div", { class: "field" }, h("label", { for: id }, label), input), input };
}

export function tick(label, checked, traits = {}) {
  const input = h("input", { type: "checkbox", checked, ...traits });
  return { node: h("label", { class: "tick" }, input, h("span", {}, label)), input };
}

/** Buttons of which one is pressed. */
export function segments(label, value, options, choose) {
  const buttons = options.map(([name, text]) => h("button", { type: "button", "aria-pressed": String(name === value), onclick: () => choose(name) }, text));
  return h("div", { class: "segments", role: "group", "aria-label": label }, buttons);
}
