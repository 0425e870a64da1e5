// The address decides what is shown: #/page/rest?params. Each history entry has a place, which keeps what the page
// had loaded and how far it was scrolled, so that Back brings the shopper back to where they were.

import { newId } from "./memory.js";

const places = new Map();
let here = null;
let show = () => {};

export function link(page, rest = "", params = new URLSearchParams()) {
  const path = rest ? `${page}/${encodeURIComponent(rest)}` : page;
  return `#/${path}${String(params) && `?${params}`}`;
}

export const productLink = (product) => link("product", product.id);

function parse(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [page, ...rest] = path.split("/");
  return { page, rest: decoded(rest.join("/")), params: new URLSearchParams(query ?? "") };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function arrive() {
  if (here) here.scroll = scrollY;
  const key = history.state?.key ?? newId();
  history.replaceState({ key }, "");
  if (!places.has(key)) places.set(key, { scroll: 0 });
  here = places.get(key);
  show(parse(location.hash), here);
}

export function go(address) {
  if (here) here.scroll = scrollY;
  history.pushState({ key: newId() }, "", address);
  arrive();
}

/** Show the same address anew: someone else is shopping now, or in another language. */
export function renew() {
  places.clear();
  here = null;
  arrive();
}

export function start(shower) {
  show = shower;
  history.scrollRestoration = "manual";
  addEventListener("popstate", arrive);
  arrive();
}
