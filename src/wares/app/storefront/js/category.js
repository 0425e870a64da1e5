// A category page: where one is, what is below, and the goods.

import { h } from "./dom.js";
import { listing } from "./listing.js";
import { badge } from "./pictures.js";
import { link } from "./router.js";
import { session } from "./session.js";
import { wishOf } from "./wish.js";
import { count, t } from "./words.js";

const leaf = (path) => path.split(" > ").at(-1);

/** The way down to a category, each level a link; the last one only where `whole`. */
export function crumbs(levels, whole = false) {
  const paths = levels.map((_, i) => levels.slice(0, i + 1).join(" > "));
  const steps = (whole ? paths : paths.slice(0, -1)).map((path) => h("li", {}, h("a", { href: link("category", path) }, leaf(path))));
  return h("nav", { class: "crumbs", "aria-label": t("categories") }, h("ol", {}, h("li", {}, h("a", { href: "#/" }, t("home"))), steps));
}

function below(category) {
  if (!category) return session.shop.categories;
  let level = session.shop.categories;
  for (;;) {
    const step = level.find(({ value }) => category === value || category.startsWith(`${value} > `));
    if (!step) return [];
    if (step.value === category) return step.children ?? [];
    level = step.children ?? [];
  }
}

const pill = ({ value, count: n }) => h("a", { class: "pill", href: link("category", value) }, leaf(value), h("span", { class: "n" }, count(n)));

export function category() {
  const where = h("div");
  const heading = h("h1", { tabindex: "-1" });
  const mark = h("div", { class: "heading" });
  const inside = h("nav", { class: "pills", "aria-label": t("categories") });
  const goods = listing();
  return {
    node: h("div", { class: "page" }, where, mark, inside, goods.node),
    show(route, place, signal) {
      const wish = wishOf(route);
      const path = wish.category;
      where.replaceChildren(crumbs(path ? path.split(" > ") : [""]));
      heading.textContent = path ? leaf(path) : t("allGoods");
      mark.replaceChildren(...(path ? [badge(path)] : []), heading);
      inside.replaceChildren(...below(path).map(pill));
      return goods.show(wish, place, signal);
    },
    title: () => heading.textContent,
  };
}
