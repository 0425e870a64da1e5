"""What is read of shoppers, and what is left out."""

from wares.domain.shopper import Shopper
from wares.feeds.shoppers import read_shoppers


def test_every_column_is_an_attribute() -> None:
    reading = read_shoppers([{"shopper_id": 1, "age": "35-44", "kids": 0}])
    assert list(reading) == [Shopper("1", {"age": "35-44", "kids": "0"})]


def test_missing_demographics_are_left_out_and_counted() -> None:
    rows = [{"shopper_id": n, "age": age} for n, age in enumerate((None, "", "NA", "unknown", float("nan"), "65+"))]
    reading = read_shoppers(rows)
    assert [dict(shopper.attributes) for shopper in reading] == [{}, {}, {}, {}, {}, {"age": "65+"}]
    assert reading.report.missing == {"age": 5}


def test_a_shopper_without_an_id_is_rejected() -> None:
    reading = read_shoppers([{"age": "65+"}, {"shopper_id": "", "age": "65+"}])
    assert list(reading) == []
    assert reading.report.rejected_by_reason == {"no id": 2}


def test_of_two_rows_with_one_id_the_last_wins() -> None:
    reading = read_shoppers([{"user_id": "a", "age": "1"}, {"user_id": "a", "age": "2"}])
    assert list(reading) == [Shopper("a", {"age": "2"})]
    assert reading.report.repaired == {"repeated id: the last row counts": 1}
    assert reading.report.read == reading.report.kept + reading.report.rejected == 2
