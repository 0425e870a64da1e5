"""Text -> vectors: an ONNX sentence encoder, run on the CPU by onnxruntime.

A folder holds `model.onnx`, `tokenizer.json` and, for a model of wares, `config.json` with its name, prefixes and the
SHA-256 of each file. Any sentence-transformers model exported to ONNX will do. Vectors of two encoders are never mixed:
an index remembers the `fingerprint` of its own.
"""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from wares.domain.cores import n_cores
from wares.errors import EncoderError

PACKAGED = Path(__file__).parents[1] / "weights" / "encoder"

Kind = Literal["query", "passage"]

_CHARACTERS = 4_000  # far beyond 512 tokens of any product text; cuts a huge one before it costs anything
_BLOCK_TEXTS = 8_192  # texts cut into tokens at once
_BATCH_TOKENS = 1_024  # rows times length of one batch


@dataclass(frozen=True)
class TextEncoder:
    """A loaded encoder; may be shared by threads.

    Attributes:
        name: the model's name.
        dimension: length of a vector.
        fingerprint: 16 hex digits over all files.
    """

    name: str
    dimension: int
    fingerprint: str
    _prefixes: dict[str, str] = field(repr=False)
    _tokenizer: Any = field(repr=False)
    _session: Any = field(repr=False)
    _threads: int = 1

    @classmethod
    def load(cls, folder: Path | None = None, threads: int = 1) -> "TextEncoder":
        """Open the encoder of a folder; None is the packaged one. Takes about half a second.

        Args:
            folder: with model.onnx (or onnx/model.onnx), tokenizer.json and perhaps config.json.
            threads: batches that one call of `encode` runs side by side; 0 = one for each core. A single text
                always takes one core, so that requests do not stand in each other's way.

        Raises:
            EncoderError: a file is missing, altered or cannot be read.
        """
        folder = PACKAGED if folder is None else folder
        files = _find(folder)
        config = _read_config(files.get("config.json"))
        sums = {name: _sha256(path) for name, path in files.items()}
        for name, expected in config.get("sha256", {}).items():
            if sums.get(name) != expected:
                raise EncoderError(
                    f"The text encoder in {folder} is altered: {name} has SHA-256 {sums.get(name, '(no file)')}, "
                    f"config.json says {expected}. Copy the folder again, or reinstall wares."
                )
        max_tokens = int(config.get("max_tokens", min(512, config.get("max_position_embeddings", 512))))
        tokenizer = _open_tokenizer(files["tokenizer.json"], max_tokens)
        session = _open_session(files["model.onnx"])
        prefixes = {"query": "", "passage": "", **config.get("prefixes", {})}
        content = json.dumps(sums, sort_keys=True).encode()
        return cls(
            name=str(config.get("name", folder.name)),
            dimension=int(config.get("dimension", _output(session).shape[-1])),
            fingerprint=hashlib.sha256(content).hexdigest()[:16],
            _prefixes=prefixes,
            _tokenizer=tokenizer,
            _session=session,
            _threads=threads or n_cores(),
        )

    def encode(
        self, texts: Sequence[str], kind: Kind, on_progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """Vectors of texts in their order, (texts, dimension), each of unit length.

        Args:
            texts: any text; an empty one has a vector too, of a very long one the start counts.
            kind: what the texts are: what a shopper types, or what a product says.
            on_progress: is told, after each batch, how many more texts are done.
        """
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for start in range(0, len(texts), _BLOCK_TEXTS):
            tokens = [self._tokens(self._prefixes[kind], text) for text in texts[start : start + _BLOCK_TEXTS]]
            batches = list(_batches(np.array([len(ids) for ids in tokens])))
            for rows, found in zip(batches, self._run_all([[tokens[row] for row in b] for b in batches]), strict=True):
                vectors[start + rows] = found
                if on_progress is not None:
                    on_progress(len(rows))
        return vectors

    def _run_all(self, batches: list[list[list[int]]]) -> Iterator[NDArray[np.float32]]:
        """Side by side where there are several; two batches at a time beat one batch on two cores."""
        if len(batches) < 2 or self._threads < 2:
            yield from map(self._run, batches)
            return
        with ThreadPoolExecutor(self._threads) as pool:
            yield from pool.map(self._run, batches)

    def _tokens(self, prefix: str, text: str) -> list[int]:
        clean = text[:_CHARACTERS].encode("utf-8", "replace").decode()  # half of a surrogate pair becomes "?"
        ids: list[int] = self._tokenizer.encode(prefix + clean).ids
        return ids

    def _run(self, tokens: list[list[int]]) -> NDArray[np.float32]:
        """One batch: ids of different lengths -> (len(tokens), dimension)."""
        lengths = np.array([len(ids) for ids in tokens])
        mask = np.arange(lengths.max()) < lengths[:, None]  # (n, t)
        ids = np.zeros(mask.shape, np.int64)
        ids[mask] = np.concatenate(tokens)
        feed = {"input_ids": ids, "attention_mask": mask.astype(np.int64), "token_type_ids": np.zeros_like(ids)}
        needed = {entry.name for entry in self._session.get_inputs()}
        result = self._session.run(
            [_output(self._session).name], {name: value for name, value in feed.items() if name in needed}
        )[0].astype(np.float32, copy=False)
        if result.ndim == 3:  # token states (n, t, d): their mean
            result = np.einsum("ntd,nt->nd", result, mask.astype(np.float32))
        unit: NDArray[np.float32] = result / np.maximum(np.linalg.norm(result, axis=1, keepdims=True), 1e-12)
        return unit


def _find(folder: Path) -> dict[str, Path]:
    """The files by name; a model's weights may lie beside it (model.onnx_data)."""
    home = folder if (folder / "model.onnx").is_file() else folder / "onnx"
    names = ("config.json", "tokenizer.json")
    files = {path.name: path for path in (folder / name for name in names) if path.is_file()}
    files |= {path.name: path for path in sorted(home.glob("model.onnx*"))}
    missing = {"model.onnx", "tokenizer.json"} - files.keys()
    if missing:
        raise EncoderError(
            f"{folder} holds no text encoder: {', '.join(sorted(missing))} missing. "
            "Name a folder with model.onnx and tokenizer.json (a sentence-transformers model exported to ONNX)."
        )
    return files


def _read_config(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        config = json.loads(path.read_bytes())
    except ValueError as error:
        raise EncoderError(f"{path} is not JSON: {error}. Copy the file again.") from error
    if not isinstance(config, dict):
        raise EncoderError(f"{path} holds {type(config).__name__}, expected a JSON object.")
    return config


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open_tokenizer(path: Path, max_tokens: int) -> Any:
    import tokenizers

    try:
        tokenizer = tokenizers.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises bare Exception
        raise EncoderError(f"{path} cannot be read as a tokenizer: {error}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    tokenizer.encode_special_tokens = True  # "</s>" in a title is text
    return tokenizer


def _open_session(path: Path) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            str(path),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=["SkipLayerNormFusion"],  # on CPUs the fused operator is 5 times slower than its parts
        )
    except Exception as error:  # its own classes, derived from Exception
        raise EncoderError(f"{path} cannot be loaded as an ONNX model: {error}") from error


def _output(session: Any) -> Any:
    """The sentence vectors where the graph gives them, else its first output (token states)."""
    outputs = session.get_outputs()
    return next((entry for entry in outputs if entry.name == "sentence_embedding"), outputs[0])


def _batches(lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Rows of similar length together, so that little is padded; a batch holds about `_BATCH_TOKENS`."""
    order = np.argsort(lengths, kind="stable")
    start = 0
    for end in range(1, len(order) + 1):
        if end == len(order) or lengths[order[end]] * (end + 1 - start) > _BATCH_TOKENS:
            yield order[start:end]
            start = end
