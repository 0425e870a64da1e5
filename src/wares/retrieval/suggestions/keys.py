"""How a suggestion can be begun: the words at which it may be entered, its pinyin among them."""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from wares.domain.text import normalise

MAX_RUN = 8  # characters of unspaced script that one key holds; longer typed runs are several words
_MAX_WORDS = 40  # of one text that can be entered
_MAX_PINYIN = 24  # letters of one key
FIRST_HAN, LAST_HAN = "\u3400", "\ufaff"
_HAN = f"{FIRST_HAN}-\u4dbf\u4e00-\u9fff\uf900-{LAST_HAN}"
_RUN = rf"{_HAN}\u3005\u3040-\u30ff"  # scripts without spaces
_WORD = re.compile(rf"[{_RUN}]+|\d+|[^\W\d_{_RUN}]+")
_POSSESSIVE = re.compile(r"['’](?=[st]\b)")
_IS_RUN = re.compile(rf"[{_RUN}]")
_HAS_HAN = re.compile(rf"[{_HAN}]")
_ALL_HAN = re.compile(rf"[{_HAN}]+")


def words_of(text: str) -> list[str]:
    """Normalised words in order, letters and digits apart, Chinese in simplified characters as unbroken runs.

    >>> words_of("Crème brûlée, men's 500ml 華為手機")
    ['creme', 'brulee', 'mens', '500', 'ml', '华为手机']
    """
    if has_han(text):
        text = _to_simplified().convert(text)
    return _WORD.findall(_POSSESSIVE.sub("", normalise(text)))


def typed_words(text: str) -> list[str]:
    """The words of what is being typed; a run that is longer than any key becomes several."""
    found: list[str] = []
    for word in words_of(text):
        size = MAX_RUN if is_run(word) else len(word)
        found.extend(word[i : i + size] for i in range(0, len(word), size))
    return found


def keys_of(words: list[str]) -> Iterator[tuple[str, bool]]:
    """(key, whether it stands at the very start) for every place at which a text of these words may be entered.

    A spaced word is one key; a run can be entered at any character, and by the pinyin, whole or as initials, of any
    of its words.
    """
    for place, word in enumerate(words[:_MAX_WORDS]):
        if not is_run(word):
            yield word, place == 0
            continue
        for i in range(min(len(word), _MAX_WORDS)):
            yield word[i : i + MAX_RUN], place == 0 and i == 0
        for part in _ALL_HAN.finditer(word):
            for start, letters in _pinyin(part.group()):
                yield letters, place == 0 and part.start() + start == 0


def is_run(word: str) -> bool:
    """Whether the word is of a script without spaces."""
    return _IS_RUN.match(word) is not None


def has_han(text: str) -> bool:
    return not text.isascii() and _HAS_HAN.search(text) is not None


def _pinyin(run: str) -> Iterator[tuple[int, str]]:
    """From each word of a Chinese run on: (its first character, pinyin), and the same with the initials alone.

    Pronunciation is that of the whole run, so that 长 of 长袖 is chang.
    """
    import rjieba
    from pypinyin import lazy_pinyin

    syllables = lazy_pinyin(run)
    if len(syllables) != len(run):  # characters without pinyin stand for themselves, several in one piece
        syllables = [syllable for character in run for syllable in lazy_pinyin(character)]
    for _, start, _ in rjieba.tokenize(run):
        if start < _MAX_WORDS:
            rest = syllables[start : start + MAX_RUN]
            yield start, "".join(rest)[:_MAX_PINYIN]
            yield start, "".join(syllable[0] for syllable in rest)


@cache
def _to_simplified() -> Any:
    from opencc import OpenCC

    return OpenCC("t2s")
