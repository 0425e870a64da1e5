"""Feeds of any size, written by rule: products and events as a shop would export them, with known faults."""

import csv
from pathlib import Path

import numpy as np

from wares.app.bench.made_up import made_up_products

FAULTY_EVERY = 1_000  # of this many rows one cannot be used
START_MS = 1_735_689_600_000  # 2025-01-01
_DAYS = 300
_PER_SHOPPER = 50  # events
_AT_ONCE = 100_000
_DAY_MS = 86_400_000
_KINDS = ("view", "cart", "purchase")
_CHANCES = (0.75, 0.1, 0.15)


def write_products(path: Path, n: int, seed: int) -> int:
    """A CSV file of `n` products with descriptions, and the faulty rows (without an id) besides; how many those are."""
    rng, faulty = np.random.default_rng(seed), 0
    stocks = rng.integers(0, 200, n).tolist()
    with path.open("w", encoding="utf-8", newline="") as file:
        write = csv.writer(file).writerow
        write(("id", "title", "description", "brand", "category", "price", "stock", "colour", "size", "image_link"))
        for i, product in enumerate(made_up_products(n, seed)):
            price, path_ = f"{(product.price_minor or 0) / 100:.2f}", " > ".join(product.category)
            colour, size = product.attributes["colour"][0], product.attributes["size"][0]
            text = (
                f"{product.title}. Made by {product.brand}, in {colour}. Comes as {size} and is sent within two days."
            )
            rest = (product.title, text, product.brand, path_, price, stocks[i], colour, size)
            picture = f"https://shop.example/{product.id}.jpg"
            write((product.id, *rest, picture))
            if i % FAULTY_EVERY == 0:
                write(("", *rest, picture))
                faulty += 1
    return faulty


def write_events(path: Path, n: int, products: int, seed: int) -> int:
    """A CSV file of `n` events in order of time, and the faulty rows (of no known kind) besides; how many those are.

    Few products are wanted much, most little; a shopper has 50 events in the mean.
    """
    rng, faulty, shoppers = np.random.default_rng(seed), 0, max(1, n // _PER_SHOPPER)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write("kind,time,shopper_id,product_id,quantity,value,basket_id\n")
        for start in range(0, n, _AT_ONCE):
            places = np.arange(start, min(start + _AT_ONCE, n))
            moments = START_MS + places * (_DAYS * _DAY_MS) // n
            times = np.datetime_as_string(moments.astype("datetime64[ms]"), unit="s").tolist()
            wanted = (products * rng.random(len(places)) ** 3).astype(int).tolist()
            whose = rng.integers(0, shoppers, len(places)).tolist()
            kinds = rng.choice(len(_KINDS), len(places), p=_CHANCES).tolist()
            values = rng.integers(50, 5_000, len(places)).tolist()
            lines = []
            for i, time, product, shopper, kind, value in zip(
                places.tolist(), times, wanted, whose, kinds, values, strict=True
            ):
                bought = f"{1 + value % 3},{value / 100:.2f},b{i // 3}" if kind == 2 else ",,"
                lines.append(f"{_KINDS[kind]},{time}Z,u{shopper},p{product},{bought}\n")
                if i % FAULTY_EVERY == 0:
                    lines.append(f"gaze,{time}Z,u{shopper},p{product},,,\n")
                    faulty += 1
            file.writelines(lines)
    return faulty
