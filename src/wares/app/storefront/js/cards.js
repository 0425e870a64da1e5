// A product as a card, alone, in a grid or on a shelf.

import { mention } from "./api.js";
import { h, marked } from "./dom.js";
import { heart } from "./heart.js";
import { icon } from "./icons.js";
import { isHidden } from "./opinions.js";
import { picture } from "./pictures.js";
import { NONE_OBVIOUS, reasonLine, sponsorMark } from "./reasons.js";
import { productLink } from "./router.js";
import { quickAdd } from "./stepper.js";
import { whyButton } from "./why.js";
import { money, t } from "./words.js";

const variantsOf = new Map(); // product id -> ids of its variants, as far as this visit has seen them

export const knownVariants = (id) => variantsOf.get(id) ?? [];

export function price(product) {
  if (product.price === null) return h("span", { class: "price unknown" }, t("noPrice"));
  const now = h("span", { class: "price" }, money(product.price, product.currency));
  if (!product.regular_price) return now;
  const before = h("s", { class: "price-before", "aria-label": t("priceBefore") }, money(product.regular_price, product.currency));
  return h("span", { class: "prices" }, now, before);
}

/** "Only 3 left", "Sold out", or null where there is nothing to say. */
export function scarcity(product) {
  if (!product.available || product.stock === 0) return h("span", { class: "scarcity out" }, t("soldOut"));
  if (product.stock !== null && product.stock <= 5) return h("span", { class: "scarcity" }, t("onlyLeft", product.stock));
  return null;
}

/** `query`: the words that led here; `obvious`: reason codes that need no line. */
export function card(hit, { query = "", obvious = NONE_OBVIOUS } = {}) {
  const { product } = hit;
  variantsOf.set(product.id, hit.variants);
  const facts = [product.brand, product.attributes.size?.[0]].filter(Boolean).join(" · ");
  const paid = hit.sponsored ? { impression_id: hit.impression_id } : {};
  const opened = () => (query || hit.sponsored) && mention({ kind: "click", product_id: product.id, query, ...paid });
  const title = hit.highlights?.title ? marked(hit.highlights.title) : product.title || product.id;
  return h(
    "article",
    { class: "card", "data-id": product.id },
    h("div", { class: "card-picture" }, picture(product), scarcity(product)),
    h("h3", { class: "card-title" }, h("a", { href: productLink(product), onclick: opened }, title)),
    h("p", { class: "card-facts" }, facts || "\u00a0"),
    h(
      "p",
      { class: "card-price" },
      price(product),
      hit.variants.length > 0 && h("span", { class: "variants" }, t("variants", hit.variants.length + 1)),
      sponsorMark(hit),
      whyButton(hit),
    ),
    reasonLine(hit, obvious),
    quickAdd(product),
    heart(product),
  );
}

/** Cards of these hits, without what the shopper has hidden meanwhile. */
export const cards = (hits, options) => hits.filter((hit) => !isHidden(hit.product.id)).map((hit) => card(hit, options));

export function grid(hits, options) {
  return h("div", { class: "grid" }, cards(hits, options));
}

/** A titled row that scrolls sideways; null when there is nothing to show. */
export function shelf(title, hits, options) {
  const shown = cards(hits, options);
  if (!shown.length) return null;
  const row = h("div", { class: "shelf-row", role: "group", "aria-label": title }, shown);
  const by = (direction) => () => row.scrollBy({ left: direction * row.clientWidth * 0.85, behavior: "smooth" });
  const arrow = (name, label, direction) =>
    h("button", { type: "button", class: "arrow", "aria-label": `${label}: ${title}`, onclick: by(direction) }, icon(name));
  return h(
    "section",
    { class: "shelf" },
    h("div", { class: "shelf-head" }, h("h2", {}, title), arrow("left", t("previous"), -1), arrow("right", t("next"), 1)),
    row,
  );
}

/** Grey cards that keep the place while the goods are on their way. */
export function skeletons(n) {
  const bone = (name) => h("span", { class: `bone ${name}` });
  const one = () => h("div", { class: "card skeleton", "aria-hidden": "true" }, bone("bone-picture"), bone("bone-title"), bone("bone-facts"), bone("bone-price"));
  return Array.from({ length: n }, one);
}
