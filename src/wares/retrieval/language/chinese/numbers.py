"""Numbers in Chinese characters: 两万毫安 -> 20000毫安, 半升 -> 0.5升, 一米八 -> 1.8米."""

import re

_DIGITS = {c: value for value, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_POWERS = {"十": 10, "百": 100, "千": 1000}
_MEASURES = (
    "毫安时|毫安|毫升|公升|升|公斤|千克|毫克|克|斤|平方米|平米|平方|公里|千米|厘米|毫米|米|英寸|寸|英尺|尺|码|"
    "千瓦|瓦|伏|赫兹|度|匹|元|块钱|块|岁|周岁|个月|小时|分钟|天|段|周|寸半"
)
_COUNTS = "支|片|双|瓶|罐|盒|袋|卷|册|本|根|颗|粒|抽|格|枚|贴|张|粒装|色|键|人份"
_LARGE_COUNTS = "个|只|件|条|层|位|寸|包|人|台|套|档|集|股|目|口|代|入"
_NUMBER = "[零〇一二两三四五六七八九十][零〇一二两三四五六七八九十百千万亿]*"
_BIG = "(?=[^\\s]*[十百千万])"
_WITH_UNIT = re.compile(
    rf"(?P<n>{_NUMBER}(?:点[零〇一二三四五六七八九]+)?)(?P<unit>{_MEASURES})(?P<more>半|[一二三四五六七八九](?![\u4e00-\u9fff])|[一二三四五六七八九](?=[床宽长高的]))?"
)
_WITH_COUNT = re.compile(rf"(?P<n>[二两三四五六七八九十][零〇一二三四五六七八九十百千万]*)(?P<unit>{_COUNTS})")
_WITH_LARGE = re.compile(
    rf"(?P<n>(?:[一二两三四五六七八九][十百千万]|十)[零〇一二三四五六七八九十百千万]*)(?P<unit>{_LARGE_COUNTS})"
)
_AMOUNT = re.compile(
    r"(?<![一二两三四五六七八九几])(?P<n>[一二两三四五六七八九][百千万][零〇一二三四五六七八九十百千万]*|[一二三四五六七八九]?十[一二三四五六七八九]?(?=以[内下上]))"
    r"(?=以[内下上]|左右|上下|多|$|\s|[到至\-~])"
)
_BARE = re.compile(r"(?<![一二两三四五六七八九几])[一二两三四五六七八九][百千万][零〇一二三四五六七八九十百千万]+")
_ROUND = re.compile(r"(?<![一二两三四五六七八九十几\d])[百千万](?=元?(?:以[内下上]|左右))")  # 百元以下
_HALF = re.compile(r"(?<![一二两三四五六七八九十大小前后上下多\d个])半(?=公斤|斤|升|米|千克|公升|小时)")
_KEPT = re.compile(
    "三只松鼠|七匹狼|八大处|九阳|十月结晶|六福|千元机|百元店|一次性|一米阳光|一块|一度|一周|三段式|两块|一天|半天|几天"
)
_NUMERAL = re.compile("[零〇一二两三四五六七八九十百千万半]")


def read_numbers(text: str) -> str:
    """The text with numbers that measure or count something in digits; names and idioms (三文鱼, 千层, 一个) stay."""
    if text.isascii() or _NUMERAL.search(text) is None:
        return text
    parts, at = [], 0
    for kept in _KEPT.finditer(text):
        parts += [_read(text[at : kept.start()]), kept.group()]
        at = kept.end()
    return "".join((*parts, _read(text[at:])))


def _read(text: str) -> str:
    text = _HALF.sub("0.5", text)
    text = _WITH_UNIT.sub(_measured, text)
    text = _WITH_COUNT.sub(lambda m: f"{number(m['n'])}{m['unit']}", text)
    text = _WITH_LARGE.sub(lambda m: f"{number(m['n'])}{m['unit']}", text)
    text = _AMOUNT.sub(lambda m: number(m["n"]), text)
    text = _ROUND.sub(lambda m: str(_POWERS.get(m.group(), 10_000)), text)
    return _BARE.sub(lambda m: number(m.group()), text)


def _measured(match: re.Match[str]) -> str:
    value, unit, more = number(match["n"]), match["unit"], match["more"]
    if more and "." not in value and unit in {"米", "斤", "升", "公斤", "匹", "寸", "块", "尺", "岁"}:
        return f"{value}.{5 if more == '半' else _DIGITS[more]}{unit}"
    return f"{value}{unit}{more or ''}"


def number(chinese: str) -> str:
    """A number in digits: 一千二百 -> 1200, 两千五 -> 2500, 一点五 -> 1.5, 二〇二四 -> 2024."""
    whole, point, decimals = chinese.partition("点")
    digits = "".join(str(_DIGITS[c]) for c in decimals)
    return f"{_whole(whole)}.{digits}" if point and digits else str(_whole(whole))


def _whole(chinese: str) -> int:
    if all(c in _DIGITS for c in chinese):
        return int("".join(str(_DIGITS[c]) for c in chinese))
    total = section = digit = 0
    last = 1  # the power last read: 两千五 means 2500
    for c in chinese:
        if c in _DIGITS:
            digit = _DIGITS[c]
            last = 1 if digit == 0 else last
        elif c in _POWERS:
            section += (digit or (0 if section and c == "十" and last == 1 else 1)) * _POWERS[c]
            digit, last = 0, _POWERS[c]
        else:
            power = 10_000 if c == "万" else 100_000_000
            total = (total + section + digit) * power
            section, digit, last = 0, 0, power
    return total + section + digit * (last // 10 if digit and last >= 100 else 1)
