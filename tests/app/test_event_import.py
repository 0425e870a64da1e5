"""`wares import --events` reads the logs of others, says what it did, and counts nothing twice."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import wares
from wares.app.cli import app
from wares.errors import UnknownName

LOG = """
{"type":"track","event":"Product Viewed","messageId":"m1","anonymousId":"a","timestamp":"2026-01-31T12:00:00Z","properties":{"product_id":"mug"}}
{"type":"track","event":"Order Completed","messageId":"m2","userId":"anna","timestamp":"2026-01-31T12:00:00Z","properties":{"order_id":"o1","products":[{"product_id":"mug","price":8.5},{"product_id":"pot","price":9}]}}
{"type":"track","event":"Order Refunded","messageId":"m3","userId":"anna","timestamp":"2026-02-01T12:00:00Z","properties":{"order_id":"o1","products":[{"product_id":"pot"}]}}
{"type":"track","event":"Order Refunded","messageId":"m4","userId":"anna","timestamp":"2026-02-01T12:00:00Z","properties":{"order_id":"o0","products":[{"product_id":"jar"}]}}
{"type":"page","messageId":"m5","anonymousId":"a"}
"""  # noqa: E501


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "segment.json"
    path.write_text(LOG.strip(), encoding="utf-8")
    return path


def import_(*words: object) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, words)])


def test_a_foreign_log_is_recognised_imported_and_not_counted_again(log: Path, tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    done = import_(shop, "--events", log, "--json")
    assert done.exit_code == 0, done.output
    (report,) = json.loads(done.stdout)
    assert (report["read"], report["kept"], report["rejected"]) == (6, 5, 1)
    assert report["returns"] == {"refunds": 2, "matched": 1, "by_order": 1, "in_part": 0, "unmatched": 1}
    assert report["rejections"][0]["rule"] == "left out: page calls"
    assert report["remarks"][0]["examples"][0]["line"] == 4
    (again,) = json.loads(import_(shop, "--events", log, "--json", "--dialect", "segment").stdout)
    assert any("5 events were known already" in note for note in again["notes"])


def test_people_read_what_became_of_their_returns(log: Path, tmp_path: Path) -> None:
    done = import_(tmp_path / "shop", "--events", log)
    told = " ".join((done.stdout + done.stderr).split())
    assert "Refunds: 2. Their purchase was found by order: 1" in told
    assert "Read as Segment e-commerce (segment)" in told
    assert "odd" in told and "jar" in told


def test_an_unknown_dialect_lists_the_known_ones_before_anything_is_written(log: Path, tmp_path: Path) -> None:
    done = import_(tmp_path / "shop", "--events", log, "--dialect", "segmnt")
    assert done.exit_code == 1
    assert "algolia, ga4, google-retail, segment, wares" in " ".join(done.stderr.split())
    assert not (tmp_path / "shop").exists()


def test_a_program_records_a_foreign_file_or_rows_of_a_named_dialect(log: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in LOG.strip().splitlines()]
    with wares.open(tmp_path / "shop") as shop:
        assert shop.record(log).kept == 5
        assert shop.record(rows, dialect="segment").repeated == 5
        with pytest.raises(UnknownName, match="google-retail"):
            shop.record(rows, dialect="sgement")
