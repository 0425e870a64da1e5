"""Prices said in words: 'under $50', 'entre 20 et 40 €', '200元以下', 'günstig'.

A bare number is a price only behind words that compare and where the wish ends ("headphones under 50"); before any
other word it may count inches, watts or years.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from wares.retrieval.wishes.amounts import HAN_NUMBER, NUMBER, amount, currencies, minor
from wares.retrieval.wishes.vocabulary import END, HAN, START, one_of, vocabulary, word_of

AROUND = 0.2  # "around 200" is within 20%
USUAL_PRICE = 20  # from which a bare number behind "up to" is a price rather than a number of things
_HAN = re.compile(f"[{HAN}]")
_DIGIT = re.compile("[0-9]")
_POUNDS = ("pound", "pounds")  # weights, where the shop does not count in them
_HAN_CURRENCY = "元|圆|块钱|塊錢|块|塊|人民币|美元|欧元|日元|円|rmb|yuan|¥"


@dataclass(frozen=True, slots=True)
class Price:
    """[low, high] in the smallest unit, None = open; `known` is False for another currency than the shop's."""

    start: int
    end: int
    low: float | None
    high: float | None
    known: bool = True


@dataclass(frozen=True, slots=True)
class _Rule:
    """`bare`: the least number that is read without a currency; None = never."""

    pattern: re.Pattern[str]
    bound: str  # low, high, between, around
    bare: float | None = None


def read_prices(folded: str, currency: str) -> list[Price]:
    """The price wishes in a folded query, in the order in which they stand; none overlap."""
    found: list[Price] = []
    rules = _han_rules() if _HAN.search(folded) else ()
    rules += _european_rules() if _DIGIT.search(folded) else ()
    for rule in rules:
        for match in rule.pattern.finditer(folded):
            if any(match.start() < other.end and other.start < match.end() for other in found):
                continue
            if (price := _price(rule, match, folded, currency)) is not None:
                found.append(price)
    return sorted(found, key=lambda price: price.start)


def read_cheap(folded: str) -> Iterator[tuple[int, int]]:
    """Where the query asks for a low price, whatever it is."""
    for match in _cheap().finditer(folded):
        yield match.span()


def _price(rule: _Rule, match: re.Match[str], folded: str, currency: str) -> Price | None:
    groups = match.groupdict()
    lead = _lead().search(folded, 0, match.start())
    start, named = (lead.start(), lead["named"] is not None) if lead else (match.start(), False)
    said = [word for name, word in groups.items() if word and name.startswith(("pre", "post"))]
    numbers = [(groups[f"num{i}"], bool(groups.get(f"kilo{i}"))) for i in (1, 2) if groups.get(f"num{i}")]
    if any(word in _POUNDS for word in said) and currency != "GBP":
        return None
    if said:
        known = all(currency in currencies()[word] for word in said)
    else:
        known = True
        if any(kilo for _, kilo in numbers) or not _may_be_bare(rule, match, folded, numbers, named):
            return None
    values = [float(minor(number, currency, kilo)) for number, kilo in numbers]
    if rule.bound == "between":
        return Price(start, match.end(), values[0], values[1], known) if values[0] < values[1] else None
    low, high = {
        "low": (values[0], None),
        "high": (None, values[0]),
        "around": (round(values[0] * (1 - AROUND)), round(values[0] * (1 + AROUND))),
    }[rule.bound]
    return Price(start, match.end(), low, high, known)


def _may_be_bare(rule: _Rule, match: re.Match[str], folded: str, numbers: list[tuple[str, bool]], named: bool) -> bool:
    if rule.bare is None and not named:
        return False
    if folded[match.end() - 1] != "的" and not _ends().match(folded, match.end()):
        return False
    if named:
        return True
    value = minor(numbers[-1][0], "USD") / 100
    before = folded[: match.start()]
    if value < (rule.bare or 0) or _ages().search(before):  # "size under 10"
        return False
    # "vitamins for women over 50" and "toys for kids under 10" say an age, "gifts for women under 50" hardly does.
    age = 10 <= value < 100 if rule.bound == "low" else value <= 18
    return not (age and _persons().search(before))


def _rule(pattern: str, bound: str, bare: float | None = None) -> _Rule:
    return _Rule(re.compile(pattern), bound, bare)


@cache
def _han_rules() -> tuple[_Rule, ...]:
    """Chinese. Without a currency only where the wish ends, so that 100以内加减法 stays a book."""
    currency = f"(?:{_HAN_CURRENCY})"

    def number(place: int) -> str:
        han = rf"(?:{NUMBER}[百千万萬]?|{HAN_NUMBER})"
        return rf"(?:(?P<pre{place}>[¥$€])\s*)?(?<![0-9.])(?P<num{place}>{han})\s*"

    def money(place: int) -> str:
        return number(place) + rf"(?P<post{place}>{currency})"

    about = "(?:(?:价格|价位|售价|价钱|價格|價位|预算|預算)(?:在|是|为)?\\s*)?"
    done = r"(?=的|\s|$|[,;，。、])"
    below = "(?:以下|以内|以內|之内|之內|以里|内|內)"
    to = "(?:到|至|-|~)"
    return (
        _rule(rf"{about}{number(1)}(?P<post1>{currency})?\s*{to}\s*{money(2)}(?:之间|之間|以内|左右)?的?", "between"),
        _rule(rf"{about}{number(1)}{to}\s*{number(2)}(?:之间|之間)的?", "between", 0),
        _rule(rf"{about}{number(1)}{to}\s*{number(2)}的", "between", 100),
        _rule(rf"{about}{money(1)}\s*(?:{below}|的?(?:预算|預算))的?", "high"),
        _rule(rf"{about}{number(1)}{below}{done}的?", "high", 0),
        _rule(
            rf"{about}(?:不超过|不超過|不高于|不高於|低于|低於|少于|少於|小于|最多|至多|不到)\s*{money(1)}的?", "high"
        ),
        _rule(rf"{about}(?:不超过|不超過|不高于|不高於|低于|低於)\s*{number(1)}{done}的?", "high", 0),
        _rule(rf"(?:预算|預算)\s*{number(1)}(?P<post1>{currency})?{done}的?", "high", 0),
        _rule(rf"{about}(?:约|約|大约|大概|差不多)?{money(1)}\s*(?:左右|上下)的?", "around"),
        _rule(rf"{about}{money(1)}\s*(?:以上|起)的?", "low"),
        _rule(rf"{about}(?:高于|高於|超过|超過|大于|不低于|不低於|至少)\s*{money(1)}的?", "low"),
    )


@cache
def _european_rules() -> tuple[_Rule, ...]:
    words = vocabulary()["price"]
    one, two = amount(1), amount(2)
    between, starting = word_of(words["between"]), word_of(words["starting"])
    link_and, link_to = word_of(words["and"]), rf"(?:{word_of(words['to'])}|[-~])"
    more = "(?:>=?|≥)"
    return (
        _rule(rf"{between}\s*{one}\s*{link_and}\s*{two}", "between", 0),
        _rule(rf"{between}\s*{one}\s*{link_to}\s*{two}", "between", 0),
        _rule(rf"{starting}\s*{one}\s*{link_to}\s*{two}", "between", USUAL_PRICE),
        _rule(rf"{one}\s*{link_to}\s*{two}", "between"),
        _rule(rf"(?:{word_of(words['below_safe'])}|<=?|≤)\s*{one}", "high", 0),
        _rule(rf"{word_of(words['below_usual'])}\s*{one}", "high", USUAL_PRICE),
        _rule(rf"(?<!pro )(?<!air )(?:{_openings(words['below_money'])})\s*{one}", "high"),
        _rule(rf"(?:{word_of(words['above_safe'])}|{more})\s*{one}", "low", 0),
        _rule(rf"(?:{_openings(words['above_money'])})\s*{one}", "low"),
        _rule(rf"(?:{_openings(words['around'])})\s*{one}", "around"),
        _rule(rf"{one}\s*{word_of(words['or_less'])}", "high"),
        _rule(rf"{one}\s*(?:{word_of(words['or_more'])}|\+)", "low"),
    )


def _openings(phrases: list[str]) -> str:
    """Words that open a wish; one that ends with a dot ("max.") has no word border behind it."""
    return rf"{START}{one_of(phrases)}(?:{END}|(?<=\.))"


@cache
def _lead() -> re.Pattern[str]:
    """What belongs to a price before it: 'price: ..', 'for ..'."""
    words = vocabulary()["price"]
    named = rf"(?P<named>{word_of(words['price_words'])}\s*(?:is|of|:)?)"
    return re.compile(rf"(?:{named}|{word_of(words['leads'])})\s*$")


@cache
def _ends() -> re.Pattern[str]:
    return re.compile(rf"\s*(?:$|[,;!?)。，的]|\.\s*$|{word_of(vocabulary()['price']['ends'])})")


@cache
def _ages() -> re.Pattern[str]:
    return re.compile(word_of(vocabulary()["price"]["ages_and_sizes"]) + r"\s*$")


@cache
def _persons() -> re.Pattern[str]:
    return re.compile(word_of(vocabulary()["price"]["persons"]) + r"\s*$")


@cache
def _cheap() -> re.Pattern[str]:
    denials = "".join(f"(?<!{word} )" for word in ("not", "nicht", "pas", "no", "non", "niet", "nie"))
    papers = "(?:planner|binder|book|notebook|sheet|tracker|organi[sz]er|envelope)"
    budget = rf"{START}budget{END}(?!\s+{papers})(?=\s+\w)"
    cheap = "(?:便宜|平价|平價|实惠|實惠|廉价|廉價|低价|低價|划算)(?:一点|一點|点|點|些)?的?"
    han = rf"(?<![不别])(?:价格|價格)?(?:最|更|比较|比較)?{cheap}"
    return re.compile(rf"{denials}{word_of(vocabulary()['price']['cheap'])}|{budget}|{han}")
