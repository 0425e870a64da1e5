// The shop's own word above the goods, and where it sends shoppers instead. Both come from the shop's rules.

import { h } from "./dom.js";

/** A banner's words, with its picture where it has one; the whole of it leads on where it names an address. */
export function banners(page) {
  return (page.banners ?? []).map(({ text, url, image_url: image }) => {
    const inner = [image && h("img", { src: image, alt: "", loading: "lazy" }), h("span", {}, text)];
    return url && isSafe(url) ? h("a", { class: "banner", href: url }, inner) : h("p", { class: "banner" }, inner);
  });
}

/** Leave for where the shop sends whoever asks so; whether we do. Back leads to the page before. */
export function leave(page) {
  if (!page.redirect || !isSafe(page.redirect)) return false;
  location.replace(page.redirect);
  return true;
}

const isSafe = (address) => ["http:", "https:"].includes(new URL(address, document.baseURI).protocol);
