// Buttons that put goods into the cart and take them out.

import * as basket from "./basket.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { toast } from "./toast.js";
import { t } from "./words.js";

export const sellable = (product) => product.available && product.stock !== 0;

function put(product) {
  basket.change(product, 1);
  toast(t("added", product.title));
}

/** The round + of a card; it shows how many are in the cart already. */
export function quickAdd(product) {
  const draw = (button) => {
    const quantity = basket.quantityOf(product.id);
    button.classList.toggle("filled", quantity > 0);
    button.replaceChildren(quantity ? String(quantity) : icon("plus"));
    button.setAttribute("aria-label", quantity ? t("addMore", quantity, product.title) : t("addOne", product.title));
  };
  const click = (event) => {
    put(product);
    draw(event.currentTarget);
  };
  const button = h("button", { type: "button", class: "quick-add", title: t("add"), onclick: click });
  if (!sellable(product)) button.disabled = true;
  draw(button);
  return button;
}

/** − 2 +, for the product page and the cart. */
export function stepper(product, redraw) {
  const step = (by) => () => {
    basket.change(product, by);
    redraw(by);
  };
  const button = (name, label, by, disabled) =>
    h("button", { type: "button", "data-step": by, "aria-label": label, onclick: step(by), disabled }, icon(name));
  return h(
    "div",
    { class: "stepper" },
    button("minus", t("oneLess", product.title), -1),
    h("output", { "aria-live": "polite" }, String(basket.quantityOf(product.id))),
    button("plus", t("oneMore", product.title), 1, !sellable(product)),
  );
}

/** "Add to cart" that becomes a stepper once the product is in the cart. */
export function bigAdd(product) {
  const box = h("div", { class: "big-add" });
  const draw = () => {
    const full = h("button", { type: "button", class: "button primary", onclick: add }, icon("cart"), t("add"));
    if (!sellable(product)) full.disabled = true;
    const inside = basket.quantityOf(product.id);
    box.replaceChildren(...(inside ? [stepper(product, again), h("a", { class: "button quiet", href: "#/cart" }, t("inCart"))] : [full]));
  };
  const again = (by) => {
    draw();
    (box.querySelector(`[data-step="${by}"]`) ?? box.querySelector("button")).focus();
  };
  const add = () => {
    put(product);
    again(1);
  };
  draw();
  return box;
}
