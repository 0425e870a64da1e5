"""Pinyin for Chinese: 'shouji ke', 'baowenbei' and 'sjk' find 手机壳 and 保温杯, below written characters."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from wares.domain.intent import Reading, Term
from wares.domain.strings import State, pack, unpack

_WEIGHT = 0.5
_INITIALS_WEIGHT = 0.4
_MOST_PHRASES = 200_000
_MOST_READINGS = 3
_MOST_PIECES = 5  # phrases that one stretch of letters may spell
_LONGEST_KEY = 36  # letters
_LEAST_INITIALS, _MOST_INITIALS = 3, 6
_LEAST_LETTERS = 3  # 'ke' alone says too little


@lru_cache(maxsize=100_000)
def syllables(word: str) -> tuple[str, ...]:
    """One syllable a character, without tones: '手机壳' -> ('shou', 'ji', 'ke')."""
    from pypinyin import Style, lazy_pinyin  # slow to import

    sounds: list[str] = lazy_pinyin(word, style=Style.NORMAL, errors=list)  # type: ignore[arg-type]
    return tuple(sounds)


def fold(sounds: Iterable[str]) -> str:
    """A key that is the same for syllables that many speakers do not tell apart: zh/z, ch/c, sh/s, -ng/-n."""
    return " ".join((s[0] + s[2:] if s[:2] in {"zh", "ch", "sh"} else s).removesuffix("g") for s in sounds)


@dataclass(frozen=True)
class Pinyin:
    """How the catalogue's words, and pairs of neighbours, sound; the most frequent first.

    `phrases`: words with a space between them; `sounds`: their syllables, likewise; `counts` (phrases,).
    """

    phrases: tuple[str, ...]
    sounds: tuple[str, ...]
    counts: NDArray[np.int32]

    @staticmethod
    def of(cuts: Iterable[Sequence[str]], words: Iterable[str] = ()) -> "Pinyin":
        """From cut runs of the catalogue; `words`: further words of the index, such as those inside compounds."""
        counts = Counter[str](word for word in words if word)
        for run in cuts:
            counts.update(run)
            counts.update(f"{a} {b}" for a, b in pairwise(run))
        most = sorted(counts, key=lambda phrase: (-counts[phrase], phrase))[:_MOST_PHRASES]
        sounds = tuple(" ".join(syllables(phrase.replace(" ", ""))) for phrase in most)
        return Pinyin(tuple(most), sounds, np.array([counts[phrase] for phrase in most], np.int32))

    def state(self) -> State:
        """Plain arrays."""
        return pack("phrases", self.phrases) | pack("sounds", self.sounds) | {"counts": self.counts}

    @staticmethod
    def restore(state: Mapping[str, NDArray[np.generic]]) -> "Pinyin":
        return Pinyin(unpack("phrases", state), unpack("sounds", state), np.asarray(state["counts"], np.int32))

    def knows(self, word: str) -> bool:
        """Is this a word of the catalogue?"""
        return word in self._words

    def has_phrase(self, *words: str) -> bool:
        """Do these words stand side by side somewhere in the catalogue?"""
        return " ".join(words) in self._phrases

    def read(self, tokens: Sequence[str]) -> list[Term]:
        """Neighbouring Latin tokens that the catalogue does not know, read as pinyin.

        Empty where they cannot be read. The caller asks only about tokens that are no words of the catalogue.
        """
        letters = "".join(token.replace("'", "") for token in tokens)
        if not (letters.isascii() and letters.isalpha()) or len(letters) < _LEAST_LETTERS:
            return []
        if pieces := self._tile(letters):
            return [Term(piece, self._readings(self._by_sound[piece], _WEIGHT)) for piece in pieces]
        if len(tokens) == 1 and _LEAST_INITIALS <= len(letters) <= _MOST_INITIALS and letters in self._by_initials:
            return [Term(letters, self._readings(self._by_initials[letters], _INITIALS_WEIGHT))]
        return []

    def homophones(self, text: str, exact: bool = False) -> list[tuple[str, ...]]:
        """The catalogue's words, or pairs of neighbours, that sound like these characters; most frequent first.

        Unless `exact`, sounds that many do not tell apart count where nothing sounds just the same.
        """
        places = self._by_fold.get(fold(syllables(text)), ())
        same = [i for i in places if self.sounds[i] == " ".join(syllables(text))]
        if not same and not exact:
            same = list(places)
        return [tuple(self.phrases[i].split()) for i in same if self.phrases[i].replace(" ", "") != text]

    @cached_property
    def _words(self) -> frozenset[str]:
        return frozenset(word for phrase in self.phrases for word in phrase.split())

    @cached_property
    def _phrases(self) -> frozenset[str]:
        return frozenset(self.phrases)

    @cached_property
    def _by_sound(self) -> dict[str, list[int]]:
        return _places("".join(sound.split()) for sound in self.sounds)

    @cached_property
    def _by_initials(self) -> dict[str, list[int]]:
        return _places("".join(s[0] for s in sound.split()) for sound in self.sounds)

    @cached_property
    def _by_fold(self) -> dict[str, list[int]]:
        return _places(fold(sound.split()) for sound in self.sounds)

    def _readings(self, places: Sequence[int], weight: float) -> tuple[Reading, ...]:
        common = [i for i in places[:_MOST_READINGS] if 2 * self.counts[i] >= self.counts[places[0]]]
        return tuple(Reading(tuple(self.phrases[i].split()), weight, "pinyin") for i in common)

    def _tile(self, letters: str) -> list[str]:
        """The fewest phrases that spell the letters; among equally few, the most frequent."""
        n, known = len(letters), self._by_sound
        best: list[tuple[int, float, int] | None] = [None] * n + [(0, 0.0, n)]  # pieces, -log count, first border
        for start in range(n - 1, -1, -1):
            for end in range(start + 1, min(n, start + _LONGEST_KEY) + 1):
                rest, places = best[end], known.get(letters[start:end])
                if rest is None or places is None or rest[0] == _MOST_PIECES:
                    continue
                option = (rest[0] + 1, rest[1] - float(np.log(self.counts[places[0]])), end)
                best[start] = option if best[start] is None else min(best[start] or option, option)
        pieces, at = list[str](), 0
        while at < n:
            step = best[at]
            if step is None:
                return []
            pieces.append(letters[at : step[2]])
            at = step[2]
        return pieces


def _places(keys: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(keys):
        found[name].append(i)
    return dict(found)
