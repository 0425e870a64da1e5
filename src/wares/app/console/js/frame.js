// What stands around every page: the shop's name, the ways to the pages, language, light, the key.

import { h } from "../../storefront/js/dom.js";
import { icon } from "./icons.js";
import { keepKey, keyOfTab, recall, remember } from "./memory.js";
import { language, speak, t } from "./words.js";

const LIGHTS = ["system", "light", "dark"];

/** Follow the system, or what was chosen. */
export function lit() {
  const light = LIGHTS.includes(recall("light")) ? recall("light") : "system";
  document.documentElement.style.colorScheme = light === "system" ? "" : light;
  return light;
}

/** Fill the frame; `pages` are the names in order, `renew` shows everything anew. */
export function frame(place, pages, about, renew) {
  const skip = h("a", { class: "skip", href: "#main", onclick: skipToPage }, t("skip"));
  const name = h(
    "a",
    { class: "name", href: "#/overview" },
    h("img", { src: "console/icon.svg", alt: "", width: 32, height: 32 }),
    h("span", {}, h("b", {}, about?.title ?? "wares"), h("small", {}, t("console"))),
  );
  const ways = pages.map((page) => h("li", {}, h("a", { href: `#/${page}`, "data-page": page }, icon(page), h("span", {}, t("pages")[page]))));
  const nav = h("nav", { class: "ways", "aria-label": t("pagesLabel") }, h("ul", {}, ways));
  const tools = h("div", { class: "tools" }, shopLink(), languageSwitch(renew), lightSwitch(renew), about && keyOfTab() && leave());
  place.replaceChildren(skip, name, about ? nav : h("span", {}), tools);
}

export function markPage(place, page) {
  for (const anchor of place.querySelectorAll("[data-page]")) {
    if (anchor.dataset.page === page) anchor.setAttribute("aria-current", "page");
    else anchor.removeAttribute("aria-current");
  }
  const ways = place.querySelector(".ways");
  const marked = place.querySelector("[aria-current]"); // scrollIntoView would also let Tab begin there
  if (ways && marked) ways.scrollLeft = marked.offsetLeft - (ways.clientWidth - marked.offsetWidth) / 2;
}

function skipToPage(event) {
  event.preventDefault();
  document.getElementById("main").focus();
}

const shopLink = () => h("a", { class: "tool", href: "./", title: t("toShop"), "aria-label": t("toShop") }, icon("shop"));

function languageSwitch(renew) {
  const other = language === "en" ? "zh" : "en";
  const swap = () => {
    speak(other);
    renew("language");
  };
  return h("button", { type: "button", id: "language", class: "tool text", lang: other, "aria-label": t("otherLanguageLabel"), onclick: swap }, t("otherLanguage"));
}

function lightSwitch(renew) {
  const now = lit();
  const next = () => {
    remember("light", LIGHTS[(LIGHTS.indexOf(now) + 1) % LIGHTS.length]);
    lit();
    renew("light");
  };
  return h("button", { type: "button", id: "light", class: "tool", title: t("lights")[now], "aria-label": t("lights")[now], onclick: next }, icon(now));
}

function leave() {
  const forget = () => {
    keepKey("");
    location.reload();
  };
  return h("button", { type: "button", class: "tool", title: t("forgetKey"), "aria-label": t("forgetKey"), onclick: forget }, icon("leave"));
}
