"""The small grocer's with a past for the console: three weeks of answers, searches that went badly, imports, rules."""

import json
import random
import time
from pathlib import Path

import wares
from wares.app.commands.import_log import keep_reports
from wares.domain.request import Request
from wares.engine.impression import impression_of, new_id
from wares.engine.page import present
from wares.shop import Shop
from wares.store.impressions import ImpressionLog

from .small_shop import RULES, SETTINGS, SHOPPERS, Row, events, products

DAY_MS = 86_400_000
DAYS = 21
EVIL = '<img src=x onerror="document.title=1">'
EVIL_QUERY = "<img src=x onerror=alert(1)> mulled wine"
NOTHING = "kombucha"  # asked for by many, sold by nobody
IGNORED = "green tea"  # found, and never chosen
RARE = "private words"  # of one shopper
QUERIES = ("milk", "rye bread", IGNORED, "cola", "carrot cake", "apples", NOTHING)
OTHER = """
[encoder]
source = "none"

[markets.at]
currency = "EUR"

[profiles.wordy]
sources = ["lexical"]
all_matches = true
formula = { lexical = 1.0 }
"""


def make_console_shop(folder: Path) -> None:
    """Trained twice, so that there is a snapshot to go back to."""
    (folder / "wares.toml").write_text(SETTINGS + OTHER, encoding="utf-8")
    rows = [
        *products(),
        {"id": "evil", "title": f"{EVIL} Milk", "brand": EVIL, "category": "Dairy > Milk", "price": 2.5},
    ]
    with wares.open(folder) as shop:
        reports = [
            shop.put([*rows, {"id": "", "title": "nameless"}, {"id": "odd", "title": "Odd cheese", "price": "?"}])
        ]
        reports.append(shop.record([*events(rows), {"kind": "dance", "shopper_id": "1"}]))
        keep_reports(folder, reports, int(time.time() * 1000))
        shop.train()
        live_through(shop, rows)
        shop.train()
        shop.rules.publish("Anna", "the first ones", text=RULES)
        shop.rules.publish("Bo", "tarts first", text=f'{RULES}\n[[rules]]\nname = "{"Tarts"}"\nhide = ["odd"]\n')


def live_through(shop: Shop, rows: list[Row]) -> None:
    """What shoppers asked on the last days, and what they chose; the draws are seeded."""
    draw, now_ms = random.Random(3), int(time.time() * 1000)
    within = min(1.0, now_ms % DAY_MS / 3_600_000)  # of an hour: after midnight, too, all of it is of one day
    told: list[Row] = []
    with ImpressionLog(shop.folder) as log:
        for day in range(DAYS - 1, -1, -1):
            for shopper in draw.sample(SHOPPERS, 12):
                at_ms = now_ms - day * DAY_MS - int(within * draw.randrange(1, 3_600) * 1000)
                query = EVIL_QUERY if shopper in SHOPPERS[:8] and day < 6 else draw.choice(QUERIES)
                for surface, asked in (("home", ""), ("search", RARE if day == 1 and shopper == "9" else query)):
                    request = Request(surface, at_ms, asked, shopper, k=8)
                    found = shop.engine.answer(request, shop.engine.history(shopper)[0])
                    page = present(found, 0, 8, shop.store.catalogue)
                    shown = impression_of(page, request, 0, 3 + draw.random() * 9) | {"id": new_id()}
                    log.record(shown, shop.store.shoppers.hash(shopper))
                    if page.hits and query != IGNORED and draw.random() < 0.6:
                        chosen = draw.choice(page.hits).product.id
                        kinds = ("view", "cart", "purchase")[: draw.randrange(1, 4)]
                        told += [
                            {
                                "kind": kind,
                                "time": (at_ms + 20_000 * i) / 1000,
                                "shopper_id": shopper,
                                "product_id": chosen,
                            }
                            for i, kind in enumerate(kinds, 1)
                        ]
                    if asked:
                        told.append({"kind": "search", "time": at_ms / 1000, "shopper_id": shopper, "query": asked})
    shop.record(told)


def saved(folder: Path, name: str) -> object:
    """A JSON file of the shop."""
    return json.loads((folder / name).read_text(encoding="utf-8"))
