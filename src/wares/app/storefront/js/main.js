// Opens the shop: asks what it is, draws its frame, and shows the page that the address names.

import * as api from "./api.js";
import { cart } from "./cart.js";
import { category } from "./category.js";
import { footer } from "./footer.js";
import { header, markDepartment } from "./header.js";
import { home } from "./home.js";
import { meetWishes } from "./opinions.js";
import { product } from "./product.js";
import { renew, start } from "./router.js";
import { search } from "./search.js";
import { slashFocuses } from "./searchbox.js";
import { enter, session } from "./session.js";
import { trouble } from "./trouble.js";
import { wishes } from "./wishes.js";
import { greetIn, language } from "./words.js";

const PAGES = { search, category, product, cart, wishes }; // each makes {node, title(), show(route, place, signal)}

const main = document.getElementById("main");
const head = document.getElementById("header");
let box;
let now = { make: null, subject: "", page: null, visit: new AbortController() };

/** What a page is about; other filters or another sort of the same subject change the page in place. */
const subjectOf = (route) => [route.page, route.rest, route.params.get("q") ?? ""].join("/");

/** Show a route: the same listing is updated in place, any other page is made anew. */
async function show(route, place) {
  const make = PAGES[route.page] ?? home;
  const first = now.make === null;
  const subject = subjectOf(route);
  const stays = make === now.make && subject === now.subject && (make === search || make === category);
  now.visit.abort();
  const visit = new AbortController();
  now = { make, subject, visit, page: stays ? now.page : make() };
  if (!stays) main.replaceChildren(now.page.node);
  box.say(route.page === "search" ? (route.params.get("q") ?? "") : "");
  markDepartment(head, route);
  const done = now.page.show(route, place, visit.signal);
  if (!stays) scrollTo(0, 0);
  const arrive = () => !stays && !first && main.querySelector("h1")?.focus({ preventScroll: true });
  arrive();
  await done;
  if (visit.signal.aborted) return;
  if (document.activeElement === document.body) arrive(); // some headings come with the answer
  const title = now.page.title();
  document.title = title === session.shop.title ? title : `${title} · ${session.shop.title}`;
  if (place.scroll) scrollTo(0, place.scroll);
  else if (stays && main.querySelector(".found").getBoundingClientRect().top < 0) main.querySelector(".found").scrollIntoView();
}

function frame() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  box = header(head, changed);
  meetWishes();
  footer(document.getElementById("footer"));
}

function changed(what) {
  frame();
  now.visit.abort();
  now = { ...now, make: null };
  renew();
  document.getElementById(what)?.focus();
}

async function open() {
  try {
    enter(await api.shop());
    greetIn(session.shop.language);
  } catch (problem) {
    main.replaceChildren(trouble(problem, open));
    return;
  }
  frame();
  slashFocuses(() => box.input);
  start(show);
}

open();
