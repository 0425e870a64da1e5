"""Slips in Chinese: a character that sounds or looks like the right one (耳击 for 耳机, 洗面乃 for 洗面奶)."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, cached_property

from wares.domain.intent import Reading, Term
from wares.retrieval.language.chinese.cutter import ALONE
from wares.retrieval.language.chinese.lexicon import is_word
from wares.retrieval.language.chinese.negation import NOT
from wares.retrieval.language.chinese.pinyin import Pinyin
from wares.retrieval.language.chinese.script import has_han

_WEIGHT = 0.5
_MOST_READINGS = 3
_LONG = 3  # characters
_MOST_TERMS = 3  # neighbours that one slip may have torn apart
_LONGEST = 6  # characters
_ALIKE_TEXT = """
己已巳 未末 土士 日曰目 人入八 大太犬天夫 干千于 戊戌戍 晴睛情清请 包抱泡袍炮 裤库 拔拨 篮蓝 密蜜 辨辩辫 折拆析
治冶 免兔 竞竟 茶荼 杯坏怀 帽冒 毛手 刀力 侯候 壳売 机几 水永冰 木本术 鞋鞍 衣农 沙纱砂 桌卓 椅倚 镜境 饮欣
纸低抵 刷制 被披 枕忱 柜拒 灯打 扇肩 炉护 锅祸 碗腕 盘盆 瓶并 罐灌 盖益 粮娘 狗拘 猫描 鱼渔 鸭鸡 蛋旦 糖塘 酒洒
油由 盐监 酱奖 醋错 面而 饭板 饼拼 果裹 菜采 肉内 虾吓 蟹解
"""
_ALIKE = _ALIKE_TEXT.split()


@dataclass(frozen=True)
class HanTypos:
    """Reads unknown characters as words of the catalogue. What is a right word anywhere is left alone (公式, 攻势)."""

    pinyin: Pinyin

    def repair(self, terms: Sequence[Term]) -> list[Term]:
        """The terms of one run, where unknown ones, alone or with neighbours, have become words of the catalogue."""
        found, start = list(terms), 0
        while start < len(found):
            window = self._window(found, start) if self._is_unknown(found[start].said) else self._torn(found, start)
            if window is None:
                start += 1
                continue
            first, last, term = window
            found[first:last] = [term]
            start = first + 1
        return found

    def read(self, text: str, any_other: bool = True) -> tuple[Reading, ...]:
        """What these characters may be a slip for; nothing where they are a right word.

        `any_other`: in three characters or more, one may be any other, not only one that looks or sounds alike.
        """
        if self.pinyin.knows(text) or (is_word(text) and len(text) < _LONG):
            return ()
        if is_word(text):  # few long words sound alike by chance
            whole = [words for words in self.pinyin.homophones(text, exact=True) if len(words) == 1]
            return tuple(Reading(words, _WEIGHT, "spelling") for words in whole[:1])
        likely = list(dict.fromkeys((*self.pinyin.homophones(text), *self._look_alikes(text, any_other))))
        return tuple(Reading(words, _WEIGHT, "spelling") for words in likely[:_MOST_READINGS])

    def _is_unknown(self, said: str) -> bool:
        if said.startswith(NOT) or not all(has_han(c) for c in said) or self.pinyin.knows(said):
            return False
        return len(said) != 2 or not is_word(said)

    def _window(self, terms: Sequence[Term], at: int) -> tuple[int, int, Term] | None:
        """The fewest neighbours around the unknown term that together are a slip for something."""
        for size in range(1, _MOST_TERMS + 1):
            for first in range(max(at - size + 1, 0), min(at, len(terms) - size) + 1):
                words = [term.said for term in terms[first : first + size]]
                said = "".join(words)
                if not 2 <= len(said) <= _LONGEST or NOT in said:
                    continue
                # beside a right word only the other character is in doubt: 无线但 is no slip for 无线充
                beside_right = any(len(word) > 1 and self.pinyin.knows(word) for word in words)
                if readings := self.read(said, any_other=not beside_right):
                    return first, first + size, Term(said, readings)
        return None

    def _torn(self, terms: Sequence[Term], at: int) -> tuple[int, int, Term] | None:
        """A known word and a lone character after it that together only sound like one longer word (剃须+到)."""
        said = "".join(term.said for term in terms[at : at + 2])
        if at + 1 == len(terms) or len(terms[at + 1].said) != 1 or terms[at + 1].said in ALONE or NOT in said:
            return None
        if not _LONG <= len(said) <= _LONGEST or self.pinyin.has_phrase(terms[at].said, terms[at + 1].said):
            return None
        whole = [words for words in self.pinyin.homophones(said) if len(words) == 1]
        same = [words for words in whole if sum(a != b for a, b in zip(words[0], said, strict=True)) == 1]
        return (at, at + 2, Term(said, (Reading(same[0], _WEIGHT, "spelling"),))) if same else None

    def _look_alikes(self, text: str, any_other: bool) -> list[tuple[str, ...]]:
        """Phrases with one other character: one that looks alike, or any."""
        places: list[int] = []
        for i in range(len(text)):
            for place in self._with_gap.get((text[:i], text[i + 1 :]), ()):
                other = self.pinyin.phrases[place].replace(" ", "")[i]
                if other != text[i] and ((any_other and len(text) >= _LONG) or other in _like().get(text[i], "")):
                    places.append(place)
        return [tuple(self.pinyin.phrases[place].split()) for place in sorted(set(places))]

    @cached_property
    def _with_gap(self) -> dict[tuple[str, str], list[int]]:
        found: dict[tuple[str, str], list[int]] = defaultdict(list)
        for place, phrase in enumerate(self.pinyin.phrases):
            text = phrase.replace(" ", "")
            if 2 <= len(text) <= _LONGEST:
                for i in range(len(text)):
                    found[text[:i], text[i + 1 :]].append(place)
        return dict(found)


@cache
def _like() -> dict[str, str]:
    return {c: group for group in _ALIKE for c in group}
