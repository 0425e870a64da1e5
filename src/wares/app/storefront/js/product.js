// The product page: the thing itself, what goes with it, what is like it.

import { product as fetchProduct, mention, similar } from "./api.js";
import { crumbs } from "./category.js";
import { knownVariants, price, scarcity, shelf } from "./cards.js";
import { h } from "./dom.js";
import { heart } from "./heart.js";
import { picture } from "./pictures.js";
import { recentHits, recentShelf } from "./recent.js";
import { productLink } from "./router.js";
import { bigAdd, sellable } from "./stepper.js";
import { companionsOf, togetherSet } from "./together.js";
import { aborted, trouble } from "./trouble.js";
import { likeButton } from "./why.js";
import { fieldName, money, t } from "./words.js";

const VARIANTS = 12;
const OBVIOUS = new Set(["like_this", "bought_together"]); // the shelf's title says it

export function product() {
  const top = h("div", { class: "product-top" }, waiting());
  const shelves = h("div", { class: "shelves" });
  let name = "";
  return {
    node: h("div", { class: "page" }, top, shelves),
    title: () => name,
    async show(route, place, signal) {
      try {
        if (!place.kept) {
          place.kept = { product: await fetchProduct(route.rest, signal), rows: [] };
          mention({ kind: "view", product_id: route.rest });
        }
        const { product } = place.kept;
        name = product.title || product.id;
        const also = h("div", { class: "also" });
        top.replaceChildren(crumbs(product.category, true), facts(product, also));
        fillShelves(product, shelves, place, signal); // nobody waits for these two: the product is there
        fillVariants(product, also, signal);
      } catch (error) {
        if (!aborted(error)) top.replaceChildren(trouble(error, error.status === 404 ? null : () => this.show(route, place, signal)));
      }
    },
  };
}

async function fillShelves(product, node, place, signal) {
  const row = (surface) => similar(product.id, surface, { signal }).then((page) => page.hits);
  if (!place.kept.rows.length) {
    const instead = sellable(product) ? [] : row("alternatives");
    const answers = await Promise.allSettled([row("bought_together"), row("similar"), instead, recentHits([product.id], signal)]);
    if (signal.aborted) return;
    place.kept.rows = answers.map((answer) => answer.value ?? []);
  }
  const [together, alike, instead, recent] = place.kept.rows;
  const named = new Set(instead.map((hit) => hit.product.id)); // nobody needs to read of them twice
  const companions = companionsOf(product, together);
  const others = (hits) => hits.filter((hit) => !companions.includes(hit.product) && !named.has(hit.product.id));
  const rows = [
    shelf(t("alternatives"), instead, { obvious: OBVIOUS }),
    togetherSet(product, companions),
    shelf(t("boughtTogether"), others(together), { obvious: OBVIOUS }),
    shelf(t("similar"), others(alike), { obvious: OBVIOUS }),
    recentShelf(recent),
  ];
  node.replaceChildren(...rows.filter(Boolean));
}

/** The variants that a listing named, with what sets them apart. */
async function fillVariants(product, node, signal) {
  const answers = await Promise.allSettled(knownVariants(product.id).slice(0, VARIANTS).map((id) => fetchProduct(id, signal)));
  const others = answers.filter((answer) => answer.value).map((answer) => answer.value);
  if (!others.length || signal.aborted) return;
  const differs = (other) => [
    ...(other.brand === product.brand ? [] : [other.brand]),
    ...Object.keys(other.attributes).filter((key) => String(other.attributes[key]) !== String(product.attributes[key])).map((key) => other.attributes[key].join(", ")),
  ];
  const pill = (other) => {
    const cost = other.price === null ? t("noPrice") : money(other.price, other.currency);
    return h("a", { class: "pill", href: productLink(other) }, differs(other).join(", ") || other.title, h("span", { class: "n" }, cost));
  };
  node.replaceChildren(h("h2", { class: "small" }, t("alsoAs")), h("div", { class: "pills" }, others.map(pill)));
}

function facts(product, also) {
  return h(
    "div",
    { class: "product" },
    h("div", { class: "product-picture" }, picture(product)),
    h(
      "div",
      { class: "product-facts" },
      product.brand && h("p", { class: "product-brand" }, product.brand),
      h("h1", { tabindex: "-1" }, product.title || product.id),
      h("p", { class: "product-price" }, price(product), scarcity(product) ?? h("span", { class: "available" }, t("inStock"))),
      h("div", { class: "product-actions" }, bigAdd(product), heart(product, { wide: true }), likeButton(product)),
      product.description && h("p", { class: "description" }, product.description),
      also,
      details(product),
    ),
  );
}

function details(product) {
  const attributes = Object.entries(product.attributes).map(([field, values]) => [fieldName(field), values.join(", ")]);
  const rows = [...attributes, [fieldName("category"), product.category.join(" › ")], [t("productNumber"), product.id]];
  const row = ([name, value]) => value && h("div", {}, h("dt", {}, name), h("dd", {}, value));
  return h("section", { class: "details" }, h("h2", { class: "small" }, t("details")), h("dl", {}, rows.map(row)));
}

function waiting() {
  const bone = (name) => h("span", { class: `bone ${name}` });
  return h("div", { class: "product skeleton", "aria-hidden": "true" }, h("div", { class: "product-picture" }, bone("bone-picture")), h("div", { class: "product-facts" }, bone("bone-heading"), bone("bone-title"), bone("bone-price")));
}
