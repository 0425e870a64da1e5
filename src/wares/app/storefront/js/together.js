// A product and what is bought with it as one set, with its price and one button.

import * as basket from "./basket.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { isHidden } from "./opinions.js";
import { picture } from "./pictures.js";
import { productLink } from "./router.js";
import { sellable } from "./stepper.js";
import { toast } from "./toast.js";
import { money, t } from "./words.js";

const COMPANIONS = 3;

/** What people really bought with this product, and can buy now for a known price. */
export function companionsOf(product, hits) {
  if (!sellable(product) || product.price === null) return [];
  const fits = ({ product: other, reasons }) =>
    reasons.some(({ code }) => code === "bought_together") && sellable(other) && other.price !== null && other.currency === product.currency;
  return hits.filter((hit) => fits(hit) && !isHidden(hit.product.id)).slice(0, COMPANIONS).map((hit) => hit.product);
}

/** The set as a section, each of its products to be ticked off; null where nothing goes with it. */
export function togetherSet(product, companions) {
  if (!companions.length) return null;
  const chosen = new Set([product, ...companions]);
  const sum = h("strong", { class: "price" });
  const button = h("button", { type: "button", class: "button primary" });
  const draw = () => {
    const total = [...chosen].reduce((amount, one) => amount + one.price, 0);
    sum.textContent = money(total, product.currency);
    button.replaceChildren(icon("cart"), t("addSet", chosen.size));
    button.disabled = chosen.size === 0;
  };
  const tick = (one) => (event) => {
    if (event.currentTarget.checked) chosen.add(one);
    else chosen.delete(one);
    draw();
  };
  button.onclick = () => {
    for (const one of chosen) basket.change(one, 1);
    toast(t("addedSet", chosen.size));
  };
  const item = (one, i) => {
    const name = one.title || one.id;
    const title = i ? h("a", { href: productLink(one) }, name) : h("span", {}, t("thisOne", name));
    const box = h("input", { type: "checkbox", checked: true, "aria-label": name, onchange: tick(one) });
    return h("li", { class: "set-item", "data-id": one.id }, picture(one), h("div", { class: "set-facts" }, h("div", { class: "set-name" }, box, title), h("span", {}, money(one.price, one.currency))));
  };
  draw();
  const total = h("p", { class: "set-total", "aria-live": "polite" }, h("span", {}, t("setTotal")), " ", sum);
  return h(
    "section",
    { class: "set" },
    h("h2", {}, t("together")),
    h("div", { class: "set-inside" }, h("ul", { class: "set-items" }, [product, ...companions].map(item)), h("div", { class: "set-buy" }, total, button)),
  );
}
