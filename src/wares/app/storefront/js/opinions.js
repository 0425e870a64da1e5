// What the shopper thinks of goods: wished for, liked, not wanted. Each is an event, so that it holds on other devices, too.

import { mention, recommend } from "./api.js";
import { recall, remember } from "./memory.js";
import { actor, asker } from "./session.js";

const MOST = 200;
const listeners = new Set();
const hidden = new Map(); // of each shopper of this visit: id -> the product that was hidden, itself or a variant of it
const liked = new Map(); // of each shopper of this visit: ids
let last = Promise.resolve();

const own = (of, make) => {
  if (!of.has(actor())) of.set(actor(), make());
  return of.get(actor());
};
const key = () => `wishes.${actor()}`;
const wished = () => recall(key()) ?? [];

export const isHidden = (id) => own(hidden, () => new Map()).has(id);
export const isLiked = (id) => own(liked, () => new Set()).has(id);
export const isWished = (id) => wished().includes(id);
export const wishCount = () => wished().length;

/** Call back whenever wishes change; returns how to stop. */
export function onWishes(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Tell the shop, one after the other, so that what is taken back arrives later; resolves when it knows. */
const say = (kind, product) => (last = last.then(() => mention({ kind, product_id: product.id })));

export function hide(product, variants = []) {
  for (const id of [product.id, ...variants]) own(hidden, () => new Map()).set(id, product.id);
  return say("hide", product);
}

export function unhide(product) {
  const ids = own(hidden, () => new Map());
  for (const [id, root] of [...ids]) if (root === product.id) ids.delete(id);
  return say("unhide", product);
}

export function like(product) {
  own(liked, () => new Set()).add(product.id);
  return say("like", product);
}

/** Put a product on the wish list, or take it off; returns whether it is on it now. */
export function toggleWish(product) {
  const on = !isWished(product.id);
  keep(on ? [product.id, ...wished()] : wished().filter((id) => id !== product.id));
  say(on ? "wish" : "unwish", product);
  return on;
}

/** The wish list as the shop knows it, a page; null for a guest of whom it knows nothing. */
export async function wishes(signal) {
  await last; // what was wished a moment ago belongs to it
  if (asker() === null) return null;
  const page = await recommend("wish_list", { k: MOST, signal });
  keep(page.hits.map((hit) => hit.product.id));
  return page;
}

/** On a device that has never seen this shopper's wishes, ask for them once. */
export async function meetWishes() {
  if (recall(key()) === null && asker() !== null) await wishes().catch(() => {});
}

function keep(ids) {
  remember(key(), ids);
  listeners.forEach((listener) => listener());
}
