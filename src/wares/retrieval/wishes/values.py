"""What the shop's own fields can say: brands, categories, colours, genders and sizes, found again in a query."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from wares.domain.catalogue import Columns
from wares.domain.product import PATH_SEPARATOR
from wares.domain.text import stem
from wares.domain.wish import WishKind
from wares.retrieval.wishes.vocabulary import HAN, fold, function_words, vocabulary, word_lists, word_of

MOST_PATHS = 8  # a category name at more places of the tree than that says too little
LONGEST_HAN = 10  # characters of a value that is looked for inside a run of Chinese
_WORD = re.compile(rf"[{HAN}]+|(?:(?![{HAN}])[^\W_])+(?:'(?:(?![{HAN}])[^\W_])+)*")
_HAN_RUN = re.compile(f"[{HAN}]+")
_PLURAL_E = re.compile("(ss|x|sh|ch)e$")  # dresses: the stemmer leaves 'dresse'
_SIZE_LETTERS = re.compile(r"(?<![a-z0-9])(?:x{1,4}[sl]|[2-6]xl)(?![a-z0-9])")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase stands for: any of `values` of `field`; `count` living products have them."""

    kind: WishKind
    field: str
    values: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class Mention:
    """folded[start:end] is a phrase with this meaning."""

    start: int
    end: int
    meaning: Meaning


@dataclass(frozen=True, slots=True)
class ShopValues:
    """The shop's values by phrase (folded, words joined by a space)."""

    phrases: Mapping[str, Meaning]
    sizes: Mapping[str, Meaning]
    exact: Mapping[str, Meaning]  # any field's values that are just this phrase, for exclusions
    longest: int  # words in the longest of the phrases

    @staticmethod
    def empty() -> "ShopValues":
        return ShopValues({}, {}, {}, 0)

    @staticmethod
    def of(columns: Columns) -> "ShopValues":
        """Read the distinct values of every label column, with the number of living rows that have them."""
        found: dict[str, list[Meaning]] = defaultdict(list)
        sizes: dict[str, list[Meaning]] = defaultdict(list)
        exact: dict[str, list[Meaning]] = defaultdict(list)
        for field, labels in columns.labels.items():
            counts = np.bincount(labels.codes[columns.alive[labels.rows]], minlength=len(labels.values)).tolist()
            living = [(value, count) for value, count in zip(labels.values, counts, strict=True) if count]
            kind = _kind_of(field)
            for phrase, meaning in _merged(kind or WishKind.EXCLUSION, field, _spoken(field, living)):
                if kind is not WishKind.CATEGORY:  # "no sugar" is about what is inside, not about the shelf
                    exact[phrase].append(meaning)
                if kind in (WishKind.BRAND, WishKind.CATEGORY) and _tells(phrase, meaning):
                    found[phrase].append(meaning)
                if kind is WishKind.SIZE:
                    sizes[phrase].append(meaning)
            if kind in (WishKind.COLOUR, WishKind.GENDER):
                _add_said(kind, field, living, found, exact)
        phrases = _most_frequent(found)
        longest = max((phrase.count(" ") + 1 for phrase in phrases), default=0)
        return ShopValues(phrases, _most_frequent(sizes), _most_frequent(exact), longest)

    def meaning_of(self, phrase: str) -> Meaning | None:
        """The most frequent field and values that are exactly this phrase, of any kind."""
        words = [match.group() for match in _WORD.finditer(fold(phrase))]
        return self.exact.get(_key(words)) or self.exact.get(_key(words, stemmed=True))

    def mentions(self, folded: str) -> list[Mention]:
        """The phrases of a folded query that mean something, longest first where they overlap."""
        words = [(match.start(), match.end(), match.group()) for match in _WORD.finditer(folded)]
        found: list[Mention] = []
        for mention in (*self._phrases_of(words), *self._inside_han(words)):
            if all(mention.end <= other.start or other.end <= mention.start for other in found):
                found.append(mention)
        return found

    def size_mentions(self, query: str, folded: str) -> Iterator[Mention]:
        """'size 42', 'Größe M', 'XL', '42码', and a capital S, M or L at the end, where the shop has that size."""
        if not self.sizes:
            return
        asked = [(m.start(), m.end(), m["size"] or m["before"]) for m in _size_words().finditer(folded)]
        asked += [(m.start(), m.end(), m.group()) for m in _SIZE_LETTERS.finditer(folded)]
        asked += [(m.start(), m.end(), m.group().lower()) for m in re.finditer(r"(?<=\s)[SML]$", query)]
        for start, end, size in asked:
            if (meaning := self.sizes.get(_key(m.group() for m in _WORD.finditer(size)))) is not None:
                yield Mention(start, end, meaning)

    def _phrases_of(self, words: list[tuple[int, int, str]]) -> Iterator[Mention]:
        plain, stemmed = [_key([word]) for _, _, word in words], [_key([word], stemmed=True) for _, _, word in words]
        for length in range(min(self.longest, len(words)), 0, -1):
            for first in range(len(words) - length + 1):
                last = first + length
                meaning = self.phrases.get(" ".join(plain[first:last])) or self.phrases.get(
                    " ".join(stemmed[first:last])
                )
                if meaning is not None:
                    yield Mention(words[first][0], words[last - 1][1], meaning)

    def _inside_han(self, words: list[tuple[int, int, str]]) -> Iterator[Mention]:
        runs = [(start, word) for start, _, word in words if _HAN_RUN.match(word)]
        for length in range(LONGEST_HAN, 1, -1):
            for start, run in runs:
                for first in range(len(run) - length + 1):
                    if (meaning := self.phrases.get(run[first : first + length])) is not None:
                        yield Mention(start + first, start + first + length, meaning)
        for start, run in runs:  # 跑鞋男: a lone gender at the end of a run
            if len(run) > 2 and run[-1] in "男女" and run[-2] not in "男女美少处仙孙儿子侄母妇":
                meaning = self.phrases.get(run[-1])
                if meaning is not None and meaning.kind is WishKind.GENDER:
                    yield Mention(start + len(run) - 1, start + len(run), meaning)


def _kind_of(field: str) -> WishKind | None:
    if field in ("brand", "category"):
        return WishKind(field)
    name = fold(field)
    words = set(re.split(r"[\s_\-.]+", name))
    for kind, names in _field_names().items():
        if words & names or any(word in name for word in names if _HAN_RUN.match(word)):
            return WishKind(kind)
    return None


def _spoken(field: str, living: list[tuple[str, int]]) -> Iterator[tuple[str, str, int]]:
    """(phrase, value, count): a category by the name of its level, 苹果(Apple) also by either half."""
    for value, count in living:
        words = [match.group() for match in _WORD.finditer(fold(value.rpartition(PATH_SEPARATOR)[2]))]
        phrases = {_key(words, stemmed=field == "category")}
        if field == "brand":
            han = [word for word in words if _HAN_RUN.match(word)]
            if 0 < len(han) < len(words):
                phrases |= {_key(han), _key(word for word in words if word not in han)}
        for phrase in sorted(phrases - {""}):
            yield phrase, value, count


def _merged(kind: WishKind, field: str, spoken: Iterable[tuple[str, str, int]]) -> Iterator[tuple[str, Meaning]]:
    values: dict[str, list[str]] = defaultdict(list)
    counts: dict[str, int] = defaultdict(int)
    for phrase, value, count in spoken:
        values[phrase].append(value)
        counts[phrase] += count
    for phrase, meant in values.items():
        yield phrase, Meaning(kind, field, tuple(meant), counts[phrase])


def _add_said(
    kind: WishKind,
    field: str,
    living: list[tuple[str, int]],
    found: dict[str, list[Meaning]],
    exact: dict[str, list[Meaning]],
) -> None:
    """Every word for red, in any language, means all of the shop's values that hold a word for red ("Dark red")."""
    lists = word_lists("colours" if kind is WishKind.COLOUR else "genders")
    by_phrase = defaultdict(set)
    for name, phrases in lists.items():
        for phrase in phrases:
            by_phrase[phrase].add(name)
    holding: dict[str, list[tuple[str, int]]] = defaultdict(list)
    being: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for value, count in living:
        words = [match.group() for match in _WORD.finditer(fold(value))]
        phrase = _key(words)
        for name in by_phrase.get(phrase, ()):
            being[name].append((value, count))
        parts = {_key(words[i : i + n]) for n in (1, 2) for i in range(len(words) - n + 1)}
        parts |= {run[i:] for run in words if _HAN_RUN.match(run) for i in range(len(run))}  # 深红色 ends with 红色
        for name in {name for part in parts for name in by_phrase.get(part, ())}:
            holding[name].append((value, count))
        if phrase and phrase not in by_phrase:
            found[phrase].append(Meaning(kind, field, (value,), count))
    for table, values_of in ((found, holding), (exact, being)):
        for name, values in values_of.items():
            meaning = Meaning(kind, field, tuple(value for value, _ in values), sum(count for _, count in values))
            for phrase in lists[name]:
                table[phrase].append(meaning)


def _tells(phrase: str, meaning: Meaning) -> bool:
    """Whether a brand or category name is more than a number, a letter or a function word."""
    if len(phrase) < 2 or phrase.isdigit() or phrase in function_words():
        return False
    return meaning.kind is not WishKind.CATEGORY or len(meaning.values) <= MOST_PATHS


def _most_frequent(found: Mapping[str, list[Meaning]]) -> dict[str, Meaning]:
    return {phrase: max(meanings, key=lambda meaning: meaning.count) for phrase, meanings in found.items()}


def _key(words: Iterable[str], stemmed: bool = False) -> str:
    bare = (word.replace("'", "") for word in words)
    return " ".join(_PLURAL_E.sub(r"\1", stem(word)) if stemmed else word for word in bare)


@cache
def _field_names() -> Mapping[str, frozenset[str]]:
    return {kind: frozenset(map(fold, names)) for kind, names in vocabulary()["fields"].items()}


@cache
def _size_words() -> re.Pattern[str]:
    words = vocabulary()["size"]["words"]
    value = r"[a-z0-9][a-z0-9/.]*"
    return re.compile(rf"{word_of(words)}\s*:?\s*(?P<size>{value})|(?P<before>(?<![a-z0-9]){value})\s*[码碼]")
