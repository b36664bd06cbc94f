"""Writes the ONNX graph of a BERT sentence encoder, whose weights stay in their safetensors file.

The graph is a few kilobytes: every weight refers to its bytes in `model.safetensors`, beside which it lies (ONNX
calls this external data), under a name that carries the source's hash. So nothing is copied, and ONNX Runtime maps
the weights into memory as they are.

The graph takes a batch of texts of one length, so that it needs neither padding nor a mask: `input_ids` (b, s) int64
in, `embeddings` (b, hidden) float32 out, the mean over the word pieces at unit length. Architecture: Devlin et al.
2019, as `transformers` implements it; pooling: Reimers and Gurevych 2019.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gguf.utility import LocalTensor, SafetensorsLocal
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from core.errors import InvalidInput

# 20 is the first set of operators with Gelu.
_OPSET = 20
# Word pieces of the first (only) sentence have token type 0.
_PREFIX = "embeddings."


def bert_onnx(model: Path) -> ModelProto:
    """The graph of the encoder whose `model.safetensors` and `config.json` lie in `model`.

    Raises `InvalidInput` for an architecture other than BERT with absolute positions and exact GELU.
    """
    config = json.loads((model / "config.json").read_text())
    wanted = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
    for key, value in wanted.items():
        if config.get(key, value) != value:
            raise InvalidInput(f"{key} is {config[key]!r}: only {value!r} can be written as ONNX", param=key)
    with SafetensorsLocal(model / "model.safetensors") as tensors:
        graph = _Graph(tensors, config["layer_norm_eps"])
        _encoder(graph, config)
        return graph.model(config["hidden_size"])


class _Graph:
    """A graph in the making: nodes in order, and the weights that they use."""

    def __init__(self, tensors: dict[str, LocalTensor], epsilon: float) -> None:
        self._tensors = tensors
        self._epsilon = epsilon
        self._nodes: list[NodeProto] = []
        self._initialisers: dict[str, TensorProto] = {}

    def node(self, operator: str, inputs: Sequence[str], output: str = "", **attributes: Any) -> str:
        """Add a node; returns the name of its output."""
        output = output or f"{operator}_{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def weight(self, name: str) -> str:
        """Refer to a weight by its name in the safetensors file."""
        if name not in self._initialisers:
            tensor = self._tensors.get(name)
            if tensor is None or tensor.dtype != "F32":
                raise InvalidInput(f"the model has no float32 tensor {name}")
            place = tensor.data_range
            proto = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=tensor.shape)
            proto.data_location = TensorProto.EXTERNAL
            where = {"location": place.filename.name, "offset": place.offset, "length": place.size}
            for key, value in where.items():
                proto.external_data.add(key=key, value=str(value))
            self._initialisers[name] = proto
        return name

    def integers(self, *values: int) -> str:
        """A constant vector of int64."""
        name = "int_" + "_".join(map(str, values))
        self._initialisers[name] = numpy_helper.from_array(np.array(values, np.int64), name)
        return name

    def number(self, value: float) -> str:
        """A constant float32 scalar."""
        name = f"float_{value}"
        self._initialisers[name] = numpy_helper.from_array(np.array(value, np.float32), name)
        return name

    def linear(self, x: str, name: str) -> str:
        """`x` (rows, in) through the layer `name`, whose weight is (out, in)."""
        return self.node("Gemm", [x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")], transB=1)

    def norm(self, x: str, name: str) -> str:
        """Layer normalisation."""
        inputs = [x, self.weight(f"{name}.weight"), self.weight(f"{name}.bias")]
        return self.node("LayerNormalization", inputs, axis=-1, epsilon=self._epsilon)

    def model(self, hidden: int) -> ModelProto:
        """The finished model."""
        taken = helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["b", "s"])
        given = helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["b", hidden])
        graph = helper.make_graph(self._nodes, "bert", [taken], [given], [*self._initialisers.values()])
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=9)


def _encoder(graph: _Graph, config: dict[str, Any]) -> None:
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    shape = graph.node("Shape", ["input_ids"])
    length = graph.node("Slice", [shape, graph.integers(1), graph.integers(2)])
    positions = graph.node(
        "Slice", [graph.weight("embeddings.position_embeddings.weight"), graph.integers(0), length, graph.integers(0)]
    )
    types = graph.node("Gather", [graph.weight("embeddings.token_type_embeddings.weight"), graph.integers(0)])
    words = graph.node("Gather", [graph.weight("embeddings.word_embeddings.weight"), "input_ids"])
    summed = graph.node("Add", [graph.node("Add", [words, positions]), types])
    # Everything but attention works on rows, one a word piece.
    rows = graph.node("Reshape", [graph.norm(summed, "embeddings.LayerNorm"), graph.integers(-1, hidden)])
    split = graph.node("Concat", [shape, graph.integers(heads, hidden // heads)], axis=0)
    for layer in range(config["num_hidden_layers"]):
        rows = _layer(graph, rows, f"encoder.layer.{layer}", split, hidden, heads)
    whole = graph.node("Reshape", [rows, graph.node("Concat", [shape, graph.integers(hidden)], axis=0)])
    mean = graph.node("ReduceMean", [whole, graph.integers(1)], keepdims=0)
    graph.node("LpNormalization", [mean], "embeddings", axis=-1, p=2)


def _layer(graph: _Graph, rows: str, name: str, split: str, hidden: int, heads: int) -> str:
    attended = graph.linear(
        _attention(graph, rows, f"{name}.attention.self", split, hidden, heads), f"{name}.attention.output.dense"
    )
    rows = graph.norm(graph.node("Add", [attended, rows]), f"{name}.attention.output.LayerNorm")
    inner = graph.node("Gelu", [graph.linear(rows, f"{name}.intermediate.dense")])
    outer = graph.linear(inner, f"{name}.output.dense")
    return graph.norm(graph.node("Add", [outer, rows]), f"{name}.output.LayerNorm")


def _attention(graph: _Graph, rows: str, name: str, split: str, hidden: int, heads: int) -> str:
    """Softmax(Q K^T / sqrt(d)) V within each text, (rows, hidden) in and out."""

    def projected(part: str, order: list[int]) -> str:
        """(b, heads, s, d), or (b, heads, d, s) for the keys."""
        divided = graph.node("Reshape", [graph.linear(rows, f"{name}.{part}"), split])
        return graph.node("Transpose", [divided], perm=order)

    query, value = projected("query", [0, 2, 1, 3]), projected("value", [0, 2, 1, 3])
    scores = graph.node("MatMul", [query, projected("key", [0, 2, 3, 1])])
    scaled = graph.node("Mul", [scores, graph.number((hidden // heads) ** -0.5)])
    mixed = graph.node("MatMul", [graph.node("Softmax", [scaled], axis=-1), value])
    together = graph.node("Transpose", [mixed], perm=[0, 2, 1, 3])
    return graph.node("Reshape", [together, graph.integers(-1, hidden)])
