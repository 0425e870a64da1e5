// The head of every page: the shop's name, the search box, who is shopping, language, cart, departments.

import * as basket from "./basket.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { onWishes, wishCount } from "./opinions.js";
import { kindOf } from "./pictures.js";
import { link } from "./router.js";
import { searchBox } from "./searchbox.js";
import { become, session } from "./session.js";
import { language, speak, t } from "./words.js";

const IN_NAVIGATION = 14;

/** Fill the header; `changed` is called when another shopper or language was chosen. */
export function header(place, changed) {
  const box = searchBox();
  const skip = h("a", { class: "skip", href: "#main", onclick: skipToGoods }, t("skip"));
  const name = h("a", { class: "name", href: "#/" }, h("img", { src: "storefront/icon.svg", alt: "", width: 34, height: 34 }), h("span", {}, session.shop.title));
  const tools = h("div", { class: "tools" }, shopperPicker(changed), languageSwitch(changed), wishLink(), cartLink());
  place.replaceChildren(skip, h("div", { class: "header-top" }, name, box.node, tools), navigation());
  return box;
}

function skipToGoods(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

function shopperPicker(changed) {
  const choose = (event) => {
    become(event.currentTarget.value || null);
    changed("shopper");
  };
  const nobody = h("option", { value: "", selected: session.shopper === null }, t("nobody"));
  const each = session.shop.shoppers.map((id) => h("option", { value: id, selected: id === session.shopper }, t("shopperName", id)));
  const select = h("select", { id: "shopper", "aria-label": t("shopper"), onchange: choose }, nobody, each);
  return h("label", { class: "tool picker", title: t("shopper") }, icon("person"), select);
}

function languageSwitch(changed) {
  const other = language === "en" ? "zh" : "en";
  const swap = () => {
    speak(other);
    changed("language");
  };
  const traits = { type: "button", id: "language", class: "tool", lang: other, "aria-label": t("otherLanguageLabel"), onclick: swap };
  return h("button", traits, t("otherLanguage"));
}

const cartLink = () => counted("cart", "cart-count", "#/cart", "cartWith", basket.itemCount, basket.onChange);
const wishLink = () => counted("heart", "wish-count", "#/wishes", "wishesWith", wishCount, onWishes);

/** A link with how many there are. */
function counted(name, className, href, label, count, onChange) {
  const number = h("span", { class: `count ${className}`, "aria-hidden": "true" });
  const anchor = h("a", { id: name === "cart" ? "cart" : "wishes", class: "tool counted", href }, icon(name), number);
  const draw = () => {
    const n = count();
    number.textContent = n > 99 ? "99+" : String(n);
    number.hidden = n === 0;
    anchor.setAttribute("aria-label", t(label, n));
  };
  draw();
  const stop = onChange(() => (anchor.isConnected ? draw() : stop()));
  return anchor;
}

function navigation() {
  const entry = ({ value }) => {
    const [name, hue] = kindOf(value);
    return h("a", { href: link("category", value), "data-category": value, "--hue": hue }, icon(name ?? "bag"), value);
  };
  const all = h("a", { href: "#/category", "data-category": "" }, icon("grid"), t("allGoods"));
  const shown = session.shop.categories.slice(0, IN_NAVIGATION);
  return h("nav", { class: "departments", "aria-label": t("categories") }, all, shown.map(entry));
}

/** Mark the department one is in. */
export function markDepartment(place, route) {
  const root = route.page === "category" ? route.rest.split(" > ")[0] : null;
  for (const anchor of place.querySelectorAll("[data-category]")) {
    if (anchor.dataset.category === root) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
}
