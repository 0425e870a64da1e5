// "Why am I seeing this?": what the answer itself says of a hit, and what the shopper may say to it.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { hide, isLiked, like, unhide } from "./opinions.js";
import { markLines, reasonLines } from "./reasons.js";
import { toast } from "./toast.js";
import { t } from "./words.js";

const EDGE = 12; // between the panel and the edge of the window, in pixels
let panel = null;
let opener = null;

/** The button of a card that opens the panel. */
export function whyButton(hit) {
  const label = t("whyThis", hit.product.title || hit.product.id);
  const click = (event) => open(hit, event.currentTarget);
  const traits = { type: "button", class: "why", "aria-label": label, title: t("why"), "aria-haspopup": "dialog", "aria-expanded": "false" };
  return h("button", { ...traits, onclick: click }, icon("note"));
}

function open(hit, button) {
  panel ??= made();
  opener = button;
  panel.replaceChildren(...content(hit));
  panel.showPopover();
  button.setAttribute("aria-expanded", "true");
  place(button);
  panel.querySelector("button").focus({ preventScroll: true });
}

function made() {
  const node = h("div", { id: "why", class: "why-panel", role: "dialog", "aria-labelledby": "why-title", popover: true });
  node.addEventListener("toggle", (event) => {
    if (event.newState !== "closed") return;
    opener.setAttribute("aria-expanded", "false");
    if (node.contains(document.activeElement) || document.activeElement === document.body) opener.focus({ preventScroll: true });
  });
  addEventListener("popstate", () => node.hidePopover());
  addEventListener("resize", () => node.hidePopover());
  document.body.append(node);
  return node;
}

/** Below the button, or above it where there is more room; on a phone the style sheet puts it at the bottom. */
function place(button) {
  const at = button.getBoundingClientRect();
  const { offsetWidth: wide, offsetHeight: high } = panel;
  const left = Math.min(Math.max(EDGE, at.right - wide), document.documentElement.clientWidth - wide - EDGE);
  const below = at.bottom + 6 + high < innerHeight - EDGE || at.top < high + EDGE;
  panel.style.setProperty("--left", `${left + scrollX}px`);
  panel.style.setProperty("--top", `${(below ? at.bottom + 6 : at.top - high - 6) + scrollY}px`);
}

function content(hit) {
  const { product } = hit;
  const told = [...reasonLines(hit), ...markLines(hit)];
  const lines = told.length ? told : [["note", t("whyPlain")]];
  const close = h("button", { type: "button", class: "why-close", "aria-label": t("close"), onclick: () => panel.hidePopover() }, icon("close"));
  const no = h("button", { type: "button", class: "button quiet not-this", onclick: () => notThis(hit) }, icon("hide"), t("notThis"));
  return [
    h("div", { class: "why-head" }, h("h2", { id: "why-title", class: "small" }, t("why")), close),
    h("p", { class: "fine" }, product.title || product.id),
    h("ul", { class: "why-lines" }, lines.map(([name, text]) => h("li", {}, icon(name), h("span", {}, text)))),
    h("div", { class: "why-actions" }, likeButton(product), no),
  ];
}

/** "Like", once; the product page has it, too. */
export function likeButton(product) {
  const word = h("span", {}, t(isLiked(product.id) ? "liked" : "like"));
  const click = (event) => {
    if (isLiked(product.id)) return;
    like(product);
    event.currentTarget.setAttribute("aria-pressed", "true");
    word.textContent = t("liked");
  };
  const traits = { type: "button", class: "button quiet like", "aria-pressed": String(isLiked(product.id)), onclick: click };
  return h("button", traits, icon("thumb"), word);
}

/** Away with it, wherever it stands on the page; the toast brings it back. */
function notThis({ product, variants }) {
  panel.hidePopover();
  const ids = new Set([product.id, ...variants]);
  const cards = [...document.querySelectorAll(".card")].filter((card) => ids.has(card.dataset.id));
  const near = opener.closest(".card");
  const beside = (near?.nextElementSibling ?? near?.previousElementSibling)?.querySelector("a") ?? document.querySelector("#main h1");
  const places = cards.map((card) => {
    const mark = document.createComment(card.dataset.id);
    card.replaceWith(mark);
    return [mark, card];
  });
  hide(product, variants);
  const undo = () => {
    unhide(product);
    for (const [mark, card] of places) mark.replaceWith(card);
    near?.querySelector("a")?.focus();
  };
  toast(t("hidden"), { label: t("undo"), run: undo, back: beside });
}
