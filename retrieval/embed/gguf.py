"""Writes the GGUF that llama.cpp serves from the safetensors of a BERT sentence encoder, once.

The derived file lies beside its source, under a name that carries the quantisation and the source's hash, so that
another source or another quantisation never meets a stale file. The layout follows llama.cpp's own BERT
architecture (`gguf.MODEL_ARCH.BERT`): tensor names come from the `gguf` package's table, the word pieces are
written in llama.cpp's "phantom space" form, matrices are quantised, vectors and position tables stay float32.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from gguf import (
    MODEL_ARCH,
    GGMLQuantizationType,
    GGUFWriter,
    LlamaFileType,
    PoolingType,
    TokenType,
    get_tensor_name_map,
)
from gguf.quants import quantize
from gguf.utility import SafetensorsLocal
from numpy.typing import NDArray

from core.errors import InvalidInput

QUANTISATIONS = {
    "f32": (GGMLQuantizationType.F32, LlamaFileType.ALL_F32),
    "f16": (GGMLQuantizationType.F16, LlamaFileType.MOSTLY_F16),
    "q8_0": (GGMLQuantizationType.Q8_0, LlamaFileType.MOSTLY_Q8_0),
}
# Mean pooling needs neither; the positions are counted, not stored.
_UNUSED = ("pooler.", "embeddings.position_ids")
_NEVER_QUANTISED = ("position_embd.weight", "token_types.weight")


def bert_gguf(model: Path, quantisation: str) -> Path:
    """Return the GGUF of the encoder whose `model.safetensors`, `config.json` and `vocab.txt` lie in `model`.

    Written once (under a second), then found again; two processes may write it at the same time. Raises
    `InvalidInput` for a quantisation other than those in `QUANTISATIONS` or an architecture other than BERT with
    absolute positions and exact GELU.
    """
    if quantisation not in QUANTISATIONS:
        raise InvalidInput(f"quantisation {quantisation!r} is none of {', '.join(QUANTISATIONS)}", param="quantisation")
    source = model / "model.safetensors"
    with source.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    target = model / f"model-{quantisation}-{digest[:16]}.gguf"
    if target.exists():
        return target
    config = json.loads((model / "config.json").read_text())
    _require_supported(config)
    handle, name = tempfile.mkstemp(dir=model, suffix=".partial")
    os.close(handle)
    partial = Path(name)
    try:
        _write(partial, source, config, (model / "vocab.txt").read_text(encoding="utf-8").splitlines(), quantisation)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return target


def _require_supported(config: dict[str, Any]) -> None:
    wanted = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
    for key, value in wanted.items():
        if config.get(key, value) != value:
            raise InvalidInput(f"{key} is {config[key]!r}: only {value!r} can be written as a BERT GGUF", param=key)


def _write(target: Path, source: Path, config: dict[str, Any], vocabulary: list[str], quantisation: str) -> None:
    matrix_type, file_type = QUANTISATIONS[quantisation]
    writer = GGUFWriter(target, "bert")
    _write_shape(writer, config)
    writer.add_file_type(file_type)
    _write_vocabulary(writer, vocabulary)
    names = get_tensor_name_map(MODEL_ARCH.BERT, config["num_hidden_layers"])
    with SafetensorsLocal(source) as tensors:
        for name, tensor in tensors.items():
            if name.startswith(_UNUSED):
                continue
            ours = names.get_name(name, try_suffixes=(".weight", ".bias"))
            if ours is None or tensor.dtype != "F32":
                raise InvalidInput(f"{source}: tensor {name} ({tensor.dtype}) has no place in a BERT GGUF")
            values = tensor.mmap_bytes().view(np.float32).reshape(tensor.shape)
            _write_tensor(writer, ours, values, matrix_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_shape(writer: GGUFWriter, config: dict[str, Any]) -> None:
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(PoolingType.MEAN)
    writer.add_token_type_count(config["type_vocab_size"])


def _write_vocabulary(writer: GGUFWriter, vocabulary: list[str]) -> None:
    """llama.cpp marks the start of a word with U+2581 where BERT marks its continuation with ##."""
    special = [piece.startswith("[") and piece.endswith("]") and len(piece) > 2 for piece in vocabulary]
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(
        [
            piece if reserved else piece.removeprefix("##") if piece.startswith("##") else "\u2581" + piece
            for piece, reserved in zip(vocabulary, special, strict=True)
        ]
    )
    writer.add_token_types([TokenType.CONTROL if reserved else TokenType.NORMAL for reserved in special])
    writer.add_unk_token_id(vocabulary.index("[UNK]"))
    writer.add_bos_token_id(vocabulary.index("[CLS]"))
    writer.add_sep_token_id(vocabulary.index("[SEP]"))
    writer.add_pad_token_id(vocabulary.index("[PAD]"))
    writer.add_mask_token_id(vocabulary.index("[MASK]"))


def _write_tensor(
    writer: GGUFWriter, name: str, values: NDArray[np.float32], matrix_type: GGMLQuantizationType
) -> None:
    kept = values.ndim == 1 or name in _NEVER_QUANTISED or matrix_type is GGMLQuantizationType.F32
    if kept:
        writer.add_tensor(name, values)
    else:
        writer.add_tensor(name, quantize(values, matrix_type), raw_dtype=matrix_type)
