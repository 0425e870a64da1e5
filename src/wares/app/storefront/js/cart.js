// The cart page: what is in it, what goes with it, and buying.

import { product as fetchProduct, recommend, tell } from "./api.js";
import * as basket from "./basket.js";
import { shelf } from "./cards.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { newId } from "./memory.js";
import { picture } from "./pictures.js";
import { productLink } from "./router.js";
import { session } from "./session.js";
import { stepper } from "./stepper.js";
import { trouble } from "./trouble.js";
import { money, t } from "./words.js";

export function cart() {
  const heading = h("h1", { tabindex: "-1" }, t("yourCart"));
  const inside = h("div");
  const beside = h("div", { class: "shelves" });
  let signal;
  let asked = null; // the seeds of the last question

  function draw() {
    if (signal.aborted) return;
    const lines = basket.lines();
    const focused = focusedStep();
    inside.replaceChildren(lines.length ? full(lines) : bare(t("cartEmpty"), t("cartEmptyText")));
    refocus(focused);
    suggest(lines);
  }

  async function suggest(lines) {
    const seeds = lines.map((line) => line.product.id);
    if (String(seeds) === asked) return;
    asked = String(seeds);
    const page = await recommend(seeds.length ? "cart" : "home", { seeds, signal }).catch(() => null);
    if (String(seeds) !== asked || !page) return;
    const rest = page.hits.filter((hit) => !seeds.includes(hit.product.id));
    const row = shelf(t(seeds.length ? "withYourCart" : session.shopper ? "forYou" : "popularNow"), rest);
    beside.replaceChildren(...(row ? [row] : []));
  }

  function full(lines) {
    const buyButton = h("button", { type: "button", class: "button primary wide" }, t("buy"));
    buyButton.onclick = () => buy(lines, buyButton);
    return h("div", { class: "cart" }, h("ul", { class: "lines" }, lines.map(line)), summary(lines, buyButton));
  }

  async function buy(lines, button) {
    button.disabled = true;
    button.textContent = t("buying");
    const basket_id = newId();
    const purchase = ({ product, quantity }) => ({ kind: "purchase", product_id: product.id, quantity, basket_id });
    try {
      await tell(...lines.map(purchase));
      inside.replaceChildren(bare(t("thanks"), t("thanksText"), "check"));
      heading.hidden = true;
      basket.empty();
    } catch (error) {
      inside.querySelector(".summary").append(trouble(error, draw));
    }
  }

  return {
    node: h("div", { class: "page" }, heading, inside, beside),
    title: () => t("yourCart"),
    async show(_route, _place, abort) {
      signal = abort;
      draw();
      const stop = basket.onChange(() => heading.hidden || draw());
      signal.addEventListener("abort", stop);
      const ids = basket.lines().map((line) => line.product.id);
      await Promise.allSettled(ids.map((id) => fetchProduct(id, signal).then(basket.refresh)));
    },
  };
}

function line({ product, quantity }) {
  return h(
    "li",
    { class: "line", "data-id": product.id },
    h("a", { class: "line-picture", href: productLink(product), tabindex: "-1", "aria-hidden": "true" }, picture(product)),
    h("div", { class: "line-facts" }, h("a", { href: productLink(product) }, product.title || product.id), h("p", { class: "card-facts" }, product.brand)),
    stepper(product, () => {}),
    h("p", { class: "line-price" }, product.price === null ? t("noPrice") : money(product.price * quantity, product.currency)),
  );
}

function summary(lines, buyButton) {
  const priced = lines.filter(({ product }) => product.price !== null);
  const sum = priced.reduce((amount, { product, quantity }) => amount + product.price * quantity, 0);
  return h(
    "aside",
    { class: "summary" },
    h("p", { class: "summary-row" }, h("span", {}, t("item", basket.itemCount()))),
    h("p", { class: "summary-total", "aria-live": "polite" }, h("span", {}, t("total")), h("strong", {}, money(sum, session.shop.currency))),
    priced.length < lines.length && h("p", { class: "fine" }, t("somePricesMissing")),
    buyButton,
    h("p", { class: "fine" }, t("playShop")),
  );
}

function bare(title, text, name = "cart") {
  return h(
    "div",
    { class: "panel" },
    h("span", { class: "panel-icon" }, icon(name)),
    h("h2", {}, title),
    h("p", {}, text),
    h("a", { class: "button primary", href: "#/" }, t("keepShopping")),
  );
}

function focusedStep() {
  const element = document.activeElement;
  const id = element?.closest(".line")?.dataset.id;
  return id && element.dataset.step ? { id, step: element.dataset.step } : null;
}

function refocus(focused) {
  if (!focused) return;
  const row = [...document.querySelectorAll(".line")].find((node) => node.dataset.id === focused.id);
  (row?.querySelector(`[data-step="${focused.step}"]`) ?? document.querySelector("#main h1"))?.focus();
}
