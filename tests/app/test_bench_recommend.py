"""Who foresees the next item: blocks agree with single answers, fits see what they may, and the figures are right."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from rich.console import Console
from typer.testing import CliRunner

from wares.app.bench import recommend_data
from wares.app.bench.recommend import chosen_rows, recommend_figures
from wares.app.bench.recommend_data import (
    NOW_MS,
    cut,
    events_of,
    measure,
    one_a_day,
    share_in_order,
    some_shoppers,
    with_runs_shuffled,
)
from wares.app.bench.recommend_plot import print_recommend, recommend_html
from wares.app.bench.recommend_rows import ABLATION, ROWS, SHOPPER_MODEL, Fitted, Items, Lesson, Row
from wares.app.cli import app
from wares.contracts import BehaviourModel, Floats
from wares.domain.interactions import Interactions
from wares.errors import InputError, UnknownName
from wares.evaluation.replay import asking, leave_one_out_table
from wares.evaluation.splits import DAY_MS, split_leave_one_out
from wares.feeds.sequences import Sequences
from wares.models.blend import Blend
from wares.models.popular import Popular

NOTHING = Items((), (), None)
LEARNT = [row.name for row in ROWS if not (row.needs_texts or row.needs_torch or row.needs)]


def sequences(*lines: list[int], n_items: int = 0) -> Sequences:
    rows = np.array([row for line in lines for row in line], np.int32)
    indptr = np.concatenate([[0], np.cumsum([len(line) for line in lines])]).astype(np.int64)
    n_items = n_items or int(rows.max()) + 1
    return Sequences(tuple(f"u{u}" for u in range(len(lines))), tuple(f"i{i}" for i in range(n_items)), rows, indptr)


def crowd(n_users: int = 60, n_items: int = 30, seed: int = 4) -> Interactions:
    """Users who walk along a ring of items with jumps; a few of them met two items only."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, 12, n_users)
    walks = [(rng.integers(n_items) + np.cumsum(rng.integers(1, 4, n))) % n_items for n in lengths]
    return events_of(sequences(*(walk.tolist() for walk in walks), n_items=n_items))


def written(folder: Path, lines: list[list[int]]) -> Path:
    path = folder / "shop.txt"
    path.write_text("".join(f"u{u} {' '.join(f'i{i}' for i in line)}\n" for u, line in enumerate(lines)))
    return path


def walked(n_users: int = 40, n_items: int = 12) -> list[list[int]]:
    """Everybody goes round the same ring, from where they like: the next item is always known, and none is popular."""
    return [[(u + step) % n_items for step in range(6)] for u in range(n_users)]


def figures_of(folder: Path, rows: list[Row], lines: list[list[int]] | None = None, **given: Any) -> dict[str, Any]:
    data = written(folder, lines or walked())
    options: dict[str, Any] = {"items": None, "seeds": 1, "seed": 0, "ties": "", "run": None, **given}
    cache = folder / options.pop("cache_name", "cache")
    return recommend_figures(data, rows=rows, cache=cache, tell=lambda *_: None, **options)


def always(name: str, best: int, **given: Any) -> Row:
    """A row that names one item whoever asks."""

    def score(asked: Interactions) -> Floats:
        scores = np.zeros((asked.n_shoppers, asked.n_products), np.float32)
        scores[:, best] = 1
        return scores

    return Row(name, lambda lesson: Fitted(score), **given)


# -- the data ----------------------------------------------------------------------------------------------------------


def test_items_are_met_one_a_day_and_the_last_one_now() -> None:
    events = events_of(sequences([0, 1, 2], [1, 0]))
    np.testing.assert_array_equal((NOW_MS - events.events.times_ms) // DAY_MS, [2, 1, 0, 1, 0])


def test_the_last_item_is_the_test_and_the_one_before_it_the_validation() -> None:
    parts = cut(events_of(sequences([0, 1], [2, 3, 4, 5], [5, 4, 0])))
    np.testing.assert_array_equal(parts.users, [1, 2])  # who met two items only teaches
    np.testing.assert_array_equal(parts.train.events.rows, [0, 1, 2, 3, 5])
    np.testing.assert_array_equal(parts.train_and_validation.events.rows, [0, 1, 2, 3, 4, 5, 4])
    np.testing.assert_array_equal(parts.validation.targets, [4, 4])
    np.testing.assert_array_equal(parts.test.targets, [5, 0])
    np.testing.assert_array_equal(parts.validation.asked.events.rows, [2, 3, 5])
    np.testing.assert_array_equal(parts.test.asked.events.rows, [2, 3, 4, 5, 4])
    for asked in (parts.validation.asked, parts.test.asked, parts.train):
        np.testing.assert_array_equal(asked.events.times_ms, one_a_day(asked).events.times_ms)


def test_a_file_without_anybody_to_ask_is_refused() -> None:
    with pytest.raises(InputError, match="No user has 3 items"):
        cut(events_of(sequences([0, 1], [2])))


@pytest.mark.parametrize("block", [1, 100, 10**9])
def test_blocks_of_users_give_what_asking_one_by_one_gives(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recommend_data, "_BLOCK_SCORES", block)
    given = crowd()
    parts, split = cut(given), split_leave_one_out(given)
    model = Popular()
    model.fit(parts.train, NOW_MS)
    expected = leave_one_out_table({"popular": asking(model, NOW_MS)}, split, np.random.default_rng(0))
    found = measure(lambda asked: np.tile(model.counts, (asked.n_shoppers, 1)), parts.test)
    np.testing.assert_allclose(found, expected.values["popular"][:, :2])


def test_an_item_met_before_is_out_of_the_ranking_unless_it_is_the_answer() -> None:
    parts = cut(events_of(sequences([0, 1, 2, 1], [0, 1, 2, 3])))
    ranked: list[Floats] = []
    found = measure(
        lambda asked: np.tile(np.array([9, 8, 7, 6], np.float32), (2, 1)), parts.test, on_ranked=ranked.append
    )
    np.testing.assert_array_equal(found, [[1, 1], [1, 1]])
    np.testing.assert_array_equal(np.isneginf(ranked[0]), [[True, False, True, False], [True, True, True, False]])


def by_day(n_users: int, share: float, n_items: int = 400) -> tuple[Interactions, list[str], list[list[int]]]:
    """A file that sorts the items of a day by their key, those keys, and the day of each item of each user."""
    rng = np.random.default_rng(1)
    keys = [f"{key:04}" for key in rng.permutation(n_items)]
    lines, days = [], []
    for _ in range(n_users):
        day = np.cumsum(rng.random(9) >= share)
        line = rng.choice(n_items, 9, replace=False)
        lines.append(line[np.lexsort((np.array(keys)[line], day))].tolist())
        days.append(day.tolist())
    return events_of(sequences(*lines, n_items=n_items)), keys, days


def test_days_show_in_the_order_of_the_keys() -> None:
    shares = [share_in_order(*by_day(1000, share)[:2]) for share in (0.0, 0.5, 1.0)]
    assert shares[0] == pytest.approx(0.5, abs=0.03)
    assert shares[0] < shares[1] < shares[2] == 1


def test_what_may_be_of_one_day_is_shuffled_and_nothing_beyond_a_step_back() -> None:
    events, keys, days = by_day(400, 0.6)
    shuffled = with_runs_shuffled(events, keys, np.random.default_rng(0))
    np.testing.assert_array_equal(shuffled.indptr, events.indptr)
    np.testing.assert_array_equal(shuffled.events.times_ms, events.events.times_ms)
    kept, of_a_day = 0, 0
    for user in range(400):
        before, after = events.history(user).rows, shuffled.history(user).rows
        back = np.flatnonzero(np.diff(np.array(keys)[before].astype(int)) < 0) + 1
        for one, two in zip(np.split(before, back), np.split(after, back), strict=True):
            assert sorted(one) == sorted(two)
        place = {row: i for i, row in enumerate(after.tolist())}
        same = [i for i in range(8) if days[user][i] == days[user][i + 1]]
        kept += sum(place[int(before[i])] < place[int(before[i + 1])] for i in same)
        of_a_day += len(same)
    assert kept / of_a_day == pytest.approx(0.5, abs=0.04)  # the order within a day tells nothing any more
    falling = events_of(sequences(*([2, 1, 0] for _ in range(5))))  # never in order of the keys: all of other days
    still = with_runs_shuffled(falling, ["a", "b", "c"], np.random.default_rng(0))
    np.testing.assert_array_equal(still.events.rows, [2, 1, 0] * 5)


# -- the rows ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LEARNT)
def test_a_block_scores_like_the_model_that_a_shop_asks(name: str) -> None:
    row = next(row for row in ROWS if row.name == name)
    events = crowd()
    fit = row.fit
    make: Callable[[], BehaviourModel] = fit.keywords["make"] if isinstance(fit, partial) else Popular
    model = make()
    model.fit(events, NOW_MS)
    found = fit(Lesson(events, None, NOTHING)).score(some_shoppers(events, 10, 40))
    assert found.shape == (30, 30)
    for user in range(30):
        expected = model.score(events.history(10 + user), NOW_MS)
        np.testing.assert_allclose(found[user], expected, rtol=1e-3, atol=1e-5)


def test_texts_near_to_what_was_met_come_first_and_an_item_without_text_is_no_candidate() -> None:
    vectors = np.array([[1, 0, 0.5], [0.9, 0.1, 0.5], [0, 1, 0.5], [0, 0, 0]], np.float32)
    row = next(row for row in ROWS if row.name == "text")
    fitted = row.fit(Lesson(crowd(), None, Items(("",) * 4, ((),) * 4, vectors)))
    scores = fitted.score(events_of(sequences([0], [2], [3], n_items=4)))
    assert scores[0].argsort()[::-1][:2].tolist() == [0, 1]
    assert scores[1].argmax() == 2
    assert not scores[2].any()
    assert not scores[:, 3].any()


def test_wares_blends_what_is_there_and_is_at_least_as_good(tmp_path: Path) -> None:
    rows = [row for row in ROWS if row.name in ("popular", "ItemKNN", "transitions", "wares")]
    found = figures_of(tmp_path, rows)["fits"]["train"]["rows"]
    assert found["wares"]["ndcg@10"] >= max(found[name]["ndcg@10"] for name in ("popular", "ItemKNN", "transitions"))
    assert found["wares"]["fit_cpu_s"] > found["transitions"]["fit_cpu_s"]


def test_a_part_left_out_gets_no_weight(tmp_path: Path) -> None:
    parts = cut(crowd())
    fitted = {row.name: row.fit(Lesson(parts.train, None, NOTHING)) for row in ROWS if row.name in ("ItemKNN", "graph")}
    without = next(row for row in ABLATION if row.name == "wares without graph")
    learnt = without.fit(Lesson(parts.train, parts.validation, NOTHING, fitted=fitted))
    assert learnt.parts == ("ItemKNN",) and len(learnt.chosen["weights"]) == 2
    assert "graph" not in without.needs and "ItemKNN" in without.needs


def test_the_blend_of_a_block_is_the_blend_of_each(tmp_path: Path) -> None:
    events = crowd()
    parts = cut(events)
    fitted = {row.name: row.fit(Lesson(parts.train, None, NOTHING)) for row in ROWS if row.name in ("ItemKNN", "graph")}
    wares = next(row for row in ROWS if row.name == "wares")
    learnt = wares.fit(Lesson(parts.train, parts.validation, NOTHING, fitted=fitted))
    again = wares.fit(Lesson(parts.train, None, NOTHING, fitted=fitted, chosen=learnt.chosen))
    blend = Blend(("ItemKNN", "graph"), learnt.chosen["weights"])
    asked = some_shoppers(events, 10, 20)
    together = learnt.score(asked)
    np.testing.assert_array_equal(together, again.score(asked))
    scores = {name: one.score(asked) for name, one in fitted.items()}
    for i in range(10):
        alone = blend.score({name: of_all[i] for name, of_all in scores.items()})
        np.testing.assert_allclose(together[i], alone, rtol=1e-4, atol=1e-5)


def test_the_shopper_model_learns_what_follows_and_a_sasrec_from_ids_alone(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    items = tmp_path / "items.csv"
    items.write_text(
        "item_id,text,attributes\n" + "".join(f"i{i},thing {i},kind{i % 3}|even{i % 2}\n" for i in range(12))
    )
    rows = [row for row in ROWS if row.name in ("popular", "SASRec", SHOPPER_MODEL)]
    found = figures_of(tmp_path, rows, items=items)["fits"]["train"]["rows"]
    for name in ("SASRec", SHOPPER_MODEL):
        assert found[name]["ndcg@10"] > found["popular"]["ndcg@10"]


def test_without_torch_the_others_are_compared_and_a_note_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wares.app.bench.recommend.find_spec", lambda name: None)
    figures = figures_of(tmp_path, [row for row in ROWS if row.name in ("popular", SHOPPER_MODEL)])
    assert set(figures["fits"]["train"]["rows"]) == {"popular"}
    assert any("pip install 'wares[train]'" in note for note in figures["notes"])


def test_a_chosen_row_brings_the_rows_it_is_made_of() -> None:
    rows = [always("a", 0), always("b", 1), always("mix", 2, needs=("b",)), always("more", 3, needs=("mix",))]
    assert [row.name for row in chosen_rows(rows, ["more"])] == ["b", "mix", "more"]
    assert [row.name for row in chosen_rows(rows, [])] == ["a", "b", "mix", "more"]
    with pytest.raises(UnknownName, match="Known: a, b, mix, more"):
        chosen_rows(rows, ["moer"])


# -- the figures -------------------------------------------------------------------------------------------------------


def test_what_always_comes_next_is_foreseen(tmp_path: Path) -> None:
    rows = [row for row in ROWS if row.name in ("transitions", "popular")]
    figures = figures_of(tmp_path, sorted(rows, key=lambda row: row.name != "transitions"))
    assert figures["users"] == figures["asked"] == 40
    assert figures["items"] == 12
    for fit in figures["fits"].values():
        assert fit["reference"] == "transitions"
        row = fit["rows"]["transitions"]
        assert (row["recall@10"], row["ndcg@10"], row["low"], row["high"]) == (1, 1, 1, 1)
        assert fit["rows"]["popular"]["ndcg@10"] < 0.9
        minus = fit["reference_minus"]["popular"]["ndcg@10"]
        assert 0 < minus["low"] <= minus["difference"] <= minus["high"]
        assert minus["relative"] == pytest.approx(1 / fit["rows"]["popular"]["ndcg@10"] - 1, abs=1e-3)
    assert figures["fits"]["train"]["rows"]["popular"]["validation"]["recall@10"] > 0
    json.dumps(figures, allow_nan=False)


def test_wares_is_the_row_that_others_are_compared_with(tmp_path: Path) -> None:
    figures = figures_of(tmp_path, [always("one", 0), always("wares", 1)])
    assert figures["fits"]["train"]["reference"] == "wares"
    assert figures["fits"]["train"]["reference_minus"].keys() == {"one"}


def test_a_row_learns_first_with_the_validation_and_then_with_what_it_chose(tmp_path: Path) -> None:
    lessons: list[Lesson] = []

    def fit(lesson: Lesson) -> Fitted:
        lessons.append(lesson)
        learnt = always("", 0).fit(lesson)
        return Fitted(learnt.score, {"rounds": 7 + lesson.seed})

    figures_of(tmp_path, [always("first", 0), Row("chooser", fit)], seed=3)
    train, both = lessons
    assert train.validation is not None
    assert len(train.validation) == 40
    assert train.chosen == {}
    assert both.validation is None
    assert both.chosen == {"rounds": 10}
    assert train.fitted.keys() == both.fitted.keys() == {"first"}
    assert len(both.train.events) == len(train.train.events) + 40


def test_chance_is_averaged_over_the_seeds_and_certainty_asked_once(tmp_path: Path) -> None:
    fitted: list[tuple[str, int]] = []

    def noted(row: Row) -> Row:
        def fit(lesson: Lesson) -> Fitted:
            fitted.append((row.name, lesson.seed))
            best = 5 if lesson.seed == 1 else 0
            return always("", best if row.random else 0).fit(lesson)

        return Row(row.name, fit, row.random)

    lines = [[0, 1, 2, 5], [3, 4, 6, 5], *walked()]
    figures = figures_of(tmp_path, [noted(always("sure", 0)), noted(always("lucky", 0, random=True))], lines, seeds=3)
    assert fitted[:4] == [("sure", 0), ("lucky", 0), ("lucky", 1), ("lucky", 2)]
    assert len(fitted) == 8
    rows = figures["fits"]["train"]["rows"]
    assert rows["lucky"]["ndcg@10"] > rows["sure"]["ndcg@10"]


@dataclass
class Counted:
    """Rows that say which of them have learnt; `cut_at` is interrupted as by Ctrl-C."""

    learnt: list[tuple[str, int]] = field(default_factory=list)
    cut_at: str = ""

    def rows(self) -> list[Row]:
        def fit(name: str, best: int, lesson: Lesson) -> Fitted:
            if name == self.cut_at:
                raise KeyboardInterrupt
            self.learnt.append((name, lesson.seed))
            score = always("", best + lesson.seed if name == "lucky" else best).fit(lesson).score
            return Fitted(score, {"weights": np.array([0.1, best], np.float32), "rounds": 7})

        def blend(lesson: Lesson) -> Fitted:
            self.learnt.append(("wares", lesson.seed))
            if lesson.validation is None:
                assert lesson.chosen["weights"].dtype == np.float32
            one, two = (lesson.fitted[name].score for name in ("lucky", "sure"))
            chosen = {"weights": np.array([0.25], np.float32)}
            return Fitted(lambda asked: one(asked) + two(asked), chosen, ("lucky", "sure"))

        return [
            Row("sure", partial(fit, "sure", 3)),
            Row("lucky", partial(fit, "lucky", 5), random=True),
            Row("wares", blend, random=True, needs=("sure", "lucky")),
            Row("last", partial(fit, "last", 1)),
        ]


def figures_without_notes(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: told for name, told in figures.items() if name != "notes"}


def test_a_run_that_was_cut_goes_on_with_the_row_it_was_at(tmp_path: Path) -> None:
    counted = Counted(cut_at="last")
    with pytest.raises(KeyboardInterrupt):
        figures_of(tmp_path, counted.rows())
    assert counted.learnt == [("sure", 0), ("lucky", 0), ("wares", 0)]
    counted.cut_at = ""
    figures = figures_of(tmp_path, counted.rows())
    assert counted.learnt[3:] == [("last", 0), ("sure", 0), ("lucky", 0), ("wares", 0), ("last", 0)]
    assert any(note.startswith("3 of 8 rows were measured by an earlier run") for note in figures["notes"])
    whole = figures_of(tmp_path, Counted().rows(), cache_name="other")
    for fit, table in figures["fits"].items():
        assert table["reference_minus"] == whole["fits"][fit]["reference_minus"]


def test_a_run_that_is_done_learns_nothing_and_says_the_same(tmp_path: Path) -> None:
    run = tmp_path / "run.csv"
    before = figures_of(tmp_path, Counted().rows(), seeds=2, run=run)
    ranked, counted = run.read_text(), Counted()
    run.unlink()
    again = figures_of(tmp_path, counted.rows(), seeds=2, run=run)
    assert not counted.learnt
    assert run.read_text() == ranked
    assert figures_without_notes(again) == figures_without_notes(before)


def test_a_row_that_is_made_of_kept_ones_makes_them_learn_again_and_nobody_else(tmp_path: Path) -> None:
    rows = Counted().rows()
    figures_of(tmp_path, [rows[0], rows[1], rows[3]])
    counted = Counted()
    figures = figures_of(tmp_path, counted.rows())
    assert counted.learnt == [("sure", 0), ("lucky", 0), ("wares", 0)] * 2
    assert any(note.startswith("6 of 8 rows") for note in figures["notes"])
    more = Counted()
    figures_of(tmp_path, more.rows(), seeds=2)  # of the second seed only what uses chance, and its parts
    assert more.learnt == [("sure", 0), ("lucky", 1), ("wares", 1)] * 2


def test_other_data_another_seed_and_other_code_are_measured_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures_of(tmp_path, Counted().rows())
    lines = walked()
    lines[3][2] = 11
    for given in ({"lines": lines}, {"seed": 1}):
        counted = Counted()
        figures_of(tmp_path, counted.rows(), **given)
        assert len(counted.learnt) == 8
    monkeypatch.setattr("wares.app.bench.recommend.code_digest", lambda: "a line was changed")
    counted = Counted()
    figures_of(tmp_path, counted.rows())
    assert len(counted.learnt) == 8


def test_what_was_ranked_is_ranked_again_where_the_run_before_did_not_keep_it(tmp_path: Path) -> None:
    figures_of(tmp_path, Counted().rows())
    counted = Counted()
    figures_of(tmp_path, counted.rows(), run=tmp_path / "run.csv")
    assert counted.learnt == [("sure", 0), ("lucky", 0), ("wares", 0)]
    assert (tmp_path / "run.csv").exists()


def test_a_kept_row_that_is_broken_and_a_folder_that_cannot_be_written_cost_time_only(tmp_path: Path) -> None:
    before = figures_of(tmp_path, Counted().rows())
    for i, path in enumerate(sorted((tmp_path / "cache" / "rows").iterdir())):
        path.write_bytes(b"" if i % 2 else path.read_bytes()[:-60])
    counted = Counted()
    again = figures_of(tmp_path, counted.rows())
    assert len(counted.learnt) == 8
    assert again["fits"]["train"]["reference_minus"] == before["fits"]["train"]["reference_minus"]
    (tmp_path / "file").write_text("")
    figures_of(tmp_path, Counted().rows(), cache_name="file")


def test_the_validation_is_compared_in_pairs_too_and_never_for_a_blend(tmp_path: Path) -> None:
    figures = figures_of(tmp_path, [always("one", 0), always("two", 1)])
    of_validation = figures["fits"]["train"]["reference_minus"]["two"]["validation"]
    rows = figures["fits"]["train"]["rows"]
    difference = rows["one"]["validation"]["recall@10"] - rows["two"]["validation"]["recall@10"]
    assert of_validation["recall@10"]["difference"] == pytest.approx(difference, abs=1e-5)
    assert "validation" not in figures["fits"]["train+validation"]["reference_minus"]["two"]
    blended = figures_of(tmp_path, Counted().rows())["fits"]["train"]
    assert "validation" not in blended["rows"]["wares"]
    assert all("validation" not in minus for minus in blended["reference_minus"].values())


def test_what_a_part_adds_is_asked_of_the_first_table_alone(tmp_path: Path) -> None:
    items = tmp_path / "items.csv"
    items.write_text("item_id,text,code\n" + "".join(f"i{i},,{i:02}\n" for i in range(12)))
    rows = [always("one", 0), always("part", 1, one_table=True)]
    figures = figures_of(tmp_path, rows, items=items, ties="code")
    assert {fit: set(table["rows"]) for fit, table in figures["fits"].items()} == {
        "train": {"one", "part"},
        "train+validation": {"one"},
    }
    assert set(figures["shuffled_ties"]["fits"]["train"]["rows"]) == {"one"}
    alone = figures_of(tmp_path, rows[1:], items=items, ties="code")
    assert alone["fits"].keys() == {"train"} and "shuffled_ties" not in alone
    first = figures_of(tmp_path, rows, items=items, ties="code", train_only=True)
    assert first["fits"].keys() == {"train"} and "shuffled_ties" in first
    assert all(row.one_table for row in ABLATION) and not any(row.one_table for row in ROWS)


def test_every_row_can_be_named_in_a_list() -> None:
    assert not [row.name for row in (*ROWS, *ABLATION) if "," in row.name]


def test_a_row_made_of_others_costs_what_they_cost(tmp_path: Path) -> None:
    def slow(lesson: Lesson) -> Fitted:
        np.linalg.svd(np.random.default_rng(0).normal(size=(400, 400)))
        return always("", 0).fit(lesson)

    def blend(lesson: Lesson) -> Fitted:
        return Fitted(lesson.fitted["slow"].score, parts=("slow",))

    rows = figures_of(tmp_path, [Row("slow", slow), Row("wares", blend, needs=("slow",))])["fits"]["train"]["rows"]
    assert rows["wares"]["fit_cpu_s"] >= rows["slow"]["fit_cpu_s"] > 0.01


def test_a_run_holds_what_was_ranked_without_what_was_met(tmp_path: Path) -> None:
    lines = walked()
    figures_of(tmp_path, [always("popular", 0), always("wares", 8)], lines, run=tmp_path / "out" / "run.csv")
    run = pl.read_csv(tmp_path / "out" / "run.csv")
    assert run.columns == ["user", "item", "rank", "score"]
    assert run["rank"].max() == 12 - 5
    for (user,), of_user in run.group_by("user"):
        met = {f"i{i}" for i in lines[int(str(user)[1:])][:-1]}
        assert not met & set(of_user["item"])
        if "i8" not in met:
            assert of_user.sort("rank")["item"][0] == "i8"
    figures_of(tmp_path, [always("wares", 8)], lines, run=tmp_path / "run.parquet")
    assert pl.read_parquet(tmp_path / "run.parquet").equals(run.cast(pl.read_parquet(tmp_path / "run.parquet").schema))


def test_texts_of_an_items_file_make_a_row_and_ties_a_second_table(tmp_path: Path) -> None:
    items = tmp_path / "items.csv"
    colours = ("red soap", "green soap", "blue towel", "wooden comb", "")
    lines = "".join(f"i{i},{colours[i % 5]},{11 - i:02}\n" for i in range(11))  # one item lacks
    items.write_text("item_id,text,code\n" + lines)
    rows = [row for row in ROWS if row.name in ("popular", "text")]
    figures = figures_of(tmp_path, rows, items=items, ties="code")
    assert figures["texts"]["encoded"] == 9
    assert set(figures["fits"]["train"]["rows"]) == {"popular", "text"}
    assert figures["shuffled_ties"]["by"] == "code"
    assert set(figures["shuffled_ties"]["fits"]["train"]["rows"]) == {"popular", "text"}
    assert any(note.startswith("1 of the items") for note in figures["notes"])
    page = recommend_html(figures)
    assert page.count("<svg") == 3
    console = Console(width=120)
    with console.capture() as shown:
        print_recommend(console, figures)
    assert "may be of one day" in shown.get()


def test_without_texts_and_dates_the_notes_say_what_is_not_there(tmp_path: Path) -> None:
    figures = figures_of(tmp_path, [row for row in ROWS if row.name in ("popular", "text")])
    assert set(figures["fits"]["train"]["rows"]) == {"popular"}
    told = " ".join(figures["notes"])
    assert "'text' needs texts" in told
    assert "no dates" in told
    assert "shuffled_ties" not in figures
    with pytest.raises(InputError, match="--items"):
        figures_of(tmp_path, list(ROWS), ties="code")


def test_the_command_prints_json_alone_and_draws_a_plot(tmp_path: Path) -> None:
    data, plot = written(tmp_path, walked()), tmp_path / "cost.html"
    asked = ["bench", "recommend", "--data", str(data), "--only", "popular, ItemKNN", "--json", "--plot", str(plot)]
    found = CliRunner().invoke(app, asked)
    assert found.exit_code == 0
    figures = json.loads(found.stdout)
    row = figures["fits"]["train+validation"]["rows"]["ItemKNN"]
    assert {"recall@10", "ndcg@10", "low", "high"} <= row.keys()
    assert "ItemKNN" in plot.read_text()
