// Who is shopping where, for this visit.

import { recall, remember } from "./memory.js";

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
