"""The cores of this machine, and work that is shared among them.

Threads, not processes: numpy, scipy and LightGBM let go of the interpreter while they compute, and nothing is copied.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def n_cores() -> int:
    """How many this process may use, at least 1."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def on_all_cores(work: Callable[[int], T], n: int) -> Iterator[T]:
    """work(0), work(1) .. work(n - 1), computed by as many threads as there are cores, in this order.

    >>> list(on_all_cores(lambda i: i * i, 4))
    [0, 1, 4, 9]
    """
    if n < 2 or n_cores() < 2:
        yield from map(work, range(n))
        return
    pool = ThreadPoolExecutor(n_cores())
    try:
        yield from pool.map(work, range(n))
    finally:
        pool.shutdown(cancel_futures=True)
