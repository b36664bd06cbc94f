"""A model of random weights that is trained in a second, and a tokenizer of characters for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from peft import PeftModel
from transformers import LlamaConfig, LlamaForCausalLM

from finetune.lora import put_on
from finetune.recipe import Adapter

END = 1


class Letters:
    """Every character up to U+00FF is a token; messages end with token 1."""

    eos_token_id = END

    def apply_chat_template(self, conversation: list[dict[str, str]], **options: Any) -> str:
        said = "".join(f"<{each['role']}>{each['content']}\x01" for each in conversation)
        return said + ("<assistant>" if options["add_generation_prompt"] else "")

    def encode(self, text: str, **_: Any) -> list[int]:
        return [ord(sign) for sign in text]

    def decode(self, token_ids: Sequence[int], **_: Any) -> str:
        return "".join(map(chr, token_ids))


def tiny_model(seed: int = 0, layers: int = 2) -> LlamaForCausalLM:
    """64 wide, two heads and one of keys, 256 tokens."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=256,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=1,
        max_position_embeddings=512,
        tie_word_embeddings=True,
        bos_token_id=END,
        eos_token_id=END,
    )
    return LlamaForCausalLM(config)


def tuned_model(seed: int = 0, dropout: float = 0.0, rank: int = 4) -> PeftModel:
    """The same with a fresh adapter whose second half is not zero, so that it changes what comes out."""
    model = put_on(tiny_model(seed), Adapter(rank=rank, alpha=8, dropout=dropout), seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.05)
    return model
