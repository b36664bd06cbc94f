from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import gguf
import numpy as np
import pytest
import torch

from core.errors import CorruptArtefact, InvalidInput
from core.modelstore import ADAPTER_BASE, file_sha256
from finetune.adapter import AdapterWeights, Pair
from finetune.gguf_format import read_adapter, write_adapter, write_model
from finetune.lora import put_on, put_weights, weights
from finetune.recipe import Adapter
from tests.fakes.tiny import tiny_model, tuned_model

HEADS = SimpleNamespace(num_attention_heads=2, num_key_value_heads=1)


def _pair(out: int) -> Pair:
    return Pair(np.ones((2, 8), np.float32), np.arange(out * 2, dtype=np.float32).reshape(out, 2))


def _write(path: Path, base: Path, *layers: str) -> dict[str, gguf.ReaderTensor]:
    weights = AdapterWeights(2, 4.0, {layer: _pair(8) for layer in layers})
    write_adapter(path, weights, HEADS, base, kind="f32", name="trial", licence="Apache-2.0")
    return {tensor.name: tensor for tensor in gguf.GGUFReader(path).tensors}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    path = tmp_path / "base.gguf"
    path.write_bytes(b"any bytes")
    return path


def test_an_adapter_names_its_base_and_its_strength(tmp_path: Path, base: Path) -> None:
    path = tmp_path / "adapter.gguf"
    tensors = _write(path, base, "model.layers.0.mlp.down_proj")
    fields = gguf.GGUFReader(path).fields
    assert fields[ADAPTER_BASE].contents() == file_sha256(base)
    assert fields["adapter.lora.alpha"].contents() == 4.0
    assert fields["general.type"].contents() == "adapter"
    assert tensors.keys() == {"blk.0.ffn_down.weight.lora_a", "blk.0.ffn_down.weight.lora_b"}


def test_query_and_key_rows_change_places_and_others_do_not(tmp_path: Path, base: Path) -> None:
    layers = [f"model.layers.3.self_attn.{name}_proj" for name in "qkv"]
    tensors = _write(tmp_path / "adapter.gguf", base, *layers)
    first = {name: tensors[f"blk.3.attn_{name}.weight.lora_b"].data[:, 0] // 2 for name in "qkv"}
    # Two heads of four rows, one head of eight: within a head the halves are interleaved.
    assert first["q"].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    assert first["k"].tolist() == [0, 4, 1, 5, 2, 6, 3, 7]
    assert first["v"].tolist() == [0, 1, 2, 3, 4, 5, 6, 7]


@pytest.mark.parametrize("layer", ["model.embed_tokens", "lm_head", "model.layers.0.mlp.router"])
def test_layers_that_an_adapter_cannot_hold_are_refused(tmp_path: Path, base: Path, layer: str) -> None:
    with pytest.raises(InvalidInput, match=layer):
        _write(tmp_path / "adapter.gguf", base, layer)
    assert not (tmp_path / "adapter.gguf").exists()


def test_a_model_takes_its_tokenizer_from_a_gguf_only(tmp_path: Path, base: Path) -> None:
    with pytest.raises(CorruptArtefact, match="no GGUF"):
        write_model(tmp_path / "model.gguf", tiny_model(), base, kind="f16", name="trial")
    with pytest.raises(InvalidInput, match="no type q9"):
        write_model(tmp_path / "model.gguf", tiny_model(), base, kind="q9", name="trial")
    assert not (tmp_path / "model.gguf").exists()


def test_an_adapter_is_read_as_it_was_written(tmp_path: Path, base: Path) -> None:
    tuned, other = tuned_model(), put_on(tiny_model(), Adapter(rank=4, alpha=8), 2)
    path, tokens = tmp_path / "adapter.gguf", torch.arange(40)[None]
    write_adapter(path, weights(tuned), tuned.config, base, kind="f32", name="trial", licence="Apache-2.0")
    wanted = tuned(tokens).logits
    assert not torch.allclose(other(tokens).logits, wanted)
    put_weights(other, read_adapter(path, other.config, base))
    assert torch.equal(other(tokens).logits, wanted)


def test_an_adapter_to_start_from_has_to_fit(tmp_path: Path, base: Path) -> None:
    tuned, path = tuned_model(), tmp_path / "adapter.gguf"
    write_adapter(path, weights(tuned), tuned.config, base, kind="f16", name="trial", licence="Apache-2.0")
    found = read_adapter(path, tuned.config, base)
    with pytest.raises(InvalidInput, match="rank"):
        put_weights(tuned, replace(found, rank=found.rank + 1))
    with pytest.raises(InvalidInput, match="other layers"):
        put_weights(tuned, replace(found, pairs=dict(list(found.pairs.items())[1:])))
    another = tmp_path / "another.gguf"
    another.write_bytes(b"other bytes")
    with pytest.raises(InvalidInput, match="another base"):
        read_adapter(path, tuned.config, another)
    with pytest.raises(InvalidInput, match="is none"):
        read_adapter(path, tuned.config, tmp_path / "missing")
    with pytest.raises(CorruptArtefact):
        read_adapter(base, tuned.config, base)
    write_model(tmp_path / "model.gguf", tiny_model(), path, kind="f32", name="trial")
    with pytest.raises(CorruptArtefact, match="no adapter"):
        read_adapter(tmp_path / "model.gguf", tuned.config, base)
