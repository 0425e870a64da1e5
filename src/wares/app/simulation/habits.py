"""What a simulated shopper does, and how often: stated, so that a simulation can be held against it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Habits:
    """Chances in [0, 1]. `think_s`, `away_s`: mean seconds of a shopper's time between two acts, and two visits."""

    home: float = 1.0  # of beginning at the home page
    searches: float = 0.75  # of seeking a wanted product by words; else in its category
    suggested: float = 0.3  # of looking at suggestions while typing
    narrows: float = 0.35  # of ticking a facet where there is more than one page and the wanted product was not clicked
    rewords: float = 0.7  # of trying other words then, or a second page of a category
    opens: float = 1.0  # of looking at the page of what was clicked; the next ones are of such pages
    more_like_it: float = 0.25  # of looking at what a product page recommends
    carts: float = 0.8  # of what was wanted
    carts_other: float = 0.02
    wishes: float = 0.08
    likes: float = 0.1  # of what was wanted
    hides: float = 0.05  # of what was not
    buys: float = 0.75  # of carts; the others are left behind
    rates: float = 0.3  # of what was bought
    think_s: float = 8.0
    away_s: float = 60.0

    @property
    def stars(self) -> dict[bool, tuple[float, ...]]:
        """How likely one to five stars are, for what was wanted (True) and what was not."""
        return {True: (0.05, 0.05, 0.1, 0.3, 0.5), False: (0.25, 0.25, 0.3, 0.15, 0.05)}
