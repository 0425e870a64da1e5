// The cart: product id -> {product, quantity}, one per shopper, kept in this browser.

import { mention } from "./api.js";
import { recall, remember } from "./memory.js";
import { session } from "./session.js";

const listeners = new Set();
const key = () => `cart.${session.shopper ?? ""}`;

export const lines = () => Object.values(recall(key()) ?? {});
export const quantityOf = (id) => recall(key())?.[id]?.quantity ?? 0;
export const itemCount = () => lines().reduce((sum, line) => sum + line.quantity, 0);

/** Call back whenever the cart changes; returns how to stop. */
export function onChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function write(cart) {
  remember(key(), cart);
  listeners.forEach((listener) => listener());
}

/** Put `steps` more (or fewer) of a product into the cart and tell the shop. */
export function change(product, steps) {
  const cart = recall(key()) ?? {};
  const quantity = Math.max(0, (cart[product.id]?.quantity ?? 0) + steps);
  if (quantity) cart[product.id] = { product, quantity };
  else delete cart[product.id];
  write(cart);
  mention({ kind: steps > 0 ? "cart" : "uncart", product_id: product.id, quantity: Math.abs(steps) });
}

/** Take another product instead, as many of it. */
export function swap(product, other) {
  const cart = recall(key()) ?? {};
  const { quantity } = cart[product.id];
  const there = cart[other.id]?.quantity ?? 0;
  const lines = Object.entries(cart).filter(([id]) => id !== other.id);
  const swapped = lines.map(([id, line]) => (id === product.id ? [other.id, { product: other, quantity: quantity + there }] : [id, line]));
  write(Object.fromEntries(swapped));
  mention({ kind: "uncart", product_id: product.id, quantity }, { kind: "cart", product_id: other.id, quantity });
}

/** The newest facts of a product that is in the cart. */
export function refresh(product) {
  const cart = recall(key()) ?? {};
  if (!cart[product.id]) return;
  cart[product.id].product = product;
  write(cart);
}

/** The product has left the shop: what is in the cart of it cannot be bought. */
export function withdraw(id) {
  const known = recall(key())?.[id]?.product;
  if (known) refresh({ ...known, available: false });
}

/** Take these out: they were bought. */
export function clear(ids) {
  const cart = recall(key()) ?? {};
  for (const id of ids) delete cart[id];
  write(cart);
}
