"""Adapters and merged models as GGUF, the format of llama.cpp.

Llama's rotary embedding pairs dimension i with i + d/2 in `transformers` and with its neighbour in llama.cpp, so the
rows of the query and key projections change places on the way (`_neighbours`); `finetune/parity.py` proves the result
by its logits. What the file says about the model comes from the base's GGUF, so that tokenizer and template stay one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import gguf
import numpy as np
from numpy.typing import NDArray

from core.errors import CorruptArtefact, InvalidInput
from core.modelstore import ADAPTER_BASE, file_sha256
from finetune.adapter import AdapterWeights, Pair

Array = NDArray[Any]
_ARCHITECTURE = "llama"
_LAYER = re.compile(r"model\.layers\.(\d+)\.(?:self_attn|mlp)\.(\w+)")
_NAMES = {
    "q_proj": "attn_q",
    "k_proj": "attn_k",
    "v_proj": "attn_v",
    "o_proj": "attn_output",
    "gate_proj": "ffn_gate",
    "up_proj": "ffn_up",
    "down_proj": "ffn_down",
}
_LAYERS = {stored: layer for layer, stored in _NAMES.items()}
_STORED = re.compile(r"blk\.(\d+)\.(\w+)\.weight\.lora_a")
_NORMS = {"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}
_TYPES = {kind.name.lower(): kind for kind in gguf.GGMLQuantizationType}
_FILE_TYPES = {
    "f32": gguf.LlamaFileType.ALL_F32,
    "f16": gguf.LlamaFileType.MOSTLY_F16,
    "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
    "q5_1": gguf.LlamaFileType.MOSTLY_Q5_1,
    "q5_0": gguf.LlamaFileType.MOSTLY_Q5_0,
    "q4_1": gguf.LlamaFileType.MOSTLY_Q4_1,
    "q4_0": gguf.LlamaFileType.MOSTLY_Q4_0,
}


class Heads(Protocol):
    """What is needed of a model's configuration: its attention heads, and those of keys and values."""

    @property
    def num_attention_heads(self) -> int:
        """Heads of queries."""

    @property
    def num_key_value_heads(self) -> int:
        """Heads of keys and values, which queries share."""


def write_adapter(
    path: Path, weights: AdapterWeights, config: Heads, base: Path, *, kind: str, name: str, licence: str
) -> None:
    """Write an adapter for the model in `base`, whose SHA-256 goes into the file. `kind` is `f32` or `f16`.

    Raises `InvalidInput` for a layer that llama.cpp's adapters cannot hold, such as the embeddings.
    """
    writer = gguf.GGUFWriter(None, _ARCHITECTURE)
    writer.add_type("adapter")
    writer.add_name(name)
    writer.add_license(licence)
    writer.add_string(ADAPTER_BASE, file_sha256(base))
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", weights.alpha)
    dtype = np.float16 if kind == "f16" else np.float32
    for layer, pair in sorted(weights.pairs.items()):
        match = _LAYER.fullmatch(layer)
        if match is None or match[2] not in _NAMES:
            raise InvalidInput(f"an adapter in GGUF cannot hold {layer}", param="adapter.layers")
        stem = f"blk.{match[1]}.{_NAMES[match[2]]}.weight"
        b = _neighbours(pair.b, _heads(match[2], config)) if match[2] in ("q_proj", "k_proj") else pair.b
        writer.add_tensor(f"{stem}.lora_a", np.ascontiguousarray(pair.a, dtype=dtype))
        writer.add_tensor(f"{stem}.lora_b", np.ascontiguousarray(b, dtype=dtype))
    _write(writer, path)


def read_adapter(path: Path, config: Heads, base: Path) -> AdapterWeights:
    """Read an adapter for the model in `base`, as `write_adapter` wrote it; the weights come back as float32.

    Raises `CorruptArtefact` for what is no adapter in GGUF, `InvalidInput` for one that was made for another base, and
    for a base that is no file.
    """
    if not base.is_file():
        raise InvalidInput(f"an adapter starts on a base in a file, and {base} is none", param="adapter.start")
    fields = _fields(path)
    try:
        made_for, alpha = fields[ADAPTER_BASE].contents(), float(fields["adapter.lora.alpha"].contents())
        stored = {each.name: np.array(each.data, dtype=np.float32) for each in gguf.GGUFReader(path).tensors}
        found: dict[str, Pair] = {}
        for name in sorted(stored):
            match = _STORED.fullmatch(name)
            if match is None:
                continue
            layer = _LAYERS[match[2]]
            a, b = stored[name], stored[name.removesuffix("a") + "b"]
            if layer in ("q_proj", "k_proj"):
                b = _halves(b, _heads(layer, config))
            part = "self_attn" if match[2].startswith("attn") else "mlp"
            found[f"model.layers.{match[1]}.{part}.{layer}"] = Pair(a, b)
        rank = next(iter(found.values())).a.shape[0]
    except (KeyError, StopIteration, ValueError) as problem:
        raise CorruptArtefact(f"{path} is no adapter: {problem}") from problem
    if made_for != file_sha256(base):
        raise InvalidInput(f"{path} was made for another base than {base}", param="adapter.start")
    return AdapterWeights(rank, alpha, found)


def write_model(path: Path, model: Any, base: Path, *, kind: str, name: str) -> None:
    """Write a whole model of `transformers`, its matrices as `kind`; `base` is the GGUF whose metadata it gets.

    Vectors stay float32, as llama.cpp has them. Raises `InvalidInput` for a type that there is not, and when a
    matrix's rows do not divide into that type's blocks; `CorruptArtefact` when `base` is no GGUF.
    """
    if kind not in _FILE_TYPES:
        raise InvalidInput(f"no type {kind}: there are {', '.join(_FILE_TYPES)}", param="export.merged")
    writer = gguf.GGUFWriter(None, _ARCHITECTURE)
    _describe(writer, base, model.config, kind, name)
    for tensor, values in _tensors(model):
        if values.ndim == 1 or kind == "f32":
            writer.add_tensor(tensor, np.ascontiguousarray(values, dtype=np.float32))
            continue
        wanted = _TYPES[kind]
        block = gguf.GGML_QUANT_SIZES[wanted][0]
        if values.shape[-1] % block:
            told = f"rows of {tensor} have {values.shape[-1]} weights, no multiple of {kind}'s block of {block}"
            raise InvalidInput(told, param="export.merged")
        stored = gguf.quants.quantize(np.ascontiguousarray(values, dtype=np.float32), wanted)
        writer.add_tensor(tensor, stored, raw_dtype=wanted)
    _write(writer, path)


def _tensors(model: Any) -> Iterator[tuple[str, Array]]:
    for name, parameter in model.state_dict().items():
        values = parameter.detach().float().cpu().numpy()
        plain = name.removesuffix(".weight")
        if plain == "model.embed_tokens":
            yield "token_embd.weight", values
        elif plain == "model.norm":
            yield "output_norm.weight", values
        elif plain == "lm_head":
            if not model.config.tie_word_embeddings:
                yield "output.weight", values
        elif match := re.fullmatch(r"model\.layers\.(\d+)\.(\w+)", plain):
            yield f"blk.{match[1]}.{_NORMS[match[2]]}.weight", values
        elif match := _LAYER.fullmatch(plain):
            turned = _neighbours(values, _heads(match[2], model.config)) if match[2] in ("q_proj", "k_proj") else values
            yield f"blk.{match[1]}.{_NAMES[match[2]]}.weight", turned
        else:
            raise InvalidInput(f"no place in GGUF for {name}", param="base.model")


def _neighbours(rows: Array, heads: int) -> Array:
    """Order each head's rows from (0, 1, … d-1) to (0, d/2, 1, d/2 + 1, …)."""
    size = rows.shape[0] // heads
    return rows.reshape(heads, 2, size // 2, -1).swapaxes(1, 2).reshape(rows.shape)


def _halves(rows: Array, heads: int) -> Array:
    """Undo `_neighbours`."""
    size = rows.shape[0] // heads
    return rows.reshape(heads, size // 2, 2, -1).swapaxes(1, 2).reshape(rows.shape)


def _heads(layer: str, config: Heads) -> int:
    return int(config.num_attention_heads if layer == "q_proj" else config.num_key_value_heads)


def _describe(writer: gguf.GGUFWriter, base: Path, config: Any, kind: str, name: str) -> None:
    writer.add_name(name)
    writer.add_file_type(_FILE_TYPES[kind])
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(config.head_dim)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
    for key, field in _fields(base).items():
        if key.startswith("tokenizer.") or key == "general.license":
            value = field.contents()
            kinds = field.types
            inner = kinds[1] if kinds[0] == gguf.GGUFValueType.ARRAY else None
            writer.add_key_value(key, value, kinds[0], sub_type=inner)


def _fields(base: Path) -> Mapping[str, Any]:
    """The metadata of a GGUF; the latest is kept, since to read a vocabulary takes seconds."""
    try:
        return _read(base, base.stat().st_mtime_ns)
    except (OSError, ValueError, IndexError) as problem:  # a file that is cut off ends in an IndexError
        raise CorruptArtefact(f"{base} is no GGUF: {problem}") from problem


@lru_cache(maxsize=1)
def _read(base: Path, _changed: int) -> Mapping[str, Any]:
    fields: Mapping[str, Any] = gguf.GGUFReader(base).fields
    return fields


def _write(writer: gguf.GGUFWriter, path: Path) -> None:
    """Write under another name first, so that a file with its name is whole."""
    arriving = path.with_name(f".{path.name}.arriving")
    writer.write_header_to_file(arriving)
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    arriving.replace(path)
