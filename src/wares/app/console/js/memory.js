// What this browser remembers. The key lives as long as the tab and no longer; the rest is taste.

export const SHOP = new URLSearchParams(location.search).get("shop") ?? "";

const name = (key) => `wares.console.${SHOP || "default"}.${key}`;

function within(store, use) {
  try {
    return use(store());
  } catch {
    return null; // a browser that forbids storage simply forgets
  }
}

const lasting = () => localStorage;
const tab = () => sessionStorage;

export const recall = (key) => within(lasting, (store) => JSON.parse(store.getItem(name(key))));
export const remember = (key, value) => within(lasting, (store) => store.setItem(name(key), JSON.stringify(value)));

export const keyOfTab = () => within(tab, (store) => store.getItem(name("key"))) ?? "";
export const keepKey = (key) => within(tab, (store) => (key ? store.setItem(name("key"), key) : store.removeItem(name("key"))));
