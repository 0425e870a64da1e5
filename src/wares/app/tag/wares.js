// The tag of wares: reads a page's GA4 dataLayer and tells the shop's wares what the shopper did.
// Without consent it sends nothing and keeps nothing. All of it: docs/reference/browser-tag.md
(() => {
  "use strict";
  if (window.waresTag) return; // twice on one page counts once
  window.waresTag = true;
  const tag = document.currentScript, told = tag.dataset, key = told.key || "";
  const ACTS = ["view_item", "select_item", "add_to_cart", "remove_from_cart", "add_to_wishlist", "purchase", "refund"];
  const SEARCHES = ["search", "view_search_results"]; // pages often say both
  const ID = "wares_id", BATCH = 50, MOST = 500, WAIT_MS = 1000, LONGEST_WAIT_MS = 60000, SAME_SEARCH_MS = 10000;
  const place = new URL(`/v1/shops/${encodeURIComponent(told.shop || "default")}/events`, tag.src);
  if (key) place.searchParams.set("key", key);

  let agreed = told.consent === "granted", known = "", anonymous = "";
  let waiting = [], timer = 0, wait_ms = WAIT_MS, query = "", searched_ms = 0;

  const random = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

  function shopper() {
    if (known) return known;
    try {
      anonymous = localStorage.getItem(ID) || anonymous || random();
      localStorage.setItem(ID, anonymous);
    } catch { // storage is closed: for this page alone
      anonymous = anonymous || random();
    }
    return anonymous;
  }

  function consent(said) {
    const answer = said && said[told.consentType || "analytics_storage"];
    if (!answer) return;
    agreed = answer === "granted";
    if (agreed) return;
    waiting = [];
    anonymous = "";
    try {
      localStorage.removeItem(ID);
    } catch {}
  }

  function keep(row, id) {
    if (!agreed) return;
    const event = { ...row, time: Date.now(), id: id || random() };
    if (!key.startsWith("wt1.")) event.shopper_id = shopper(); // a token says itself whose it is
    waiting.push(event);
    later();
  }

  function later() {
    waiting = waiting.slice(-MOST);
    if (waiting.length) timer = timer || setTimeout(send, wait_ms);
  }

  function send() {
    timer = 0;
    if (!waiting.length) return;
    const batch = waiting.splice(0, BATCH);
    const again = () => {
      if (!agreed) return;
      waiting = batch.concat(waiting);
      wait_ms = Math.min(wait_ms * 2, LONGEST_WAIT_MS);
      later();
    };
    // Plain text spares the browser a question beforehand. What arrives twice counts once: each event has an id.
    fetch(place, { method: "POST", body: JSON.stringify({ events: batch }), keepalive: true, credentials: "omit" })
      .then((answer) => {
        if (answer.status >= 500 || answer.status === 429) return again();
        wait_ms = WAIT_MS;
        later();
      }, again);
  }

  function leave() {
    while (waiting.length && navigator.sendBeacon(place, JSON.stringify({ events: waiting.slice(0, BATCH) })))
      waiting = waiting.slice(BATCH);
  }

  function happened(name, said) {
    if (SEARCHES.includes(name) && said.search_term) {
      const now_ms = Date.now(), words = String(said.search_term);
      if (words !== query || now_ms - searched_ms > SAME_SEARCH_MS) keep({ kind: "search", query: words });
      [query, searched_ms] = [words, now_ms];
    }
    if (!ACTS.includes(name) || !Array.isArray(said.items)) return;
    const order = said.transaction_id && String(said.transaction_id);
    said.items.forEach((item, at) => {
      if (item.item_id === undefined) return;
      const row = {
        event_name: name, product_id: String(item.item_id), quantity: item.quantity, price: item.price,
        currency: said.currency || item.currency, basket_id: order,
        impression_id: item.impression_id || said.impression_id, position: item.index,
      };
      keep(row, order && `tag ${name} ${order} ${at} ${item.item_id}`); // the page of an order is often loaded again
    });
  }

  function user(said) {
    if (said && said.user_id !== undefined) known = said.user_id === null ? "" : String(said.user_id);
  }

  function read(entry) {
    const [verb, name, said] = typeof entry[0] === "string" ? entry : ["event", entry.event, entry]; // gtag, or pushed
    if (verb === "set" || verb === "config") user(name === "user_id" ? { user_id: said } : said || name);
    if (verb === "consent" || /consent/.test(name)) return consent(said);
    if (verb !== "event") return;
    user(said);
    if (name) happened(name, { ...said, ...(said && said.ecommerce) });
  }

  function safely(entry) {
    try {
      read(entry);
    } catch {} // whatever a page pushes, the page goes on
  }

  const name = told.layer || "dataLayer", layer = (window[name] = window[name] || []), push = layer.push;
  layer.push = function (...entries) {
    entries.forEach(safely);
    return push.apply(layer, entries);
  };
  Array.from(layer).forEach(safely);
  addEventListener("pagehide", leave);
  addEventListener("visibilitychange", () => document.hidden && leave());
})();
