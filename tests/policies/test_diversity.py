import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from policy_shop import SHOP, ids, intent, slate, slates

from wares.domain.result import Slate
from wares.domain.selection import first_code_of
from wares.policies.diversity import BrandCap, Diversity, label_overlap


def test_overlap_is_symmetric_and_one_with_itself() -> None:
    overlap = label_overlap(np.arange(24, dtype=np.int32), SHOP)
    assert np.array_equal(overlap, overlap.T)
    branded = [i for i in range(24) if i % 4 != 3]
    assert np.allclose(np.diag(overlap)[branded], 1)
    assert overlap.min() >= 0
    assert overlap.max() <= 1


def test_products_of_one_department_are_more_alike_than_strangers() -> None:
    bread, milk, tool = 0, 1, 2
    overlap = label_overlap(np.array([bread, milk, tool], np.int32), SHOP)
    assert overlap[0, 1] > overlap[0, 2] == 0


def test_a_third_bread_of_the_same_brand_lets_a_tool_pass() -> None:
    before = slate([1.0, 0.95, 0.9, 0.0], rows=[0, 12, 2, 1])  # p0 and p12: bread by Acme; p2: a tool
    arranged = Diversity(0.3).arrange(before, intent(), SHOP)
    assert ids(arranged) == ["p0", "p2", "p12", "p1"]
    assert [[one.why for one in all_of] for all_of in arranged.adjustments] == [[], [], ["diversity"], []]


def test_no_strength_changes_nothing() -> None:
    before = slate([1.0, 0.9, 0.8])
    assert Diversity(0.0).arrange(before, intent(), SHOP) is before


@given(before=slates(), strength=st.floats(0.01, 1))
def test_the_best_stays_first_and_nothing_behind_the_depth_moves(before: Slate, strength: float) -> None:
    arranged = Diversity(strength, depth=5).arrange(before, intent(), SHOP)
    plain = Diversity(1e-9, depth=5).arrange(before, intent(), SHOP)
    assert ids(arranged)[:1] == ids(plain)[:1]
    assert ids(arranged)[5:] == ids(plain)[5:]
    assert set(ids(arranged)) == set(ids(plain))


def test_the_scale_of_the_scores_does_not_matter() -> None:
    small = Diversity(0.3).arrange(slate([0.016, 0.0158, 0.0155, 0.01], rows=[0, 12, 2, 1]), intent(), SHOP)
    large = Diversity(0.3).arrange(slate([160, 158, 155, 100], rows=[0, 12, 2, 1]), intent(), SHOP)
    assert ids(small) == ids(large)


def test_a_crowding_brand_moves_down_but_stays() -> None:
    before = slate([9, 8, 7, 6, 5], rows=[0, 4, 8, 1, 2])  # three of Acme, one of Apex, one of Bolt
    arranged = BrandCap(1, within=3).arrange(before, intent(), SHOP)
    assert ids(arranged) == ["p0", "p1", "p2", "p4", "p8"]
    assert [len(all_of) for all_of in arranged.adjustments] == [0, 0, 0, 1, 1]


def test_products_without_a_brand_are_free() -> None:
    before = slate([9, 8, 7], rows=[3, 7, 11])
    assert ids(BrandCap(1).arrange(before, intent(), SHOP)) == ["p3", "p7", "p11"]


@given(before=slates(), cap=st.integers(1, 3))
def test_the_cap_holds_wherever_there_are_enough_others(before: Slate, cap: int) -> None:
    within = 6
    arranged = BrandCap(cap, within).arrange(before, intent(), SHOP)
    assert set(ids(arranged)) == set(ids(before))
    brands = first_code_of(SHOP.columns.labels["brand"], arranged.rows)
    free = int((brands < 0).sum())
    enough = free + sum(min(cap, int(count)) for count in np.bincount(brands[brands >= 0])) >= within
    if enough:
        first = brands[:within]
        assert all(count <= cap for count in np.bincount(first[first >= 0]))


def test_overlap_is_the_share_of_labels_in_common() -> None:
    rows = np.arange(24, dtype=np.int32)
    shares = {"category": 0.6, "brand": 0.4}
    labels = {
        name: [set(one.codes[one.indptr[row] : one.indptr[row + 1]].tolist()) for row in rows.tolist()]
        for name, one in ((name, SHOP.columns.labels[name]) for name in shares)
    }
    overlap = label_overlap(rows, SHOP)
    for a in range(24):
        for b in range(24):
            of_each = {name: (sets[a] & sets[b], sets[a] | sets[b]) for name, sets in labels.items()}
            expected = sum(shares[name] * len(both) / max(len(any_of), 1) for name, (both, any_of) in of_each.items())
            assert abs(overlap[a, b] - expected) < 1e-9
