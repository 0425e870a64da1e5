// A wish is what the address bar says about a listing: words or a category, filters, a sort; and how the words are not
// to be read: `typed` = not corrected, `without` = the keys of what was read in them and taken back.
//   #/search?q=red+mlik&f.brand=Bluebell&r.price=1..5&sort=price&typed=1&without=colour:red

import { link } from "./router.js";

export const SORTS = ["relevance", "best_selling", "price", "-price", "newest"];

export function wishOf(route) {
  const filters = {};
  for (const [key, value] of route.params) {
    const field = key.slice(2);
    if (key.startsWith("f.")) (filters[field] ??= []).push(value);
    if (key.startsWith("r.")) filters[field] = rangeOf(value);
  }
  const sort = route.params.get("sort");
  return {
    query: route.page === "search" ? (route.params.get("q") ?? "").trim() : "",
    category: route.page === "category" ? route.rest || null : null,
    filters,
    sort: SORTS.includes(sort) ? sort : "relevance",
    asTyped: route.params.get("typed") === "1",
    without: route.params.getAll("without"),
  };
}

export function linkTo(wish) {
  const params = new URLSearchParams();
  if (wish.query) params.set("q", wish.query);
  for (const [field, choice] of Object.entries(wish.filters ?? {})) {
    if (!Array.isArray(choice)) params.set(`r.${field}`, `${choice.low ?? ""}..${choice.high ?? ""}`);
    else for (const value of choice) params.append(`f.${field}`, value);
  }
  if (wish.sort && wish.sort !== "relevance") params.set("sort", wish.sort);
  if (wish.query && wish.asTyped) params.set("typed", "1");
  if (wish.query) for (const key of wish.without ?? []) params.append("without", key);
  return wish.query ? link("search", "", params) : link("category", wish.category ?? "", params);
}

/** The wish with another choice on one field; an empty choice removes the filter. */
export function choosing(wish, field, choice) {
  const { [field]: _, ...filters } = wish.filters;
  const empty = Array.isArray(choice) ? !choice.length : choice.low === undefined && choice.high === undefined;
  return { ...wish, filters: empty ? filters : { ...filters, [field]: choice } };
}

/** Tick or untick one value. In a tree of categories a choice replaces those above and below it. */
export function toggling(wish, field, value) {
  const chosen = wish.filters[field] ?? [];
  if (chosen.includes(value)) return choosing(wish, field, chosen.filter((other) => other !== value));
  const related = (other) => other.startsWith(`${value} > `) || value.startsWith(`${other} > `);
  const kept = field === "category" ? chosen.filter((other) => !related(other)) : chosen;
  return choosing(wish, field, [...kept, value]);
}

function rangeOf(text) {
  const [low, high] = text.split("..").map((side) => (side && Number.isFinite(Number(side)) ? Number(side) : undefined));
  return { low, high };
}
