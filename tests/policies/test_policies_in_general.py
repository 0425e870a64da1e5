"""What holds of every policy of the package, and of several in a row."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_shop import KINDS, SHOP, assert_honest, intent, slate, slates, view

from wares.contracts import Policy
from wares.domain.filter import AnyOf, Filter
from wares.domain.product import Product
from wares.domain.result import Slate
from wares.domain.rule import Actions, Weighting
from wares.policies.aims import Aims
from wares.policies.availability import Availability
from wares.policies.diversity import BrandCap, Diversity
from wares.policies.rules import Rules

PIN_AND_BOOST = Actions(
    pins=(("p3", 2),),
    weightings=(Weighting(Filter((AnyOf("brand", ("Apex",)),)), 1.5),),
    aims=(("margin", 0.3), ("stock_age", 0.1)),
)
POLICIES: list[Policy] = [
    Aims(),
    Availability(),
    Diversity(0.3),
    Diversity(1.0, depth=5),
    BrandCap(1),
    BrandCap(2, within=5),
    Rules(),
]


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: f"{policy.name}")
@given(before=slates())
def test_a_policy_is_honest(policy: Policy, before: Slate) -> None:
    after = policy.arrange(before, intent(actions=PIN_AND_BOOST), SHOP)
    assert_honest(before, after)
    invented = set(after.rows.tolist()) - set(before.rows.tolist())
    assert invented <= ({3} if policy.name == "rules" else set())


@given(before=slates(), order=st.permutations(POLICIES))
def test_policies_in_a_row_stay_honest(before: Slate, order: list[Policy]) -> None:
    after = before
    for policy in order:
        after = policy.arrange(after, intent(actions=PIN_AND_BOOST), SHOP)
    assert_honest(before, after)


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: f"{policy.name}")
def test_four_hundred_candidates_take_about_a_millisecond(policy: Policy) -> None:
    random = np.random.default_rng(0)
    products = [
        Product(f"p{i}", brand=f"b{random.integers(40)}", category=KINDS[i % 3], stock=int(random.integers(3)))
        for i in range(2000)
    ]
    shop = view(products)
    before = slate(random.random(400).tolist(), random.permutation(2000)[:400].tolist())
    times = []
    for _ in range(15):
        start = time.perf_counter()
        policy.arrange(before, intent(actions=PIN_AND_BOOST), shop)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.005  # generous: about 0.2 to 0.8 ms on a free core
