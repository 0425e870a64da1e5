"""Bytes that are not UTF-8: what they were written in."""

import re

WESTERN, CHINESE = "cp1252", "gb18030"  # Windows' in the West; GBK and GB2312, which Excel writes in China, are a part
_HIGH = re.compile(rb"[\x80-\xff]+")
_IN_PAIRS = 0.8  # of the bytes above ASCII: accented letters stand alone, a Chinese character is two bytes or more


def guess_encoding(raw: bytes) -> str:
    """`CHINESE` where the bytes can be that and stand in pairs, else `WESTERN`.

    >>> guess_encoding("Größe, Café".encode("cp1252")), guess_encoding("茶叶,绿茶".encode("gbk"))
    ('cp1252', 'gb18030')
    """
    runs = [len(run) for run in _HIGH.findall(raw)]
    if sum(length for length in runs if length > 1) < _IN_PAIRS * sum(runs) or max(runs, default=0) < 3:
        return WESTERN
    try:
        raw.decode(CHINESE)
    except UnicodeDecodeError:
        return WESTERN
    return CHINESE
