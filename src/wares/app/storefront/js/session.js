// Who is shopping where, for this visit.

import { newId, recall, remember } from "./memory.js";

export const session = { shop: null, shopper: null };

export function enter(shop) {
  session.shop = shop;
  const last = recall("shopper");
  session.shopper = shop.shoppers.includes(last) ? last : null;
}

export function become(shopper) {
  session.shopper = shopper;
  remember("shopper", shopper);
}

// A guest has an id by chance that only this browser knows. It is told with what the guest does; the shop is asked about
// it once it has heard of it.
let guest = recall("guest");

/** Whose deeds are told. */
export function actor() {
  return session.shopper ?? (guest ??= newId());
}

/** Who asks; null = a guest who has done nothing yet, who gets what everybody gets. */
export const asker = () => session.shopper ?? (recall("guest") ? guest : null);

/** The shop has heard of whoever this was. */
export function heardOf(who) {
  if (who === guest) remember("guest", guest);
}
