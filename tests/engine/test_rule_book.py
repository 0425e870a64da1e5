"""Versions of the rules on disk: kept whole, never changed, never lost."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import wares.errors
from wares.engine.rules import book as rule_book
from wares.engine.rules.book import RuleBook
from wares.errors import InputError, RulesError, StoreError, StoreUnwritable, UnknownName

SOURCE = str(Path(wares.errors.__file__).parents[1])
HIDE_A = '[[rules]]\nhide = ["a"]\n'
HIDE_B = '# why\n[[rules]]\nhide = ["b"]\n'


@pytest.fixture
def book(tmp_path: Path) -> RuleBook:
    return RuleBook(tmp_path)


def test_a_shop_without_rules_has_version_nothing(book: RuleBook) -> None:
    assert (book.last(), book.current()[0].number, book.numbers()) == (0, 0, [])
    assert not book.place.exists()


def test_a_version_keeps_its_text_and_who_published_it_when_and_why(book: RuleBook) -> None:
    published = book.publish(HIDE_B, 'Ann "the" Åberg', "spring = \\ sale")
    read = book.read(1)
    assert read == published
    assert (read.text, read.by, read.note) == (HIDE_B, 'Ann "the" Åberg', "spring = \\ sale")
    assert read.at is not None and read.at.utcoffset() is not None
    assert book.publish(HIDE_A, "Bob").number == 2
    assert book.read(1) == published


@given(
    by=st.text(st.characters(blacklist_categories=["C", "Z"]), min_size=1, max_size=30),
    note=st.text(st.characters(blacklist_categories=["C", "Z"]), max_size=30),
)
def test_any_name_and_note_comes_back_as_written(by: str, note: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    book = RuleBook(tmp_path_factory.mktemp("shop"))
    book.publish(HIDE_A, by, note)
    assert (book.read(1).by, book.read(1).note) == (by, note)


@pytest.mark.parametrize(("by", "note"), [("", ""), ("  ", ""), ("a\nb", ""), ("a" * 101, ""), ("a", "x\x7f")])
def test_a_version_without_a_plain_name_is_refused(book: RuleBook, by: str, note: str) -> None:
    with pytest.raises(InputError):
        book.publish(HIDE_A, by, note)
    assert book.last() == 0


def test_rules_that_cannot_be_read_are_never_published(book: RuleBook) -> None:
    with pytest.raises(RulesError):
        book.publish("[[rules]]\nhid = 'a'\n", "Ann")
    assert book.last() == 0


@pytest.mark.parametrize("harm", ["cut", "altered", "renumbered", "text"])
def test_a_damaged_version_is_refused_and_the_one_before_serves(book: RuleBook, harm: str) -> None:
    book.publish(HIDE_A, "Ann")
    book.publish(HIDE_B, "Ann")
    path = book.place / "0002.toml"
    whole = path.read_text()
    path.unlink()
    if harm == "renumbered":
        (book.place / "0003.toml").write_text(whole)
    else:
        path.write_bytes({"cut": whole[:-4], "altered": whole.replace('"b"', '"c"'), "text": "\ufeff?"}[harm].encode())
    number = 3 if harm == "renumbered" else 2
    with pytest.raises(StoreError, match="rules undo"):
        book.read(number)
    version, warnings = book.current()
    assert (version.number, len(warnings)) == (1, 1)
    assert book.publish(HIDE_B, "Ann").number == number + 1  # and a new one takes its place
    assert book.current()[0].text == HIDE_B


def test_a_version_that_is_not_there_is_named_with_those_that_are(book: RuleBook) -> None:
    book.publish(HIDE_A, "Ann")
    with pytest.raises(UnknownName, match="Known: 1"):
        book.read(7)


def test_publishers_at_once_lose_no_version(tmp_path: Path) -> None:
    texts = [f'[[rules]]\nhide = ["p{i}"]\n' for i in range(24)]
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda text: RuleBook(tmp_path).publish(text, "Ann").number, texts))
    book = RuleBook(tmp_path)
    assert sorted(numbers) == book.numbers() == list(range(1, 25))
    assert {book.read(number).text for number in numbers} == set(texts)


def test_of_two_drafts_of_one_version_the_slower_one_is_told(book: RuleBook) -> None:
    book.publish(HIDE_A, "Ann", based_on=0)
    with pytest.raises(RulesError, match="Version 1 was published since"):
        book.publish(HIDE_B, "Bob", based_on=0)
    assert book.last() == 1


def test_a_publisher_killed_before_the_last_step_leaves_the_old_version(tmp_path: Path) -> None:
    """Everything is written and synced; the process ends before the version gets its name."""
    RuleBook(tmp_path).publish(HIDE_A, "Ann")
    script = (
        "import os, pathlib, sys\n"
        "from wares.engine.rules import book as rule_book\n"
        "rule_book.os.link = lambda *paths: os._exit(9)\n"
        f"rule_book.RuleBook(pathlib.Path(sys.argv[1])).publish({HIDE_B!r}, 'Bob')\n"
    )
    ended = subprocess.run([sys.executable, "-c", script, tmp_path], env={**os.environ, "PYTHONPATH": SOURCE})
    assert ended.returncode == 9
    book = RuleBook(tmp_path)
    assert [path.suffix for path in book.place.glob(".*")] == [".part"]
    assert book.current()[0].text == HIDE_A
    assert book.publish(HIDE_B, "Bob").number == 2
    (left,) = book.place.glob(".*.part")
    os.utime(left, (0, 0))
    book.publish(HIDE_A, "Bob")
    assert not list(book.place.glob(".*.part"))  # a day later it is cleared away


def test_a_full_disk_publishes_nothing(book: RuleBook, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, text: str) -> None:
        path.write_text(text[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(rule_book, "write_text", full)
    with pytest.raises(StoreUnwritable, match="Nothing was published"):
        book.publish(HIDE_A, "Ann")
    assert book.numbers() == [] and not list(book.place.iterdir())


def test_a_draft_begins_as_what_serves_and_is_never_overwritten(book: RuleBook) -> None:
    book.publish(HIDE_B, "Ann")
    path = book.begin_draft()
    assert path.read_text().partition("\n")[2] == HIDE_B
    path.write_text(path.read_text().replace('"b"', '"c"').replace("\n", "\r\n"), newline="")
    draft = book.draft()
    assert draft is not None and draft.based_on == 1
    assert draft.text == HIDE_B.replace('"b"', '"c"')
    with pytest.raises(InputError, match="there is a draft already"):
        book.begin_draft(HIDE_A)
    assert book.discard_draft() and not book.discard_draft()
    assert book.draft() is None
