// What the shop takes for this shopper's interests: a small panel, each a way to the goods.

import { h } from "./dom.js";
import { linkTo } from "./wish.js";
import { t } from "./words.js";

const DEPARTMENTS = 3;
const CATEGORIES = 4;
const BRANDS = 3;

/** The panel, or null where nothing stands out. */
export function interestsPanel({ departments, categories, brands, prices }) {
  const within = categories.filter(({ value }) => value.includes(" > ")); // others are departments
  const tags = [
    ...departments.slice(0, DEPARTMENTS).map((tag) => way(tag, linkTo({ category: tag.value }))),
    ...within.slice(0, CATEGORIES).map((tag) => way(tag, linkTo({ category: tag.value }))),
    ...brands.slice(0, BRANDS).map((tag) => way(tag, linkTo({ filters: { brand: [tag.value] } }))),
    ...prices.map((tag) => h("span", { class: "chip soft interest", title: about(tag) }, t("priceBands")[tag.value])),
  ];
  if (!tags.length) return null;
  const label = h("h2", {}, t("interests"));
  return h("section", { class: "interests" }, label, h("p", {}, t("interestsText")), h("div", { class: "chips" }, tags));
}

const way = (tag, href) => h("a", { class: "chip soft interest", href, title: about(tag) }, tag.value.split(" > ").at(-1));

const about = ({ share, lift }) => t("interestAbout", Math.round(share * 100), Number(lift.toFixed(1)));
