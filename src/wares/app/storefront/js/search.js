// The search page.

import { h } from "./dom.js";
import { listing } from "./listing.js";
import { wishOf } from "./wish.js";
import { t } from "./words.js";

export function search() {
  const heading = h("h1", { tabindex: "-1" });
  const goods = listing();
  return {
    node: h("div", { class: "page" }, heading, goods.reading, goods.node),
    show(route, place, signal) {
      const wish = wishOf(route);
      heading.textContent = wish.query ? t("resultsFor", wish.query) : t("allGoods");
      return goods.show(wish, place, signal);
    },
    title: () => heading.textContent,
  };
}
