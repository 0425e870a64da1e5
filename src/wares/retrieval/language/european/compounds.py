"""Compounds by the shop's own vocabulary: 'Handyhülle' holds 'Handy' and 'Hülle' where the shop sells both.

A word is split where the geometric mean of its parts' frequencies speaks for it, after Koehn and Knight, "Empirical
Methods for Compound Splitting" (EACL 2003); the longer the parts, the less likely is an accident, and the less frequent
they may be. A false split costs more than a missed one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from math import exp, inf, log
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.strings import State, pack, unpack
from wares.retrieval.language.european.folding import fold_word
from wares.retrieval.language.european.words import COMPOUNDING, language_of_tag, stemmer

Parts = tuple[str, ...]

# What may stand between two parts; and the ending that a part may have lost: 'schulbuch' of 'schule'.
_LINKS = {
    "en": ("",),
    "de": ("", "s", "n", "en", "er", "es", "e", "ns"),
    "nl": ("", "s", "e", "en", "n", "er"),
    "sv": ("", "s", "e", "u", "o"),
    "da": ("", "s", "e", "er"),
    "nb": ("", "s", "e", "er"),
    "fi": ("", "n", "en"),
}
_LOST = {"de": ("e", "en"), "nl": ("e",), "sv": ("a", "e"), "nb": ("e",)}
_MOST_PARTS = 4
_LINK_COST = 1.5  # per letter of a link, on the scale of log frequency: 'leder' goes before 'led' + 'er'
_LONGEST = 40  # letters of a word that is tried
# Endings and small words that are no parts although a shop has them as words.
_NO_PARTS = (
    "ung heit keit lich bar los haft sam isch chen lein ter ten ion eur ell end age ine ade ant ett ist tion ier ing "
    "est der die das den dem des ein eine und mit von vom zum zur fur auf aus bei ver ent zer vor ober uber unter "
    "her hin ern ert els eln ste tel sel nis tum sche scher schen het een van voor met aan uit bij tje pje achtig lijk "
    "baar och med som for til fra till att det han hen hon"
)
_NO_PARTS_EN = (
    "the and for with some ness ment less able ible ions ants ages aged ring rings ware form ally ting king ling sing "
    "ster ance ence ours"
)
# Compounds that are no kind of their last part: a shopper who looks for shoes wants no gloves. They are left whole.
_OPAQUE = {
    "de": "handschuh baumwolle bildschirm rucksack wasserhahn meerschweinchen spielzeug werkzeug feuerzeug flugzeug "
    "fahrzeug schildkrote regenbogen schneebesen lowenzahn schlafanzug zollstock armband halsband stirnband "
    "spielplatz kochfeld backofen seehund fallschirm handwerk handstand fingerhut augenblick kartoffel "
    "eichhornchen nilpferd seepferd mauspad wasserwaage wasserstoff sauerstoff kunststoff klebstoff rohstoff "
    "teelicht leberkase bratapfel",
    "nl": "handschoen rugzak speelgoed aardappel sinaasappel schildpad gereedschap voertuig vliegtuig grondstof "
    "kunststof beeldscherm armband waterpas",
    "sv": "handske ryggsack leksak sangbord verktyg armband skoldpadda bildskarm",
    "da": "rygsaek legetoj vaerktoj koretoj armband handske kartoffel",
    "nb": "ryggsekk leketoy verktoy armband hanske",
}


@dataclass(frozen=True)
class Compounds:
    """The words of a shop with the number of products that hold each, and which neighbours are also written as one.

    Words are folded (`surface_words`); give whole words rather than stems, and stem the parts that come back.
    """

    language: str
    words: Mapping[str, int]
    neighbours: Mapping[str, int]  # "deck over" -> how often they stand side by side, only where 'deckover' is a word

    @staticmethod
    def of(
        words: Mapping[str, int], language: str, neighbours: Mapping[tuple[str, str], int] | None = None
    ) -> "Compounds":
        """`neighbours` counts pairs of words side by side; without it, English, French and their like split less."""
        language = language_of_tag(language)
        known: dict[str, int] = {}
        for word, frequency in words.items():
            if word.isalpha() and frequency > 0:
                folded = fold_word(word, language)
                known[folded] = known.get(folded, 0) + frequency
        pairs: dict[str, int] = {}
        for (first, second), count in (neighbours or {}).items():
            first, second = fold_word(first, language), fold_word(second, language)
            if first + second in known:
                pairs[f"{first} {second}"] = pairs.get(f"{first} {second}", 0) + count
        return Compounds(language, known, pairs)

    def state(self) -> State:
        """Plain arrays; `restore` makes the same compounds of them."""
        found = pack("words", list(self.words)) | pack("neighbours", list(self.neighbours))
        found |= pack("language", [self.language])
        found["frequency"] = np.array(list(self.words.values()), np.int64)
        found["neighbour_counts"] = np.array(list(self.neighbours.values()), np.int64)
        return found

    @staticmethod
    def restore(state: Mapping[str, NDArray[Any]]) -> "Compounds":
        words = dict(zip(unpack("words", state), state["frequency"].tolist(), strict=True))
        pairs = dict(zip(unpack("neighbours", state), state["neighbour_counts"].tolist(), strict=True))
        return Compounds(unpack("language", state)[0], words, pairs)

    def split(self, word: str) -> Parts | None:
        """The words of the shop in a compound, in order: 'damenwinterstiefel' -> ('damen', 'winter', 'stiefel').

        The fewest parts, of these the most frequent; a part that is a compound is split in turn. The last part stands
        as it is inflected, the others without what links them. None where nothing speaks for a split.
        """
        return self._remembered(word)

    def join(self, first: str, second: str) -> str | None:
        """The shop's word for two neighbours of a query: 'deck', 'over' -> 'deckover'; None where it has none.

        Two words that the shop knows are joined only where the joined word holds both: 'car pet' is not 'carpet'.
        """
        first, second = fold_word(first, self.language), fold_word(second, self.language)
        if not (first.isalpha() and second.isalpha()):
            return None
        for link in _LINKS.get(self.language, ("",)):
            if link and len(first) < 3:
                continue
            joined = self._known_form(first + link + second)
            if joined is None:
                continue
            if self._is_opaque(joined) or (not link and not (self._frequency(first) and self._frequency(second))):
                return joined
            parts = self.split(joined)
            if parts and self._stem(parts[-1]) in {self._stem(p) for p in (self.split(second) or (second,))}:
                return joined
        return None

    def _split(self, word: str) -> Parts | None:
        word = fold_word(word, self.language)
        if not 6 <= len(word) <= _LONGEST or not word.isalpha() or self._is_opaque(word):
            return None
        own = self.words.get(word, 0)
        for _, found in sorted(self._splits(word, _MOST_PARTS if self.language in COMPOUNDING else 2).items()):
            parts = found[1]
            if self._speaks_for(parts, own) and not any(map(self._is_opaque, map("".join, pairwise(parts)))):
                return tuple(piece for part in parts for piece in (self.split(part) or (part,)))
        return None

    def _splits(self, rest: str, most: int) -> dict[int, tuple[float, Parts]]:
        """For each number of parts the best split of a word's rest: the sum of log frequencies, the parts."""
        best: dict[int, tuple[float, Parts]] = {}
        for end in range(3, len(rest) - 2):
            if not (firsts := self._modifiers(rest[:end])):
                continue
            tail = rest[end:]
            tails = self._splits(tail, most - 1) if most > 2 and len(tail) >= 6 else {}
            if frequency := self._part_frequency(tail):
                tails[1] = (log(frequency), (tail,))
            for first, value in firsts:
                for n, (tail_value, parts) in tails.items():
                    if value + tail_value > best.get(n + 1, (-inf, ()))[0]:
                        best[n + 1] = (value + tail_value, (first, *parts))
        return best

    def _modifiers(self, piece: str) -> list[tuple[str, float]]:
        """The words that this first stretch of a compound may stand for, with log frequency less what a link costs."""
        found: list[tuple[str, float]] = []
        for link in _LINKS.get(self.language, ("",)):
            base = piece.removesuffix(link) if link else piece
            if (link and base == piece) or len(base) < 3 or base in self._no_parts:
                continue
            if frequency := self.words.get(base):
                found.append((base, log(frequency) - _LINK_COST * len(link) - 2 * (len(base) == 3)))
        if not found and len(piece) >= 3:
            whole = (piece + lost for lost in _LOST.get(self.language, ()))
            found = [
                (base, log(self.words[base]) - 1) for base in whole if base in self.words and base not in self._no_parts
            ]
        return found

    def _speaks_for(self, parts: Parts, own: int) -> bool:
        """Do the parts' frequencies and lengths make an accident unlikely? `own`: the frequency of the whole."""
        lengths = sorted(map(len, parts))
        frequencies = [self._part_frequency(part) for part in parts]
        mean = exp(sum(map(log, frequencies)) / len(frequencies))
        if self.language not in COMPOUNDING:  # among many words such as 'carpet', the parts must outweigh the whole
            beside = self.neighbours.get(" ".join(parts), 0)
            if lengths[0] == 3:
                return beside >= 3 and 2 * beside >= own
            return (beside >= 2 and 20 * beside >= own) or (min(frequencies) >= 10 and mean >= 2 * own)
        if lengths[0] == 3:
            short = [frequency for part, frequency in zip(parts, frequencies, strict=True) if len(part) == 3]
            return min(short) >= 3 and lengths[1] >= 5 and mean >= own
        return mean * (3 if lengths[0] == 4 else 30) >= own

    def _part_frequency(self, part: str) -> int:
        return 0 if part in self._no_parts else self._frequency(part)

    def _frequency(self, word: str) -> int:
        """The products with this word in its most frequent form."""
        form = self._by_stem.get(self._stem(word))
        return max(self.words.get(word, 0), self.words[form] if form is not None else 0)

    def _known_form(self, word: str) -> str | None:
        """The word itself where the shop has it, else another form of it: 'handyhullen' -> 'handyhulle'."""
        return word if word in self.words else self._by_stem.get(self._stem(word))

    def _is_opaque(self, word: str) -> bool:
        return self._stem(word) in self._opaque

    @cached_property
    def _no_parts(self) -> frozenset[str]:
        return frozenset((_NO_PARTS_EN if self.language == "en" else _NO_PARTS).split())

    @cached_property
    def _opaque(self) -> frozenset[str]:
        return frozenset(map(self._stem, _OPAQUE.get(self.language, "").split()))

    @cached_property
    def _remembered(self) -> Callable[[str], Parts | None]:
        return lru_cache(maxsize=100_000)(self._split)

    @cached_property
    def _stem(self) -> Callable[[str], str]:
        return stemmer(self.language)

    @cached_property
    def _by_stem(self) -> Mapping[str, str]:
        """Stem -> its most frequent word."""
        best: dict[str, str] = {}
        for word, frequency in self.words.items():
            stem = self._stem(word)
            if stem not in best or self.words[best[stem]] < frequency:
                best[stem] = word
        return best
