// The address holds what is shown: #/page?params. Whatever an operator chose can be sent to somebody else as a link.

let shower = () => {};

export function link(page, params = {}) {
  const kept = Object.entries(params).filter(([, value]) => value !== "" && value !== null && value !== undefined && value !== false);
  const query = String(new URLSearchParams(kept));
  return `#/${page}${query && `?${query}`}`;
}

export function parse(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split(/\?(.*)/s);
  return { page: path, params: new URLSearchParams(query ?? "") };
}

export const here = () => parse(location.hash);

/** Another address: a step that Back undoes. */
export function go(address) {
  history.pushState(null, "", address);
  shower(here());
}

/** The same page with other choices: Back leads to where one came from, not through every letter. */
export function settle(address) {
  history.replaceState(null, "", address);
}

export const renew = () => shower(here());

export function start(show) {
  shower = show;
  addEventListener("popstate", renew);
  renew();
}
