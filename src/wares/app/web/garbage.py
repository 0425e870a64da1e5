"""When Python looks for garbage in a process that answers: seldom, and where it keeps the fewest from an answer.

Nearly all goes by itself, when nothing holds it any more: a thousand home pages and a thousand searches left nothing to
be found. A look stops all threads: 300 ms where two thousand answers are kept, 80 ms for what a snapshot holds, and
10 ms for the youngest 20,000 objects, which a hundred answers leave behind where they are kept.
"""

import gc
import time

EVERY_S = 600.0  # a look through everything
_YOUNG, _NEVER = 20_000, 2**30  # objects until the youngest are looked through by themselves, ...
_IDLE_YOUNG = 2_000  # ... and by whoever has nothing else to do


def look_seldom() -> None:
    """From now on only young objects are looked through by themselves; `look_through` is for the others."""
    gc.set_threshold(_YOUNG, _NEVER, _NEVER)


def look_while_idle() -> None:
    """Nobody waits: look through the youngest objects now, if they are many, so that nobody has to wait for it."""
    if gc.get_count()[0] > _IDLE_YOUNG:
        gc.collect(0)


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
