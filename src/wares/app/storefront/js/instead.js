// What could be taken instead of a product in the cart that cannot be bought any more.

import { similar } from "./api.js";
import * as basket from "./basket.js";
import { h } from "./dom.js";
import { picture } from "./pictures.js";
import { productLink } from "./router.js";
import { toast } from "./toast.js";
import { money, t } from "./words.js";

const FEW = 3;
const known = new Map(); // product id -> its alternatives, for this visit: a cart is drawn often

/** A place that fills with alternatives, each with a button that takes it; it stays empty where there are none. */
export function instead(product, signal) {
  const place = h("div", { class: "instead" });
  fill(place, product, signal);
  return place;
}

async function fill(place, product, signal) {
  if (!known.has(product.id)) known.set(product.id, similar(product.id, "alternatives", { k: FEW, signal }).then((page) => page.hits));
  let hits = [];
  try {
    hits = await known.get(product.id);
  } catch {
    known.delete(product.id); // it left the shop, or the shop is out of reach: the line says enough
  }
  const free = hits.filter((hit) => !basket.quantityOf(hit.product.id));
  if (free.length) place.replaceChildren(h("p", { class: "fine" }, t("alternatives")), h("ul", {}, free.map((hit) => row(product, hit.product))));
}

function row(product, other) {
  const name = other.title || other.id;
  const take = () => {
    basket.swap(product, other);
    toast(t("swapped", name));
    document.querySelector("#main h1")?.focus();
  };
  const cost = other.price === null ? t("noPrice") : money(other.price, other.currency);
  const button = h("button", { type: "button", class: "button quiet", "aria-label": t("takeThis", name), onclick: take }, t("take"));
  return h("li", {}, picture(other), h("a", { href: productLink(other) }, name, other.brand && h("small", { class: "n" }, ` ${other.brand}`)), h("span", { class: "n" }, cost), button);
}
