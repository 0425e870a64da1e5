"""Exclusions said in words: 'without hood', 'sugar-free', 'zuckerfrei', 'sans sucre', '不含酒精'.

Read in titles and queries by the same patterns, so that "no sugar", "sugar free" and "without sugar" can become one
token (NEGATED before the stem) and none of them counts as sugar. What is no exclusion although it looks like one
("hands free", "no drill", "nonstick", 无线) is left alone: "X free" and "no X" hold for things that people leave out,
"without" for all.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from wares.retrieval.wishes.vocabulary import (
    END,
    HAN,
    START,
    fold,
    function_words,
    one_of,
    vocabulary,
    word_lists,
    word_of,
)

NEGATED = "¬"  # before the stem of a word that a text negates
MAX_HAN = 4  # characters of a thing in Chinese that is not in the list
_WORD = re.compile(r"[a-zß]{2,}(?:['-][a-zß]+)*(?![a-z0-9ß])")
_SPACED = str.maketrans(dict.fromkeys("-,;:.!?()[]\"'+&|*", " "))
_NEXT = re.compile(rf"\s+({_WORD.pattern})")


@dataclass(frozen=True, slots=True)
class Negation:
    """text[start:end] negates `words` (folded), the first of which stands at `inner`; `typed` = by a leading minus."""

    start: int
    end: int
    words: tuple[str, ...]
    inner: int
    typed: bool = False


def negated_words(text: str, language: str = "") -> list[Negation]:
    """What a title or the rest of a query negates in words of European languages, in order, without overlaps.

    The words of each span are to count as NEGATED + stem instead of as themselves. `language` is a two-letter code
    that narrows the cues to it and English, "" reads all. Decomposed accents (NFD) must have been composed before.
    """
    folded = fold(text)
    if not _may_negate(folded):
        return []
    return _read_words(folded, language, lambda _: False)


def _may_negate(folded: str) -> bool:
    """A first look, many times faster than reading: most texts negate nothing."""
    words = folded.translate(_SPACED).split()
    return not _first_words().isdisjoint(words) or any(piece in folded for piece in _glued())


def read_exclusions(folded: str, known: Callable[[str], bool]) -> list[Negation]:
    """The exclusions of a folded query: also '-leather', Chinese ones, and 'not X' where the shop knows the value X."""
    found = [*_read_words(folded, "", known), *_read_minus(folded), *_read_han(folded, known)]
    found.sort(key=lambda negation: (negation.start, -negation.end))
    return [n for i, n in enumerate(found) if all(n.start >= earlier.end for earlier in found[:i])]


def _read_words(folded: str, language: str, known: Callable[[str], bool]) -> list[Negation]:
    found: list[Negation] = []
    for match in _cues(language).finditer(folded):
        if found and match.start() < found[-1].end:
            continue
        prefixed = match["without"] or match["no"] or match["only"]
        negation = _behind_cue(folded, match, known) if prefixed else _around_cue(match)
        if negation is not None:
            found.append(negation)
    return found


def _around_cue(match: re.Match[str]) -> Negation | None:
    """'sugar free', 'zuckerfrei', 'suikervrij', 'bezcukrowy', 'non-alcoholic'."""
    compounds = vocabulary()["exclusion"]["compounds"]
    if word := match["thing"]:
        return Negation(match.start(), match.end(), tuple(word.split()), match.start("thing"))
    if word := match["frei"] or match["vrij"]:
        if word in _set("compounds", "frei_idioms" if match["frei"] else "vrij_idioms"):
            return None
        return Negation(match.start(), match.end(), (word,), match.start())
    name = "bez" if match["bez"] else "non"
    return Negation(match.start(), match.end(), (compounds[name][match[name]],), match.start())


def _behind_cue(folded: str, match: re.Match[str], known: Callable[[str], bool]) -> Negation | None:
    """'without fur hood', 'no sugar', 'not red': what people leave out or, behind 'without', the words up to the next
    border: two if these are all, else the first."""
    if _before().search(folded, 0, match.start()):
        return None
    start = between.end() if (between := _between().match(folded, match.end())) else match.end()
    first = _WORD.match(folded, start)
    if first is None or first.group() in _set("words", "never"):
        return None
    ends = [first.end()]
    while len(ends) < 3 and (word := _NEXT.match(folded, ends[-1])) and word[1] not in function_words():
        ends.append(word.end())

    def wanted(said: str) -> bool:
        coloured = said in _colours() and not match["without"]
        return coloured or said in _set("words", "things") or known(said)

    if len(ends) > 1 and wanted(" ".join(folded[start : ends[1]].split())):
        end = ends[1]
    elif wanted(first.group()):
        end = ends[0]
    elif match["without"]:
        end = ends[1] if len(ends) == 2 else ends[0]
    elif match["no"] and len(ends) == 1 and match["no_gap"] != "-" and first.group() not in _set("words", "idioms"):
        end = ends[0]
    else:
        return None
    words = folded[start:end].split()
    while (other := _or().match(folded, end)) and wanted(other["word"]):
        words.append(other["word"])
        end = other.end()
    return Negation(match.start(), end, tuple(words), start)


def _read_minus(folded: str) -> list[Negation]:
    if "-" not in folded:
        return []
    before, after = _set("words", "before_minus"), _set("words", "after_minus")
    return [
        Negation(match.start(), match.end(), (match["word"],), match.start("word"), typed=True)
        for match in re.finditer(rf"(?<!\S)-(?P<word>[a-zß]{{3,}}|[{HAN}]+)(?![^\s,])", folded)
        if match["word"] not in after
        and all(len(word) > 2 and word not in before for word in folded[: match.start()].split()[-1:])
    ]


def _read_han(folded: str, known: Callable[[str], bool]) -> list[Negation]:
    found = []
    for match in _han().finditer(folded):
        if word := match["listed"] or match["taste"]:
            found.append(Negation(match.start(), match.end(), (word,), match.end() - len(word)))
            continue
        start = match.end()
        run = re.compile(f"[{HAN}]+").match(folded, start)
        said, of, _ = run.group().partition("的") if run else ("", "", "")
        meant = next((said[:n] for n in range(len(said), 0, -1) if said[:n] in _colours() or known(said[:n])), "")
        if not meant and match["open"]:
            listed = "" if of else next((thing for thing in _han_things() if said.startswith(thing)), "")
            meant = listed or (said if len(said) <= MAX_HAN else "")
        if meant:
            found.append(Negation(match.start(), start + len(meant), (meant,), start))
    return found


@cache
def _cues(language: str) -> re.Pattern[str]:
    tables = vocabulary()["exclusion"]

    def cues(kind: str) -> str:
        by_language = tables[kind]
        codes = {"en", language} & set(by_language) if language else set(by_language)
        return one_of(phrase for code in codes for phrase in by_language[code])

    words, compounds = tables["words"], tables["compounds"]
    things, behind = one_of(words["things"]), one_of(words["behind_free"])

    def only_in(code: str, pattern: str) -> str:
        return pattern if language in ("", code) else "(?!)"

    return re.compile(
        rf"{START}(?:(?P<without>{cues('without')})(?:\s+|-)"
        rf"|(?P<no>{cues('no')})(?P<no_gap>\s+|-)"
        rf"|(?P<only>{cues('only')})\s+"
        rf"|(?P<thing>{things})[\s-]{{1,3}}free{END}(?!\s+{behind}{END})"
        rf"|non[\s-]?(?P<non>{one_of(compounds['non'])}){END}"
        rf"|(?P<frei>{only_in('de', '[a-zß]{3,}')})-?frei(?:e[rsnm]?)?{END}"
        rf"|(?P<vrij>{only_in('nl', '[a-z]{3,}')})-?vrije?{END}"
        rf"|(?P<bez>{only_in('pl', one_of(compounds['bez']))})[a-z]{{1,4}}{END})"
    )


@cache
def _first_words() -> frozenset[str]:
    tables = vocabulary()["exclusion"]
    cues = [cue for kind in ("without", "no", "only") for some in tables[kind].values() for cue in some]
    return frozenset({fold(cue).split()[0] for cue in cues} | {"free"})


@cache
def _glued() -> tuple[str, ...]:
    compounds = vocabulary()["exclusion"]["compounds"]
    return ("frei", "vrij", *compounds["bez"], *(f"non{word}" for word in compounds["non"]))


@cache
def _between() -> re.Pattern[str]:
    return re.compile(rf"(?:{word_of(vocabulary()['exclusion']['words']['between'])}\s+|[ld]')+")


@cache
def _before() -> re.Pattern[str]:
    return re.compile(word_of(vocabulary()["exclusion"]["words"]["before"]) + r"\s+$")


@cache
def _or() -> re.Pattern[str]:
    return re.compile(rf"\s*(?:{word_of(vocabulary()['exclusion']['words']['or'])}|[&,/])\s*(?P<word>{_WORD.pattern})")


@cache
def _han() -> re.Pattern[str]:
    zh = vocabulary()["exclusion"]["zh"]
    return re.compile(
        rf"(?:(?<![0-9.])0|{one_of(set(zh['listed']) - {'0'})})(?P<listed>{one_of(zh['things'])})"
        rf"|(?<![辣甜苦酸])不(?:太|那么)?(?P<taste>{one_of(zh['tastes'])})"
        rf"|(?!(?<=有)[没沒])(?P<open>{one_of(zh['open'])})|(?P<only>{one_of(zh['only'])})"
    )


@cache
def _han_things() -> tuple[str, ...]:
    return tuple(sorted(vocabulary()["exclusion"]["zh"]["things"], key=len, reverse=True))


@cache
def _colours() -> frozenset[str]:
    return frozenset(phrase for phrases in word_lists("colours").values() for phrase in phrases)


@cache
def _set(*path: str) -> frozenset[str]:
    table = vocabulary()["exclusion"]
    for name in path:
        table = table[name]
    return frozenset(map(fold, table))
