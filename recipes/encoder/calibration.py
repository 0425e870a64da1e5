"""How large each channel of the encoder's activations gets, over product texts in several languages.

A few channels are ten times larger than the rest and would take most of the 256 steps of an int8 tensor. `graph` moves
part of that size into the weights, as in SmoothQuant (Xiao et al., 2023). The texts were written for this purpose.
"""

import numpy as np
import onnx
import onnxruntime
import tokenizers
from numpy.typing import NDArray
from onnx import TensorProto, helper

TEXTS = """query: running shoes | query: paint for bathroom ceiling | query: 3/4 in. copper elbow
query: gift for a friend | query: Winterjacke Damen | query: Schrauben 4x40 | query: lave-linge 8 kg
query: cafetera italiana | query: 电饭煲 | query: 洗发水 | query: カメラ 三脚 | query: 청바지 | query: zimní boty
query: πλυντήριο ρούχων | query: пералня | query: polvere da bucato
passage: Oak dining table with six chairs, extendable, 160 to 220 cm
passage: Organic green tea, 20 bags. Brewed in two minutes; free of additives.
passage: WeatherShield 50-Watt Equivalent BR30 Soft White LED Light Bulb (4-Pack), Model 2218-B
passage: Bluetooth-Lautsprecher, wasserdicht nach IPX7, 12 Stunden Akkulaufzeit, schwarz
passage: Tondeuse à gazon électrique 1800 W, largeur de coupe 42 cm, bac de 50 litres
passage: Camiseta de algodón orgánico para niños, manga corta, color azul marino, talla 8
passage: 空气炸锅家用大容量5.5升 无油低脂 智能触屏 | passage: 纯棉四件套 床单被套 1.8米
passage: 折りたたみ傘 軽量 自動開閉 UVカット | passage: 남성용 방수 등산화 270mm | passage: Piłka do nogi rozmiar 5
passage: Kaffekværn med 12 indstillinger | passage: Кожена дамска чанта, черна | passage: Δερμάτινο πορτοφόλι"""


def peaks(reference: bytes, tokenizer_json: str) -> list[NDArray[np.float32]]:
    """The largest absolute value of each channel after each layer norm, (2 * layers + 1) times (hidden,).

    Args:
        reference: the float32 model.
        tokenizer_json: the tokenizer that belongs to it.
    """
    model = onnx.load_from_string(reference)
    names = [node.output[0] for node in model.graph.node if node.op_type == "LayerNormalization"]
    model.graph.output.extend(helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in names)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    cutter = tokenizers.Tokenizer.from_str(tokenizer_json)
    runs = []
    for text in TEXTS.replace("\n", " | ").split(" | "):
        ids = np.array([cutter.encode(text).ids])
        states = session.run(names, {"input_ids": ids, "attention_mask": np.ones_like(ids)})
        runs.append([np.abs(state[0]).max(axis=0) for state in states])
    return [np.max(same, axis=0) for same in zip(*runs, strict=True)]
