from policy_shop import SHOP, ids, intent, slate

from wares.policies.availability import Availability


def test_a_sold_out_product_sinks_below_all_others_and_says_why() -> None:
    arranged = Availability().arrange(slate([9, 8, 7], rows=[4, 1, 2]), intent(), SHOP)
    assert ids(arranged) == ["p1", "p2", "p4"]
    assert [one.why for one in arranged.adjustments[2]] == ["unsellable"]
    assert arranged.adjustments[2][0].amount < 0
    assert arranged.adjustments[:2] == ((), ())


def test_sold_out_products_keep_their_order_among_themselves() -> None:
    assert ids(Availability().arrange(slate([9, 8, 7], rows=[9, 4, 1]), intent(), SHOP)) == ["p1", "p9", "p4"]


def test_where_everything_is_sold_out_nothing_changes() -> None:
    before = slate([2, 1], rows=[4, 9])
    assert Availability().arrange(before, intent(), SHOP).priority.tolist() == before.priority.tolist()
