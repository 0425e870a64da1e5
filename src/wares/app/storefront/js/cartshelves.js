// What the cart page offers below: with goods in the cart what goes with them, without any where to begin.

import { recommend } from "./api.js";
import { shelf } from "./cards.js";
import { recentHits, recentShelf } from "./recent.js";
import { asker } from "./session.js";
import { t } from "./words.js";

const AT_MOST = 12;

/** The shelves as nodes, the best first; nothing stands on two of them. A question that fails leaves its shelf out. */
export async function cartShelves(seeds, signal) {
  const ask = (surface) => recommend(surface, { seeds, k: 2 * AT_MOST, signal }).then((page) => page.hits, () => []);
  const ideas = t(asker() === null ? "popularNow" : "forYou");
  const wanted = seeds.length
    ? [[t("withYourCart"), ask("cart")], [t("buyAgain"), ask("buy_again")], [ideas, ask("ideas")]]
    : [[t("buyAgain"), ask("buy_again")], [t("recentlyViewed"), recentHits([], signal)], [ideas, ask("ideas")]];
  const answers = await Promise.all(wanted.map(([, answer]) => answer));
  const shown = new Set(seeds);
  const rows = wanted.map(([title], i) => {
    const fresh = answers[i].filter((hit) => !shown.has(hit.product.id)).slice(0, AT_MOST);
    for (const hit of fresh) shown.add(hit.product.id);
    return title === t("recentlyViewed") ? recentShelf(fresh) : shelf(title, fresh);
  });
  return rows.filter(Boolean);
}
