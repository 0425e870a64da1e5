// The console's questions, one function each. Every failure becomes a Problem.

import { keyOfTab, SHOP } from "./memory.js";

const BASE = new URL(SHOP ? `v1/shops/${encodeURIComponent(SHOP)}/console/` : "v1/console/", document.baseURI);

/** What went wrong, as RFC 9457 tells it; status 0 = the shop was not reached. */
export class Problem extends Error {
  constructor({ status = 0, code = "", title = "", detail = "" }) {
    super(detail || title);
    Object.assign(this, { status, code, title, detail });
  }
}

export const aborted = (error) => error.name === "AbortError";

async function ask(path, { method = "GET", body, signal, changes = false } = {}) {
  const key = keyOfTab();
  const headers = {
    ...(key && { authorization: `Bearer ${key}` }),
    ...(body && { "content-type": "application/json" }),
    ...(changes && { "x-wares-console": "1" }), // which no page of another origin can send
  };
  let response;
  try {
    response = await fetch(new URL(path, BASE), { method, headers, signal, body: body && JSON.stringify(body) });
  } catch (error) {
    if (aborted(error)) throw error;
    throw new Problem({});
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new Problem({ ...answer, status: response.status });
  return answer;
}

const post = (path, body, signal) => ask(path, { method: "POST", body, signal });
const change = (path, body, method = "POST") => ask(path, { method, body, changes: true });
const query = (facts) => `?${new URLSearchParams(facts)}`;

export const about = (signal) => ask("about", { signal });
export const overview = (days, anew, signal) => ask(`overview${query({ days, anew })}`, { signal });
export const health = (anew, signal) => ask(`health${query({ anew })}`, { signal });
export const lab = (asked, signal) => post("lab", asked, signal);
export const interests = (shopper, signal) => ask(`interests${query({ shopper })}`, { signal });
export const synonyms = (signal) => ask("synonyms", { signal });
export const rules = (signal) => ask("rules", { signal });
export const checkRules = (text, signal) => post("rules/check", { text }, signal);
export const previewRules = (asked, signal) => post("rules/preview", asked, signal);
export const imports = (signal) => ask("imports", { signal });
export const oneImport = (name, signal) => ask(`imports/${encodeURIComponent(name)}`, { signal });
export const snapshots = (signal) => ask("snapshots", { signal });
export const experiments = (signal) => ask("../experiments", { signal });
export const journal = (signal) => ask("journal", { signal });

export const writeDraft = (sent) => change("rules/draft", sent, "PUT");
export const discardDraft = (sent) => change("rules/discard", sent);
export const publishRules = (sent) => change("rules/publish", sent);
export const undoRules = (sent) => change("rules/undo", sent);
export const addSynonym = (sent) => change("synonyms", sent);
export const promote = (sent) => change("snapshots/promote", sent);
export const rollBack = (sent) => change("snapshots/rollback", sent);

/** What is worked out beside serving: asks again until it is there; `seen` is told whatever is known meanwhile. */
export async function awaited(question, signal, seen, anew = false) {
  for (let first = anew; ; first = false) {
    const told = await question(first, signal);
    seen(told);
    if (!told.running) return;
    await pause(700, signal);
  }
}

function pause(ms, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
