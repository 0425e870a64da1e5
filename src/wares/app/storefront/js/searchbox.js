// The search box: suggestions while one types, all by keyboard ("/" focuses, arrows choose, Enter goes, Escape leaves).

import * as api from "./api.js";
import { h } from "./dom.js";
import { icon } from "./icons.js";
import { go, link, productLink } from "./router.js";
import { departmentRow, ideaRow, productRow } from "./suggestionrows.js";
import { linkTo } from "./wish.js";
import { t } from "./words.js";

const PAUSE_MS = 80;
const PATIENCE_MS = 120; // so long the quicker of two answers waits for the other: a list that grows once is calmer
const IDEAS = 5; // ways in which what is typed may go on
const FEW = 3;
const PRODUCTS = 4;
const DEPARTMENTS = 2;

export function searchBox() {
  const input = h("input", {
    id: "q",
    type: "search",
    name: "q",
    placeholder: t("searchHint"),
    "aria-label": t("searchLabel"),
    autocomplete: "off",
    autocapitalize: "off",
    spellcheck: "false",
    enterkeyhint: "search",
    role: "combobox",
    "aria-autocomplete": "list",
    "aria-expanded": "false",
    "aria-controls": "suggestions",
  });
  const list = h("div", { id: "suggestions", class: "suggestions", role: "listbox", "aria-label": t("suggestions"), hidden: true });
  const form = h("form", { class: "search", role: "search" }, icon("search", "icon lens"), input, h("kbd", { "aria-hidden": "true" }, "/"), list);
  let timer;
  let request = new AbortController();
  let active = -1;

  const options = () => [...list.querySelectorAll("[role=option]")];

  function close() {
    clearTimeout(timer);
    request.abort();
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    activate(-1);
  }

  function activate(index) {
    active = index;
    options().forEach((option, i) => option.setAttribute("aria-selected", String(i === index)));
    const option = options()[index];
    if (option) input.setAttribute("aria-activedescendant", option.id);
    else input.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }

  function follow(address, event) {
    close();
    input.blur();
    if (event) api.mention(event);
    go(address);
  }

  function submit() {
    const query = input.value.trim();
    if (!query) return;
    follow(linkTo({ query }), { kind: "search", query });
  }

  /** Ask for ideas and for products; whatever comes for an older word is ignored. */
  async function suggest() {
    request.abort();
    request = new AbortController();
    const { signal } = request;
    const query = input.value.trim();
    let ideas = null;
    let page = null;
    const show = () => !signal.aborted && (ideas || page) && draw(query, ideas ?? [], page);
    const wish = { query, category: null, filters: {}, sort: "relevance" };
    const later = setTimeout(show, PATIENCE_MS);
    await Promise.allSettled([
      api.suggest(query, { signal }).then((answer) => (ideas = answer.suggestions)),
      query && api.find(wish, { k: PRODUCTS, facets: ["category"], organic: true, signal }).then((answer) => (page = answer)),
    ]);
    clearTimeout(later);
    if (!signal.aborted && !show()) close(); // Enter still leads to the search page, which tells what is wrong
  }

  /** Whether there is something to choose, or to say. */
  function draw(query, ideas, page) {
    const chosen = options()[active]?.dataset.address;
    const sure = page?.hits.length ? ideas.filter(({ kind }) => kind !== "product") : ideas; // found ones have pictures
    const opened = (hit) => [productLink(hit.product), { kind: "click", product_id: hit.product.id, query }];
    const narrowed = sure.length < FEW ? departments(page) : []; // ideas name departments of their own
    const entries = [
      ...sure.slice(0, IDEAS).map((idea) => option(ideaRow(idea, query), ...behind(idea, query), "idea")),
      ...(page?.hits ?? []).map((hit) => option(productRow(hit), ...opened(hit))),
      ...narrowed.map(({ value }) => option(departmentRow(query, value), linkTo({ query, filters: { category: [value] } }), { kind: "search", query })),
    ];
    if (page?.total) entries.push(option([icon("search"), h("span", { class: "s-all" }, t("seeAll", page.total, query))], linkTo({ query }), { kind: "search", query }));
    if (!entries.length && !page) return false;
    list.replaceChildren(...(entries.length ? entries : [h("p", { class: "s-none" }, t("noSuggestion", query))]));
    entries.forEach((entry, i) => (entry.id = `suggestion-${i}`));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    activate(chosen ? entries.findIndex((entry) => entry.dataset.address === chosen) : -1);
    return true;
  }

  function option(content, address, event, more = "") {
    const traits = { class: `suggestion ${more}`.trim(), role: "option", "aria-selected": "false", "data-address": address };
    const node = h("div", traits, content);
    node.onclick = () => follow(address, event);
    return node;
  }

  function soon() {
    clearTimeout(timer);
    request.abort();
    activate(-1); // Enter means what is typed now
    timer = setTimeout(suggest, PAUSE_MS);
  }

  input.addEventListener("input", (event) => event.isComposing || soon()); // letters of an input method are no words yet
  input.addEventListener("compositionend", soon);
  input.addEventListener("focus", () => document.activeElement === input && suggest());
  input.addEventListener("blur", close);
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus in the box
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (options()[active] && !list.hidden) options()[active].click();
    else submit();
  });
  input.addEventListener("keydown", (event) => {
    const n = options().length;
    if (event.isComposing || event.keyCode === 229) return; // an input method is choosing characters
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !list.hidden && n) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      activate(((active + 1 + step + n + 1) % (n + 1)) - 1); // -1 is the box itself
    }
    if (event.key === "Escape") {
      event.preventDefault();
      if (!list.hidden) close();
      else if (input.value) input.value = "";
      else input.blur();
    }
  });

  return { node: form, input, say: (query) => (input.value = query) };
}

/** Where an idea leads, and what the shop is told when it is chosen. */
function behind({ text, kind, about }, query) {
  if (kind === "category") return [link("category", about), null];
  if (kind === "product") return [productLink({ id: about }), { kind: "click", product_id: about, query }];
  return [linkTo({ query: text }), { kind: "search", query: text }];
}

/** The departments where most of the results are, when there is a choice. */
function departments(page) {
  const values = page?.facets.find((facet) => facet.field === "category")?.values ?? [];
  const deepest = values.filter(({ value }) => !values.some((other) => other.value.startsWith(`${value} > `)));
  return deepest.length > 1 ? deepest.slice(0, DEPARTMENTS) : [];
}

/** "/" anywhere outside a field brings one to the search box. */
export function slashFocuses(input) {
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input:not([type=checkbox]), select, textarea, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    input().focus();
    input().select();
  });
}
