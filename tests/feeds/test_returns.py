"""Returns find the purchases that they take back, each at most as often as it was made."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.domain.event import Event, EventKind
from wares.feeds.report import ImportReport, Tally
from wares.feeds.returns import BULK, settled


def bought(
    time: int, shopper: str | None = "anna", product: str = "mug", units: float = 1, order: str = "", id_: str = ""
) -> Event:
    return Event(EventKind.PURCHASE, time, shopper, product, units, None, order, "", id_)


def returned(
    time: int, shopper: str | None = "anna", product: str = "mug", units: float = 1, order: str = "", id_: str = ""
) -> Event:
    return Event(EventKind.REFUND, time, shopper, product, units, None, order, "", id_)


def settle(*events: Event) -> ImportReport:
    tally = Tally("log")
    assert list(settled(iter(events), tally)) == list(events)
    return tally.report()


def outcome(*events: Event) -> tuple[int, int, int]:
    """(matched, in part, unmatched)."""
    told = settle(*events).returns
    assert told["refunds"] == told["matched"] + told["in_part"] + told["unmatched"]
    return told["matched"], told["in_part"], told["unmatched"]


def test_a_feed_without_refunds_says_nothing_of_returns() -> None:
    report = settle(bought(1))
    assert not report.returns and not report.notes and not report.remarks


def test_a_return_finds_an_earlier_purchase_of_the_same_shopper_and_product() -> None:
    assert outcome(bought(1), returned(2)) == (1, 0, 0)
    assert outcome(bought(1), returned(1)) == (1, 0, 0)


@pytest.mark.parametrize(
    "purchase",
    [bought(3), bought(1, shopper="ben"), bought(1, product="pot"), bought(1, shopper=None)],
    ids=["later", "somebody else", "another product", "anonymous"],
)
def test_a_return_without_its_purchase_is_named(purchase: Event) -> None:
    report = settle(purchase, returned(2))
    assert report.returns["unmatched"] == 1
    (remark,) = report.remarks
    assert (remark.rule, remark.examples[0].value) == ("refund without a purchase in this feed", "mug")


def test_the_order_of_the_lines_does_not_matter() -> None:
    assert outcome(returned(2), bought(1)) == (1, 0, 0)


def test_a_purchase_is_taken_back_only_as_often_as_it_was_made() -> None:
    assert outcome(bought(1, units=2), returned(2), returned(3), returned(4)) == (2, 0, 1)


def test_a_return_of_more_than_was_bought_is_matched_in_part() -> None:
    report = settle(bought(1, units=2), returned(2, units=5))
    assert report.returns["in_part"] == 1
    assert "3 of them were not bought" in report.remarks[0].examples[0].fix


def test_a_return_takes_back_several_purchases_the_latest_first() -> None:
    assert outcome(bought(1), bought(2), bought(4), returned(3, units=2)) == (1, 0, 0)
    assert outcome(bought(1), bought(2), returned(3), returned(1)) == (2, 0, 0)  # the latest: 1 is still there


def test_a_return_that_names_its_order_takes_nothing_from_another() -> None:
    told = settle(bought(1, order="A"), bought(2, order="B"), returned(3, order="A"), returned(4, order="A")).returns
    assert told == {"refunds": 2, "matched": 1, "by_order": 1, "in_part": 0, "unmatched": 1}


def test_an_order_needs_no_shopper() -> None:
    assert outcome(bought(1, shopper=None, order="A"), returned(2, shopper=None, order="A")) == (1, 0, 0)


def test_a_credit_note_with_a_number_of_its_own_goes_by_the_shopper() -> None:
    told = settle(bought(1, order="536365"), returned(2, order="C536379")).returns
    assert (told["matched"], told["by_order"]) == (1, 0)


def test_a_return_by_nobody_of_no_order_cannot_be_matched() -> None:
    report = settle(bought(1, shopper=None), returned(2, shopper=None))
    assert report.remarks[0].rule == "refund that names neither a shopper nor a known order"


def test_an_event_that_was_delivered_twice_counts_once() -> None:
    told = settle(
        bought(1, id_="p"), bought(1, id_="p"), returned(2, id_="r"), returned(2, id_="r"), returned(3)
    ).returns
    assert told == {"refunds": 2, "matched": 1, "by_order": 0, "in_part": 0, "unmatched": 1}


def test_a_bulk_line_is_kept_and_named() -> None:
    report = settle(bought(1, units=BULK - 1), bought(2, units=BULK))
    (remark,) = report.remarks
    assert (remark.count, remark.examples[0].value) == (1, str(BULK))


EVENTS = st.builds(
    lambda make, time, shopper, product, units, order: make(time, shopper, product, units, order),
    st.sampled_from([bought, returned]),
    st.integers(1, 6),
    st.sampled_from(["anna", "ben", None]),
    st.sampled_from(["mug", "pot"]),
    st.integers(1, 3),
    st.sampled_from(["", "A", "B"]),
)


@given(events=st.lists(EVENTS, max_size=25))
def test_no_more_is_matched_than_was_bought(events: Sequence[Event]) -> None:
    told = settle(*events).returns
    refunds = sum(event.kind is EventKind.REFUND for event in events)
    assert told.get("refunds", 0) == refunds
    if refunds:
        assert told["matched"] + told["in_part"] + told["unmatched"] == refunds
        units = sum(event.quantity for event in events if event.kind is EventKind.PURCHASE)
        assert told["matched"] + told["in_part"] <= units
