"""Train the shopper model that comes with wares for the demo shop "groceries", and write it as one file.

    make.py --shop shops/groceries --out src/wares/weights/groceries/shopper_model.npz --set epochs=16

The shop is one that `wares demo` has built and nobody has shopped in since. The model learns from what happened before
its last two windows of 28 days; dates are written as they were before the demo moved them. Needs the extra `train`.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from wares.app.commands import screen
from wares.app.demo.build import MARK
from wares.engine.settings import SequenceSettings
from wares.training.early_model import write_early_model

MOST_BYTES = 10_000_000


def make(shop: Path, out: Path, options: SequenceSettings) -> dict[str, Any]:
    """Train and write; figures for the card."""
    moved_ms = int(json.loads((shop / MARK).read_text(encoding="utf-8"))["moved_ms"])
    with screen.progress() as tell:
        figures = write_early_model(shop, out, options, tell, moved_ms=moved_ms)
    return {**figures, "recipe": options.model_dump(exclude_none=True, exclude={"fitted"})}


def main() -> int:
    told = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    told.add_argument("--shop", type=Path, required=True, help="a built demo shop")
    told.add_argument("--out", type=Path, required=True, help="the .npz file to write")
    told.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a number of models.sequence")
    asked = told.parse_args()
    options = SequenceSettings.model_validate(dict(one.split("=", 1) for one in asked.set))
    figures = make(asked.shop, asked.out, options)
    screen.print_json(figures)
    if figures["bytes"] > MOST_BYTES:
        screen.complain(f"{asked.out} has {figures['bytes']:,} bytes; at most {MOST_BYTES:,} may be shipped.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
