"""What campaigns have spent on days that are over, as one file: the sums of logs that may be gone by now."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wares.engine.campaigns.book import FOLDER
from wares.engine.durable import replace_text
from wares.errors import StoreError

FILE = "settled.json"
DAY_MS = 86_400_000

Sums = Mapping[tuple[str, int], tuple[int, int, int]]  # (campaign, day in UTC) -> (times shown, clicks, spent)


@dataclass(frozen=True)
class Settled:
    """All of the days before `until_ms`. Every event up to the number `after_seq` happened before the last of them,
    whose clicks are not to be charged a second time. No shopper data: erasing a shopper leaves it as it is."""

    until_ms: int
    after_seq: int = 0
    sums: Sums = field(default_factory=dict)


def read_settled(shop_folder: Path) -> Settled | None:
    """None = nothing was settled yet. StoreError for a file that was cut or altered."""
    path = shop_folder / FOLDER / FILE
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        body = told["body"]
        if told["sha256"] != _digest(body):
            raise ValueError("its checksum is another")
        sums = {(name, day): (shown, clicks, spent) for name, day, shown, clicks, spent in body["days"]}
        return Settled(body["until_ms"], body["after_seq"], sums)
    except FileNotFoundError:
        return None
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"{path}: cannot be used ({error}). No campaign runs, for nobody knows what they have spent. Restore the "
            "file from a backup."
        ) from error


def write_settled(shop_folder: Path, settled: Settled) -> None:
    """The whole new file or the old one. Raises OSError."""
    days = sorted([name, day, *sums] for (name, day), sums in settled.sums.items())
    body = {"until_ms": settled.until_ms, "after_seq": settled.after_seq, "days": days}
    replace_text(shop_folder / FOLDER / FILE, json.dumps({"body": body, "sha256": _digest(body)}, ensure_ascii=False))


def _digest(body: object) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
