"""What other rules would change: the same question answered by the published rules and by the others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from wares.domain.filter import AnyOf, Filter
from wares.domain.request import Request
from wares.domain.result import Page
from wares.domain.rule import Actions, Banner, Rule, When
from wares.domain.shopper import History
from wares.engine.live import Live
from wares.engine.page import present
from wares.engine.rules.serving import ServingRules
from wares.engine.stages import Answer
from wares.store.sqlite import Store

DEPTH = 20  # hits that are compared


class Answering(Protocol):
    """As much of the engine as a preview needs."""

    store: Store
    rules: ServingRules

    @property
    def live(self) -> Live: ...

    def history(self, shopper_id: str | None, live: Live | None = None) -> tuple[History, str]: ...

    def answer(
        self,
        request: Request,
        history: History,
        notes: Sequence[str] = (),
        live: Live | None = None,
        actions: Actions | None = None,
    ) -> Answer: ...


@dataclass(frozen=True)
class Question:
    """One request to look at. `attributes`: as if its shopper had these; None = those that are known of them."""

    request: Request
    attributes: Mapping[str, str] | None = None

    @property
    def label(self) -> str:
        """What is asked, for people."""
        request = self.request
        categories = request.filter.choices_of("category", fixed=True)
        parts = [
            f"{request.surface}",
            *([f'"{request.query}"'] if request.query else []),
            *([f"category {', '.join(categories)}"] if categories else []),
            *([f"market {request.market}"] if request.market else []),
            *([f"shopper {request.shopper_id}"] if request.shopper_id else []),
            *(f"{name} = {value}" for name, value in (self.attributes or {}).items()),
        ]
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Rank:
    """One product's place (from 1) before and after; None = not among the hits at all."""

    id: str
    title: str
    before: int | None
    after: int | None


@dataclass(frozen=True)
class Side:
    """The first hits of one answer, and what it says beside them."""

    ids: tuple[str, ...]
    total: int
    banners: tuple[Banner, ...]
    redirect: str
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Preview:
    """`ranks`: every product that is among the first hits of either answer, in the order of the new one; those that
    left it come last."""

    question: Question
    before: Side
    after: Side
    ranks: tuple[Rank, ...]

    @property
    def changes(self) -> bool:
        """Whether a shopper would notice."""
        return self.before != self.after


def preview(question: Question, old: Sequence[Rule], new: Sequence[Rule], engine: Answering, k: int = DEPTH) -> Preview:
    """The first `k` hits of a question under both sets of rules. Nothing is logged, and chance has no part."""
    live, shopper = engine.live, question.request.shopper_id
    request = replace(question.request, k=k)
    history = engine.history(shopper, live)[0]
    answers, sides = [], []
    for rules in (old, new):
        actions = engine.rules.actions(request, engine.store.shoppers, rules, question.attributes)
        answers.append(engine.answer(request, history, live=live, actions=actions))
        sides.append(_side(present(answers[-1], 0, k, engine.store.catalogue)))
    before, after = sides
    ids = list(dict.fromkeys((*after.ids, *before.ids)))
    known = engine.store.catalogue.get(ids)
    places = [_places(answer, ids) for answer in answers]
    titles = {name: product.title for name, product in known.items()}
    ranks = tuple(Rank(name, titles.get(name, ""), places[0].get(name), places[1].get(name)) for name in ids)
    return Preview(question, before, after, ranks)


def questions_about(whens: Iterable[When], surfaces: Mapping[str, bool], now_ms: int) -> list[Question]:
    """The requests that these rules are for, each once: every query, category and surface that they name. `surfaces`:
    the shop's, and whether each lists all matches. A rule of another season is asked about in that season."""
    found = dict[tuple[Request, tuple[tuple[str, str], ...]], Question]()
    for when in whens:
        queries = [" ".join(words) for words in (*when.queries, *when.containing)]
        asked = [name for name in when.surfaces if name in surfaces]
        if not asked:
            asked = ["search"] if queries else ["browse"] if when.category else ["browse", "home"]
            asked = [name for name in asked if name in surfaces] or list(surfaces)[:1]
        chosen = Filter((AnyOf("category", (when.category,), fixed=True),)) if when.category else Filter()
        attributes = {name: values[0] for name, values in when.segment}
        market = when.markets[0] if when.markets else ""
        for surface in asked:
            for query in queries or [""]:
                request = Request(surface, _season(when, now_ms), query, filter=chosen, market=market)
                found.setdefault((request, tuple(attributes.items())), Question(request, attributes or None))
    return list(found.values())


def _season(when: When, now_ms: int) -> int:
    """The moment nearest to now at which the rule holds."""
    at = max(now_ms, when.from_ms if when.from_ms is not None else now_ms)
    return at if when.until_ms is None else min(at, when.until_ms - 1)


def _side(page: Page) -> Side:
    ids = tuple(hit.product.id for hit in page.hits)
    return Side(ids, page.total, page.banners, page.redirect, page.notes)


def _places(answer: Answer, ids: Sequence[str]) -> dict[str, int]:
    wanted, names = set(ids), answer.view.columns.ids
    return {name: place for place, row in enumerate(answer.order.tolist(), 1) if (name := names[row]) in wanted}
