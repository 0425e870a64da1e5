"""What was shown is written behind the shopper's back, soon, and not for ever."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wares.errors import StoreError, StoreUnwritable
from wares.store.impressions import FILE, ImpressionLog, read_impressions

NOW_S, YEAR_S = 1_790_000_000.0, 365.25 * 86_400
ANN, BOB = b"a" * 16, b"b" * 16


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ImpressionLog]:
    with ImpressionLog(tmp_path, flush_s=60) as opened:
        yield opened


def shown(folder: Path) -> list[object]:
    return [impression["id"] for _, impression in read_impressions(folder)]


def wait_for(folder: Path, ids: list[object]) -> None:
    deadline_s = time.monotonic() + 5
    while shown(folder) != ids:
        assert time.monotonic() < deadline_s, f"still {shown(folder)}"
        time.sleep(0.01)


def test_an_impression_comes_back_as_it_went_in(log: ImpressionLog, tmp_path: Path) -> None:
    impression = {"id": "i1", "products": ["loaf", "果酱"], "propensities": [0.5, 1.0]}
    log.record(impression)
    log.flush()
    assert list(read_impressions(tmp_path)) == [(1, impression)]
    assert list(read_impressions(tmp_path, after=1)) == []


def test_closing_writes_what_waits(tmp_path: Path) -> None:
    with ImpressionLog(tmp_path, flush_s=60) as log:
        log.record({"id": "i1"})
        log.record({"id": "i2"})
    log.close()
    assert shown(tmp_path) == ["i1", "i2"]
    with pytest.raises(StoreError, match="closed"):
        log.record({"id": "i3"})


def test_an_impression_is_written_within_its_time(tmp_path: Path) -> None:
    with ImpressionLog(tmp_path, flush_s=0.05) as log:
        log.record({"id": "i1"})
        wait_for(tmp_path, ["i1"])


def test_many_impressions_are_written_without_waiting_for_the_time(tmp_path: Path) -> None:
    with ImpressionLog(tmp_path, flush_s=60, flush_items=3) as log:
        for i in range(3):
            log.record({"id": i})
        wait_for(tmp_path, [0, 1, 2])


def test_old_impressions_are_dropped(tmp_path: Path) -> None:
    now_s = NOW_S
    with ImpressionLog(tmp_path, flush_s=60, keep_days=2, clock=lambda: now_s, passed=lambda: now_s) as log:
        log.record({"id": "old"})
        log.flush()
        now_s += 1.5 * 86_400
        log.record({"id": "new"})
        log.flush()
        assert shown(tmp_path) == ["old", "new"]
        now_s += 86_400
        log.flush()
        assert shown(tmp_path) == ["new"]


class Time:
    """Time that passes, and a clock that may be wrong."""

    def __init__(self) -> None:
        self.passed_s, self.wrong_s = 0.0, 0.0

    def log(self, folder: Path) -> ImpressionLog:
        return ImpressionLog(
            folder, flush_s=60, keep_days=2, clock=lambda: NOW_S + self.passed_s + self.wrong_s,
            passed=lambda: self.passed_s,
        )  # fmt: skip


def test_a_clock_that_jumps_into_the_future_erases_nothing_even_over_restarts(tmp_path: Path) -> None:
    time_ = Time()
    for wrong_s in (0.0, 73 * YEAR_S, 73 * YEAR_S, 73 * YEAR_S, 0.0):
        time_.wrong_s = wrong_s
        with time_.log(tmp_path) as log:
            log.record({"id": f"at {time_.passed_s:.0f}"})
            log.flush()
            time_.passed_s += 1_800
            log.flush()
    assert shown(tmp_path) == ["at 0", "at 1800", "at 3600", "at 5400", "at 7200"]
    with time_.log(tmp_path) as log:  # the clock is right again: what was stamped in 2099 goes with the rest
        for _ in range(4):
            log.flush()
            time_.passed_s += 2 * 86_400
        log.flush()
    assert shown(tmp_path) == []


def test_a_clock_that_jumps_back_erases_nothing_that_was_there(tmp_path: Path) -> None:
    time_ = Time()
    with time_.log(tmp_path) as log:
        for wrong_s in (0.0, -50 * YEAR_S, 0.0):
            time_.wrong_s = wrong_s
            log.record({"id": f"at {time_.passed_s:.0f}"})
            log.flush()
            time_.passed_s += 60
    assert {"at 0", "at 120"} <= set(shown(tmp_path))


def test_after_a_long_pause_old_ones_go_within_hours(tmp_path: Path) -> None:
    time_ = Time()
    with time_.log(tmp_path) as log:
        log.record({"id": "old"})
    time_.wrong_s = 10 * 86_400  # so long nothing ran: no time passed that this process could have seen
    with time_.log(tmp_path) as log:
        log.flush()
        assert shown(tmp_path) == ["old"]
        time_.passed_s += 36_000
        log.flush()
        assert shown(tmp_path) == []


def test_erasing_a_shopper_removes_only_theirs_from_every_file(log: ImpressionLog, tmp_path: Path) -> None:
    log.record({"id": "peculiar"}, ANN)
    log.record({"id": "bobs"}, BOB)
    log.flush()
    log.record({"id": "peculiar too"}, ANN)
    log.record({"id": "anonymous"})
    assert log.erase(ANN) == 2
    assert log.erase(ANN) == 0
    assert shown(tmp_path) == ["bobs", "anonymous"]
    assert all(b"peculiar" not in path.read_bytes() for path in tmp_path.iterdir())


def test_what_json_cannot_hold_is_refused_at_once(log: ImpressionLog) -> None:
    with pytest.raises(TypeError):
        log.record({"id": object()})


def test_a_full_disk_does_not_disturb_serving_and_nothing_waiting_is_lost(tmp_path: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path)], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"mounting is not allowed here: {mounted.stderr.strip()}")
    try:
        with ImpressionLog(tmp_path, flush_s=60, most_waiting=50) as log:
            for i in range(60):
                log.record({"id": i, "features": "x" * 10_000})
            assert log.dropped == 10
            with pytest.raises(StoreUnwritable):
                log.flush()
            subprocess.run(["mount", "-o", "remount,size=16m", str(tmp_path)], check=True)
            log.flush()
            assert shown(tmp_path) == list(range(50))
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)


def test_a_shop_that_showed_nothing_has_no_impressions(tmp_path: Path) -> None:
    assert list(read_impressions(tmp_path)) == []


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"my shopping list " * 500)
    with pytest.raises(StoreError, match="not a readable"):
        ImpressionLog(tmp_path)
    with pytest.raises(StoreError, match="not a readable"):
        list(read_impressions(tmp_path))
