"""Rows -> shoppers: an id and whatever the shop knows about them. What is missing is left out, never guessed."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from wares.domain.shopper import Shopper
from wares.feeds.filling import Known, complete
from wares.feeds.missing import Way
from wares.feeds.readers import Row, Source, name_of, read_rows
from wares.feeds.report import Reading, RowFault, Tally
from wares.feeds.values import is_missing_word, read_text

ID_NAMES = ("shopper_id", "user_id", "customer_id", "id")
MAX_ID = 500  # characters
MAX_VALUE = 200  # characters of one attribute value


def read_shoppers(
    source: Source, *, rejects: Path | None = None, examples: int = 5, fill: Mapping[str, Way] | None = None
) -> Reading[Shopper]:
    """Shoppers of a path, table or iterable of dicts, each id once: of two rows with one id the last wins.

    Every column but the id is an attribute ("age": "35-44"), or an `attributes` dict holds them. Missing values
    (none, "", "NA", "unknown") are left out; `report.missing` counts them by attribute. All shoppers are held in
    memory until the source ends. `fill` says how missing values of an attribute are filled, and marks them. Raises
    InputError for a source that cannot be read at all.
    """
    tally = Tally(name_of(source), rejects, examples)

    rows = read_rows(source, tally)

    def shoppers() -> Iterator[Shopper]:
        last: dict[str, Shopper] = {}
        known: dict[str, Known] = {}
        for line, row in rows:
            tally.line = line
            try:
                shopper = _shopper(row, tally)
            except RowFault as fault:
                tally.reject(fault, row)
                continue
            tally.kept += 1
            if last.pop(shopper.id, None) is not None:
                tally.repair("repeated id: the last row counts", "shopper_id", shopper.id, "Give each shopper once.")
            last[shopper.id] = shopper
            if fill:
                known[shopper.id] = Known(line, row, shopper.attributes)
        if not fill:
            yield from last.values()
            return
        told = complete([known[id_] for id_ in last], fill, "shopper", tally)
        yield from (Shopper(id_, facts) for id_, facts in zip(last, told, strict=True) if facts is not None)

    return Reading(shoppers(), tally)


def _shopper(row: Row, tally: Tally) -> Shopper:
    columns = {str(name).strip().lower().replace(" ", "_"): name for name in row}
    id_column = next((columns[name] for name in ID_NAMES if name in columns), None)
    shopper_id = read_text(row[id_column]) if id_column is not None else ""
    if not shopper_id:
        raise RowFault("no id", "shopper_id", None, "Give each shopper a 'shopper_id'.")
    if len(shopper_id) > MAX_ID:
        raise RowFault("id too long", "shopper_id", shopper_id, f"Use ids of at most {MAX_ID} characters.")
    told = {name: value for name, value in row.items() if name != id_column}
    if isinstance(nested := told.pop("attributes", None), dict):
        told |= nested
    attributes = {}
    for column, raw in told.items():
        name = read_text(column, 100)
        value = "" if isinstance(raw, dict | list) else read_text(raw, MAX_VALUE)
        if is_missing_word(value):
            tally.miss(name)
        elif name:
            attributes[name] = value
    return Shopper(shopper_id, attributes)
