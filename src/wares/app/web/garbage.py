"""When Python looks for garbage in a process that answers: seldom, and where it keeps the fewest from an answer.

Nearly all goes by itself, when nothing holds it any more. A look through everything stops all threads: 200 ms where
some thousand answers are kept, and 80 ms for what a snapshot holds.
"""

import gc
import time

EVERY_S = 60.0  # a look through everything
_YOUNG, _ROUNDS, _NEVER = 20_000, 50, 2**30  # objects until the youngest are looked through, and looks until the next


def look_seldom() -> None:
    """From now on only young objects are looked through by themselves; `look_through` is for the others."""
    gc.set_threshold(_YOUNG, _ROUNDS, _NEVER)


def look_through() -> float:
    """Look through all that is not set aside; the seconds that it took."""
    began_s = time.perf_counter()
    gc.collect()
    return time.perf_counter() - began_s


def set_aside() -> None:
    """From now on what is there is left alone: nothing would be found in it. What was set aside before stays so: a
    replaced snapshot goes without this help."""
    gc.collect()
    gc.freeze()
