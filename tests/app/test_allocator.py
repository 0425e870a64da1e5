"""What was freed is given back to the system, and threads do not keep it from one another."""

import json
import subprocess
import sys
import threading

import pytest

from wares.app.web import allocator
from wares.app.web.allocator import GivingBack, give_back, share_one_arena

_HELD = """
import json, threading
from pathlib import Path
import numpy as np
from wares.app.web.allocator import give_back, share_one_arena

def resident_mb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024

shared, kept = share_one_arena(), []
def work():
    for _ in range(200):
        passing = [np.ones(60_000, np.uint8) for _ in range(10)]
        kept.append(np.ones(2_000, np.uint8))  # above what passed
        held.append(passing)
held = []
threads = [threading.Thread(target=work) for _ in range(4)]
for one in threads: one.start()
for one in threads: one.join()
held.clear()
before = resident_mb()
given = give_back()
print(json.dumps({"shared": shared, "given": given, "before": before, "after": resident_mb()}))
"""


@pytest.mark.skipif(allocator._glibc() is None, reason="another C library than glibc")
def test_what_lies_between_kept_pieces_is_given_back() -> None:
    ran = subprocess.run([sys.executable, "-c", _HELD], capture_output=True, text=True, check=True)
    told = json.loads(ran.stdout)
    assert told["shared"] and told["given"]
    assert told["before"] - told["after"] > 200  # MB, of 480


def test_memory_is_given_back_when_it_has_grown_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [100, 90, 95, 98, 110, 92, 93, *[94] * 1_000_000]  # each is looked at, and again once some was given back
    looks, given, looked = iter(pages), list[int](), threading.Event()
    seen = list[int]()

    def resident() -> int:
        seen.append(next(looks))
        if len(seen) == 20:
            looked.set()
        return seen[-1]

    def give() -> bool:
        given.append(seen[-1])
        return True

    monkeypatch.setattr(allocator, "_resident_pages", resident)
    monkeypatch.setattr(allocator, "give_back", give)
    with GivingBack(every_s=0.001):
        assert looked.wait(10)
    assert given == [100, 110]
    assert "memory" not in {one.name for one in threading.enumerate()}


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    assert not share_one_arena()
    assert not give_back()
