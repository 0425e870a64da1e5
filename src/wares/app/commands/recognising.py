"""What `wares import` takes a file for: its dialect, and what guessed columns mean, shown before they are used."""

from collections.abc import Sequence
from pathlib import Path

from wares.app.commands import screen
from wares.app.commands.tables import new_table
from wares.errors import InputError, UnknownName
from wares.feeds.dialects import product_feeds
from wares.feeds.dialects.free_columns import Guess
from wares.feeds.event_feed import DIALECTS as EVENT_DIALECTS
from wares.feeds.event_feed import OWN, check_dialect
from wares.feeds.report import Tally


def dialects_of(name: str, products: bool, events: bool) -> tuple[str, str]:
    """The dialect of the products and that of the events, "" = recognise it, where one option names either.

    Raises UnknownName for one that is neither's, or not of what is imported.
    """
    if products and not events:
        product_feeds.check_names(name, None)
    elif events and not products:
        check_dialect(name)
    of_events = (OWN, *EVENT_DIALECTS)
    if name and name not in (*product_feeds.NAMES, *of_events):
        raise UnknownName("dialect", name, {*product_feeds.NAMES, *of_events})
    return name if name in product_feeds.NAMES else "", name if name in of_events else ""


def chosen_columns(texts: Sequence[str]) -> dict[str, str]:
    """["title=Bezeichnung,price=Preis"] -> field -> column. A comma counts where a field and = follow."""
    chosen: dict[str, str] = {}
    for text in texts:
        field = ""
        for part in text.split(","):
            name, given, column = part.partition("=")
            if given and (name.strip() in product_feeds.FIELDS or not field):
                field = name.strip()
                chosen[field] = column.strip()
            elif field:
                chosen[field] += f",{part}"
            else:
                raise InputError(
                    f"{text[:80]!r} names no columns. Write FIELD=COLUMN, as title=Bezeichnung,price=Preis."
                )
    return chosen


def show_guesses(products: Sequence[Path], dialect: str, columns: Sequence[str]) -> dict[str, str]:
    """Prints on stderr what the columns of each file without a dialect are taken for. Returns the chosen columns.

    Raises UnknownName for a dialect, field or column that there is not; nothing is imported then.
    """
    chosen = chosen_columns(columns)
    named = dialect if dialect in product_feeds.NAMES else ""
    product_feeds.check_names(named, chosen)
    for path in (path for path in products if path.is_file()):
        tally = Tally(str(path))
        feed = product_feeds.recognise(product_feeds.read_feed(path, tally), tally, named, chosen)
        if not feed.guesses:
            continue
        show_columns(f"{path}: {feed.why}. What they are taken for:", feed.guesses)
    return chosen


def show_columns(head: str, guesses: Sequence[Guess]) -> None:
    """What columns are taken for, on stderr."""
    table = new_table("column", "is read as", "why")
    for guess in guesses:
        money = f", in {guess.currency}" if guess.currency else ""
        table.add_row(screen.shown(guess.column), (guess.field or "an attribute") + money, screen.shown(guess.why))
    screen.note(head)
    screen.stderr().print(table)
    screen.note("If this is wrong: --columns FIELD=COLUMN, as title=Bezeichnung,price=Preis.")
