// The home page: what this shopper may want now, and the departments.

import { interests, recommend } from "./api.js";
import { banners } from "./banners.js";
import { grid, shelf, skeletons } from "./cards.js";
import { h } from "./dom.js";
import { interestsPanel } from "./interests.js";
import { badge } from "./pictures.js";
import { topReason } from "./reasons.js";
import { recentHits, recentShelf } from "./recent.js";
import { link } from "./router.js";
import { asker, session } from "./session.js";
import { aborted, trouble } from "./trouble.js";
import { count, t } from "./words.js";

const PICKS = 24;
const POPULAR = 12;
const AGAIN_AT_LEAST = 3; // fewer are no row of their own

export function home() {
  const picks = h("div", { class: "picks" });
  return {
    node: h("div", { class: "page home" }, hero(), picks, departments()),
    title: () => session.shop.title,
    async show(route, place, signal) {
      if (!place.kept) picks.replaceChildren(h("section", {}, h("h2", {}, t(asker() ? "forYou" : "popularNow")), h("div", { class: "grid" }, skeletons(12))));
      try {
        place.kept ??= await load(signal);
        picks.replaceChildren(...sections(place.kept));
      } catch (error) {
        if (!aborted(error)) picks.replaceChildren(trouble(error, () => this.show(route, place, signal)));
      }
    },
  };
}

async function load(signal) {
  const [mine, liked, popular, recent] = await Promise.all([
    asker() ? recommend("home", { k: PICKS, signal }) : null,
    session.shopper ? interests(session.shopper, signal).catch(() => null) : null, // the page does not hang on them
    recommend("home", { shopper: null, k: PICKS, signal }),
    recentHits([], signal),
  ]);
  return { mine, liked, popular, recent };
}

function sections({ mine, liked, popular, recent }) {
  if (!mine) return [...banners(popular), section(t("popularNow"), popular.hits)];
  const bought = mine.hits.filter((hit) => topReason(hit)?.code === "bought_before");
  const again = bought.length >= AGAIN_AT_LEAST ? bought : [];
  const picked = mine.hits.filter((hit) => !again.includes(hit));
  const seen = new Set(mine.hits.map((hit) => hit.product.id));
  const rest = popular.hits.filter((hit) => !seen.has(hit.product.id)).slice(0, POPULAR);
  return [
    ...banners(mine),
    ...mine.notes.map((note) => h("p", { class: "note" }, note)),
    liked && interestsPanel(liked),
    shelf(t("buyAgain"), again),
    recentShelf(recent),
    picked.length ? section(t("forYou"), picked) : null,
    shelf(t("popularNow"), rest),
  ].filter(Boolean);
}

const section = (title, hits, options) => h("section", {}, h("h2", {}, title), grid(hits, options));

function hero() {
  const { shopper, shop } = session;
  const faces = shop.categories.slice(0, 6).map(({ value }) => badge(value));
  return h(
    "section",
    { class: "hero" },
    h(
      "div",
      {},
      h("h1", { tabindex: "-1" }, shopper ? t("welcomeBack", shopper) : t("welcome")),
      h("p", {}, shopper ? t("welcomeBackText") : t("welcomeText", shop.products)),
      h("a", { class: "button light", href: "#/category" }, t("startBrowsing")),
    ),
    h("div", { class: "hero-faces", "aria-hidden": "true" }, faces),
  );
}

function departments() {
  const tile = ({ value, count: n }) =>
    h("a", { class: "tile", href: link("category", value) }, badge(value), h("span", { class: "tile-name" }, value), h("span", { class: "n" }, count(n)));
  const shown = session.shop.categories.slice(0, 18);
  return shown.length > 0 && h("section", {}, h("h2", {}, t("departments")), h("div", { class: "tiles" }, shown.map(tile)));
}
