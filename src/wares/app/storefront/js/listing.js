// A listing: goods with facets, chips, sort and "more". Search and category pages show one.

import { find } from "./api.js";
import { banners, leave } from "./banners.js";
import { cards as cardsOf, skeletons } from "./cards.js";
import { chips } from "./chips.js";
import { h } from "./dom.js";
import { facetGroups } from "./facets.js";
import { icon } from "./icons.js";
import { corrected, understood } from "./reading.js";
import { OBVIOUS_IN_LISTS } from "./reasons.js";
import { go } from "./router.js";
import { aborted, trouble } from "./trouble.js";
import { SORTS, linkTo } from "./wish.js";
import { duration, t } from "./words.js";

export function listing() {
  const total = h("p", { class: "total", role: "status", "aria-live": "polite", tabindex: "-1" }, t("loading"));
  const reading = h("div", { class: "reading", role: "status" }); // search pages show it below their heading
  const sort = h("select", { "aria-label": t("sort") });
  const wished = h("div", { class: "chips", role: "group", "aria-label": t("understoodLabel") });
  const chosen = h("div", { class: "chips" });
  const notes = h("div", { class: "notes" });
  const groups = h("div", { class: "facet-groups" });
  const close = h("button", { type: "button", class: "button primary sheet-close", popovertarget: "facets", popovertargetaction: "hide" });
  const facets = h("aside", { id: "facets", class: "facets", popover: true, "aria-label": t("filters") }, h("h2", {}, t("filters")), groups, close);
  const opener = h("button", { type: "button", class: "button quiet opener", popovertarget: "facets" }, icon("filters"), t("filters"));
  const said = h("div", { class: "banners" });
  const goods = h("div", { class: "grid", id: "goods" });
  const after = h("div", { class: "after" });
  const bar = h("div", { class: "bar" }, total, opener, h("label", { class: "sort" }, sort));
  const node = h("div", { class: "listing" }, facets, h("div", { class: "found" }, bar, said, wished, chosen, notes, goods, after));

  /** Show what is wished; `place.pages` keeps what was loaded for the way back. */
  async function show(wish, place, signal) {
    sort.replaceChildren(...SORTS.map((name) => h("option", { value: name, selected: name === wish.sort }, t("sorts")[name])));
    sort.onchange = () => go(linkTo({ ...wish, sort: sort.value }));
    const followed = [reading, wished, chosen].some((part) => part.contains(document.activeElement)); // a link of these
    chosen.replaceChildren(...chips(wish));
    if (!goods.childElementCount) goods.replaceChildren(...skeletons(12));
    node.setAttribute("aria-busy", "true");
    try {
      place.pages ??= [await find(wish, { signal })];
      if (leave(place.pages[0])) return;
      draw(wish, place, signal);
      if (followed) (node.querySelector(".chip") ?? total).focus({ preventScroll: true });
    } catch (error) {
      if (aborted(error)) return;
      total.textContent = "";
      reading.replaceChildren();
      wished.replaceChildren();
      said.replaceChildren();
      goods.replaceChildren();
      after.replaceChildren(trouble(error, () => show(wish, place, signal)));
    }
    node.removeAttribute("aria-busy");
  }

  function draw(wish, place, signal) {
    const [first] = place.pages;
    const focused = document.activeElement?.dataset?.key;
    total.replaceChildren(h("strong", {}, t("results", first.total)), " ", h("span", { class: "took" }, t("took", duration(first.took_ms))));
    reading.replaceChildren(...corrected(wish, first));
    wished.replaceChildren(...understood(wish, first));
    said.replaceChildren(...banners(first));
    close.textContent = t("showResults", first.total);
    notes.replaceChildren(...first.notes.map((note) => h("p", { class: "note" }, icon("note"), note)));
    const scrolled = facets.scrollTop;
    groups.replaceChildren(...facetGroups(wish, first.facets).filter(Boolean));
    node.classList.toggle("without-facets", !groups.childElementCount);
    if (focused) [...groups.querySelectorAll("[data-key]")].find((element) => element.dataset.key === focused)?.focus({ preventScroll: true });
    facets.scrollTop = scrolled;
    goods.replaceChildren(...place.pages.flatMap((page) => cards(wish, page)));
    if (first.total) drawMore(wish, place, signal);
    else after.replaceChildren(nothing(wish));
  }

  const cards = (wish, page) => cardsOf(page.hits, { query: wish.query, obvious: OBVIOUS_IN_LISTS });

  function drawMore(wish, place, signal) {
    const { cursor } = place.pages.at(-1);
    const shown = place.pages.reduce((sum, page) => sum + page.hits.length, 0);
    const progress = h("p", { class: "progress", role: "status" }, t("shownOf", shown, place.pages[0].total));
    if (!cursor) return after.replaceChildren(progress);
    const more = h("button", { type: "button", class: "button quiet more" }, t("more"));
    more.onclick = async () => {
      more.setAttribute("aria-busy", "true");
      try {
        const page = await find(wish, { cursor, facets: [], signal });
        place.pages.push(page);
        const fresh = cards(wish, page);
        goods.append(...fresh);
        drawMore(wish, place, signal);
        (after.querySelector(".more") ?? fresh[0]?.querySelector("a"))?.focus({ preventScroll: true });
      } catch (error) {
        if (aborted(error)) return;
        const reload = () => {
          delete place.pages;
          show(wish, place, signal);
        };
        after.replaceChildren(progress, trouble(error.status === 410 ? { ...error, detail: t("expired") } : error, reload));
      }
    };
    return after.replaceChildren(progress, more);
  }

  return { node, reading, show };
}

function nothing(wish) {
  const narrowed = Object.keys(wish.filters).length > 0;
  return h(
    "div",
    { class: "panel" },
    h("span", { class: "panel-icon" }, icon("search")),
    h("h2", {}, t("nothingFound", wish.query)),
    h("p", {}, narrowed ? t("nothingFiltered") : t("nothingHelp")),
    narrowed
      ? h("a", { class: "button primary", href: linkTo({ ...wish, filters: {} }) }, t("clearAll"))
      : h("a", { class: "button primary", href: "#/category" }, t("startBrowsing")),
  );
}
