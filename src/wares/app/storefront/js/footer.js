// The foot of every page: what this shop's data is.

import { h } from "./dom.js";
import { session } from "./session.js";
import { t } from "./words.js";

export function footer(place) {
  const { about, products, events } = session.shop;
  place.replaceChildren(
    h("div", { class: "footer-inside" }, about && h("p", {}, about), h("p", { class: "fine" }, t("footer", products, events), " · ", t("madeWith"))),
  );
}
