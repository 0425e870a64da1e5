"""The composition root: the only place where the stages are introduced to each other."""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Encoder
from wares.domain.intent import Intent
from wares.domain.request import Request, Sort
from wares.domain.result import Candidates, Page, Slate
from wares.domain.rule import Actions
from wares.domain.shopper import History
from wares.domain.sponsored import Bid
from wares.engine.answers import Answers, GivenAgain, Question
from wares.engine.campaigns.serving import ServingCampaigns
from wares.engine.experiments.serving import ServingExperiments
from wares.engine.experiments.settings import CONTROL, INTERLEAVE
from wares.engine.exposures import ServingExposures
from wares.engine.impression import Impressions, impression_json, new_id
from wares.engine.interleaving import Interleaved, interleave
from wares.engine.known_products import KnownProducts
from wares.engine.live import Live
from wares.engine.observer import NO_ENCODER, Laps, Nobody, Observer
from wares.engine.paging import Paging
from wares.engine.rules.serving import ServingRules
from wares.engine.serving_encoder import ServingEncoder
from wares.engine.serving_live import ServingLive
from wares.engine.settings import Settings
from wares.engine.snapshot import Snapshot
from wares.engine.stages import Answer, Walk, answer, arranged, drawn, retrieved
from wares.engine.view import ShopView
from wares.engine.walks import walk_maker
from wares.errors import EncoderError
from wares.features.table import FeatureTable
from wares.models.attributes import named
from wares.models.encoder import TextEncoder
from wares.policies.sponsored import NAME as SPONSORED
from wares.ranking.formula import Formula
from wares.retrieval.understanding import Understanding
from wares.store.sqlite import Store

_BY_WORDS = "The meaning of the query could not be looked at: this answer goes by its words alone."
_RENEWED, _RENEWED_WITHIN_S = 200, 1.0  # answers at a time, at most; one takes some 10 ms of 100,000 products
_log = logging.getLogger("wares")


def new_encoder(settings: Settings, folder: Path) -> Encoder | None:
    """The text encoder that the settings name; None = the shop goes by words alone."""
    source, threads = settings.encoder.source, settings.encoder.threads
    if source == "none":
        return None
    return TextEncoder.load(None if source == "default" else folder / source, threads=threads)


class Engine:
    """One shop, answering. Reads may come from many threads.

    With a `snapshot` it answers from that as it is, without what came later: a replay of the past.
    """

    def __init__(
        self, folder: Path, settings: Settings, store: Store, encoder: Encoder | None, snapshot: Snapshot | None = None
    ) -> None:
        self.folder, self.settings, self.store = folder, settings, store
        self.warnings: list[str] = []
        self.impressions: Impressions | None = None  # set where answers are really shown to shoppers
        self.observer: Observer = Nobody()
        self._encoder = ServingEncoder(encoder) if encoder is not None else None
        self.exposures = ServingExposures(folder, self.warn)
        walk_of = walk_maker(settings, folder, self.exposures.current)
        self._walks = {surface: walk_of(profile) for surface, profile in settings.profiles.items()}
        self.rules = ServingRules(folder, self.warn)
        self.experiments = ServingExperiments(folder, settings, walk_of, self.warn)
        self.campaigns = ServingCampaigns(folder, store, self.warn)
        self.answers: Answers | None = None  # set where the same is asked by many
        self._coming = Lock()
        self.serving = ServingLive(folder, settings, store, self._encoder, self.warn, snapshot)
        self.paging = Paging(KnownProducts(store.catalogue, self.live.last_change))

    def refresh(self) -> None:
        """Fold in what was written since; take up a newer snapshot, newer rules and experiments if there are some."""
        self.take_up()
        self.follow()
        if self.impressions is not None:
            self.campaigns.fold(self.impressions.steady_ms())
        self.let_go()

    def take_up(self) -> None:
        """Load the current snapshot, if it is another than at the last look."""
        before = self.live.snapshot.name
        self.serving.take_up()
        if self.live.snapshot.name != before:
            self.observer.swapped(before, self.live.snapshot.name)

    def follow(self) -> None:
        """Fold in what was written since; take up newer rules and experiments. What was learnt stays as it is."""
        self.rules.follow()
        self.experiments.follow()
        self.exposures.follow()
        self.campaigns.follow()
        self.serving.catch_up()

    def exchange(self, now_ms: int) -> bool:
        """Take up the current snapshot, if it is another, and work out anew what was given more than once by the one
        before, as far as that takes no longer than a moment: who asks next need not wait for it. Whether it was
        another."""
        often = self.answers.given_again(_RENEWED) if self.answers is not None else []
        before = self.live.snapshot.name
        self.take_up()
        if self.live.snapshot.name == before:
            return False
        self.let_go()
        self._renew(often, now_ms)
        return True

    def _renew(self, often: Sequence[GivenAgain], now_ms: int) -> None:
        live, until_s = self.live, time.monotonic() + _RENEWED_WITHIN_S
        for one in often:
            if self.answers is None or self.live is not live or time.monotonic() > until_s:
                break  # it was replaced meanwhile, and nothing of it would be found
            try:
                self._renew_one(one, live, now_ms, self.answers)
            except Exception as fault:  # who asks hears of it; of the others this is no matter
                _log.warning("An answer could not be worked out anew: %s", type(fault).__name__)

    def _renew_one(self, one: GivenAgain, live: Live, now_ms: int, answers: Answers) -> None:
        request, history = replace(one.request, now_ms=now_ms), History.empty()
        if not one.is_anybodys:
            history, _ = self.history(request.shopper_id, live, simulated=request.simulated)
        actions = self.rules.actions(request, self.store.shoppers)
        question = Question.of(request, history, actions, one.walk)
        if not answers.holds(question):
            view = ShopView(live, now_ms, self.settings.market(request.market))
            found, is_whole = self._worked_out(request, history, actions, one.walk, view)
            if is_whole and self.live is live:
                answers.keep_again(question, found, view, one.until_s)

    def let_go(self) -> None:
        """Forget what no cursor may continue and nobody is given again: it may hold a snapshot that was replaced."""
        self.paging.cursors.let_go()
        if self.answers is not None:
            self.answers.let_go(self.live.state)

    @property
    def live(self) -> Live:
        """The snapshot that serves and what came since."""
        return self.serving.now

    @property
    def known(self) -> tuple[int, ...]:
        """How much of what was written, published and undone an answer knows: each of these numbers only grows. Two
        engines of one shop with the same numbers know the same."""
        followed = (self.rules, self.experiments, self.campaigns)
        return (*self.live.known, *(one.looked_for for one in followed), *self.serving.undone)

    def opened_after(self, known: Sequence[int]) -> None:
        """The shop was opened once another engine of it knew so much: what that one undid and read anew needs no more
        than this."""
        self.serving.opened_after(known[-2:])

    def come_to(self, known: Sequence[int]) -> None:
        """Know as much as an engine whose `known` this is."""
        with self._coming:  # whoever else must know as much waits until it is so
            if any(mine < theirs for mine, theirs in zip(self.known, known, strict=True)):
                self.serving.undo(known[-2:])
                live = self.live
                self.follow()
                live.looked_for(*known[:3])

    def observe(self, observer: Observer) -> None:
        """Tell this one from now on how it goes."""
        self.observer = observer
        if self._encoder is not None:
            self._encoder.observer = observer

    def encoder_cache(self) -> tuple[int, int]:
        """(queries whose vector was remembered, queries that were encoded) so far."""
        return self._encoder.cache() if self._encoder is not None else (0, 0)

    def forget(self, shopper_keys: Sequence[int]) -> None:
        """These shoppers were erased from the store."""
        self.campaigns.forget()
        self.serving.forget(shopper_keys)
        if self.answers is not None:
            self.answers.let_all_go()  # some hold what they did

    def warn(self, warning: str) -> None:
        """Remember and log what a shopkeeper should know; once."""
        if warning not in self.warnings:
            self.warnings.append(warning)
            _log.warning("%s", warning)

    def history(
        self, shopper_id: str | None, live: Live | None = None, *, simulated: bool = False
    ) -> tuple[History, str]:
        """The shopper's history in the rows of `live` (the present one if None), and a note if there is none.
        `simulated`: with what was played in their name."""
        if shopper_id is None:
            return History.empty(), ""
        keys = self.store.shoppers.keys_of(shopper_id)
        if not keys:
            return History.empty(), f"Shopper {shopper_id[:80]!r} is not known yet: this is what everybody gets."
        told = (live or self.live).history(*keys, simulated=simulated)
        if self.settings.models.sequence.attributes:
            told = self._with_attributes(told, shopper_id)
        return told, ""

    def _with_attributes(self, history: History, shopper_id: str) -> History:
        """With what the shopper told about themselves, as of now, as far as the settings let the shopper model read
        it."""
        shopper = self.store.shoppers.get(shopper_id)
        own = named(shopper.attributes, self.settings.models.sequence.attributes) if shopper is not None else ()
        return replace(history, attributes=own) if own else history

    def ask(self, request: Request) -> Page:
        """The page that answers a request, or the next one of an earlier answer."""
        started_s, note = time.perf_counter(), ""
        if request.cursor:
            kept, name, offset = self.paging.cursors.find(request.cursor)
            found: Answer | Interleaved = kept.to_keep()  # what a page looks up must not stay
        else:
            live = self.live  # one for the whole request, whatever is swapped meanwhile
            history, note = self.history(request.shopper_id, live, simulated=request.simulated)
            found, name, offset = self._by_variant(request, history, live), "", request.offset
        laps = found.view.laps if found.view.laps.seconds else Laps()  # of a kept answer nothing but the page is new
        page = self.paging.page(found, offset, request, name)
        page = replace(page, experiment=found.experiment, variant=found.variant) if found.experiment else page
        page = replace(page, notes=(note, *page.notes)) if note else page  # of this shopper, whoever shares the answer
        laps.end("present")
        self.observer.answered(request.surface, laps.seconds)
        if not request.k:  # nothing was shown, and there is no next page
            return page
        if self.impressions is None or page.redirect:  # sent elsewhere, nobody saw these hits
            return page
        page = replace(page, impression_id=new_id())
        whose = self.store.shoppers.hash(request.shopper_id) if request.shopper_id else None
        took_ms = (time.perf_counter() - started_s) * 1000
        self.impressions.record(impression_json(page, request, offset, took_ms), whose, simulated=request.simulated)
        if whose is not None and not request.simulated:
            self.campaigns.showed(page, whose, request.now_ms)
        return page

    def answer(
        self,
        request: Request,
        history: History,
        notes: Sequence[str] = (),
        live: Live | None = None,
        actions: Actions | None = None,
        walk: Walk | None = None,
    ) -> Answer:
        """All hits of a request in order, for a shopper with this history, as of `live` (the present one if None).
        `actions`: as if the shop's rules wanted this of it (None = what they want); `walk`: as if the surface were
        answered so (None = as its profile has it)."""
        walk = walk or self._walk(request.surface)
        is_logged = self.impressions is not None and actions is None  # else nobody would learn from what chance does
        chance = walk.chance if is_logged else ()
        if chance or not is_logged:  # what comes before chance is the same for all who ask the same
            walk = walk.without_chance
        view = ShopView(live or self.live, request.now_ms, self.settings.market(request.market))
        bids = self._bids(request, walk) if actions is None else ()
        actions = self.rules.actions(request, self.store.shoppers) if actions is None else actions
        question = Question.of(request, history, actions, walk) if self.answers is not None and not bids else None
        if question and self.answers and (kept := self.answers.find(question, view, walk)) is not None:
            return drawn(_with_notes(notes, kept), chance, request)
        found, is_whole = self._worked_out(request, history, actions, walk, view, bids)
        if question and self.answers and is_whole:
            self.answers.keep(question, found, view)
        return drawn(_with_notes(notes, found), chance, request)

    def _worked_out(
        self,
        request: Request,
        history: History,
        actions: Actions,
        walk: Walk,
        view: ShopView,
        bids: tuple[Bid, ...] = (),
    ) -> tuple[Answer, bool]:
        """The answer, without what is remembered of others, and whether that is all there is (`_read`)."""
        seeds, unknown = _seeds(request, view)
        intent, remarks, is_whole = self._read(request, history, seeds, actions, view)
        intent = replace(intent, bids=bids) if bids else intent
        view.laps.end("understand")
        view.expect(intent)
        return answer(intent, walk, view, (*remarks, *unknown)), is_whole

    def _read(
        self, request: Request, history: History, seeds: NDArray[np.int32], actions: Actions, view: ShopView
    ) -> tuple[Intent, Sequence[str], bool]:
        """What the request means, remarks on it, and whether that is all there is: where the encoder fails and a
        shopper waits, an answer by words is better than none."""
        reading = self._understanding(view)
        try:
            return *reading.read(request, history, seeds, actions), True
        except EncoderError as error:
            if self.impressions is None:
                raise
            self.warn(str(error))
            self.observer.degraded(NO_ENCODER)
            intent, remarks = replace(reading, encoder=None).read(request, history, seeds, actions)
            return intent, (*remarks, _BY_WORDS), False

    @property
    def encoder_fails(self) -> bool:
        """Whether queries go by words alone at the moment, because the encoder cannot be used."""
        return self._encoder is not None and self._encoder.fails

    def _bids(self, request: Request, walk: Walk) -> tuple[Bid, ...]:
        """What campaigns offer for places of this answer; nothing where nobody could be charged: it is not logged, or
        the shopper gives no id, by which robots and those who have seen enough are told."""
        if self.impressions is None or request.organic or request.shopper_id is None or not request.k:
            return ()
        if request.sort is not Sort.RELEVANCE or all(policy.name != SPONSORED for policy in walk.policies):
            return ()
        if not self.campaigns.campaigns:
            return ()
        return self.campaigns.bids(request, self.store.shoppers.hash(request.shopper_id))

    def _by_variant(self, request: Request, history: History, live: Live) -> Answer | Interleaved:
        """The answer that the shopper's variant of a running experiment gives. Who has no id gets control, and so do
        all where nothing is logged."""
        running, surface = None, request.surface
        if self.impressions is not None and request.shopper_id and self.experiments.run_on(surface):
            whose = self.store.shoppers.hash(request.shopper_id)
            running = self.experiments.experiment_of(surface, whose)
        if running is None or (running.kind == INTERLEAVE and (request.sort is not Sort.RELEVANCE or not request.k)):
            return self.answer(request, history, live=live)
        if running.kind == INTERLEAVE:
            walks = self._walk(surface), running.walks[running.other]
            plain = replace(request, organic=True)
            first, second = (self.answer(plain, history, live=live, walk=one.without_chance) for one in walks)
            return interleave(first, second, (CONTROL, running.other), running.experiment, request)
        variant = running.variant_of(whose)
        found = self.answer(request, history, live=live, walk=running.walks[variant])
        return replace(found, experiment=running.experiment, variant=variant)

    def arranged(self, request: Request, history: History, ways: Sequence[Actions]) -> list[Slate]:
        """The ranked hits of one request, found and scored once, as each of these would have them arranged; of what is
        found the first decides, so let them differ in their aims alone. Chance has no part."""
        walk = self._walk(request.surface)
        view = ShopView(self.live, request.now_ms, self.settings.market(request.market))
        intent, _ = self._understanding(view).read(request, history, _seeds(request, view)[0], ways[0])
        found = answer(intent, replace(walk, policies=()), view)
        policies = walk.without_chance.policies
        return [arranged(found.slate, policies, replace(found.intent, actions=way), view) for way in ways]

    def retrieve(self, request: Request, history: History | None = None) -> tuple[Intent, Candidates, FeatureTable]:
        """The candidates of a request as the ranker of its surface sees them, for learning."""
        view = ShopView(self.live, request.now_ms, self.settings.market(request.market))
        known = History.empty() if history is None else history
        intent, _ = self._understanding(view).read(request, known, np.empty(0, np.int32))
        return intent, *retrieved(intent, self._walk(request.surface), view)

    def formula(self, surface: str) -> Formula:
        """The declared formula of a surface."""
        return self._walk(surface).formula

    def understand(self, request: Request) -> Intent:
        """How the words of a request are read, for a shopper of whom nothing is known."""
        view = ShopView(self.live, request.now_ms, self.settings.market(request.market))
        return self._understanding(view).read(request, History.empty(), np.empty(0, np.int32))[0]

    def _understanding(self, view: ShopView) -> Understanding:
        state = view.state
        spelling = self.settings.search.spelling
        return Understanding(
            view.language, state.text, state.values, state.columns, view.market.currency, self._encoder, spelling,
            state.shares,
        )  # fmt: skip

    def _walk(self, surface: str) -> Walk:
        if surface not in self._walks:
            self.settings.profile(surface)  # raises the error that lists the known ones
        return self._walks[surface]


def _with_notes(notes: Sequence[str], found: Answer) -> Answer:
    return replace(found, notes=(*notes, *found.notes)) if notes else found


def _seeds(request: Request, view: ShopView) -> tuple[NDArray[np.int32], list[str]]:
    row_of = view.columns.row_of
    rows = [row_of[product_id] for product_id in request.seeds if product_id in row_of]
    unknown = [product_id for product_id in request.seeds if product_id not in row_of]
    return np.array(rows, np.int32), [f"Product {product_id[:80]!r} is not in the catalogue." for product_id in unknown]
