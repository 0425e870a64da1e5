"""The child's side of an errand: what takes long is worked out here, so that the serving process goes on answering.

`python -m wares.app.web.console.errand overview FOLDER 28` prints one JSON object, {"value": ...} or {"problem": ...}.
"""

import json
import os
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wares.errors import WaresError

_GENTLE = 10  # of niceness: shoppers come first


def run(words: Sequence[str]) -> Any:
    """What an errand brings: ("overview", folder, days) or ("health", folder)."""
    what, folder, *rest = words
    if what == "overview":
        from wares.app.web.console.overview import overview
        from wares.shop import open_shop

        with open_shop(folder, create=False) as shop:
            return overview(shop, int(time.time() * 1000), int(rest[0]))
    from wares.app.commands.doctor import examine

    return [asdict(finding) for finding in examine(Path(folder))]


def main() -> int:
    with suppress(OSError, AttributeError):
        os.nice(_GENTLE)
    try:
        told = {"value": run(sys.argv[1:])}
    except (WaresError, OSError, MemoryError) as error:
        told = {"problem": str(error) or type(error).__name__}
    except KeyboardInterrupt:
        return 130
    print(json.dumps(told), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
