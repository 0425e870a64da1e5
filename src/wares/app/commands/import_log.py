"""What the last imports did with their rows, kept as JSON beside the shop, so that it can be looked up later."""

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wares.engine.durable import replace_text
from wares.errors import UnknownName
from wares.feeds.report import ImportReport

FOLDER = "imports"
KEPT = 50  # imports
_NAME = re.compile(r"\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{6}")
_OF_SHOPPERS = re.compile(  # what feeds call ids of people, and what people typed
    r"shopper|user|customer|client|household|member|visitor|buyer|anonymous|token|cookie|device|session|mail|phone|query"
    r"|search",
    re.IGNORECASE,
)
_FINDINGS = ("repairs", "rejections", "remarks")


@dataclass(frozen=True)
class Import:
    """One import: when it ended, and the reports of its files as `ImportReport.to_dict` writes them."""

    name: str
    at_ms: int
    reports: tuple[Mapping[str, Any], ...]


def keep_reports(folder: Path, reports: Sequence[ImportReport], at_ms: int) -> str:
    """Keep them durably and forget all but the newest ones; the name they go by.

    Of examples from fields about shoppers, or from no field in particular, the value is left out: an erased shopper
    must not live on here.
    """
    place = folder / FOLDER
    place.mkdir(exist_ok=True)
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    name = f"{moment:%Y%m%dT%H%M%S}.{at_ms % 1000:03}Z-{secrets.token_hex(3)}"
    told = {"at_ms": at_ms, "reports": [_without_shoppers(report.to_dict()) for report in reports]}
    replace_text(place / f"{name}.json", json.dumps(told, ensure_ascii=False))
    for older in _names(place)[KEPT:]:
        (place / f"{older}.json").unlink(missing_ok=True)
    return name


def kept_imports(folder: Path) -> list[Import]:
    """The newest first; a file that cannot be read is left out."""
    found = []
    for name in _names(folder / FOLDER):
        try:
            found.append(_read(folder, name))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found


def kept_import(folder: Path, name: str) -> Import:
    """UnknownName where there is none of this name that can be read."""
    try:
        if _NAME.fullmatch(name):
            return _read(folder, name)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise UnknownName("import", name, _names(folder / FOLDER))


def _read(folder: Path, name: str) -> Import:
    told = json.loads((folder / FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return Import(name, int(told["at_ms"]), tuple(dict(report) for report in told["reports"]))


def _names(place: Path) -> list[str]:
    """Names begin with the moment, so that their order is that of time."""
    return sorted((path.stem for path in place.glob("*.json") if _NAME.fullmatch(path.stem)), reverse=True)


def _without_shoppers(report: dict[str, Any]) -> dict[str, Any]:
    for kind in _FINDINGS:
        for finding in report[kind]:
            for example in finding["examples"]:
                if not example["field"] or _OF_SHOPPERS.search(example["field"]):
                    example["value"] = ""
    return report
