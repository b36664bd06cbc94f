"""Rows as tokens: what is read, and what is learned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from finetune.rows import Row


class Tokenizer(Protocol):
    """What is needed of a tokenizer of `transformers`."""

    eos_token_id: int

    def apply_chat_template(self, conversation: list[dict[str, str]], **options: Any) -> Any:
        """The conversation as text or tokens, by the model's own template."""

    def encode(self, text: str, **options: Any) -> list[int]:
        """Text as tokens."""

    def decode(self, token_ids: Sequence[int], **options: Any) -> str:
        """Tokens as text."""


@dataclass(frozen=True, slots=True)
class Encoded:
    """A row as tokens: `prompt` is read, `answer` is learned and ends with the token that ends a message."""

    prompt: tuple[int, ...]
    answer: tuple[int, ...]

    def __len__(self) -> int:
        """How many tokens the row has."""
        return len(self.prompt) + len(self.answer)


def encode(row: Row, tokenizer: Tokenizer) -> Encoded:
    """Tokens of the row, by the model's own chat template.

    Prompt and answer are encoded apart, as they are when the model is used: what is written continues what was read.
    """
    said = [{"role": each.role, "content": each.content} for each in row.messages]
    text = tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True)
    prompt = tokenizer.encode(text, add_special_tokens=False)
    answer = tokenizer.encode(row.answer, add_special_tokens=False) if row.answer else []
    return Encoded(tuple(prompt), (*answer, tokenizer.eos_token_id) if answer else ())
