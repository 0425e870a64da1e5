"""Words that may stand for one another in this shop, found for a person to accept. Nothing here changes an answer.

Three signs, the surest first. Behaviour: shoppers chose the same products after different words, or after a word that
the titles of what they chose do not say. Meaning: two words of titles whose vectors are near, which keep the same
company, and never share a title. Unknown: a past query's word that the shop does not know has a meaning near one that
it does.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
from rapidfuzz.fuzz import ratio

from wares.contracts import Encoder
from wares.domain.catalogue import Columns
from wares.domain.log import EventBlock
from wares.domain.shopper import KIND_CODES
from wares.retrieval.language.shop_language import Language
from wares.retrieval.suggestions.privacy import LEAST_SHOPPERS, is_showable
from wares.retrieval.wishes.vocabulary import word_lists
from wares.training.clicks import CHOSEN
from wares.training.company import Company

Sign = Literal["behaviour", "meaning", "unknown"]
_SIGNS: tuple[Sign, ...] = ("behaviour", "meaning", "unknown")  # the surest first
_LEAST_PRODUCTS = 2  # that two queries share
_ASKED = 50  # queries of one product that are compared, those of the most products
_LEAST_COSINE = 0.5  # of what was chosen after two queries
_LONGEST = 3  # words of a member
_SHARED, _SAID = 0.6, 0.1  # share of the chosen titles that say the new word, and at most the typed one
_LEAST_LIFT = 3.0  # how much oftener than in all titles
_LIKE_SPELLING = 84.0  # letters in common (of 100) from which spelling is the speller's business ...
_SAME_FAMILY = 66.0  # ... and from which near vectors only say so: 'balance' and 'balancing', 'lit' and 'unlit'
_NEAREST, _LEAST_Z, _LEAST_COMPANY = 5, 2.5, 0.15  # of two words' vectors and neighbours
_EXAMPLES = 2  # titles for each side


@dataclass(frozen=True, slots=True)
class Proposal:
    """Who says `said` may mean `meant`, and the other way round unless `one_way`. `score` in (0, 1] compares proposals
    of one sign; `evidence` counts what it rests on; `titles` are some that hold them."""

    said: str
    meant: str
    one_way: bool
    sign: Sign
    score: float
    evidence: Mapping[str, float]
    titles: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """As it stands in a file of synonyms."""
        return f"{self.said} => {self.meant}" if self.one_way else f"{self.said}, {self.meant}"


def propose(
    titles: Sequence[str],
    columns: Columns,
    language: Language,
    block: EventBlock,
    queries: Mapping[str, int],
    encoder: Encoder | None,
) -> list[Proposal]:
    """All proposals, by sign and best first; what the synonyms in use know is not proposed again.

    `titles` are those of the rows of `columns`; `queries` maps past queries to how many shoppers asked them.
    """
    shown = {query: n for query, n in queries.items() if n >= LEAST_SHOPPERS and is_showable(query)}
    company = Company.of(titles, language.analyser)
    chosen = _chosen(block, columns, shown)
    found = [*_same_products(chosen, company, language), *_said_otherwise(chosen, company, language)]
    if encoder is not None:
        found += _by_meaning(company, shown, language, encoder)
    found.sort(key=lambda one: (_SIGNS.index(one.sign), -one.score, one.line))
    told = dict[frozenset[str], Proposal]()
    for one in found:
        if not _known(one.said, one.meant, language) and not _likely_typo(one.said, one.meant):
            told.setdefault(frozenset((one.said, one.meant)), one)
    return list(told.values())


def _chosen(block: EventBlock, columns: Columns, shown: Mapping[str, int]) -> dict[str, dict[int, set[int]]]:
    """Query -> row of a product -> the known shoppers who chose it after that query. Variants are one product.

    Only queries that as many shoppers used as it takes to show one to others.
    """
    row_of = {int(key): row for row, key in enumerate(columns.keys.tolist())}
    first_row: dict[int, int] = {}
    codes = {KIND_CODES[kind] for kind in CHOSEN}
    found: dict[str, dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for place, query in block.queries.items():
        shopper, row = int(block.shopper_keys[place]), row_of.get(int(block.product_keys[place]))
        if shopper >= 0 and row is not None and int(block.kinds[place]) in codes:
            text = " ".join(unicodedata.normalize("NFKC", query).lower().split())
            found[text][first_row.setdefault(int(columns.groups[row]), row)].add(shopper)
    return {
        query: rows
        for query, rows in found.items()
        if query in shown or (len(set().union(*rows.values())) >= LEAST_SHOPPERS and is_showable(query))
    }


def _same_products(
    chosen: Mapping[str, Mapping[int, set[int]]], company: Company, language: Language
) -> Iterable[Proposal]:
    """Queries after which shoppers chose the same products; of two that share words in two contexts, what differs."""
    asked_by: dict[int, list[str]] = defaultdict(list)
    for query in sorted(chosen, key=lambda query: (-len(chosen[query]), query)):
        for row in chosen[query]:
            asked_by[row].append(query)
    shared = Counter(pair for asked in asked_by.values() for pair in combinations(sorted(asked[:_ASKED]), 2))
    length = {query: np.sqrt(sum(len(who) ** 2 for who in rows.values())) for query, rows in chosen.items()}
    differing: dict[tuple[str, str], list[tuple[str, str, float]]] = defaultdict(list)  # pairs of queries, cosines
    for (one, other), n in shared.items():
        first, second = chosen[one], chosen[other]
        both = first.keys() & second.keys()
        cosine = float(sum(len(first[row]) * len(second[row]) for row in both) / (length[one] * length[other]))
        words, others = one.split(), other.split()
        rest, rest_of_other = [w for w in words if w not in others], [w for w in others if w not in words]
        if n < _LEAST_PRODUCTS or cosine < _LEAST_COSINE or not rest or not rest_of_other:
            continue
        if len(rest) == len(rest_of_other) == 1:
            swap = rest[0] > rest_of_other[0]
            pair = (other, one, cosine) if swap else (one, other, cosine)
            differing[min(rest[0], rest_of_other[0]), max(rest[0], rest_of_other[0])].append(pair)
        elif max(len(words), len(others)) <= _LONGEST:
            differing[one, other].append((one, other, cosine))
    for (said, meant), pairs in differing.items():
        if len(pairs) < 2:  # 'blow dryer' and 'hair dryer' do not make 'blow' a 'hair'
            said, meant, _ = pairs[0]
        if max(len(said.split()), len(meant.split())) > _LONGEST:
            continue
        both_rows = [(chosen[one], chosen[other], chosen[one].keys() & chosen[other].keys()) for one, other, _ in pairs]
        products = sorted({row for _, _, shared_rows in both_rows for row in shared_rows})
        who = [set[int](), set[int]()]
        for first, second, shared_rows in both_rows:
            who[0].update(*(first[row] for row in shared_rows))
            who[1].update(*(second[row] for row in shared_rows))
        if min(map(len, who)) < LEAST_SHOPPERS or len(who[0] | who[1]) <= max(map(len, who)):
            continue
        evidence = {"shoppers": len(who[0] | who[1]), "products": len(products), "queries": len(pairs)}
        score = max(pair[2] for pair in pairs) * _surety(len(who[0] | who[1]))
        titles = tuple(company.titles[row] for row in products[: 2 * _EXAMPLES])
        serves = [all(w in company.all_words for w in language.analyser.said_words(side)) for side in (said, meant)]
        if any(serves):  # what no title says leads only to what one does
            sides = (said, meant) if serves[1] else (meant, said)
            yield Proposal(*sides, not all(serves), "behaviour", round(score, 4), evidence, titles)


def _said_otherwise(
    chosen: Mapping[str, Mapping[int, set[int]]], company: Company, language: Language
) -> Iterable[Proposal]:
    """What shoppers ask for in words that the titles of what they choose do not say: the word that those titles say.

    A query whose words are partly said there ('porch hammock' for hammocks) names no other thing. A single word of
    longer queries needs two of them.
    """
    unsaid = dict[str, Mapping[int, set[int]]]()
    queries_of: dict[str, list[str]] = defaultdict(list)
    for query, rows in chosen.items():
        total, says = _words_said(rows, company)
        own = language.analyser.said_words(query)
        if own and all(says[word] <= _SAID * total for word in own):
            unsaid[query] = rows
            for word in query.split():
                queries_of[word].append(query)
    for word, queries in queries_of.items():
        if word not in unsaid and len(queries) > 1:
            joined: dict[int, set[int]] = defaultdict(set)
            for query in queries:
                for row, shoppers in unsaid[query].items():
                    joined[row] |= shoppers
            unsaid[word] = joined
    for said, rows in unsaid.items():
        who = set[int]().union(*rows.values())
        if len(said.split()) > _LONGEST or len(rows) < _LEAST_PRODUCTS or len(who) < LEAST_SHOPPERS:
            continue
        total, says = _words_said(rows, company)
        shares = {w: n / total for w, n in says.items() if w in company.places and n >= _SHARED * total}
        lifts = {w: share / company.share(w) for w, share in shares.items()}
        best = max(lifts, key=lambda w: (shares[w] * np.log(lifts[w]), w), default="")
        if best and lifts[best] >= _LEAST_LIFT:
            evidence = {"shoppers": len(who), "products": len(rows), "share": round(shares[best], 2)}
            titles = tuple(company.titles[row] for row in sorted(rows)[:_EXAMPLES])
            score = round(shares[best] * _surety(len(who)), 4)
            yield Proposal(said, company.shown[best], True, "behaviour", score, evidence, titles)


def _words_said(rows: Mapping[int, set[int]], company: Company) -> tuple[float, Counter[str]]:
    """How often products were chosen, and how often ones whose titles hold each word."""
    says = Counter[str]()
    for row, shoppers in rows.items():
        says.update(dict.fromkeys(company.words[row], len(shoppers)))
    return sum(map(len, rows.values())), says


def _by_meaning(
    company: Company, queries: Mapping[str, int], language: Language, encoder: Encoder
) -> Iterable[Proposal]:
    """Words of titles near each other, and what past queries say that no title does, near to words of titles."""
    names = list(company.places)
    unknown = Counter[str]()
    for query, n in queries.items():
        for word in query.split():
            own = language.analyser.said_words(word)
            if word.isalpha() and len(word) > 2 and len(own) == 1 and own[0] not in company.all_words:
                unknown[word] += n
    if len(names) <= _NEAREST:
        return
    vectors = encoder.encode([*(company.shown[name] for name in names), *unknown], "query")
    known, others = vectors[: len(names)], vectors[len(names) :]
    likeness = known @ known.T
    apart = likeness[~np.eye(len(names), dtype=np.bool_)]
    mean, deviation = float(apart.mean()), float(apart.std()) or 1.0
    np.fill_diagonal(likeness, -1)
    nearest = np.argpartition(-likeness, _NEAREST, axis=1)[:, :_NEAREST]
    near = np.zeros(likeness.shape, np.bool_)
    np.put_along_axis(near, nearest, True, axis=1)
    colours = frozenset(word for words in word_lists("colours").values() for word in words)
    for i, j in np.argwhere(near & near.T & (likeness >= mean + _LEAST_Z * deviation)).tolist():
        company_kept = company.likeness(i, j) if i < j else 0.0
        one, other = company.shown[names[i]], company.shown[names[j]]
        if (
            company_kept < _LEAST_COMPANY
            or (one in colours and other in colours)
            or _likely_typo(one, other, _SAME_FAMILY)
        ):
            continue
        score = float(np.sqrt(min((likeness[i, j] - mean) / deviation / 6, 1.0) * company_kept))
        counts = {"titles": int(company.counts[i]), "titles of the other": int(company.counts[j])}
        evidence = {**counts, "likeness": round(float(likeness[i, j]), 3), "company": round(company_kept, 3)}
        titles = (*company.examples(i, _EXAMPLES), *company.examples(j, _EXAMPLES))
        yield Proposal(one, other, False, "meaning", round(score, 4), evidence, titles)
    for (word, n), row in zip(unknown.items(), others @ known.T, strict=True):
        best = int(np.argmax(row))
        z = (float(row[best]) - mean) / deviation
        meant = company.shown[names[best]]
        if z >= _LEAST_Z and not _likely_typo(word, meant, _SAME_FAMILY) and language.speller.correct(word) is None:
            evidence = {"shoppers": n, "titles": int(company.counts[best]), "likeness": round(float(row[best]), 3)}
            score = round(min(z / 6, 1.0) * _surety(n), 4)
            yield Proposal(word, meant, True, "unknown", score, evidence, company.examples(best, _EXAMPLES))


def _surety(shoppers: int) -> float:
    """(0, 1): how far so many different shoppers are to be believed; a half at twice the least."""
    return shoppers / (shoppers + 2 * LEAST_SHOPPERS)


def _known(said: str, meant: str, language: Language) -> bool:
    """Whether the synonyms in use serve one by the other, or both are one word to the index."""
    analyse = language.analyser.said_words
    first, second = tuple(analyse(said)), tuple(analyse(meant))
    if not first or not second or first == second:
        return True
    return any(second == reading.words for reading in language.synonyms.of(first)) or any(
        first == reading.words for reading in language.synonyms.of(second)
    )


def _likely_typo(said: str, meant: str, least: float = _LIKE_SPELLING) -> bool:
    """Whether the two are one word in other letters, of which the speller takes care."""
    return ratio(said, meant) >= least or said.startswith(meant) or meant.startswith(said)
