// The search box: suggestions while one types, all by keyboard ("/" focuses, arrows choose, Enter goes, Escape leaves).

import { find, mention } from "./api.js";
import { h, marked } from "./dom.js";
import { icon } from "./icons.js";
import { badge, picture } from "./pictures.js";
import { go, productLink } from "./router.js";
import { aborted } from "./trouble.js";
import { linkTo } from "./wish.js";
import { money, t } from "./words.js";

const PAUSE_MS = 120;
const SUGGESTIONS = 5;
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
    if (event) mention(event);
    go(address);
  }

  function submit() {
    const query = input.value.trim();
    if (!query) return;
    follow(linkTo({ query }), { kind: "search", query });
  }

  async function suggest() {
    request.abort();
    request = new AbortController();
    const query = input.value.trim();
    if (!query) return close();
    const wish = { query, category: null, filters: {}, sort: "relevance" };
    try {
      const page = await find(wish, { k: SUGGESTIONS, facets: ["category"], signal: request.signal });
      draw(query, page);
    } catch (error) {
      if (!aborted(error)) close(); // Enter still leads to the search page, which tells what is wrong
    }
    return undefined;
  }

  function draw(query, page) {
    const opened = (hit) => [productLink(hit.product), { kind: "click", product_id: hit.product.id, query }];
    const entries = [
      ...page.hits.map((hit) => option(productRow(hit), ...opened(hit))),
      ...departments(page).map(({ value }) => option(departmentRow(query, value), linkTo({ query, filters: { category: [value] } }), { kind: "search", query })),
    ];
    const all = page.total ? option([icon("search"), h("span", { class: "s-all" }, t("seeAll", page.total, query))], linkTo({ query }), { kind: "search", query }) : null;
    list.replaceChildren(...(all ? [...entries, all] : [h("p", { class: "s-none" }, t("noSuggestion", query))]));
    options().forEach((entry, i) => (entry.id = `suggestion-${i}`));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    activate(-1);
  }

  function option(content, address, event) {
    const node = h("div", { class: "suggestion", role: "option", "aria-selected": "false" }, content);
    node.onclick = () => follow(address, event);
    return node;
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    request.abort();
    timer = setTimeout(suggest, PAUSE_MS);
  });
  input.addEventListener("focus", () => input.value.trim() && document.activeElement === input && suggest());
  input.addEventListener("blur", close);
  list.addEventListener("pointerdown", (event) => event.preventDefault()); // keeps the focus in the box
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (options()[active] && !list.hidden) options()[active].click();
    else submit();
  });
  input.addEventListener("keydown", (event) => {
    const n = options().length;
    if (event.isComposing) return; // an input method is choosing characters
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

/** The departments where most of the results are, when there is a choice. */
function departments(page) {
  const values = page.facets.find((facet) => facet.field === "category")?.values ?? [];
  const deepest = values.filter(({ value }) => !values.some((other) => other.value.startsWith(`${value} > `)));
  return deepest.length > 1 ? deepest.slice(0, DEPARTMENTS) : [];
}

function productRow({ product, highlights }) {
  const title = highlights?.title ? marked(highlights.title) : product.title;
  const cost = product.price === null ? "" : money(product.price, product.currency);
  return [picture(product), h("span", { class: "s-title" }, title, h("small", {}, product.brand)), h("span", { class: "s-price" }, cost)];
}

function departmentRow(query, value) {
  return [badge(value), h("span", { class: "s-title" }, query, h("small", {}, `${t("inCategory")} ${value.split(" > ").at(-1)}`))];
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
