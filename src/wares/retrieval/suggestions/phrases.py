"""Phrases that many titles share: what shoppers are likely to type although nobody has yet."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator

from wares.retrieval.suggestions.keys import has_han, is_run

Phrase = tuple[str, ...]

_LONGEST = 3  # words
_MOST = 20_000  # phrases that are kept, the most frequent ones
_BEGINS = 0.1  # three words that are less often than this the beginning of a phrase are only the end of one
_FRAGMENT = 0.9  # a phrase that stands in a longer one this often is only a piece of it
_PART = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\S")

# Words that join others: no phrase begins or ends with one. English, German, French, Spanish, Italian, Dutch, Polish.
_JOINING_WORDS = """
    a an and the of for with without in on at by to from or per w plus your as is it all not
    der die das den dem des ein eine einen und mit ohne für von vom zum zur im am auf aus bei oder nach
    le la les un une des du de et avec sans pour par sur dans en au aux ou
    el los las una y con sin para por del al o
    il lo gli i di da e senza per della delle dei degli del nel su
    het een van met zonder voor op en te
    z ze w we na do dla i bez od oraz
"""
_UNIT_WORDS = """
    mm cm m km in inch inches ft foot feet yd sq cu mg g gr kg oz lb lbs ml cl dl l lt liter litre gal qt pt
    w kw v volt volts watt watts amp amps hp hz ghz mhz mah gb tb mb psi btu rpm
    pc pcs piece pieces pack packs pk ct count
    stk stück pièces pièce uds szt x
"""
_JOINING, _UNITS = frozenset(_JOINING_WORDS.split()), frozenset(_UNIT_WORDS.split())


def phrases_of(titles: Iterable[str], least: int) -> dict[str, int]:
    """Phrases of 2 or 3 words (Chinese: 1 to 3) with the number of these titles that hold each, at least `least`.

    A phrase begins a title, or ends where a noun phrase can end: before a sign, a number, a unit, a joining word or
    the end of the title; in Chinese with a noun. "Whole milk" is one, "milk in" is none. Pieces of a longer phrase
    that nearly always stand in it go ("gala apples" of "royal gala apples"), and so do three words that are nearly
    always the end of a longer phrase ("gala apples bag").
    """
    counts: Counter[Phrase] = Counter()
    whole: Counter[Phrase] = Counter()  # where the stretch begins with the phrase, too
    beginnings: Counter[Phrase] = Counter()
    for title in titles:
        chunks = list(_chunks(title))
        found = {phrase: begins for chunk in chunks for phrase, begins in _endings(chunk)}
        counts.update(found.keys())
        whole.update(phrase for phrase, begins in found.items() if begins)
        beginnings.update(_beginnings(chunks[0]))
    frequent = {phrase: count for phrase, count in counts.items() if count >= least}
    for phrase, count in list(frequent.items()):
        if len(phrase) == _LONGEST and whole[phrase] < _BEGINS * count:
            del frequent[phrase]
        else:
            _without_pieces(frequent, phrase, count, counts)
    opening = {phrase: count for phrase, count in beginnings.items() if count >= least}
    for phrase, count in list(opening.items()):
        if len(phrase) == _LONGEST:
            _without_pieces(opening, phrase, count, beginnings)
            if phrase[:-1] in opening:  # it goes on in several ways: this is one of them
                del opening[phrase]
    every = opening | frequent
    best = sorted(every, key=lambda phrase: (-every[phrase], phrase))[:_MOST]
    return {_written(phrase): every[phrase] for phrase in best}


def _without_pieces(frequent: dict[Phrase, int], phrase: Phrase, count: int, counts: Counter[Phrase]) -> None:
    for piece in (phrase[1:], phrase[:-1]):
        if count >= _FRAGMENT * counts[piece]:
            frequent.pop(piece, None)


def _chunks(title: str) -> Iterator[list[str]]:
    """Stretches of words that nothing interrupts: no sign, number, unit or single letter."""
    chunk: list[str] = []
    for word in _PART.findall(unicodedata.normalize("NFKC", title).casefold()):
        is_word = word[0].isalpha() and word not in _UNITS and (len(word) > 1 or is_run(word))
        if not is_word or (chunk and has_han(chunk[-1]) != has_han(word)):
            yield chunk
            chunk = []
        if is_word:
            chunk.append(word)
    yield chunk


def _beginnings(chunk: list[str]) -> Iterator[Phrase]:
    """The first two words and the first three; a run without spaces has none."""
    for end in range(2, min(len(chunk), _LONGEST) + 1):
        if not has_han(chunk[0]) and chunk[0] not in _JOINING and chunk[end - 1] not in _JOINING:
            yield tuple(chunk[:end])


def _endings(chunk: list[str]) -> Iterator[tuple[Phrase, bool]]:
    if chunk and has_han(chunk[0]):
        for run in chunk:
            yield from _chinese(run)
        return
    for end, after in enumerate([*chunk[1:], ""], 1):
        if after and after not in _JOINING:
            continue
        for start in range(max(end - _LONGEST, 0), end - 1):
            if chunk[start] not in _JOINING and chunk[end - 1] not in _JOINING:
                yield tuple(chunk[start:end]), start == 0 or chunk[start - 1] in _JOINING


def _chinese(run: str) -> Iterator[tuple[Phrase, bool]]:
    """Of one run, which may hold Latin letters (T恤)."""
    import rjieba

    words = rjieba.tag(run)
    for end, (last, tag) in enumerate(words, 1):
        if tag.startswith("n") and has_han(last):
            for start in range(max(end - _LONGEST, 0), end):
                phrase = tuple(word for word, _ in words[start:end])
                if len(_written(phrase)) > 1:
                    yield phrase, True


def _written(phrase: Phrase) -> str:
    return ("" if any(has_han(word) for word in phrase) else " ").join(phrase)
