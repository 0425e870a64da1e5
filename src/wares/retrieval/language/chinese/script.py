"""One script for Chinese: Traditional characters and regional words become those of the mainland."""

import re
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

_HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_ZERO_OF = re.compile(r"(?<![\d.,])[0零](?=蔗?糖|脂|卡|添加|酒精|咖啡因|反式)")  # '0糖' says the same as '无糖'


def has_han(text: str) -> bool:
    """Does the text hold a Chinese character?"""
    return not text.isascii() and _HAN.search(text) is not None


def simplify(text: str) -> str:
    """Traditional to Simplified, regional words to the mainland's: '滑鼠' -> '鼠标', '0糖' -> '无糖'.

    Other scripts stay as they are. Text without Chinese characters comes back at once.
    """
    return _simplify(text) if has_han(text) else text


@lru_cache(maxsize=20_000)
def _simplify(text: str) -> str:
    phrases, pattern = _regional()
    simplified: str = _converter().convert(text)
    return _ZERO_OF.sub("无", pattern.sub(lambda match: phrases[match.group()], simplified))


@cache
def _converter() -> Any:
    # t2s and not tw2sp: the latter also rewrites words that the mainland uses in another sense (文件, 程序, 影像)
    from opencc import OpenCC

    return OpenCC("t2s")


@cache
def _regional() -> tuple[dict[str, str], re.Pattern[str]]:
    text = files(__package__).joinpath("regional.txt").read_text("utf-8")
    pairs = dict(line.split() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    # what is meant stands for itself, so that 气炸锅 inside 空气炸锅 stays
    phrases = {meant: meant for meant in pairs.values()} | pairs
    longest_first = sorted(phrases, key=len, reverse=True)
    return phrases, re.compile("|".join(map(re.escape, longest_first)))
