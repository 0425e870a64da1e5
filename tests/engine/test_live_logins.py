"""Logins between events, trainings and folds: a shopper's history is always all that they did, in order of time."""

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from live_shop import DAY_MS, NOW_MS, learnt, products, settings_of

from wares.domain.event import Event, EventKind
from wares.domain.shopper import Login
from wares.engine.live import Live
from wares.store.sqlite import Store

DEVICES = ("phone", "laptop", "tablet")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("see"), st.sampled_from(("anna", "ben", *DEVICES)), st.integers(0, 7)),
        st.tuples(st.just("login"), st.sampled_from(DEVICES), st.just(0)),
        st.tuples(st.just("fold"), st.just(""), st.just(0)),
        st.tuples(st.just("part"), st.sampled_from(DEVICES), st.just(0)),
    ),
    max_size=25,
)


@settings(max_examples=25, deadline=None)
@given(before=STEPS, after=STEPS)
def test_a_history_is_whole_however_logins_fall_between_events_trainings_and_folds(
    before: list[tuple[str, str, int]], after: list[tuple[str, str, int]]
) -> None:
    with tempfile.TemporaryDirectory() as name, Store.open(Path(name), "write") as store:
        folder = Path(name)
        store.catalogue.put(products())
        owner: dict[str, str] = {}
        done: list[tuple[str, int, int]] = []  # whose, when, product
        live: Live | None = None
        for place, (step, who, product) in enumerate([*before, ("train", "", 0), *after]):
            time_ms = NOW_MS - DAY_MS + 523_987 * place % 1_000_003  # in no order of time
            if step == "see":
                store.events.append([Event(EventKind.VIEW, time_ms, who, f"p{product}")])
                done.append((who, time_ms, product))
            elif step == "login":
                store.aliases.join(Login(who, "anna", True), NOW_MS)
                owner[who] = "anna"
            elif step == "part" and live is None:  # later a snapshot has learnt it: until the next training
                store.aliases.part(who)
                owner.pop(who, None)
            elif step == "train":
                live = Live(learnt(store, settings_of(folder), folder), None)
            elif step == "fold" and live is not None:
                live.catch_up(store.catalogue, store.events)
        assert live is not None
        live.catch_up(store.catalogue, store.events)
        ids = live.state.columns.ids
        for who in ("anna", "ben", *DEVICES):
            history = live.history(*store.shoppers.keys_of(who)) if store.shoppers.keys_of(who) else None
            expected = [(t, f"p{p}") for w, t, p in done if owner.get(w, w) == owner.get(who, who)]
            told = [] if history is None else zip(history.times_ms.tolist(), history.rows.tolist(), strict=True)
            assert [(time_ms, ids[row]) for time_ms, row in told] == sorted(expected)
