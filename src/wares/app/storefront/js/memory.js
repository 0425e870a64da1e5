// What this browser remembers of one shop. A browser that forbids storage simply forgets.

export const SHOP = new URLSearchParams(location.search).get("shop") ?? "";

const name = (key) => `wares.${SHOP || "default"}.${key}`;

export function recall(key) {
  try {
    return JSON.parse(localStorage.getItem(name(key)));
  } catch {
    return null;
  }
}

export function remember(key, value) {
  try {
    localStorage.setItem(name(key), JSON.stringify(value));
  } catch {
    // nothing to do: the shop works without memory
  }
}

/** A fresh id for events and baskets; randomUUID exists only in secure contexts. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
