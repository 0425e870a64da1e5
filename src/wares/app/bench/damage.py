"""Files that are cut, altered, exchanged or gone: is it noticed, and does the last good state serve?

A small shop with two snapshots and two published versions of its rules is damaged in one place, opened, and mended
again, so often. What must hold each time: no fault reaches the asker, every answer is one that a whole state gives, and
where it is not the newest whole state a warning says so.
"""

import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from wares.app.bench.damage_ways import damaged
from wares.domain.event import Event, EventKind
from wares.domain.product import Product
from wares.engine.learnt import SNAPSHOTS
from wares.engine.rules.book import RuleBook
from wares.engine.settings import FILE_NAME
from wares.engine.shelf import current_name, make_current
from wares.errors import SettingsError
from wares.shop import open_shop
from wares.training.child import train_here
from wares.training.progress import Tell

_SETTINGS = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular", "item_knn", "co_bought"]\n'
_RULE = '[[rules]]\nname = "first"\npin = {{ {} = 1 }}\n'
Rng = np.random.Generator
Answer = tuple[str, tuple[str, ...], tuple[str, ...]]  # snapshot, hits of a search, hits of the home page


@dataclass
class Shop:
    """Where it is, and what each whole state answers: with the rules "new", "old" or "none"."""

    folder: Path
    newest: str
    answers: dict[tuple[str, str], Answer]


def damage_figures(times: int, rng: Rng, tell: Tell) -> dict[str, Any]:
    """`times` damages; how many of each kind, and every one that was not noticed or broke something."""
    with tempfile.TemporaryDirectory(prefix="wares-damage-") as scratch:
        shop = _built(Path(scratch) / "shop", tell)
        kinds, outcomes, faults = Counter[str](), Counter[str](), list[str]()
        for turn in range(times):
            tell("Damage", turn, times)
            kind, path, undo = damaged(shop.folder, shop.folder / SNAPSHOTS / shop.newest, rng)
            kinds[kind] += 1
            outcome, fault = _looked_at(shop, path)
            outcomes[outcome] += 1
            if fault:
                faults.append(f"{kind} {path.relative_to(shop.folder)}: {fault}")
            undo()
        tell("Damage", times, times)
        mended = _answer(shop.folder)[0] == shop.answers[shop.newest, "new"]
    return {
        "times": times, "kinds": dict(sorted(kinds.items())), "outcomes": dict(sorted(outcomes.items())),
        "not_noticed_or_broken": len(faults), "examples": faults[:10], "mended_at_the_end": mended,
    }  # fmt: skip


def _built(folder: Path, tell: Tell) -> Shop:
    """A shop whose snapshots and rules each answer in another way."""
    tell("Building a shop", 0, 1)
    folder.mkdir(parents=True)
    (folder / FILE_NAME).write_text(_SETTINGS, encoding="utf-8")
    with open_shop(folder) as shop:
        shop.write_products(Product(f"p{i}", f"Oat thing {i}", price_minor=100 + i) for i in range(12))
        for best in ("p3", "p7"):
            day_ms = 86_400_000
            shop.writer().events.append(
                Event(EventKind.PURCHASE, 1_700_000_000_000 + i * day_ms, f"s{i % 9}", best if i % 3 else f"p{i % 12}")
                for i in range(120)
            )
            train_here(folder, lambda *told: None)
    answers = {}
    book = RuleBook(folder)
    for rules, pinned in (("none", ""), ("old", "p1"), ("new", "p2")):
        if pinned:
            book.publish(_RULE.format(pinned), "bench")
        for name in ("000001", "000002"):
            (folder / SNAPSHOTS / "CURRENT").write_text(name)
            answers[name, rules] = _answer(folder)[0]
    if len(set(answers.values())) != len(answers):
        raise AssertionError("two states of the shop answer alike: damage could not be told")
    tell("Building a shop", 1, 1)
    make_current(folder / SNAPSHOTS, "000002")
    return Shop(folder, "000002", answers)


def _answer(folder: Path) -> tuple[Answer, list[str]]:
    """What a newly opened shop says, and its warnings."""
    with open_shop(folder, create=False) as shop:
        pages = [shop.search("oat", k=12), shop.recommend("s1", k=12)]
        hits = [tuple(hit.product.id for hit in page.hits) for page in pages]
        return (pages[0].snapshot, hits[0], hits[1]), list(shop.engine.warnings)


def _looked_at(shop: Shop, path: Path) -> tuple[str, str]:
    """(what came of it, what is wrong with that; "" = nothing)."""
    try:
        answer, warnings = _answer(shop.folder)
    except SettingsError as error:
        is_told = path.name == FILE_NAME and FILE_NAME in str(error)
        return "refused with a reason", "" if is_told else f"SettingsError: {error}"
    except Exception as error:
        return "broken", f"{type(error).__name__}: {error}"
    state = next((state for state, known in shop.answers.items() if known == answer), None)
    if path.name == FILE_NAME:  # a person may change it: what can be read is as good as any, but not that it is gone
        gone = not path.exists() or not path.read_bytes().strip()
        return "other settings", "no warning" if gone and not warnings else ""
    if state is None:
        return "broken", f"an answer of no whole state: {answer}"
    if state == (shop.newest, "new"):
        harmless = path.name == "CURRENT" and current_name(path.parent) == shop.newest
        return "served as before", "" if warnings or harmless else "not noticed"
    return "the last good state served", "" if warnings else "no warning"
