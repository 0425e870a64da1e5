"""Charts as inline SVG: bars with intervals, differences around zero, columns, a scatter, curves, a path. Text in,
text out.

Colours come from the CSS variables of the page (--ink, --quiet, --line, --mark, --other), so that one picture serves
light and dark. Each carries its title and its numbers for people who hear it instead of seeing it.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from wares.evaluation.intervals import Interval

WIDTH, ROW, LETTER = 540, 30, 6.7  # pixels: chart, one line, one letter of a label
LONGEST = 30  # letters of a label; the rest is in its tooltip
FIGURE = 72  # pixels kept for the number at the right


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a chart. `other` draws it in the second colour (the reference)."""

    label: str
    value: Interval
    other: bool = False


@dataclass(frozen=True, slots=True)
class Point:
    label: str
    x: float
    y: float
    other: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """One point of a path, with the interval of its height."""

    label: str
    x: float
    y: Interval
    other: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """A line through points, from left to right."""

    label: str
    x: Sequence[float]
    y: Sequence[float]


def bars(title: str, lines: Sequence[Bar], digits: int = 4) -> str:
    """Horizontal bars from 0, each with its interval as a whisker and its number; nan shows as a dash."""
    left = _left(lines)
    top = max([abs(x) for line in lines for x in _known(line.value)], default=0.0) or 1.0
    room = WIDTH - left - FIGURE
    drawn = []
    for i, line in enumerate(lines):
        y, css = i * ROW + ROW / 2, "other" if line.other else "mark"
        drawn.append(_label(line.label, left, y))
        if not math.isnan(line.value.mean):
            drawn.append(
                f'<rect class="{css}" x="{left}" y="{y - 8:.1f}" '
                f'width="{max(1.0, room * max(0.0, line.value.mean) / top):.1f}" height="16" rx="2"/>'
            )
        drawn.append(_whisker(line.value, lambda x: left + room * max(0.0, x) / top, y))
        drawn.append(_text(WIDTH, y, _figure(line.value.mean, digits), "figure", "end"))
    return _svg(title, _heard(lines, digits), len(lines) * ROW, drawn)


def differences(title: str, lines: Sequence[Bar], digits: int = 4) -> str:
    """Dots with intervals around a line at 0: an interval that does not touch it is a difference."""
    left = _left(lines)
    top = max([abs(x) for line in lines for x in _known(line.value)], default=0.0) or 1.0
    room = (WIDTH - left - FIGURE) / 2
    middle = left + room

    def place(x: float) -> float:
        return middle + room * x / top

    drawn = [f'<line class="axis" x1="{middle:.1f}" x2="{middle:.1f}" y1="0" y2="{len(lines) * ROW}"/>']
    for i, line in enumerate(lines):
        y = i * ROW + ROW / 2
        sure = line.value.above_zero or line.value.below_zero
        drawn.append(_label(line.label, left, y))
        drawn.append(_whisker(line.value, place, y))
        if not math.isnan(line.value.mean):
            css = "mark" if sure else "unsure"
            drawn.append(f'<circle class="{css}" cx="{place(line.value.mean):.1f}" cy="{y}" r="5"/>')
        drawn.append(_text(WIDTH, y, _figure(line.value.mean, digits, signed=True), "figure", "end"))
    return _svg(title, _heard(lines, digits), len(lines) * ROW, drawn)


def columns(title: str, values: Sequence[tuple[str, float]], before: Sequence[float] = ()) -> str:
    """Columns from 0, left to right, with what each counts in its tooltip; of many only some are labelled.

    `before` draws what each was earlier as a short line in the second colour; nan = nothing.
    """
    height, left, bottom, top = 220, 60, 34, 12
    most = max([number for _, number in values] + [number for number in before if not math.isnan(number)], default=0.0)
    most = most or 1.0
    wide, tall = (WIDTH - left - 8) / max(1, len(values)), height - bottom - top
    every = max(1, math.ceil(LETTER * (max([len(label) for label, _ in values], default=0) + 2) / wide))
    drawn = []
    step = _round_step(most / 3)
    for i in range(int(most / step) + 1):
        y = top + tall * (1 - i * step / most)
        drawn.append(f'<line class="grid" x1="{left}" x2="{WIDTH - 8}" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(_text(left - 8, y, f"{i * step:,.12g}", "tick", "end"))
    for i, (label, number) in enumerate(values):
        x, y = left + i * wide, top + tall * (1 - number / most)
        told = f"<title>{escape(f'{label}: {number:,.6g}')}</title>"
        drawn.append(
            f'<rect class="mark" x="{x + wide * 0.08:.1f}" y="{y:.1f}" width="{wide * 0.84:.1f}" '
            f'height="{top + tall - y:.1f}">{told}</rect>'
        )
        if i < len(before) and not math.isnan(before[i]):
            y = top + tall * (1 - before[i] / most)
            drawn.append(f'<rect class="other" x="{x:.1f}" y="{y - 1.5:.1f}" width="{wide:.1f}" height="3"/>')
        if i % every == 0:
            drawn.append(_text(x + wide / 2, top + tall + 14, label, "tick", "middle"))
    heard = "; ".join(f"{label}: {number:,.6g}" for label, number in values)
    return _svg(title, heard, height, drawn)


def scatter(title: str, points: Sequence[Point], x_title: str, y_title: str) -> str:
    """Points over a logarithmic x axis and a y axis from 0; labels move apart where they would touch."""
    height, left, bottom, top = 320, 52, 44, 14
    shown = [p for p in points if math.isfinite(p.x) and math.isfinite(p.y)]
    xs = [math.log10(max(p.x, 1e-4)) for p in shown] or [0.0]
    low, high = math.floor(min(xs)), max(math.ceil(max(xs)), math.floor(min(xs)) + 1)
    most = max([p.y for p in shown], default=0.0) or 1.0
    wide, tall = WIDTH - left - 12, height - bottom - top
    drawn = []
    for power in range(low, high + 1):
        x = left + wide * (power - low) / (high - low)
        drawn.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{top + tall}"/>')
        drawn.append(_text(x, top + tall + 14, f"{10.0**power:g}", "tick", "middle"))
    step = _round_step(most / 4)
    for i in range(int(most * 1.08 / step) + 1):
        y = top + tall * (1 - i * step / most / 1.08)
        drawn.append(f'<line class="grid" x1="{left}" x2="{left + wide}" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(_text(left - 8, y, f"{i * step:.4g}", "tick", "end"))
    drawn.append(_text(left + wide / 2, height - 8, x_title, "tick", "middle"))
    drawn.append(_text(left + 6, top - 4, y_title, "tick", "start"))
    places = [
        (left + wide * (x - low) / (high - low), top + tall * (1 - p.y / most / 1.08))
        for p, x in zip(shown, xs, strict=False)
    ]
    taken = [(x - 7, x + 7, y) for x, y in places]  # (from x, to x, y) of each dot, then of each label, too
    for p, (x, y) in sorted(zip(shown, places, strict=True), key=lambda pair: pair[1][1]):
        start, label_y = _free_place(x, y, LETTER * len(p.label[:LONGEST]), left, taken)
        taken.append((start, start + LETTER * len(p.label[:LONGEST]), label_y))
        before = start < x
        near = x - 10 if before else x + 10
        if label_y != y:
            drawn.append(f'<line class="axis" x1="{x:.1f}" y1="{y:.1f}" x2="{near:.1f}" y2="{label_y:.1f}"/>')
        drawn.append(f'<circle class="{"other" if p.other else "mark"}" cx="{x:.1f}" cy="{y:.1f}" r="5.5"/>')
        drawn.append(_text(near, label_y, _short(p.label), "label", "end" if before else "start"))
    heard = "; ".join(f"{p.label}: {p.y:.4g} at {p.x:.3g}" for p in shown)
    lowest = max([label_y for _, _, label_y in taken], default=0.0)
    return _svg(title, heard, max(height, math.ceil(lowest) + 12), drawn)


def curves(title: str, lines: Sequence[Curve], x_title: str, y_title: str, mark: float | None = None) -> str:
    """Lines over a plain x axis, each named at its right end; a dashed line stands at the x `mark`."""
    height, left, right, bottom, top = 320, 52, 130, 44, 20
    xs = [x for line in lines for x in line.x] or [0.0, 1.0]
    ys = [0.0, *(y for line in lines for y in line.y)]
    low, high, least, most = min(xs), max(max(xs), min(xs) + 1e-9), min(ys), max(max(ys), min(ys) + 1e-9)

    def place(x: float, y: float) -> tuple[float, float]:
        across, down = (x - low) / (high - low), (most - y) / (most - least)
        return left + (WIDTH - left - right) * across, top + (height - top - bottom) * down

    drawn = []
    step = _round_step((most - least) / 4)
    for i in range(math.ceil(least / step), math.floor(most / step) + 1):
        y = place(low, i * step)[1]
        drawn.append(f'<line class="grid" x1="{left}" x2="{WIDTH - right}" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(_text(left - 8, y, f"{i * step:.4g}", "tick", "end"))
    step = _round_step((high - low) / 5)
    ticks = [i * step for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
    drawn += [_text(place(x, 0)[0], height - bottom + 14, f"{x:.4g}", "tick", "middle") for x in ticks]
    if mark is not None:
        x = place(mark, 0)[0]
        drawn.append(
            f'<line class="axis" stroke-dasharray="4 4" x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{height - bottom}"/>'
        )
    named = float("-inf")  # where the label above ends
    for line in sorted(lines, key=lambda line: -line.y[-1]):
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in map(place, line.x, line.y))
        drawn.append(f'<polyline fill="none" style="stroke: var(--mark)" stroke-width="1.6" points="{points}"/>')
        end = place(line.x[-1], line.y[-1])[1]
        named = max(end, named + 14)
        drawn.append(_text(WIDTH - right + 8, named, _short(line.label), "label", "start"))
    drawn.append(_text(left + (WIDTH - left - right) / 2, height - 8, x_title, "tick", "middle"))
    drawn.append(_text(left + 6, top - 10, y_title, "tick", "start"))
    heard = "; ".join(f"{line.label}: {line.y[-1]:.3g} at the end" for line in lines)
    return _svg(title, heard, max(height, math.ceil(named if lines else 0) + 12), drawn)


def path(title: str, steps: Sequence[Step], x_title: str, y_title: str) -> str:
    """Points with whiskers over plain axes, around a line at y = 0; those of the first colour are joined in order."""
    height, left, bottom, top = 310, 60, 44, 40
    steps = [step for step in steps if math.isfinite(step.x) and math.isfinite(step.y.mean)]
    xs = [step.x for step in steps] or [0.0]
    ys = [0.0, *(y for step in steps for y in _known(step.y))]
    wide_x, wide_y = max(max(xs) - min(xs), 1e-9), max(max(ys) - min(ys), 1e-9)
    low, high = min(xs) - 0.06 * wide_x, max(xs) + 0.12 * wide_x
    least, most = min(ys) - 0.05 * wide_y, max(ys) + 0.05 * wide_y
    wide, tall = WIDTH - left - 12, height - bottom - top

    def across(x: float) -> float:
        return left + wide * (x - low) / (high - low)

    def down(y: float) -> float:
        return top + tall * (most - y) / (most - least)

    drawn = []
    step_y, step_x = _round_step((most - least) / 5), _round_step((high - low) / 6)
    for i in range(math.ceil(least / step_y), math.floor(most / step_y) + 1):
        css, y = "grid" if i else "axis", down(i * step_y)
        drawn.append(f'<line class="{css}" x1="{left}" x2="{left + wide}" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(_text(left - 8, y, f"{i * step_y:.4g}".replace("-", "−"), "tick", "end"))
    ticks = [i * step_x for i in range(math.ceil(low / step_x), math.floor(high / step_x) + 1)]
    drawn += [_text(across(x), top + tall + 14, f"{x:.4g}", "tick", "middle") for x in ticks]
    joined = " ".join(f"{across(step.x):.1f},{down(step.y.mean):.1f}" for step in steps if not step.other)
    drawn.append(f'<polyline fill="none" style="stroke: var(--mark)" stroke-width="1.6" points="{joined}"/>')
    dots = [(across(step.x), down(step.y.mean)) for step in steps]
    taken = [(x - 7, x + 7, y) for x, y in dots]
    for step, (x, y) in zip(steps, dots, strict=True):
        if not math.isnan(step.y.low):
            drawn.append(f'<path class="whisker" d="M{x:.1f} {down(step.y.low):.1f}V{down(step.y.high):.1f}"/>')
        drawn.append(f'<circle class="{"other" if step.other else "mark"}" cx="{x:.1f}" cy="{y:.1f}" r="5"/>')
        start, label_y = _free_place(x, y - 12, LETTER * len(step.label[:LONGEST]), left, taken)
        taken.append((start, start + LETTER * len(step.label[:LONGEST]), label_y))
        near, anchor = (x - 10, "end") if start < x else (x + 10, "start")
        drawn.append(_text(near, label_y, _short(step.label), "label", anchor))
    drawn.append(_text(left + wide / 2, height - 8, x_title, "tick", "middle"))
    drawn.append(_text(left + 6, 8, y_title, "tick", "start"))
    heard = "; ".join(f"{step.label}: {step.y.mean:.3g} at {step.x:.3g}" for step in steps)
    return _svg(title, heard, height, drawn)


def _free_place(
    x: float, y: float, wide: float, left: float, taken: Sequence[tuple[float, float, float]]
) -> tuple[float, float]:
    """(where the label of the dot at x, y starts, its height): the nearest free place to the right or left."""
    for step in range(40):
        height = y + 15 * ((step + 1) // 2) * (1 if step % 2 else -1)
        for start in (x + 10, x - 10 - wide):
            inside = start >= left and start + wide <= WIDTH and height > 0
            if inside and not any(abs(height - h) < 15 and start < b and a < start + wide for a, b, h in taken):
                return start, height
    return x + 10, y


def _round_step(x: float) -> float:
    """The least of 1, 2, 5, 10 times a power of ten that is at least x."""
    power = 10.0 ** math.floor(math.log10(x))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= x * (1 - 1e-9))


def _svg(title: str, heard: str, height: float, drawn: Sequence[str]) -> str:
    return (
        f'<svg role="img" viewBox="0 0 {WIDTH} {height}" aria-label="{escape(f"{title}. {heard}", quote=True)}">'
        f"{''.join(drawn)}</svg>"
    )


def _left(lines: Sequence[Bar]) -> float:
    return LETTER * max([len(_short(line.label)) for line in lines], default=0) + 14


def _short(label: str) -> str:
    return label if len(label) <= LONGEST else label[: LONGEST - 1] + "…"


def _label(label: str, left: float, y: float) -> str:
    place = f'x="{left - 10:.1f}" y="{y + 4.5:.1f}" text-anchor="end"'
    return f'<text class="label" {place}><title>{escape(label)}</title>{escape(_short(label))}</text>'


def _whisker(value: Interval, place: Callable[[float], float], y: float) -> str:
    if math.isnan(value.low) or math.isnan(value.high):
        return ""
    low, high = place(value.low), place(value.high)
    return f'<path class="whisker" d="M{low:.1f} {y:.1f}H{high:.1f}M{low:.1f} {y - 4:.1f}v8M{high:.1f} {y - 4:.1f}v8"/>'


def _text(x: float, y: float, text: str, css: str, anchor: str) -> str:
    return f'<text class="{css}" x="{x:.1f}" y="{y + 4.5:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _known(value: Interval) -> list[float]:
    return [x for x in (value.mean, value.low, value.high) if not math.isnan(x)]


def _figure(x: float, digits: int, signed: bool = False) -> str:
    if math.isnan(x):
        return "–"
    return (f"{x:+.{digits}f}" if signed else f"{x:.{digits}f}").replace("-", "−")


def _heard(lines: Sequence[Bar], digits: int) -> str:
    return "; ".join(f"{line.label}: {_figure(line.value.mean, digits)}" for line in lines)
