"""The commands about experiments: start, stop, list, show, check."""

import math
from datetime import UTC, datetime
from pathlib import Path

from wares.app.commands import screen
from wares.app.commands.profile_charts import text
from wares.app.commands.tables import new_table
from wares.engine.experiments.settings import CONTROL
from wares.errors import InputError
from wares.evaluation.charts import Bar, bars, differences
from wares.evaluation.experiment import FIGURES, LATENCY, PAST_DAYS, SURE_MISMATCH, Reading
from wares.evaluation.intervals import Interval
from wares.evaluation.web_page import figure, side_by_side, web_page
from wares.shop import open_shop

MEANING = {
    "success": "Answers from which a product was chosen (clicked, viewed, put aside, bought) within half an hour.",
    "clicked": "Answers from which a product was clicked or viewed within half an hour.",
    "cart": "Answers from which something went into the cart within half an hour.",
    "bought": "Answers from which something was bought within a day.",
    "revenue": "What a shopper spent from their first answer on, less refunds, in whole units of the currency.",
    "abandoned": "Answers with hits from which nothing was chosen.",
    "empty": "Answers without a hit.",
    "seconds": "From the answer to the first choice, in seconds.",
    LATENCY: "How long the engine took for a page, in milliseconds.",
}
_SHARES = ("success", "clicked", "cart", "bought", "abandoned", "empty")


def start_experiment(folder: Path, path: Path, by: str, note: str, *, as_json: bool) -> None:
    """Begin what the file describes, or say what stands in its way."""
    try:
        described = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: must be UTF-8 text; byte {error.start} is not.") from None
    with open_shop(folder, create=False) as shop:
        one = shop.experiments.start(described, by, note, where=str(path), now=datetime.now(UTC))
    if as_json:
        screen.print_json(one.to_dict())
        return
    print(
        f"{one.name} runs on {one.file.surface} for {one.file.share:.0%} of its shoppers: "
        f"{', '.join(f'{name} {share:.0%}' for name, share in one.file.shares.items())}. Answers count until "
        f"{_when(one.ends)} UTC. A running server takes it up by itself."
    )


def stop_experiment(folder: Path, name: str, by: str, why: str, *, as_json: bool) -> None:
    """All get control again."""
    with open_shop(folder, create=False) as shop:
        one = shop.experiments.stop(name, by, why, now=datetime.now(UTC))
    if as_json:
        screen.print_json(one.to_dict())
        return
    print(f"{one.name} has ended: all get control. `wares experiments show` tells what it has shown.")


def list_experiments(folder: Path, *, as_json: bool) -> None:
    """Every experiment, the newest first."""
    with open_shop(folder, create=False) as shop:
        found, warnings = shop.experiments.all()
    if as_json:
        screen.print_json({"experiments": [one.to_dict() for one in reversed(found)], "warnings": warnings})
        return
    for warning in warnings:
        screen.note(warning)
    if not found:
        print("No experiment was started yet. `wares experiments start FOLDER FILE` begins one.")
        return
    table = new_table("name", "surface", "kind", "share", "started (UTC)", "by", "state", "why", right=(3,))
    now = datetime.now(UTC)
    for one in reversed(found):
        state = "runs" if now < one.ends else "runs on, its time is over"
        if one.stopped is not None:
            state = f"stopped {_when(one.stopped)} by {one.stopped_by}"
        cells = one.name, one.file.surface, one.file.kind, f"{one.file.share:.0%}", _when(one.started)
        table.add_row(*map(screen.shown, (*cells, one.by, state, one.why or one.note)))
    screen.stdout().print(table)


def show_experiment(folder: Path, name: str, *, html: Path | None, simulated: bool, as_json: bool) -> Reading:
    """Read it, show it, and write the page."""
    with open_shop(folder, create=False) as shop:
        reading = shop.experiments.read(name, datetime.now(UTC), simulated=simulated)
        title = shop.settings.shop.title
    if html is not None:
        command = f"wares experiments show {folder} {name}{' --simulated' * simulated}"
        html.write_text(experiment_html(reading, title, command), encoding="utf-8")
    if as_json:
        screen.print_json(reading.to_dict() | {"simulated": simulated})
        return reading
    if simulated:
        screen.note("Simulated shoppers alone: nobody real did this.")
    _print(reading)
    if html is not None:
        screen.note(f"Charts: {html}")
    return reading


def check_experiments(folder: Path, *, as_json: bool) -> int:
    """The exit code: 1 if an experiment was stopped."""
    with open_shop(folder, create=False) as shop:
        found = shop.experiments.check(datetime.now(UTC))
    if as_json:
        read = [reading.experiment.name for reading in found.readings]
        screen.print_json({"read": read, "stopped": list(found.stopped)})
        return int(bool(found.stopped))
    for reading in found.readings:
        one = reading.experiment
        ended = f"stopped. {one.why}" if one.name in found.stopped else "no guardrail is surely broken."
        print(screen.shown(f"{one.name}: {ended}"))
    if not found.readings:
        print("No experiment is under way.")
    return int(bool(found.stopped))


def experiment_html(reading: Reading, title: str, command: str) -> str:
    """The page: the verdict, each figure by variant, and what differs from control."""
    one = reading.experiment
    heading = f"{title}: experiment {one.name}"
    parts = [
        f"<h1>{text(heading)}</h1>",
        f"<p><strong>{text(reading.verdict)}</strong>. {text(reading.says)}</p>",
        f'<ul class="quiet">{"".join(f"<li>{text(line)}</li>" for line in _about(reading))}</ul>',
        f"<pre><code>{text(command)}</code></pre>",
    ]
    if reading.preference is not None:
        won, clicked = reading.preference.share, reading.preference.clicks
        drawn = bars("preference", [Bar("shoppers", won), Bar("clicks", clicked)], 3)
        parts.append(
            side_by_side([figure("preference", "The other's share. Above a half, it is preferred to control.", drawn)])
        )
        return web_page(heading, parts)
    parts.append(
        side_by_side(
            figure(
                name,
                MEANING[name],
                bars(name, [Bar(o.name, o.figures[name], o.name == CONTROL) for o in reading.outcomes], _digits(name)),
            )
            for name in FIGURES
        )
    )
    parts.append("<h2>What differs from control</h2>")
    parts.append(
        side_by_side(
            figure(
                name,
                f"{MEANING[name]} Difference, freed of what shoppers did before.",
                differences(name, [Bar(o.name, o.differences[name]) for o in reading.outcomes[1:]], _digits(name)),
            )
            for name in FIGURES
        )
    )
    return web_page(heading, parts)


def _print(reading: Reading) -> None:
    console = screen.stdout()
    console.print(screen.shown(f"{reading.experiment.name}: {reading.verdict}. {reading.says}"), soft_wrap=True)
    for line in _about(reading):
        console.print(screen.shown(line), soft_wrap=True)
    if (found := reading.preference) is not None:
        table = new_table("preference", "", right=(1,))
        table.add_row("shoppers who prefer the other", f"{found.wins:,}")
        table.add_row("who prefer control", f"{found.losses:,}")
        table.add_row("neither", f"{found.ties:,}")
        table.add_row("share that prefers the other", _cell(found.share, "success"))
        table.add_row("the other's share of clicks", _cell(found.clicks, "success"))
        table.add_row("p of the sign test", f"{found.p:.4f}")
        console.print(table)
        return
    labels = [screen.shown(one.name) for one in reading.outcomes]
    gains = [f"{label} - control" for label in labels[1:]]
    table = new_table("figure", *labels, *gains, right=range(1, 1 + len(labels) + len(gains)))
    blank = [""] * len(gains)
    table.add_row("shoppers", *(f"{one.shoppers:,}" for one in reading.outcomes), *blank)
    table.add_row("answers", *(f"{one.asks:,}" for one in reading.outcomes), *blank)
    for name in FIGURES:
        own = [_cell(one.figures[name], name) for one in reading.outcomes]
        table.add_row(name, *own, *(_cell(one.differences[name], name, "+") for one in reading.outcomes[1:]))
    console.print(table)


def _about(reading: Reading) -> list[str]:
    """What belongs to every reading, in sentences."""
    one = reading.experiment
    told = [
        f"On {one.file.surface}, {one.file.kind}, {one.file.share:.0%} of the shoppers, started {_when(one.started)} "
        f"UTC by {one.by}; answers count until {_when(one.ends)} UTC."
    ]
    if reading.preference is None:
        told.append(
            f"Intervals hold {reading.level:.1%} by shopper, at that moment alone; differences are freed of what "
            f"shoppers did in the {PAST_DAYS} days before."
        )
        parted = "as planned" if reading.mismatch >= SURE_MISMATCH else "NOT as planned"
        told.append(f"Shoppers are parted {parted} (chi-square test, p = {reading.mismatch:.3g}).")
    if reading.met_two:
        told.append(f"{reading.met_two:,} shoppers were met in several variants, under two ids: the first counts.")
    if reading.broken:
        told.append(f"Guardrail surely broken: {reading.broken}.")
    return told


def _cell(value: Interval, name: str, sign: str = "") -> str:
    if math.isnan(value.mean):
        return "–"
    share = name in _SHARES
    scale, digits, unit = (100, 1, "%") if share else (1, 2, "")
    mean = f"{scale * value.mean:{sign},.{digits}f}{unit}"
    if math.isnan(value.low):
        return mean
    between = " to " if sign else "–"
    return f"{mean}\n{scale * value.low:{sign},.{digits}f}{between}{scale * value.high:{sign},.{digits}f}"


def _digits(name: str) -> int:
    return 3 if name in _SHARES else 2


def _when(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M")
