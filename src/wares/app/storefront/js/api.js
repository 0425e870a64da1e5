// wares' HTTP API, one function per question. Every failure becomes a Problem.

import { SHOP, newId } from "./memory.js";
import { actor, asker, heardOf, session } from "./session.js";

const BASE = new URL(SHOP ? `v1/shops/${encodeURIComponent(SHOP)}/` : "v1/", document.baseURI);

// Where the shop has keys, its page carries one of its own: it may search and tell events, and everybody can read it.
const KEY = document.querySelector('meta[name="wares-key"]')?.content;

/** What went wrong, as RFC 9457 tells it; status 0 = the shop was not reached. */
export class Problem extends Error {
  constructor({ status = 0, code = "", title = "", detail = "" }) {
    super(detail || title);
    Object.assign(this, { status, code, title, detail });
  }
}

async function ask(path, body, options = {}) {
  const headers = { ...(KEY && { authorization: `Bearer ${KEY}` }), ...(body && { "content-type": "application/json" }) };
  const post = body && { method: "POST", body: JSON.stringify(body) };
  let response;
  try {
    response = await fetch(new URL(path, BASE), { headers, ...post, ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({});
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem({ ...answer, status: response.status });
  const { hits, impression_id } = answer;
  if (Array.isArray(hits)) for (const hit of hits) if (hit.sponsored) Object.assign(hit, { impression_id }); // a click names it
  return answer;
}

export const shop = () => ask("shop");
export const product = (id, signal) => ask(`products/${encodeURIComponent(id)}`, null, { signal });

/** A page of goods for a wish (see wish.js): a search when it has words, else a walk through a category. */
export function find(wish, { cursor = "", k = 24, facets = session.shop.facets, organic = false, signal } = {}) {
  const { query, category, filters, sort, asTyped, without } = wish;
  const rest = { shopper: asker(), filters, facets, sort, k, cursor, organic };
  if (query) return ask("search", { query, as_typed: asTyped, without_wishes: without, ...rest }, { signal });
  const within = filters.category ? null : category; // what is ticked lies below the category and narrows it
  return ask("browse", { category: within, ...rest }, { signal });
}

/** How what is typed may go on (see docs/reference/http-api.md); of an empty box, what is wanted most. */
export const suggest = (typed, { k = 8, signal } = {}) => ask(`suggest?${new URLSearchParams({ q: typed, k })}`, null, { signal });

/** What somebody chooses more often than others do. */
export const interests = (shopper, signal) => ask(`shoppers/${encodeURIComponent(shopper)}/interests`, null, { signal });

export const recommend = (surface, { shopper = asker(), seeds = [], k = 12, signal } = {}) =>
  ask("recommend", { surface, shopper, seeds, k }, { signal });

export const similar = (id, surface, { k = 12, signal } = {}) =>
  ask("similar", { product: id, surface, shopper: asker(), k }, { signal });

/** Tell the shop what the shopper did; resolves once it is durable. */
export async function tell(...events) {
  const who = actor();
  const dressed = events.map((event) => ({ id: newId(), shopper_id: who, ...event }));
  const answer = await ask("events", { events: dressed }, { keepalive: true });
  heardOf(who);
  return answer;
}

/** The same where nobody waits for it: a lost view must never disturb a shopper. */
export const mention = (...events) => tell(...events).catch(() => {});
