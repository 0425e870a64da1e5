"""One visit of a simulated shopper: they look around, seek what they want, and buy it or go.

Everything goes through the public API, and every question and event says that it is simulated. Events wait for the next
question or pause, so that an answer knows of all that came before it.
"""

from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np

from wares.app.simulation.bias import Bias
from wares.app.simulation.counts import Counts
from wares.app.simulation.habits import Habits
from wares.app.simulation.service import Service
from wares.app.simulation.wants import Want
from wares.app.simulation.words import worded

K = 12  # hits of a list
_MOST_WORDINGS = 3


class Visit:
    """`pause` waits as a person would, so many seconds of a shopper's time; it raises where the simulation ends.
    `new_id` names an event, so that one that is sent twice counts once."""

    def __init__(
        self,
        who: str,
        wants: Sequence[Want],
        service: Service,
        bias: Bias,
        habits: Habits,
        rng: np.random.Generator,
        pause: Callable[[float], None],
        counts: Counts,
        new_id: Callable[[], str],
    ) -> None:
        self._who, self._service, self._bias, self._habits, self._rng = who, service, bias, habits, rng
        self._pause, self._counts, self._new_id = pause, counts, new_id
        self._untold: list[dict[str, Any]] = []
        self._open = list(wants)
        self._cart: dict[str, tuple[float | None, bool]] = {}  # product -> (price, whether it was wanted)
        self._opened: set[str] = set()

    def live(self) -> None:
        """From the home page to the till, or away."""
        self._counts.did("visits")
        if self._rng.random() < self._habits.home:
            self._look(self._ask("recommend", surface="home"))
        for want in list(self._open):
            if want in self._open:  # it may have been met meanwhile
                self._think()
                if self._rng.random() < self._habits.searches:
                    self._search(want)
                else:
                    self._browse(want)
        self._leave()
        self._send()

    # -- seeking -----------------------------------------------------------------------------------------------------

    def _search(self, want: Want) -> None:
        for wording in range(_MOST_WORDINGS):
            query = worded(want.title, self._rng, most=3 if wording < 2 else 1)
            if not query:
                return
            query = self._as_suggested(query, want)
            self._counts.did("searches")
            asked = {"query": query, "facets": ["category", "brand"]}
            page = self._ask("search", **asked)
            self._tell({"kind": "search", "query": query})
            if page and not page["total"]:
                self._counts.did("empty")
            if self._look(page, want, query) or self._narrow(page, want, asked):
                self._counts.did("found")
                return
            if self._rng.random() >= self._habits.rewords or wording + 1 == _MOST_WORDINGS:
                break
            self._think()
            self._counts.did("reworded")
        self._counts.did("given up")

    def _as_suggested(self, query: str, want: Want) -> str:
        """While typing, some look at the suggestions and take one that holds only words of what they want."""
        if len(query) < 4 or self._rng.random() >= self._habits.suggested:
            return query
        typed = query[: int(self._rng.integers(3, len(query)))]
        told = self._service.ask("suggest", method="GET", path=f"suggest?{urlencode({'q': typed, 'k': 8})}")
        self._counts.did("suggestions seen")
        title = set(want.title.lower().split())
        for one in (told or {}).get("suggestions", ()):
            if one["kind"] in ("query", "product") and set(one["text"].lower().split()) <= title:
                self._counts.did("suggestions taken")
                return str(one["text"])
        return query

    def _narrow(self, page: Any, want: Want, asked: dict[str, Any]) -> bool:
        """Some tick the category or the brand of what they want, where there is more than one page."""
        if not page or page["total"] <= K or self._rng.random() >= self._habits.narrows:
            return False
        wanted = {"category": " > ".join(want.category), "brand": want.brand}
        for facet in page["facets"]:
            value = wanted.get(facet["field"], "")
            if value and any(one["value"] == value for one in facet["values"]):
                self._think()
                self._counts.did("narrowed")
                return self._look(self._ask("search", **asked, filters={facet["field"]: [value]}), want, asked["query"])
        return False

    def _browse(self, want: Want) -> None:
        self._counts.did("browses")
        asked = {"category": " > ".join(want.category)} if want.category else {}
        page = self._ask("browse", **asked)
        if not self._look(page, want) and page and page["cursor"] and self._rng.random() < self._habits.rewords:
            self._think()
            self._look(self._ask("browse", **asked, cursor=page["cursor"]), want, first=K)

    # -- looking and choosing ----------------------------------------------------------------------------------------

    def _look(self, page: Any, want: Want | None = None, query: str = "", *, deep: bool = True, first: int = 0) -> bool:
        """Look at a list and open what is clicked; whether what is sought was among that. `first`: how many hits the
        pages before had; `deep`: look at more like it, too."""
        hits = page["hits"] if page else []
        if not hits:
            return False
        wishes = self._bias.wishes(hits, [want] if want else self._open)
        clicked = self._bias.clicks(wishes, self._rng)
        if query:
            self._counts.looked(wishes, self._bias.looks(len(hits)), clicked)
        met = False
        for place in clicked:
            hit = hits[place]
            met |= want is not None and want.product in (hit["product"]["id"], *hit["variants"])
            told = {"kind": "click", "impression_id": page["impression_id"], "position": first + place + 1}
            self._click(hit, told | ({"query": query} if query else {}), deep=deep)
        return met

    def _click(self, hit: Any, click: dict[str, Any], *, deep: bool) -> None:
        product = hit["product"]["id"]
        self._counts.did("clicks")
        self._tell(click | {"product_id": product})
        if product in self._opened or self._rng.random() >= self._habits.opens:
            return
        self._opened.add(product)
        shown = self._service.ask("products", method="GET", path=f"products/{quote(product, safe='')}")
        self._tell({"kind": "view", "product_id": product})
        self._think()
        ids = {product, *hit["variants"]}
        wanted = next((want for want in self._open if want.product in ids), None)
        if wanted is not None:
            self._open.remove(wanted)
        self._choose(product, shown["price"] if shown else None, wanted is not None, click)
        if deep and self._rng.random() < self._habits.more_like_it:
            surface = ("similar", "bought_together")[int(self._rng.integers(2))]
            self._look(self._ask("similar", product=product, surface=surface), deep=False)

    def _choose(self, product: str, price: float | None, wanted: bool, click: dict[str, Any]) -> None:
        """Into the cart, on a list, or away for good. What follows from an answer says from which."""
        habits, drawn = self._habits, self._rng.random(3)
        met = {"impression_id": click["impression_id"], "position": click["position"]}
        if drawn[0] < (habits.carts if wanted else habits.carts_other):
            self._cart[product] = (price, wanted)
            self._counts.did("carts")
            self._tell({"kind": "cart", "product_id": product, **met})
        elif drawn[1] < habits.wishes:
            self._counts.did("wishes")
            self._tell({"kind": "wish", "product_id": product, **met})
        elif not wanted and drawn[1] > 1 - habits.hides:
            self._counts.did("hides")
            self._tell({"kind": "hide", "product_id": product, **met})
        if wanted and drawn[2] < habits.likes:
            self._counts.did("likes")
            self._tell({"kind": "like", "product_id": product, **met})

    # -- leaving -----------------------------------------------------------------------------------------------------

    def _leave(self) -> None:
        if not self._cart:
            return
        self._look(self._ask("recommend", surface="cart", seeds=list(self._cart)), deep=False)
        self._think()
        if self._rng.random() >= self._habits.buys:
            self._counts.did("carts left behind")
            if self._rng.random() < 0.5:
                self._tell(*({"kind": "uncart", "product_id": product} for product in self._cart))
            return
        basket = f"{self._who}-{int(self._rng.integers(2**53))}"
        lines = [
            {"kind": "purchase", "product_id": product, "basket_id": basket} | ({"price": price} if price else {})
            for product, (price, _) in self._cart.items()
        ]
        self._counts.did("baskets bought")
        self._counts.did("products bought", len(lines))
        self._tell(*lines)
        for product, (_, wanted) in self._cart.items():
            if self._rng.random() < self._habits.rates:
                stars = int(self._rng.choice(5, p=self._habits.stars[wanted])) + 1
                self._counts.did("ratings")
                self._tell({"kind": "rate", "product_id": product, "rating": stars})

    def _ask(self, route: str, **asked: Any) -> Any:
        self._send()
        return self._service.ask(route, {"shopper": self._who, "k": K, "simulated": True} | asked)

    def _tell(self, *events: dict[str, Any]) -> None:
        marks = {"shopper_id": self._who, "simulated": True}
        self._untold += [event | marks | {"id": self._new_id()} for event in events]

    def _send(self) -> None:
        if self._untold:
            told, self._untold = self._untold, []
            self._service.ask("events", {"events": told})

    def _think(self) -> None:
        self._send()
        self._pause(float(self._rng.exponential(self._habits.think_s)))
