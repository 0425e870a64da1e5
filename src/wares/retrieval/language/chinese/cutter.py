"""Chinese into words, for the index and for queries.

A run of characters is cut along its likeliest path through a graph of known words: a general dictionary, words of
retail and the shop's own. What the index holds of a run:

    保温杯   a word of the path, or of a nearly as likely path (龙井茶+叶 and 龙井+茶叶)
    水果~    a word to which one character is tied (水果刀): what the thing is for, or the kind it is of
    ~杯      a character that ends a word (保温杯, 水杯) or stands alone: mostly what the thing is
    女~      a sex, season or colour that begins a word (女士, 冬季, 红色) or stands alone
    ¬糖      a thing that is not there (无糖, 不含糖); 糖 itself is then not held

Words that arise only across a border (和服 in 鞋和服装) are on no likely path, so they are not held.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from wares.domain.intent import Reading, Term
from wares.domain.strings import State, pack, unpack
from wares.domain.text import MAX_TEXT
from wares.retrieval.language.chinese.lexicon import (
    LONGEST_WORD,
    is_word,
    joined,
    log_probability,
    retail_probabilities,
    words_within,
)
from wares.retrieval.language.chinese.mining import SHAPES, mine
from wares.retrieval.language.chinese.negation import NOT, bare, negated
from wares.retrieval.language.chinese.paths import likeliest
from wares.retrieval.language.chinese.script import has_han, simplify

_MARGIN = 2.5  # nats by which another path may be less likely than the best and still be held
_INNER_MARGIN = 8.0  # the same for paths inside one word
_STRETCH = 64  # characters that are cut together
_STOP = frozenset("的了和与及或等之是在把被给很更")
_VERBS_TEXT = """
用 穿 放 装 能 可 可以 里 上 想 要 买 问 我 你 送 送给 下 喝 吃 放在 使用 时候
"""
_VERBS = frozenset(_VERBS_TEXT.split())  # of a query; they name no product
_BEGINNINGS = frozenset("男女春夏秋冬童婴")
_AFTER_SEASON = frozenset("季天款装日春夏秋冬用")
_SEASONS = frozenset("春夏秋冬")
_COLOURS = frozenset("红橙黄绿青蓝紫黑白灰粉棕金银")
ALONE = (
    _STOP
    | _BEGINNINGS
    | _COLOURS
    | frozenset("大小新长短厚薄高低可不无有带含免非零没未也都就要用送一二两三四五六七八九十双半全多超真")
)  # characters that mean something by themselves
_KIND, _PARTS, _SEX, _INNER = 0.6, 0.7, 0.8, 0.9  # weights of readings
_BRAND_BONUS, _MINED_BONUS = 2.0, 1.0


def beginning(word: str) -> str | None:
    """The sex, season or colour that a word begins with: '女士' -> '女', '冬季' -> '冬', '红色' -> '红'."""
    first = word[0]
    if len(word) == 1:
        return first if first in _BEGINNINGS or first in _COLOURS else None
    if first in _SEASONS:
        return first if word[1] in _AFTER_SEASON else None
    if first in _COLOURS:
        return first if word[1] == "色" else None
    return first if first in _BEGINNINGS else None


@dataclass(frozen=True)
class Cutter:
    """`own`: the shop's words that the general lexicon lacks, alphabetical; `bonuses` (own,): how firmly each holds."""

    own: tuple[str, ...]
    bonuses: NDArray[np.float32]

    @staticmethod
    def of(texts: Iterable[str], dictionary: Iterable[str]) -> "Cutter":
        """Learn words from the titles and from names (brands, categories); both as the shop writes them."""
        named = {
            run: _BRAND_BONUS
            for name in dictionary
            for run in runs(simplify(name))
            if 2 <= len(run) <= LONGEST_WORD and not is_word(run)
        }
        plain = Cutter._with(named)
        kept = {word: bonus for word, bonus in named.items() if any(len(p) == 1 for p in plain._parts(word))}
        plain = Cutter._with(kept)
        cuts = [plain.cut(run) for text in texts for run in runs(simplify(text))]
        return Cutter._with(dict.fromkeys(mine(cuts), _MINED_BONUS) | kept)

    @staticmethod
    def _with(bonuses: Mapping[str, float]) -> "Cutter":
        own = tuple(sorted(bonuses))
        return Cutter(own, np.array([bonuses[word] for word in own], np.float32))

    def state(self) -> State:
        """Plain arrays."""
        return pack("own", self.own) | {"bonuses": self.bonuses}

    @staticmethod
    def restore(state: Mapping[str, NDArray[np.generic]]) -> "Cutter":
        return Cutter(unpack("own", state), np.asarray(state["bonuses"], np.float32))

    def cut(self, run: str) -> list[str]:
        """The words of the likeliest path; characters that no word holds and that stand together become one."""
        return [word for start in range(0, len(run), _STRETCH) for word in self._cut(run[start : start + _STRETCH])]

    def index_words(self, run: str) -> list[str]:
        """What the index holds of a run of simplified characters, in the order of the text."""
        found: list[str] = []
        for start in range(0, len(run), _STRETCH):
            path, others = self._paths(run[start : start + _STRETCH])
            words = negated(_join(path))
            for word, then in zip_longest(words, words[1:], fillvalue=""):
                # 'for air fryers only' is no air fryer: 空气炸锅专用纸
                found.extend([f"{word}~"] if _is_for(then, run) else self._held(word))
            found.extend(others)
        return found

    def words(self, run: str) -> list[str]:
        """The words of a run as a query says them, for names and synonyms: 无糖饮料 -> ['¬糖', '饮料']."""
        return negated(self.cut(run))

    def inner_words(self, run: str) -> list[str]:
        """The words of two and more characters inside the words of a run: what else it may be called."""
        held = (word.strip("~") for whole in self.words(run) for word in self._held(whole)[1:])
        return [word for word in held if len(word) > 1 and not word.startswith(NOT)]

    def query_terms(self, run: str) -> list[Term]:
        """The run's words, each with what it may be found by; words without meaning are left out."""
        words = [word for word in self.words(run[:_STRETCH]) if word not in _STOP]
        words = [word for word in words if word not in _VERBS] or words
        return [Term(word, self.readings(word)) for whole in words for word in self._apart(whole)]

    def _apart(self, word: str) -> list[str]:
        """A phrase that the general dictionary lists as one word (安装简单), as its words; other words as they are."""
        if len(word) < 4 or word in self._known or word.startswith(NOT):
            return [word]
        parts = self._parts(word)
        return parts if all(len(part) > 1 for part in parts) else [word]

    def readings(self, word: str) -> tuple[Reading, ...]:
        """What a query's word may be found by, best first."""
        if word.startswith(NOT):
            return Reading((word,)), *(Reading((no + word[1:],), _INNER) for no in "无不免")
        found = [Reading((word,))]
        first = beginning(word)
        if len(word) == 1:
            found.append(Reading((f"~{word}",), _SEX, "compound"))
            if first:
                found.append(Reading((f"{first}~",), _INNER, "compound"))
            else:
                found.append(Reading((f"{word}~",), _KIND, "compound"))
            return tuple(found)
        if word[0] in "无不免非" and len(word) <= 3:
            found.append(Reading((NOT + bare(word[1:]),), _INNER))
        if word[0] in "含可" and (len(word) > 2 or word[0] == "含"):  # 含酒精 is 酒精, 可水洗 is 水洗
            found.append(Reading((word[1:] if len(word) > 2 else f"~{word[1]}",), _INNER, "compound"))
        if len(word) == 2 and bare(word) != word:
            found.append(Reading((f"~{bare(word)}",), _INNER, "compound"))
        if first and _means_only(word, first):
            found.append(Reading((f"{first}~",), _INNER, "compound"))
        elif first and len(word) == 2:
            found.append(Reading((f"{first}~", f"~{word[1]}"), _SEX, "compound"))
        elif len(word) >= 3:
            *ahead, last = self._parts(word)
            if all(len(part) > 1 or beginning(part) for part in ahead):
                words = (*(part if len(part) > 1 else f"{part}~" for part in ahead), last)
                found.append(Reading((*words[:-1], last if len(last) > 1 else f"~{last}"), _PARTS, "compound"))
        found.append(Reading((f"{word}~",), _KIND, "compound"))
        return tuple(found)

    def widen(self, term: Term) -> Term:
        """The term, where what is read by synonym, spelling or pinyin also counts as the kind or end of a word."""
        more = [wide for reading in term.readings if reading.why for wide in self._widened(reading)]
        known = {reading.words for reading in term.readings}
        new = {reading.words: reading for reading in reversed(more) if reading.words not in known}
        return Term(term.said, tuple(sorted((*term.readings, *new.values()), key=lambda reading: -reading.weight)))

    def _widened(self, reading: Reading) -> list[Reading]:
        if len(reading.words) == 1:
            own = self.readings(reading.words[0]) if has_han(reading.words[0]) and _is_plain(reading.words[0]) else ()
            return [Reading(r.words, reading.weight * r.weight, reading.why) for r in own[1:]]
        loose = tuple(f"~{word}" if len(word) == 1 and has_han(word) else word for word in reading.words)
        return [Reading(loose, reading.weight * _INNER, reading.why)]

    @cached_property
    def _known(self) -> dict[str, float]:
        known = dict(retail_probabilities())
        for word, bonus in sorted(zip(self.own, self.bonuses.tolist(), strict=True), key=lambda pair: len(pair[0])):
            known[word] = joined(word, known, bonus)
        return known

    @cached_property
    def _inner(self) -> dict[str, tuple[str, ...]]:
        return {}  # filled as words are met: the same words recur in all titles

    def _arcs(self, run: str) -> list[list[tuple[int, float]]]:
        """For each place the words that begin there: (end, log probability)."""
        known, within, n = self._known, words_within(run), len(run)
        arcs: list[list[tuple[int, float]]] = []
        for start in range(n):
            here = [(start + 1, log_probability(run[start]))]
            for end in range(start + 2, min(start + LONGEST_WORD, n) + 1):
                word = run[start:end]
                if (value := known.get(word)) is not None:
                    here.append((end, value))
                elif word in within:
                    here.append((end, log_probability(word)))
            arcs.append(here)
        return arcs

    def _cut(self, run: str) -> list[str]:
        return _join(self._paths(run)[0])

    def _paths(self, run: str, margin: float = _MARGIN, whole: bool = True) -> tuple[list[str], list[str]]:
        return likeliest(run, self._arcs(run), margin, whole)

    def _parts(self, word: str) -> list[str]:
        """The likeliest cut of one word into shorter ones."""
        return self._paths(word, whole=False)[0]

    def _held(self, word: str) -> tuple[str, ...]:
        if (held := self._inner.get(word)) is None:
            held = self._inner[word] = tuple(self._hold(word))
        return held

    def _hold(self, word: str) -> list[str]:
        """A word, and what it is found by besides."""
        if word.startswith(NOT):
            return [word]
        if word in _STOP:
            return []
        found = [word]
        if len(word) > 2:
            parts, others = self._paths(word, _INNER_MARGIN, whole=False)
            if all(len(p) == 1 for p in parts):  # no dictionary knows it: any two neighbours may be what is asked for
                others = [word[i : i + 2] for i in range(len(word) - 1)]
            inner = dict.fromkeys(part for part in (*parts, *others) if len(part) > 1)
            # one character after it ties the two together (水果刀); a word after it does not (蓝牙耳机)
            found += [f"{p}~" if word.startswith(p) and len(word) == len(p) + 1 else p for p in inner]
        if first := beginning(word):
            found.append(f"{first}~")
        if word[0] not in "无不免":  # 无袖 has no sleeve
            found.append(f"~{bare(word)[-1]}")
        return found


def runs(text: str) -> list[str]:
    """The stretches of Chinese characters in a text."""
    return SHAPES.findall(text[:MAX_TEXT])


def _is_plain(word: str) -> bool:
    return not word.startswith("~") and not word.endswith("~")


def _is_for(word: str, run: str) -> bool:
    return word.startswith("专用") and not run.endswith("专用")


def _means_only(word: str, first: str) -> bool:
    """Does the word say nothing but its sex, season or colour ('女士', '冬季', '红色')?"""
    return len(word) == 2 and (first in _SEASONS or first in _COLOURS or word[1] in "士性款式生子人")


def _join(path: Sequence[str]) -> list[str]:
    """Characters that stand alone side by side are one new word (花+洒), but for those that mean something alone."""
    found: list[str] = []
    loose = ""
    for word in (*path, ""):
        if len(word) == 1 and word not in ALONE:
            loose += word
            continue
        if loose:
            found.append(loose)
            loose = ""
        if word:
            found.append(word)
    return found
