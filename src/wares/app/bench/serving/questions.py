"""What clients ask of a made-up shop, ready to be sent."""

import json

import numpy as np

from wares.app.bench.made_up import made_up_products
from wares.app.bench.queries import draw_query
from wares.app.bench.serving.client import Question
from wares.app.bench.serving.made_up_shop import shoppers_of

_MOST_TITLES = 20_000
_FACETS = ["brand", "category", "price"]
_K = 24
_REPEATED = 5_000  # different queries of those that are repeated
_KINDS = ("view", "view", "view", "view", "cart", "purchase")


class Questions:
    """Of the shop of `products` that `made_up_shop` builds from `seed`."""

    def __init__(self, products: int, seed: int) -> None:
        self._rng = np.random.default_rng(seed + 1)
        self._products, self.shoppers, self._sent = products, shoppers_of(products), 0
        self._repeated: list[Question] = []
        every = max(1, products // _MOST_TITLES)
        self._titles = [one.title for i, one in enumerate(made_up_products(products, seed)) if i % every == 0]

    def new_searches(self, n: int) -> list[Question]:
        """Each with words that no other one has; fewer where the catalogue has not so many."""
        return [_search(query) for query in self._queries(n)]

    def repeated_searches(self, n: int) -> list[Question]:
        """Of 5,000 queries, always the same ones, the r-th in proportion to 1 / r (Zipf)."""
        if not self._repeated:
            self._repeated = [_search(query) for query in self._queries(_REPEATED)]
        asked, chances = self._repeated, 1 / np.arange(1, len(self._repeated) + 1)
        return [asked[i] for i in self._rng.choice(len(asked), n, p=chances / chances.sum())]

    def homes(self, n: int) -> list[Question]:
        """The home pages of shoppers with a history: each once, before any comes again."""
        order = np.concatenate([self._rng.permutation(self.shoppers) for _ in range(-(-n // self.shoppers))])[:n]
        return [home_of(f"u{i}") for i in order.tolist()]

    def suggestions(self, n: int) -> list[Question]:
        """Beginnings of what shoppers search for."""
        queries = self._queries(min(n, _REPEATED))
        begun = [query[: int(self._rng.integers(1, len(query) + 1))] for query in queries]
        return [Question("GET", f"/v1/suggest?q={word.replace(' ', '%20')}") for word in begun]

    def events(self, batches: int, each: int) -> list[Question]:
        """Events that nobody has sent before."""
        return [self._batch(each) for _ in range(batches)]

    def mixed(self, n: int) -> list[Question]:
        """As a shop is used: searches new and old, homes, suggestions, single events."""
        parts = [
            self.new_searches(n // 10), self.repeated_searches(4 * n // 10), self.homes(2 * n // 10),
            self.suggestions(n // 10), self.events(2 * n // 10, 1),
        ]  # fmt: skip
        together = [one for part in parts for one in part]
        return [together[i] for i in self._rng.permutation(len(together))]

    def _queries(self, n: int) -> list[str]:
        found: dict[str, None] = {}
        for _ in range(4 * n):
            if len(found) == n:
                break
            if query := draw_query(self._titles, self._rng):
                found.setdefault(query)
        return list(found)

    def _batch(self, each: int) -> Question:
        kinds = self._rng.integers(0, len(_KINDS), each).tolist()
        whose, what = (self._rng.integers(0, most, each).tolist() for most in (self.shoppers, self._products))
        events = []
        for kind, shopper, product in zip(kinds, whose, what, strict=True):
            self._sent += 1
            told = {"kind": _KINDS[kind], "shopper_id": f"u{shopper}", "product_id": f"p{product}"}
            events.append({"id": f"sent-{self._sent}", **told})
        return Question("POST", "/v1/events", json.dumps({"events": events}))


def home_of(shopper: str, k: int = _K) -> Question:
    """The home page of a shopper."""
    return Question("POST", "/v1/recommend", json.dumps({"shopper": shopper, "k": k}))


def hiding(shopper: str, product: str) -> Question:
    """The event that a shopper does not want to see a product."""
    event = {"kind": "hide", "shopper_id": shopper, "product_id": product}
    return Question("POST", "/v1/events", json.dumps({"events": [event]}))


def _search(query: str) -> Question:
    return Question("POST", "/v1/search", json.dumps({"query": query, "k": _K, "facets": _FACETS}))
