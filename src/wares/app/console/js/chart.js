// Plots over days, drawn as SVG: stacked bars or lines, with a pointer that tells each day, and the same as a table.

import { h, svg } from "../../storefront/js/dom.js";
import { table } from "./card.js";
import { day, longDay, t } from "./words.js";

const HEIGHT = 210;
const EDGE = { left: 46, right: 10, top: 12, bottom: 26 };
const STEPS = [1, 2, 2.5, 5, 10];

/** `series`: [{name, values (n,), null = nothing is known}]; `format` writes a value; `most` = the top of the axis. */
export function chart({ title, note, days, series, stacked = false, format, most }) {
  const plot = h("div", { class: "plot", tabindex: 0, role: "group", "aria-label": t("plotLabel", title) });
  const told = h("p", { class: "unseen", "aria-live": "polite" });
  const tip = h("div", { class: "tip", hidden: true, "aria-hidden": "true" });
  const figure = h(
    "section",
    { class: "card chart" },
    h("div", { class: "card-head" }, h("h2", {}, title), series.length > 1 && legend(series)),
    note && h("p", { class: "fine card-note" }, note),
    h("div", { class: "plot-place" }, plot, tip),
    told,
    asTable(title, days, series, format),
  );
  const known = series.some((one) => one.values.some((value) => value !== null && value !== 0));
  if (!known) {
    plot.replaceChildren(h("p", { class: "plot-empty" }, t("nothingInSpan")));
    plot.removeAttribute("tabindex");
    return figure;
  }
  let at = null;
  let drawn = null;
  const draw = () => {
    const width = plot.clientWidth;
    if (!width) return;
    drawn = drawing(width, { title, days, series, stacked, format, most });
    plot.replaceChildren(drawn.node);
    if (at !== null) point(at);
  };
  const point = (i) => {
    at = Math.max(0, Math.min(days.length - 1, i));
    drawn.mark(at);
    const rows = series.map((one, s) => h("li", { class: `series-${s}` }, h("span", {}, one.name), h("b", {}, format(one.values[at]))));
    tip.replaceChildren(h("p", {}, longDay(days[at])), h("ul", {}, stacked ? rows.reverse() : rows));
    tip.hidden = false;
    const middle = drawn.x(at);
    tip.style.setProperty("--x", `${middle}px`);
    tip.classList.toggle("left", middle > plot.clientWidth / 2);
  };
  const leave = () => {
    at = null;
    tip.hidden = true;
    drawn?.mark(null);
  };
  plot.addEventListener("pointermove", (event) => drawn && point(drawn.nearest(event.clientX - plot.getBoundingClientRect().left)));
  plot.addEventListener("pointerleave", leave);
  plot.addEventListener("blur", leave);
  plot.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.key === "Escape") leave();
    if (!step || !drawn) return;
    event.preventDefault();
    point(at === null ? (step < 0 ? days.length - 1 : 0) : at + step);
    told.textContent = `${longDay(days[at])}: ${series.map((one) => `${one.name} ${format(one.values[at])}`).join(", ")}`;
  });
  new ResizeObserver(draw).observe(plot);
  return figure;
}

const legend = (series) => h("ul", { class: "legend" }, series.map((one, s) => h("li", { class: `series-${s}` }, one.name)));

function asTable(title, days, series, format) {
  const columns = [{ name: t("day"), cell: (i) => longDay(days[i]) }, ...series.map((one) => ({ name: one.name, right: true, cell: (i) => format(one.values[i]) }))];
  const details = h("details", { class: "as-table" }, h("summary", {}, t("asTable")));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(table(title, columns, days.map((_, i) => i).reverse()));
  });
  return details;
}

function drawing(width, { title, days, series, stacked, format, most }) {
  const n = days.length;
  const inner = width - EDGE.left - EDGE.right;
  const tall = HEIGHT - EDGE.top - EDGE.bottom;
  const slot = inner / n;
  const x = (i) => EDGE.left + slot * (i + 0.5);
  const sums = days.map((_, i) => series.reduce((sum, one) => sum + (one.values[i] ?? 0), 0));
  const highest = stacked ? Math.max(...sums) : Math.max(...series.flatMap((one) => one.values.filter((value) => value !== null)));
  const { top, step } = scale(most ?? highest, Number.isInteger(highest) && !most);
  const y = (value) => EDGE.top + tall * (1 - value / top);
  const node = svg("svg", { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, role: "img", "aria-label": title });
  for (let value = 0; value <= top + step / 1000; value += step) {
    node.append(svg("line", { class: "grid", x1: EDGE.left, x2: width - EDGE.right, y1: y(value), y2: y(value) }));
    node.append(svg("text", { class: "tick-text", x: EDGE.left - 8, y: y(value) + 4, "text-anchor": "end" }, format(value)));
  }
  const every = Math.ceil(n / Math.max(2, Math.floor(inner / 76)));
  for (let i = n - 1; i >= 0; i -= every) node.append(svg("text", { class: "tick-text", x: x(i), y: HEIGHT - 7, "text-anchor": "middle" }, day(days[i])));
  const guide = svg("line", { class: "guide", y1: EDGE.top, y2: HEIGHT - EDGE.bottom, visibility: "hidden" });
  node.append(guide);
  if (stacked) node.append(...bars(series, n, slot, x, y));
  else node.append(...series.flatMap((one, s) => lines(one.values, s, x, y)));
  return {
    node,
    x,
    nearest: (px) => Math.floor((px - EDGE.left) / slot),
    mark(i) {
      guide.setAttribute("visibility", i === null ? "hidden" : "visible");
      if (i === null) return;
      guide.setAttribute("x1", x(i));
      guide.setAttribute("x2", x(i));
    },
  };
}

/** A round top of the axis, and the step of its lines. */
function scale(highest, whole) {
  const rough = (highest || 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  let step = STEPS.map((one) => one * power).find((one) => one >= rough);
  if (whole) step = Math.max(1, Math.ceil(step));
  return { top: step * Math.ceil((highest || 1) / step - 1e-9), step };
}

function bars(series, n, slot, x, y) {
  const wide = Math.max(1, Math.min(28, slot * 0.66));
  const found = [];
  for (let i = 0; i < n; i++) {
    let below = 0;
    series.forEach((one, s) => {
      const value = one.values[i] ?? 0;
      if (value > 0) found.push(svg("rect", { class: `series-${s}`, x: x(i) - wide / 2, width: wide, y: y(below + value), height: Math.max(0.5, y(below) - y(below + value)), rx: Math.min(2, wide / 4) }));
      below += value;
    });
  }
  return found;
}

/** Runs of days with a value become lines, a lone one a dot; a gap stays a gap. */
function lines(values, s, x, y) {
  const runs = [];
  values.forEach((value, i) => {
    if (value === null) return;
    if (i > 0 && values[i - 1] !== null && runs.length) runs.at(-1).push([x(i), y(value)]);
    else runs.push([[x(i), y(value)]]);
  });
  return runs.map((run) =>
    run.length === 1
      ? svg("circle", { class: `series-${s}`, cx: run[0][0], cy: run[0][1], r: 3 })
      : svg("polyline", { class: `series-${s}`, points: run.map((point) => point.join(",")).join(" ") }),
  );
}

/** A line without axes, for a figure's corner. */
export function sparkline(values) {
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return null;
  const low = Math.min(...known);
  const span = Math.max(...known) - low || 1;
  const points = values.map((value, i) => value !== null && `${(i / (values.length - 1)) * 96 + 2},${26 - ((value - low) / span) * 22}`).filter(Boolean);
  return svg("svg", { class: "spark", viewBox: "0 0 100 30", preserveAspectRatio: "none", "aria-hidden": "true" }, svg("polyline", { points: points.join(" ") }));
}
