"""Judged cases: queries whose first k hits must hold some products and must not hold others, by what is on trial."""

import json
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from wares.domain.money import scale_of
from wares.errors import InputError
from wares.shop import Shop, open_shop
from wares.training.child import train_here

Tell = Callable[[str, int, int], None]
_CROSS = "->"  # in the name of a trap: query and title in two languages


def case_figures(data: Path, language: str, tell: Tell) -> dict[str, Any]:
    """`data` holds products.jsonl and cases.jsonl. Every case is asked of a shop that has just these products."""
    products, cases = list(_lines(data / "products.jsonl")), list(_lines(data / "cases.jsonl"))
    currency = str(products[0].get("currency", "")) if products else ""
    with tempfile.TemporaryDirectory(prefix="wares-cases-") as scratch:
        folder = Path(scratch) / "shop"
        folder.mkdir()
        head = f'[shop]\nlanguage = "{language}"\n' + (f'currency = "{currency}"\n' if currency else "")
        (folder / "wares.toml").write_text(head, encoding="utf-8")
        with open_shop(folder) as shop:
            shop.put(_in_major_units(product) for product in products)
            train_here(folder, tell)
        with open_shop(folder, create=False) as shop:
            return _judged(shop, cases, currency, tell)


def _judged(shop: Shop, cases: list[dict[str, Any]], currency: str, tell: Tell) -> dict[str, Any]:
    passed: dict[str, list[bool]] = defaultdict(list)
    failed = []
    for done, case in enumerate(cases, 1):
        page = shop.search(case["query"], filters=_filters(case.get("filters", {}), currency), k=case["k"])
        top = [hit.product.id for hit in page.hits]
        holds = _holds(case, top)
        passed[case["trap"]].append(holds)
        if not holds:
            titles = [f"{hit.product.id} {hit.product.title}" for hit in page.hits]
            failed.append({"id": case["id"], "trap": case["trap"], "query": case["query"], "came": titles})
        tell("Asking the cases", done, len(cases))
    shares = {trap: sum(each) / len(each) for trap, each in passed.items()}
    own = [share for trap, share in shares.items() if _CROSS not in trap]
    cross = [holds for trap, each in passed.items() if _CROSS in trap for holds in each]
    return {
        "cases": len(cases),
        "mean_of_traps": round(sum(own) / len(own), 4) if own else None,
        "lowest_trap": round(min(own), 4) if own else None,
        "cross_language": round(sum(cross) / len(cross), 4) if cross else None,
        "traps": {trap: round(share, 4) for trap, share in shares.items()},
        "failed": failed,
    }


def _holds(case: dict[str, Any], top: list[str]) -> bool:
    """All expectations of a case, which it need not have."""
    some, every, none = (set(case.get(name, ())) for name in ("expect_any", "expect_all", "expect_none"))
    shown = set(top)
    return (not some or bool(some & shown)) and every <= shown and not none & shown


def _filters(wanted: dict[str, Any], currency: str) -> dict[str, Any]:
    scale = scale_of(currency)
    return {
        "price" if name == "price_minor" else name: {"high": value["lte"] / scale} if isinstance(value, dict) else value
        for name, value in wanted.items()
    }


def _in_major_units(product: dict[str, Any]) -> dict[str, Any]:
    row = dict(product)
    if (minor := row.pop("price_minor", None)) is not None:
        row["price"] = minor / scale_of(str(row.get("currency", "")))
    return row


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8") as file:
            yield from (json.loads(line) for line in file if line.strip())
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); need products.jsonl and cases.jsonl.") from None
