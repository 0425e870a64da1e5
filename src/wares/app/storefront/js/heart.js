// The heart of a card and of a product: on the wish list, or not.

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { isWished, onWishes, toggleWish } from "./opinions.js";
import { toast } from "./toast.js";
import { t } from "./words.js";

/** `wide`: with words beside it, as the product page shows it. */
export function heart(product, { wide = false } = {}) {
  const word = wide && h("span", {}, t("wish"));
  const click = () => toast(t(toggleWish(product) ? "wished" : "unwished", product.title));
  const traits = { type: "button", class: wide ? "button quiet heart-wide" : "heart", title: t("wish"), onclick: click };
  const said = { "aria-label": wide ? null : t("wishFor", product.title), "aria-pressed": String(isWished(product.id)) };
  return h("button", { ...traits, ...said, "data-wish": product.id }, icon("heart"), word);
}

// One listener for all hearts: cards come and go.
onWishes(() => {
  for (const button of document.querySelectorAll("[data-wish]")) {
    button.setAttribute("aria-pressed", String(isWished(button.dataset.wish)));
  }
});
