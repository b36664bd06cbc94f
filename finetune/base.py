"""The model that is tuned, and its tokenizer, in torch."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import pre_tokenizers
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from core.errors import CorruptArtefact, InvalidInput
from finetune.encoding import Tokenizer
from finetune.recipe import Base

HEAD = 32
"""How wide a head of a random model is."""


def load_tokenizer(source: str) -> Tokenizer:
    """The tokenizer out of a GGUF file, a folder or the hub. Raises as `load_model`.

    The latest one is kept: to convert it out of a GGUF takes seconds.
    """
    path = Path(source)
    return _tokenizer(source, path.stat().st_mtime_ns if path.is_file() else 0)


@lru_cache(maxsize=1)
def _tokenizer(source: str, _changed: int) -> Tokenizer:
    tokenizer = _loaded(AutoTokenizer, source)
    if source.endswith(".gguf"):
        # A GGUF names its rule of splitting ("smollm": single digits, then GPT-2's), and the converter knows GPT-2's
        # alone; without the first step spaces before digits fall into other tokens than llama.cpp makes of them.
        digits = pre_tokenizers.Digits(individual_digits=True)
        words = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, words])
    if tokenizer.chat_template is None:
        raise InvalidInput(f"the tokenizer of {source} has no chat template", param="base.model")
    return tokenizer  # type: ignore[no-any-return]


def load_model(base: Base, source: str, *, seed: int, vocabulary: int) -> Any:
    """The model in float32: a GGUF is dequantised, so that what is tuned is what will be served.

    Raises `InvalidInput` when `source` names nothing that is there, `CorruptArtefact` when it cannot be read.
    """
    if base.layers is None or base.hidden is None:
        return _loaded(AutoModelForCausalLM, source, dtype=torch.float32)
    torch.manual_seed(seed)
    heads = base.hidden // HEAD
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=base.hidden,
            intermediate_size=base.hidden * 2,
            num_hidden_layers=base.layers,
            num_attention_heads=heads,
            num_key_value_heads=heads,
            head_dim=HEAD,
            max_position_embeddings=2048,
            tie_word_embeddings=True,
            bos_token_id=1,
            eos_token_id=2,
        )
    )


def _loaded(kind: Any, source: str, **options: Any) -> Any:
    path = Path(source)
    if path.suffix == ".gguf":
        if not path.is_file():
            raise InvalidInput(f"no file {source}", param="base.model")
        options |= {"gguf_file": path.name}
        source = str(path.parent)
    elif not path.exists() and source.count("/") != 1:
        raise InvalidInput(f"{source} is neither a file, nor a folder, nor a name on the hub", param="base.model")
    try:
        # Weights come out of safetensors and GGUF alone: a pickle could carry code.
        return kind.from_pretrained(source, **options, **({} if "gguf_file" in options else {"use_safetensors": True}))
    except (OSError, ValueError) as problem:
        raise CorruptArtefact(f"{source} cannot be loaded: {problem}") from problem
