"""Forms of one word: a plural or a derived word is no slip of the other. English endings; harmless elsewhere."""

from itertools import takewhile

_DERIVED = frozenset(("ed", "er", "ers", "ing", "ings", "or", "ors", "able", "ly", "ion", "ions", "ment", "ments"))
_BARE = frozenset(("", "e", "s", "es", "y"))


def forms(word: str) -> set[str]:
    """The word with its possible singulars and plurals: 'boxes' -> box, boxe, boxes, ...; 'knife' -> knives."""
    found = {word, word + "s", word + "es"}
    for ending, others in (
        ("s", ("",)),
        ("es", ("",)),
        ("ies", ("y",)),
        ("y", ("ies",)),
        ("ves", ("f", "fe")),
        ("f", ("ves",)),
        ("fe", ("ves",)),
    ):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            found.update(word.removesuffix(ending) + other for other in others)
    return found


def derived(a: str, b: str) -> bool:
    """Whether the words differ in their endings only: 'painter' and 'painting', but not 'paint' and 'pain'.

    >>> derived("shampooer", "shampoo"), derived("sliding", "slide"), derived("faucett", "faucet")
    (True, True, False)
    """
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
    for kept in range(shared, max(shared - 3, 2), -1):  # the shared letters may reach into the endings
        x, y = a[kept:], b[kept:]
        if (x in _DERIVED and y in _DERIVED | _BARE) or (y in _DERIVED and x in _BARE):
            return True
    return False
