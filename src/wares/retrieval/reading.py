"""A query's text -> its terms: what each of its words may stand for among the words of the index."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from wares.domain.intent import Reading, Term
from wares.retrieval.language.chinese.script import has_han
from wares.retrieval.language.shop_language import Language
from wares.retrieval.language.synonyms.groups import Synonyms
from wares.retrieval.text_index import TextIndex

_PREFIX_WORDS = 40  # the most frequent completions of an open word
_PREFIX, _COMPOUND = 0.8, 0.8  # weights of readings
_MAX_TERMS = 32  # of a query; what follows says nothing new


def read_terms(
    text: str, language: Language, index: TextIndex, open_word: bool = False, also: Synonyms | None = None
) -> tuple[Term, ...]:
    """`open_word`: the last word may still be being typed. Readings that the catalogue does not know are left out.
    `also`: synonyms for this text beside those of the language."""
    stretches = language.analyser.terms(text)
    terms = [term for stretch in stretches for term in _stretch(stretch, language, index, also)][:_MAX_TERMS]
    cutter = language.analyser.cutter
    terms = _with_compounds(terms, language, index)
    if also is not None:
        terms = also.expand(terms)
    terms = [cutter.widen(term) for term in language.synonyms.expand(terms)]
    if open_word and terms:
        terms[-1] = _completed(terms[-1], index)
    return tuple(_known(term, index) for term in terms)


def _stretch(terms: Sequence[Term], language: Language, index: TextIndex, also: Synonyms | None) -> list[Term]:
    """Terms of one script, where those that the catalogue does not know are read by their sound."""
    if terms and has_han(terms[0].said):
        return language.typos.repair(terms)
    found: list[Term] = []
    unknown: list[str] = []
    for term in (*terms, None):
        if (
            term is not None
            and term.said.isalpha()
            and not index.frequency(term.said)
            and not language.knows(term.said)
            and not (also and also.of([term.said]))
        ):
            unknown.append(term.said)
            continue
        found.extend(_by_sound(unknown, language))
        unknown.clear()
        found.extend([term] if term is not None else [])
    return found


def _by_sound(words: Sequence[str], language: Language) -> list[Term]:
    """Latin words as pinyin, the longest stretch first; those that are none stay as they are."""
    found: list[Term] = []
    at = 0
    while at < len(words):
        for end in range(len(words), at, -1):
            if read := language.pinyin.read(words[at:end]):
                found.extend(read)
                at = end
                break
        else:
            found.append(Term(words[at], (Reading((words[at],)),)))
            at += 1
    return found


def _known(term: Term, index: TextIndex) -> Term:
    """Its readings that some product can hold."""
    return replace(term, readings=tuple(r for r in term.readings if all(map(index.frequency, r.words))))


def _with_compounds(terms: Sequence[Term], language: Language, index: TextIndex) -> list[Term]:
    """Neighbours that the shop writes as one word, and words that it writes as several, are read both ways."""
    found: list[Term] = []
    for term in terms:
        own = _single(term)
        before = _single(found[-1]) if found else None
        joined = language.analyser.compounds.join(before, own) if before and own else None
        if joined and (words := tuple(language.analyser.words(joined))[:1]) and index.frequency(words[0]):
            pair = Reading((*found[-1].readings[0].words, *term.readings[0].words))
            found[-1] = Term(f"{found[-1].said} {term.said}", (pair, Reading(words, 1.0, "compound")))
        elif own and (parts := language.analyser.parts(own)):
            weight = 1.0 if own in language.analyser.hyphenated else _COMPOUND
            found.append(replace(term, readings=(*term.readings, Reading(parts, weight, "compound"))))
        else:
            found.append(term)
    return found


def _single(term: Term) -> str | None:
    """The word of a term that is one plain word of letters."""
    return (
        term.said
        if len(term.readings) == 1 and term.readings[0].words == (term.said,) and term.said.isalpha()
        else None
    )


def _completed(term: Term, index: TextIndex) -> Term:
    """With the words that begin like it; a word that the catalogue knows well stands as it is."""
    said = term.said
    if len(said) < 2 or not said.isalnum():
        return term
    completions = {word: n for word, n in index.starting_with(said).items() if word != said and n}
    if sum(completions.values()) <= 10 * index.frequency(said):
        return term
    frequent = sorted(completions, key=lambda word: (-completions[word], word))[:_PREFIX_WORDS]
    return replace(term, readings=(*term.readings, *_each(frequent, _PREFIX, "prefix")))


def _each(words: Iterable[str], weight: float, why: str) -> Iterable[Reading]:
    return (Reading((word,), weight, why) for word in words)
