// A short word to the shopper, read out by screen readers; it may offer a way back.

import { h } from "./dom.js";

const SHOWN_MS = 2600;
const OFFERED_MS = 9000; // long enough to be read, understood and reached by keyboard
let timer;
let leave = () => {};

/** `offer`: {label, run, back}: a button that stays while it has the focus or the pointer; `back` is where the focus goes
 * when it vanishes. */
export function toast(text, offer = null) {
  const place = document.getElementById("toast");
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(() => leave(), offer ? OFFERED_MS : SHOWN_MS);
  };
  leave = () => {
    clearTimeout(timer);
    const held = place.contains(document.activeElement);
    place.classList.remove("shown");
    place.replaceChildren();
    if (held) offer.back?.focus();
  };
  place.replaceChildren(h("span", {}, text), ...(offer ? [button(offer)] : []));
  place.classList.add("shown");
  place.onpointerenter = place.onfocusin = () => clearTimeout(timer);
  place.onpointerleave = place.onfocusout = wait;
  place.onkeydown = (event) => {
    if (event.key === "Escape") leave();
  };
  wait();
  if (offer) place.querySelector("button").focus({ preventScroll: true });
}

function button({ label, run }) {
  const click = () => {
    leave();
    run();
  };
  return h("button", { type: "button", onclick: click }, label);
}
