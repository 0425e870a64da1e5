"""How often somebody may ask: token buckets that hold a minute's worth, of the latest askers only."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from hashlib import blake2b
from threading import Lock

MOST = 100_000  # askers that are remembered, about 20 MB; who is forgotten begins anew with a full minute


class Buckets:
    """`take` counts requests of `who`. Names are kept as hashes, so that memory holds no shopper's id."""

    def __init__(self, per_minute: int, *, most: int = MOST, now_s: Callable[[], float] = time.monotonic) -> None:
        self.per_minute, self._most, self._now_s = per_minute, most, now_s
        self._left: OrderedDict[bytes, tuple[float, float]] = OrderedDict()  # what was left, and when
        self._lock = Lock()

    def take(self, who: str, per_minute: int = 0, many: int = 1, counted: int = 0) -> float:
        """0.0 = granted; else the seconds after which it will be, inf for more than a minute holds. `per_minute` 0 = as
        all; 0 for all = any. All of `many` or none; `counted` of them were taken before, and will be again."""
        rate = per_minute or self.per_minute
        if not rate:
            return 0.0
        name = blake2b(who.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        with self._lock:
            now_s = self._now_s()
            left, then_s = self._left.pop(name, (float(rate), now_s))
            left = min(rate, left + (now_s - then_s) * rate / 60)
            granted = left >= many - counted and many <= rate
            self._left[name] = (left - (many - counted) * granted, now_s)
            while len(self._left) > self._most:
                self._left.popitem(last=False)
        if granted:
            return 0.0
        return (many - left) * 60 / rate if many <= rate else math.inf

    def __len__(self) -> int:
        return len(self._left)
