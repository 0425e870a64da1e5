// Opens the console: asks what the shop is, draws the frame, and shows the page that the address names.

import { h } from "../../storefront/js/dom.js";
import * as api from "./api.js";
import { door, isLocked } from "./door.js";
import { frame, lit, markPage } from "./frame.js";
import { keepKey, keyOfTab } from "./memory.js";
import { experiments } from "./pages/experiments.js";
import { health } from "./pages/health.js";
import { imports } from "./pages/imports.js";
import { journal } from "./pages/journal.js";
import { overview } from "./pages/overview.js";
import { queries } from "./pages/queries.js";
import { recommend } from "./pages/recommend.js";
import { rules } from "./pages/rules.js";
import { search } from "./pages/search.js";
import { snapshots } from "./pages/snapshots.js";
import { start } from "./route.js";
import { trouble, waiting } from "./states.js";
import { language, t } from "./words.js";


const PAGES = { overview, search, recommend, queries, rules, imports, snapshots, experiments, health, journal };

const main = document.getElementById("main");
const head = document.getElementById("frame");
let shop = null;
let started = false;
let visit = new AbortController();

/** Each page is made anew: (params, {signal, shop}) => node. What it still asked for the one before is given up. */
function show(route) {
  const name = route.page in PAGES ? route.page : "overview";
  visit.abort();
  visit = new AbortController();
  markPage(head, name);
  document.title = `${t("pages")[name]} · ${shop.title}`;
  main.replaceChildren(PAGES[name](route.params, { signal: visit.signal, shop, failed }));
  scrollTo(0, 0);
  if (started) main.querySelector("h1")?.focus({ preventScroll: true });
  started = true;
}

/** A page that was refused for want of a key leads back to the door; any other trouble is told by `tell`. */
function failed(problem, tell) {
  if (api.aborted(problem)) return;
  if (isLocked(problem)) knock(problem);
  else tell(problem);
}

function draw() {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  const renew = (id) => {
    draw();
    if (shop) dispatchEvent(new PopStateEvent("popstate"));
    else open();
    document.getElementById(id)?.focus();
  };
  frame(head, Object.keys(PAGES), shop, renew);
}

function knock(problem) {
  const tried = Boolean(keyOfTab());
  visit.abort();
  shop = null;
  keepKey("");
  draw();
  document.title = t("locked");
  main.replaceChildren(door(Object.assign(problem, { tried }), open));
  main.querySelector("input").focus();
}

let routed = false;

async function open() {
  main.replaceChildren(h("div", { class: "opening" }, waiting()));
  try {
    shop = await api.about();
  } catch (problem) {
    if (isLocked(problem)) knock(problem);
    else {
      draw();
      main.replaceChildren(h("h1", { class: "unseen" }, t("console")), trouble(problem, open));
    }
    return;
  }
  draw();
  if (routed) dispatchEvent(new PopStateEvent("popstate"));
  else start(show);
  routed = true;
}

lit();
draw();
open();
