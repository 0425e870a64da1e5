"""Rules from the outside: what a merchandiser publishes, what shoppers get, and what is told before."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import wares.errors
from wares.domain.request import Request
from wares.domain.result import Page
from wares.engine.rules.preview import Question
from wares.errors import InputError, RulesError, SettingsError
from wares.shop import Shop, open_shop
from wares.store.impressions import read_impressions
from wares.store.lock import holder

SOURCE = str(Path(wares.errors.__file__).parents[1])
SETTINGS = """
[shop]
currency = "EUR"
[encoder]
source = "none"
[markets]
de = {}
"""
THINGS = ("Red anorak", "Blue anorak", "Green anorak", "Red scarf", "Blue scarf", "Wool socks", "Gift box", "Gift card")
PIN = '[[rules]]\nname = "Gifts"\nwhen = { query = "gift" }\npin = { p7 = 1 }\n'
BOX = '[[rules]]\nwhen = { query = "gift" }\nhide = ["p6"]\n'
HIDE = '[[rules]]\nhide = ["p0"]\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "wares.toml").write_text(SETTINGS)
    with open_shop(tmp_path) as shop:
        shop.put([
            {"id": f"p{i}", "title": title, "brand": ("Harbour", "Moor")[i % 2], "price": 10 + i,
             "category": "Clothes" if i < 6 else "Gifts"}
            for i, title in enumerate(THINGS)
        ])  # fmt: skip
        shop.put_shoppers([{"shopper_id": "ann", "age": "35-44"}, {"shopper_id": "bob", "age": "18-24"}])
    return tmp_path


@pytest.fixture
def shop(folder: Path) -> Iterator[Shop]:
    with open_shop(folder, create=False) as opened:
        yield opened


def ids(page: Page) -> list[str]:
    return [hit.product.id for hit in page.hits]


def kinds(shop: Shop, text: str) -> list[tuple[str, tuple[int, ...]]]:
    return [(one.kind, one.rules) for one in shop.rules.check(text).conflicts]


# -- publishing --------------------------------------------------------------------------------------------------------


def test_a_published_rule_changes_the_next_answer_and_an_undo_brings_the_former_back(shop: Shop) -> None:
    before = ids(shop.search("gift"))
    assert before == ["p6", "p7"]
    assert shop.rules.publish("Ann", "gifts", text=PIN).number == 1
    assert ids(shop.search("gift")) == ["p7", "p6"]
    assert shop.rules.undo("Bob").number == 2
    assert ids(shop.search("gift")) == before
    assert [(entry.version.number, entry.version.by) for entry in shop.rules.log()] == [(2, "Bob"), (1, "Ann")]
    assert shop.rules.version(1).text == PIN


def test_undo_goes_back_step_by_step_and_any_version_can_come_again(shop: Shop) -> None:
    texts = [PIN, PIN + HIDE, HIDE]
    for text in texts:
        shop.rules.publish("Ann", text=text)
    for back, expected in ((4, texts[1]), (5, texts[0]), (6, "")):
        assert shop.rules.undo("Ann").number == back
        assert shop.rules.published.text == expected
    with pytest.raises(InputError, match="nothing to undo"):
        shop.rules.undo("Ann")
    assert shop.rules.undo("Ann", to=3).same_as == 3
    assert shop.rules.published.text == HIDE
    with pytest.raises(InputError, match="the same as version 3"):
        shop.rules.undo("Ann", to=3)


def test_after_an_undo_and_a_new_version_undo_skips_what_was_undone(shop: Shop) -> None:
    shop.rules.publish("Ann", text=PIN)
    shop.rules.publish("Ann", text=PIN + HIDE)
    shop.rules.undo("Ann")
    shop.rules.publish("Ann", text=HIDE)
    assert shop.rules.undo("Ann").same_as == 1
    assert shop.rules.published.text == PIN


def test_an_open_shop_sees_what_another_process_published_while_a_third_one_holds_the_lock(folder: Path) -> None:
    with open_shop(folder, create=False) as serving, open_shop(folder, create=False) as reading:
        serving.writer()
        assert holder(folder) is not None
        assert ids(reading.search("gift")) == ["p6", "p7"]
        script = "import sys, wares\nwith wares.open(sys.argv[1], create=False) as shop:\n" + (
            f"    shop.rules.publish('Ann', text={PIN!r})\n"
        )
        subprocess.run([sys.executable, "-c", script, folder], check=True, env={**os.environ, "PYTHONPATH": SOURCE})
        for one in (serving, reading):
            one.engine.refresh()
            assert ids(one.search("gift")) == ["p7", "p6"]


def test_a_broken_draft_never_reaches_an_answer(shop: Shop) -> None:
    shop.rules.publish("Ann", text=PIN)
    shop.rules.begin_draft(
        '[[rules]]\nwhen = { surface = "serch" }\nhide = ["p7"]\n[[rules]]\npin = { p6 = "first" }\n'
    )
    assert [fault.partition(": ")[0] for fault in shop.rules.check().faults] == [f"{shop.rules.draft_path}:5"]
    with pytest.raises(RulesError, match=r"pin\.p6"):
        shop.rules.publish("Ann", anyway=True)
    shop.rules.draft_path.write_text('[[rules]]\nwhen = { surface = "serch" }\nhide = ["p7"]\n')
    with pytest.raises(RulesError, match="Did you mean 'search'"):
        shop.rules.publish("Ann", anyway=True)
    shop.engine.refresh()
    assert ids(shop.search("gift")) == ["p7", "p6"]
    assert shop.rules.published.number == 1
    assert shop.rules.draft is not None


def test_what_is_published_is_the_draft_which_is_gone_then(shop: Shop) -> None:
    shop.rules.begin_draft(PIN)
    assert shop.rules.publish("Ann").text == PIN
    assert shop.rules.draft is None
    with pytest.raises(InputError, match="no draft"):
        shop.rules.publish("Ann")
    with pytest.raises(InputError, match="says the same already"):
        shop.rules.publish("Ann", text=PIN)


def test_a_draft_that_somebody_overtook_is_published_only_on_purpose(shop: Shop) -> None:
    shop.rules.begin_draft(PIN)
    shop.rules.publish("Bob", text=HIDE)
    with pytest.raises(RulesError, match="Version 1 was published since"):
        shop.rules.publish("Ann")
    assert shop.rules.publish("Ann", anyway=True).number == 2


def test_a_damaged_version_does_not_stop_the_shop_and_the_one_before_serves(folder: Path) -> None:
    with open_shop(folder, create=False) as shop:
        shop.rules.publish("Ann", text=PIN)
        shop.rules.publish("Ann", text=HIDE)
    path = folder / "rules" / "0002.toml"
    whole = path.read_bytes()
    path.unlink()
    path.write_bytes(whole[:-5])
    with open_shop(folder, create=False) as shop:
        assert ids(shop.search("gift")) == ["p7", "p6"]
        (warning,) = shop.engine.warnings
        assert "0002.toml" in warning and "older version" in warning
        assert [entry.damaged != "" for entry in shop.rules.log()] == [True, False]
        assert shop.rules.undo("Ann", to=1).number == 3


def test_rules_of_an_older_settings_file_stop_the_shop_with_the_way_out(folder: Path) -> None:
    (folder / "wares.toml").write_text(SETTINGS + PIN)
    with pytest.raises(SettingsError, match="wares rules move"):
        open_shop(folder, create=False)


# -- what rules can do -------------------------------------------------------------------------------------------------


def test_a_rule_for_a_segment_holds_only_for_shoppers_in_it(shop: Shop) -> None:
    shop.rules.publish("Ann", text='[[rules]]\nwhen = { query = "gift", segment = { age = "35-44" } }\nhide = ["p6"]\n')
    assert ids(shop.search("gift", shopper="ann")) == ["p7"]
    for other in ("bob", "nobody", None):
        assert ids(shop.search("gift", shopper=other)) == ["p6", "p7"]
    shop.put_shoppers([{"shopper_id": "ann", "age": "45-54"}])
    assert ids(shop.search("gift", shopper="ann")) == ["p6", "p7"]


def test_a_rule_for_a_market_holds_only_there(shop: Shop) -> None:
    shop.rules.publish("Ann", text='[[rules]]\nwhen = { query = "gift", market = "de" }\nhide = ["p6"]\n')
    now_ms = int(time.time() * 1000)
    asked = [Request("search", now_ms, "gift", market=market) for market in ("de", "")]
    assert [ids(shop.engine.ask(request)) for request in asked] == [["p7"], ["p6", "p7"]]


def test_a_query_is_served_by_the_words_that_a_rule_gives_it(shop: Shop) -> None:
    assert ids(shop.search("windcheater")) == []
    text = '[[rules]]\nname = "Wind"\nwhen = { query = "windcheater" }\nsynonym = ["anorak", "flying carpet"]\n'
    shop.rules.publish("Ann", text=text, anyway=True)
    page = shop.search("Windcheaters", explain=True)
    assert set(ids(page)) == {"p0", "p1", "p2"}
    assert page.notes == ("Also searched for: anorak.",)
    assert page.explanation is not None and page.explanation.rules == ("Wind",)
    assert [reading.why for term in page.explanation.terms for reading in term.readings] == ["synonym"]
    assert ids(shop.search("red windcheater")) == ids(shop.search("red"))  # these words and no others


def test_a_synonym_may_be_for_some_words_of_a_query_and_keeps_them_from_being_corrected(shop: Shop) -> None:
    shop.rules.publish("Ann", text='[[rules]]\nwhen = { query_contains = "ski scorf" }\nsynonym = "scarf"\n')
    page = shop.search("blue ski scorf")
    assert ids(page)[0] == "p4"
    assert page.correction == ""
    assert page.notes == ("Also searched for: scarf.",)


def test_banners_and_the_first_redirect_come_with_the_page_and_the_hits_stay(shop: Shop) -> None:
    shop.rules.publish(
        "Ann",
        text="""
        [[rules]]
        when = { query = "gift" }
        banner = { text = "<b>Sale</b>", url = "/sale", image_url = "https://example.com/a.png" }
        redirect = "/gifts"
        [[rules]]
        banner = { text = "For all" }
        [[rules]]
        when = { query_contains = "gift" }
        redirect = "/elsewhere"
        """,
        anyway=True,
    )
    page = shop.search("gift")
    assert [(one.text, one.url, one.image_url) for one in page.banners] == [
        ("<b>Sale</b>", "/sale", "https://example.com/a.png"),
        ("For all", "", ""),
    ]
    assert page.redirect == "/gifts"
    assert ids(page) == ["p6", "p7"]
    other = shop.recommend()
    assert ([one.text for one in other.banners], other.redirect) == (["For all"], "")


# -- what is told before -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pin = { p0 = 1, p1 = 1 }", [("same-position", (1,))]),
        ("pin = { p0 = 1 }\n[[rules]]\nwhen = { query = 'a' }\npin = { p1 = 1 }", [("same-position", (1, 2))]),
        ("pin = { p0 = 1 }\n[[rules]]\npin = { p0 = 2 }", [("pinned-twice", (1, 2))]),
        ("when = { query = 'a' }\npin = { p0 = 1 }\n[[rules]]\nwhen = { query = 'b' }\npin = { p1 = 1 }", []),
        ("pin = { p0 = 1 }\n[[rules]]\nhide = ['p0']", [("pinned-and-hidden", (1, 2))]),
        ("filter = { brand = 'Moor' }\n[[rules]]\npin = { p0 = 1 }", [("pinned-and-hidden", (1, 2))]),
        ("pin = { p0 = 1 }\nhide = ['p0']", [("pinned-and-hidden", (1,))]),
        (
            "boost = [{ where = { brand = 'Moor' } }]\n[[rules]]\nbury = [{ where = { category = 'Gifts' } }]",
            [("boosted-and-buried", (1, 2))],
        ),
        ("boost = [{ where = { id = 'p0' } }]\n[[rules]]\nbury = [{ where = { id = 'p1' } }]", []),
        ("redirect = '/a'\n[[rules]]\nredirect = '/b'", [("two-redirects", (1, 2))]),
        ("redirect = '/a'\n[[rules]]\nredirect = '/a'", []),
        ("name = 'A'\nredirect = '/a'\n[[rules]]\nname = 'A'\nhide = ['p0']", [("same-name", (1, 2))]),
        ("hide = ['gone']", [("unknown", (1,))]),
        ("filter = { brand = 'Harbor' }", [("unknown", (1,))]),
        ("boost = [{ where = { colour = 'red' } }]", [("unknown", (1,))]),
        ("boost = [{ where = { weight = { low = 1 } } }]", [("unknown", (1,))]),
        ("when = { query = 'a' }\nsynonym = 'submarine'", [("unknown", (1,))]),
        ("when = { category = 'Cloths' }\nhide = ['p0']", [("never", (1,))]),
        ("when = { segment = { agge = '35-44' } }\nhide = ['p0']", [("never", (1,))]),
        ("when = { segment = { age = ['35-54'] } }\nhide = ['p0']", [("never", (1,))]),
        ("when = { query = 'a', surface = 'home' }\nhide = ['p0']", [("never", (1,))]),
        ("when = { until = 2020-01-01 }\nhide = ['p0']", [("over", (1,))]),
        ("when = { segment = { age = ['35-44'] }, category = 'Clothes' }\npin = { p0 = 1, p1 = 2 }", []),
    ],
)
def test_a_conflict_is_shown_with_the_rules_that_it_is_between(
    shop: Shop, text: str, expected: list[tuple[str, tuple[int, ...]]]
) -> None:
    assert kinds(shop, f"[[rules]]\n{text}\n") == expected


def test_a_conflict_keeps_a_draft_from_serving_until_it_is_wanted(shop: Shop) -> None:
    both = '[[rules]]\nname = "A"\npin = { p0 = 1 }\n[[rules]]\npin = { p1 = 1 }\n'
    with pytest.raises(RulesError, match=r'rule 1 "A", rule 2: .* pinned to position 1'):
        shop.rules.publish("Ann", text=both)
    assert shop.rules.published.number == 0
    shop.rules.publish("Ann", text=both, anyway=True)
    shop.rules.publish("Ann", text=both + BOX)  # it is no news any more
    assert [one.kind for one in shop.rules.check(both + BOX + HIDE).new] == ["pinned-and-hidden"]


def test_a_preview_is_what_happens_after_publishing(shop: Shop) -> None:
    text = """
    [[rules]]
    when = { query = "gift" }
    pin = { p3 = 2 }
    hide = ["p6"]
    banner = { text = "Hello" }
    [[rules]]
    when = { category = "Clothes" }
    bury = [{ where = { brand = "Harbour" }, factor = 0 }]
    [[rules]]
    when = { query_contains = "windcheater", segment = { age = "35-44" } }
    synonym = "anorak"
    redirect = "/winter"
    """
    served = [shop.search("gift"), shop.browse("Clothes"), shop.search("windcheater", shopper="ann")]
    seen = shop.rules.preview(text=text)
    assert [one.question.label for one in seen] == [
        'search, "gift"', "browse, category Clothes", 'search, "windcheater", age = 35-44'
    ]  # fmt: skip
    assert [list(one.before.ids) for one in seen] == [ids(page) for page in served]
    gift = {rank.id: (rank.before, rank.after) for rank in seen[0].ranks}
    assert gift == {"p7": (2, 1), "p3": (None, 2), "p6": (1, None)}
    shop.rules.publish("Ann", text=text)
    after = [shop.search("gift"), shop.browse("Clothes"), shop.search("windcheater", shopper="ann")]
    for one, page in zip(seen, after, strict=True):
        assert one.changes
        assert (list(one.after.ids), one.after.total) == (ids(page), page.total)
        assert (one.after.banners, one.after.redirect, one.after.notes) == (page.banners, page.redirect, page.notes)
    assert [one.changes for one in shop.rules.preview(text=text)] == []


def test_a_preview_of_one_question_shows_what_one_shopper_would_see(shop: Shop) -> None:
    text = '[[rules]]\nwhen = { segment = { age = "35-44" } }\nhide = ["p6"]\n'
    now_ms = int(time.time() * 1000)
    asked = [Question(Request("search", now_ms, "gift", shopper)) for shopper in ("ann", "bob")]
    assert [one.changes for one in shop.rules.preview(asked, text)] == [True, False]


def test_a_rule_of_another_season_is_previewed_in_that_season(shop: Shop) -> None:
    (seen,) = shop.rules.preview(text='[[rules]]\nwhen = { query = "gift", from = 2099-12-01 }\nhide = ["p6"]\n')
    assert seen.changes
    assert seen.question.request.now_ms == 4_099_766_400_000


def test_a_preview_logs_nothing_and_leaves_the_shop_as_it_is(shop: Shop) -> None:
    shop.log_impressions()
    shop.rules.preview(text=PIN)
    shop.close()
    assert not shop.rules.log()
    assert not list(read_impressions(shop.folder))


def test_the_log_tells_rule_by_rule_what_each_version_changed(shop: Shop) -> None:
    shop.rules.publish("Ann", text=PIN + HIDE)
    changed = HIDE + PIN.replace("p7 = 1", "p7 = 2") + '[[rules]]\nname = "New"\nredirect = "/a"\n'
    shop.rules.publish("Bob", "because", text=changed)
    shop.rules.publish("Bob", text=HIDE)
    last, second, first = shop.rules.log()
    assert [(one.kind, one.title) for one in first.changes] == [("added", 'rule 1 "Gifts"'), ("added", "rule 2")]
    assert [(one.kind, one.title, one.numbers) for one in second.changes] == [
        ("moved", "rule 1", (2, 1)), ("changed", 'rule 2 "Gifts"', (1, 2)), ("added", 'rule 3 "New"', (0, 3))
    ]  # fmt: skip
    assert second.changes[1].before == ("pin = { p7 = 1 }",)
    assert second.changes[1].after == ("pin = { p7 = 2 }",)
    assert [(one.kind, one.title) for one in last.changes] == [
        ("removed", 'rule 2 "Gifts"'), ("removed", 'rule 3 "New"')
    ]  # fmt: skip
    assert [one.kind for one in shop.rules.diff(1, 3)] == ["removed"]
    assert shop.rules.diff() == []
    shop.rules.begin_draft(HIDE + PIN)
    assert [one.kind for one in shop.rules.diff()] == ["added"]
    assert json.dumps([one.numbers for one in shop.rules.diff(0, 1)]) == "[[0, 1], [0, 2]]"


def test_what_stays_open_over_a_publish_keeps_its_order(shop: Shop) -> None:
    first: Any = shop.browse(k=4)
    shop.rules.publish("Ann", text='[[rules]]\nhide = ["p0", "p1", "p2", "p3", "p4", "p5"]\n')
    second = shop.browse(k=4, cursor=first.cursor)
    assert first.total == second.total == len(set(ids(first) + ids(second))) == 8
    assert shop.browse().total == 2


def test_hits_that_nobody_saw_because_of_a_redirect_are_not_remembered_as_shown(shop: Shop) -> None:
    shop.rules.publish("Ann", text='[[rules]]\nwhen = { query = "gift" }\nredirect = "/gifts"\n')
    shop.log_impressions()
    assert shop.search("gift").impression_id == ""
    seen = shop.search("scarf").impression_id
    shop.close()
    assert [impression["id"] for _, impression in read_impressions(shop.folder)] == [seen]
