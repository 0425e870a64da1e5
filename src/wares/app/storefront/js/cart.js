// The cart page: what is in it, what goes with it, and buying.

import { product as fetchProduct, tell } from "./api.js";
import * as basket from "./basket.js";
import { cartShelves } from "./cartshelves.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { instead } from "./instead.js";
import { newId } from "./memory.js";
import { picture } from "./pictures.js";
import { productLink } from "./router.js";
import { session } from "./session.js";
import { sellable, stepper } from "./stepper.js";
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
    const shelves = await cartShelves(seeds, signal);
    if (String(seeds) === asked && !signal.aborted) beside.replaceChildren(...shelves);
  }

  function full(lines) {
    const buyButton = h("button", { type: "button", class: "button primary wide" }, t("buy"));
    buyButton.onclick = () => buy(lines, buyButton);
    return h("div", { class: "cart" }, h("ul", { class: "lines" }, lines.map((one) => line(one, signal))), summary(lines, buyButton));
  }

  async function buy(lines, button) {
    button.disabled = true;
    button.textContent = t("buying");
    const basket_id = newId();
    const purchase = ({ product, quantity }) => ({ kind: "purchase", product_id: product.id, quantity, basket_id });
    try {
      const bought = lines.filter((one) => sellable(one.product));
      await tell(...bought.map(purchase));
      inside.replaceChildren(bare(t("thanks"), t("thanksText"), "check"));
      heading.hidden = true;
      basket.clear(bought.map((one) => one.product.id));
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
      const gone = (id, problem) => problem.status === 404 && basket.withdraw(id);
      await Promise.allSettled(ids.map((id) => fetchProduct(id, signal).then(basket.refresh, (problem) => gone(id, problem))));
    },
  };
}

/** What is sold out stays in the cart, is not bought, and shows what could be taken instead. */
function line({ product, quantity }, signal) {
  const out = !sellable(product);
  const cost = product.price === null ? t("noPrice") : money(product.price * quantity, product.currency);
  return h(
    "li",
    { class: out ? "line line-out" : "line", "data-id": product.id },
    h("a", { class: "line-picture", href: productLink(product), tabindex: "-1", "aria-hidden": "true" }, picture(product)),
    h("div", { class: "line-facts" }, h("a", { href: productLink(product) }, product.title || product.id), h("p", { class: "card-facts" }, product.brand)),
    stepper(product, () => {}),
    h("p", { class: "line-price" }, out ? t("soldOut") : cost),
    out && instead(product, signal),
  );
}

function summary(lines, buyButton) {
  const bought = lines.filter(({ product }) => sellable(product));
  const priced = bought.filter(({ product }) => product.price !== null);
  if (!bought.length) buyButton.disabled = true;
  const sum = priced.reduce((amount, { product, quantity }) => amount + product.price * quantity, 0);
  return h(
    "aside",
    { class: "summary" },
    h("p", { class: "summary-row" }, h("span", {}, t("item", bought.reduce((n, { quantity }) => n + quantity, 0)))),
    h("p", { class: "summary-total", "aria-live": "polite" }, h("span", {}, t("total")), h("strong", {}, money(sum, session.shop.currency))),
    priced.length < bought.length && h("p", { class: "fine" }, t("somePricesMissing")),
    bought.length < lines.length && h("p", { class: "fine" }, t("withoutSoldOut")),
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
