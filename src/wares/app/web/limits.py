"""How much one request may bring, and how often somebody may ask: what `[server]` of the settings says."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wares.app.web.told.refusals import Refused
from wares.engine.settings import ServerSettings

MAX_BODY_BYTES = 16 * 1024 * 1024
QUESTION_BYTES = 256 * 1024  # of a search, say, or a batch of them: the reading of a body makes everybody wait
_GROWTH = 8  # times as long as it came a value is at most when it is written anew: 1e9 as 1000000000.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Rates are requests per minute, 0 = any number."""

    body_bytes: int = MAX_BODY_BYTES
    record_bytes: int = 1024 * 1024
    records: int = 10_000
    query_characters: int = 20_000
    per_key: int = 30_000
    per_address: int = 1_200
    per_shopper: int = 600

    @staticmethod
    def of(settings: ServerSettings) -> "Limits":
        return Limits(
            settings.max_body_kib * 1024, settings.max_record_kib * 1024, settings.max_records,
            settings.max_query_characters, settings.rate_per_key, settings.rate_per_address, settings.rate_per_shopper,
        )  # fmt: skip

    def body_of(self, *, is_question: bool) -> int:
        """Most bytes of a body, as sent and unpacked."""
        return min(self.body_bytes, QUESTION_BYTES) if is_question else self.body_bytes

    def check_records(self, rows: Sequence[Any], of_bytes: int | None = None) -> None:
        """Refused where there are too many, or one is too large; then none is kept. All but dicts are only counted.
        `of_bytes`: how long the body was, None = nobody knows."""
        self.check_count(rows)
        if of_bytes is not None and of_bytes * _GROWTH <= self.record_bytes:
            return
        for line, row in enumerate(rows, 1):
            if isinstance(row, dict) and _size(row) > self.record_bytes:
                detail = f"Record {line} has more than {self.record_bytes:,} bytes. Nothing of this request was kept."
                raise Refused(413, "record-too-large", detail, line=line)

    def check_count(self, rows: Sequence[Any]) -> None:
        """Refused where there are too many."""
        if len(rows) > self.records:
            detail = f"{len(rows):,} records are too many: {self.records:,} at most. Send smaller batches."
            raise Refused(413, "too-many-records", detail)

    def check_query(self, text: str) -> None:
        if len(text) > self.query_characters:
            detail = f"The query has {len(text):,} characters; at most {self.query_characters:,} are taken."
            raise Refused(413, "query-too-long", detail)


def _size(row: Mapping[str, Any]) -> int:
    return len(json.dumps(row, ensure_ascii=False).encode("utf-8", "surrogatepass"))
