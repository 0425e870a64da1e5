// The wish list, and below it what the shopper hid and may take back.

import { recommend } from "./api.js";
import * as basket from "./basket.js";
import { grid, skeletons } from "./cards.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { unhide, wishes as askWishes } from "./opinions.js";
import { productLink } from "./router.js";
import { asker } from "./session.js";
import { sellable } from "./stepper.js";
import { toast } from "./toast.js";
import { aborted, trouble } from "./trouble.js";
import { t } from "./words.js";

const OBVIOUS = new Set(["wish_listed"]); // the page's title says it
const MOST = 200;

export function wishes() {
  const goods = h("div", { class: "wish-goods" });
  const away = h("div");
  return {
    node: h("div", { class: "page" }, h("h1", { tabindex: "-1" }, t("wishList")), goods, away),
    title: () => t("wishList"),
    async show(route, place, signal) {
      goods.replaceChildren(h("div", { class: "grid" }, skeletons(4)));
      try {
        const page = await askWishes(signal);
        goods.replaceChildren(...(page?.hits.length ? full(page.hits) : [bare()]));
      } catch (error) {
        if (!aborted(error)) goods.replaceChildren(trouble(error, () => this.show(route, place, signal)));
        return;
      }
      if (asker() === null) return;
      const page = await recommend("hidden", { k: MOST, signal }).catch(() => ({ hits: [] }));
      away.replaceChildren(...hiddenSection(page.hits));
    },
  };
}

function full(hits) {
  const ready = hits.map((hit) => hit.product).filter(sellable);
  const all = () => {
    for (const product of ready) basket.change(product, 1);
    toast(t("addedSet", ready.length));
  };
  const button = ready.length > 0 && h("button", { type: "button", class: "button quiet", onclick: all }, icon("cart"), t("addSet", ready.length));
  return [h("div", { class: "bar" }, h("p", { class: "total", role: "status" }, t("results", hits.length)), button), grid(hits, { obvious: OBVIOUS })];
}

function bare() {
  return h(
    "div",
    { class: "panel" },
    h("span", { class: "panel-icon" }, icon("heart")),
    h("h2", {}, t("wishListEmpty")),
    h("p", {}, t("wishListHelp")),
    h("a", { class: "button primary", href: "#/category" }, t("startBrowsing")),
  );
}

function hiddenSection(hits) {
  if (!hits.length) return [];
  const heading = h("h2", { tabindex: "-1" }, t("hiddenGoods"));
  const row = ({ product }) => {
    const name = product.title || product.id;
    const back = (event) => {
      unhide(product);
      const line = event.currentTarget.closest("li");
      const near = (line.nextElementSibling ?? line.previousElementSibling)?.querySelector("button");
      line.remove();
      (near ?? heading).focus();
      toast(t("unhidden", name));
    };
    return h("li", {}, h("a", { href: productLink(product) }, name), h("button", { type: "button", class: "button quiet", "aria-label": t("showAgainThis", name), onclick: back }, t("showAgain")));
  };
  return [h("section", { class: "hidden-goods" }, heading, h("ul", {}, hits.map(row)))];
}
