"""The packaged text encoder, with its real weights."""

import json
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import tokenizers

from wares.errors import EncoderError
from wares.models.encoder import PACKAGED, TextEncoder

PRODUCTS = [
    "Cordless drill driver 18 V with two batteries",
    "Women's red leather sandals",
    "Whole bean espresso coffee, 1 kg",
    "Stainless steel kitchen sink, double bowl",
    "Wireless headphones with noise cancelling",
    "Baby diapers, size 4",
]


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return TextEncoder.load()


def nearest(encoder: TextEncoder, query: str, products: list[str]) -> str:
    [vector] = encoder.encode([query], "query")
    return products[int(np.argmax(encoder.encode(products, "passage") @ vector))]


@pytest.mark.parametrize(
    ("query", "product"),
    [
        ("power tool for making holes", 0),
        ("summer shoes for ladies", 1),
        ("Kaffeebohnen", 2),
        ("Akkuschrauber", 0),
        ("Geschirrspüle aus Edelstahl", 3),
        ("auriculares inalámbricos", 4),
        ("couches bébé", 5),
        ("电钻", 0),
        ("女士凉鞋", 1),
        ("コーヒー豆", 2),
        ("무선 헤드폰", 4),
        ("ασύρματα ακουστικά", 4),
        ("памперси за бебе", 5),
    ],
)
def test_a_wish_in_any_language_is_nearest_to_its_product(encoder: TextEncoder, query: str, product: int) -> None:
    assert nearest(encoder, query, PRODUCTS) == PRODUCTS[product]


def test_a_chinese_wish_is_nearest_to_its_chinese_product(encoder: TextEncoder) -> None:
    products = ["充电式电钻 18V 双电池", "女式红色真皮凉鞋", "意式浓缩咖啡豆 1公斤", "婴儿纸尿裤 L码"]
    assert nearest(encoder, "宝宝尿不湿", products) == products[3]
    assert nearest(encoder, "夏天穿的鞋子", products) == products[1]


def test_a_german_wish_is_nearest_to_its_german_product(encoder: TextEncoder) -> None:
    products = ["Akku-Bohrschrauber 18 V mit Koffer", "Rote Damen-Sandalen aus Leder", "Kaffeebohnen für Espresso"]
    assert nearest(encoder, "Damenschuhe", products) == products[1]
    assert nearest(encoder, "Bohrmaschine", products) == products[0]


def test_capitals_make_no_difference(encoder: TextEncoder) -> None:
    plain, shouted = encoder.encode(["straße σπίτις istanbul", "STRASSE ΣΠΊΤΙΣ İSTANBUL".replace("SS", "ß")], "passage")
    assert plain @ shouted > 0.99999


def test_vectors_have_unit_length_and_keep_the_order_of_the_texts(encoder: TextEncoder) -> None:
    texts = [f"{'very ' * (index * 7 % 23)}good article number {index}" for index in range(120)]
    vectors = encoder.encode(texts, "passage")
    assert vectors.shape == (120, encoder.dimension) == (120, 384)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    for index in (0, 1, 57, 119):
        [alone] = encoder.encode([texts[index]], "passage")
        assert alone @ vectors[index] > 0.99
        assert int(np.argmax(vectors @ alone)) == index


def test_progress_counts_every_text(encoder: TextEncoder) -> None:
    told: list[int] = []
    encoder.encode(["short", "a little longer than short"] * 200, "passage", told.append)
    assert len(told) > 1
    assert sum(told) == 400


def test_the_same_text_has_the_same_vector_every_time(encoder: TextEncoder) -> None:
    assert np.array_equal(encoder.encode(["green tea"], "query"), encoder.encode(["green tea"], "query"))


def test_a_query_and_a_passage_are_told_apart(encoder: TextEncoder) -> None:
    assert not np.allclose(encoder.encode(["green tea"], "query"), encoder.encode(["green tea"], "passage"))


def test_no_texts_give_no_vectors(encoder: TextEncoder) -> None:
    assert encoder.encode([], "query").shape == (0, 384)


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\x00", "\ud83d", "</s><pad><mask>", "🛒" * 3_000, "½ № ™ ﬁ"])
def test_odd_texts_have_vectors_too(encoder: TextEncoder, text: str) -> None:
    [vector] = encoder.encode([text], "query")
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("word", ["shoe ", "x", "鞋"])
def test_a_title_of_ten_megabytes_takes_no_longer_than_a_page(encoder: TextEncoder, word: str) -> None:
    title = word * (10_000_000 // len(word))
    started = time.perf_counter()
    assert encoder.encode([title], "passage").shape == (1, 384)
    assert time.perf_counter() - started < 2


def test_the_fingerprint_names_the_files(encoder: TextEncoder, tmp_path: Path) -> None:
    assert TextEncoder.load(threads=2).fingerprint == encoder.fingerprint
    folder = shutil.copytree(PACKAGED, tmp_path / "encoder")
    config = json.loads((folder / "config.json").read_bytes())
    (folder / "config.json").write_text(json.dumps({**config, "prefixes": {"query": "", "passage": ""}}))
    assert TextEncoder.load(folder).fingerprint != encoder.fingerprint


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
def test_an_altered_file_is_named(tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(PACKAGED, tmp_path / "encoder")
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(EncoderError, match=rf"altered: {name} has SHA-256"):
        TextEncoder.load(folder)


def test_a_folder_without_an_encoder_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match=r"model\.onnx, tokenizer\.json missing"):
        TextEncoder.load(tmp_path / "nowhere")


def test_files_that_are_no_model_are_refused(tmp_path: Path) -> None:
    folder = shutil.copytree(PACKAGED, tmp_path / "encoder")
    (folder / "config.json").write_text("{")
    with pytest.raises(EncoderError, match=r"config\.json is not JSON"):
        TextEncoder.load(folder)
    (folder / "config.json").unlink()
    (folder / "model.onnx").write_bytes(b"no model")
    with pytest.raises(EncoderError, match=r"model\.onnx cannot be loaded as an ONNX model"):
        TextEncoder.load(folder)
    (folder / "tokenizer.json").write_bytes(b"no tokenizer")
    with pytest.raises(EncoderError, match=r"tokenizer\.json cannot be read as a tokenizer"):
        TextEncoder.load(folder)


def test_an_encoder_without_a_config_is_taken_as_it_is(tmp_path: Path) -> None:
    folder = shutil.copytree(PACKAGED, tmp_path / "my-model")
    (folder / "config.json").unlink()
    encoder = TextEncoder.load(folder)
    assert (encoder.name, encoder.dimension) == ("my-model", 384)
    assert np.array_equal(encoder.encode(["tea"], "query"), encoder.encode(["tea"], "passage"))


def test_a_model_that_gives_token_states_is_averaged_over_its_real_tokens(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    helper, types = onnx.helper, onnx.TensorProto
    table = onnx.numpy_helper.from_array(np.array([[9, 9], [1, 0], [0, 1]], np.float32), "table")
    names = ["input_ids", "attention_mask", "token_type_ids"]
    inputs = [helper.make_tensor_value_info(name, types.INT64, ["n", "t"]) for name in names]
    output = helper.make_tensor_value_info("last_hidden_state", types.FLOAT, ["n", "t", 2])
    nodes = [
        helper.make_node("Add", ["input_ids", "token_type_ids"], ["rows"]),
        helper.make_node("Gather", ["table", "rows"], ["last_hidden_state"]),
    ]
    graph = helper.make_graph(nodes, "tiny", inputs, [output], [table])
    (tmp_path / "onnx").mkdir()
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    onnx.save(model, tmp_path / "onnx" / "model.onnx")
    words = tokenizers.Tokenizer(tokenizers.models.WordLevel({"[UNK]": 0, "red": 1, "shoe": 2}, unk_token="[UNK]"))
    words.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    words.save(str(tmp_path / "tokenizer.json"))
    encoder = TextEncoder.load(tmp_path)
    assert encoder.dimension == 2
    vectors = encoder.encode(["red", "red shoe", "shoe shoe shoe"], "passage")
    assert np.allclose(vectors, [[1, 0], [0.5**0.5, 0.5**0.5], [0, 1]], atol=1e-6)


def test_loading_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    TextEncoder.load().encode(["tea"], "query")
    assert capfd.readouterr() == ("", "")
