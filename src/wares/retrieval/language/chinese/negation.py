"""What a thing is without: 无糖, 不含糖 and 没有糖 all become '¬糖', on both sides of the search."""

from collections.abc import Iterable, Sequence

from wares.domain.intent import Term

NOT = "¬"
_NEGATORS_TEXT = """
无 不 没 免 非 零 未 别 没有 不含 不带 不加 不要 不用 不需 不需要 无需 无须 不必 不是 不想要 不含有 不添加
不使用 不喜欢 不想 除了 除去 排除
"""
NEGATORS = frozenset(_NEGATORS_TEXT.split())
_LINKS_TEXT = """
带 含 加 添加 含有 有 用 要 需要 使用 放 任何 再 是 的 额外
"""
_LINKS = frozenset(_LINKS_TEXT.split())  # stand between 'no' and the thing
_KEEP_ZI_TEXT = """
电子 分子 原子 离子 孩子 男子 女子 亲子 瓜子 种子 王子 公子 弟子 量子 君子 包子 粽子 饺子 栗子 橘子 李子 桃子
柚子 椰子 狮子 兔子 鸽子
"""
_KEEP_ZI = frozenset(_KEEP_ZI_TEXT.split())


def bare(word: str) -> str:
    """A noun without its empty ending: '帽子' -> '帽', '电子' stays."""
    return word[0] if len(word) == 2 and word[1] == "子" and word not in _KEEP_ZI else word


def negated(words: Sequence[str]) -> list[str]:
    """The words, where each 'no' and its thing have become one word: [不含, 糖, 饮料] -> [¬糖, 饮料]."""
    found: list[str] = []
    at = 0
    while at < len(words):
        if words[at] not in NEGATORS:
            found.append(words[at])
            at += 1
            continue
        thing = at + 1
        while thing < len(words) and words[thing] in _LINKS:
            thing += 1
        if thing == len(words):  # 'no' what? it says nothing
            break
        found.append(NOT + bare(_without_link(words[thing])))
        at = thing + 1
    return found


def _without_link(word: str) -> str:
    return word[1:] if (len(word) == 2 and word[0] in "含加") or (len(word) > 2 and word[0] == "含") else word


def excluded(terms: Iterable[Term]) -> tuple[str, ...]:
    """The words of the index that a product must not hold, after a query's '¬X' terms: 帽 -> 帽, ~帽, 帽子."""
    things = [term.said[1:] for term in terms if term.said.startswith(NOT)]
    return tuple(dict.fromkeys(form for thing in things for form in _forms(thing)))


def _forms(thing: str) -> tuple[str, ...]:
    return (thing, f"~{thing}", f"{thing}子") if len(thing) == 1 else (thing,)
