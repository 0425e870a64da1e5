// What the shopper looked at lately, as a shelf.

import { recommend } from "./api.js";
import { shelf } from "./cards.js";
import { asker } from "./session.js";
import { t } from "./words.js";

const OBVIOUS = new Set(["recently_viewed"]); // the shelf's title says it

/** Hits of this shopper's latest views but for `seeds`; [] for a guest of whom the shop knows nothing. */
export async function recentHits(seeds, signal) {
  if (asker() === null) return [];
  return recommend("recent", { seeds, signal }).then((page) => page.hits, () => []); // no page hangs on them
}

export const recentShelf = (hits) => shelf(t("recentlyViewed"), hits, { obvious: OBVIOUS });
