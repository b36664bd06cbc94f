"""Reading comprehension: passages and a question, and a short answer in the passages' own words, or none.

The house adapter has learned this form (`finetune/recipes/house.yaml`); changing a word of it takes another adapter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage

INSTRUCTIONS = (
    "Answer the question from the passages, in as few of their own words as will do, and name the passage in "
    "brackets. If they do not answer it, reply NOT FOUND."
)
NOT_FOUND = "NOT FOUND"
_MARK = re.compile(r"\s*\[(\d+)\]\s*\.?\s*$")


@dataclass(frozen=True, slots=True)
class Found:
    """What was read: the answer, and the number of the passage that it stands in, from 1, where one was named."""

    text: str
    passage: int | None


def prompt(passages: Sequence[str], question: str) -> list[BaseMessage]:
    """What the model is asked. `passages` are numbered from 1."""
    numbered = "\n\n".join(f"[{number}] {text}" for number, text in enumerate(passages, start=1))
    return [SystemMessage(INSTRUCTIONS), HumanMessage(f"{numbered}\n\nQuestion: {question}")]


def reply(answer: str | None, passage: int) -> str:
    """What a model shall write for an answer out of a passage, or for none."""
    return NOT_FOUND if answer is None else f"{answer} [{passage}]"


def read(written: str) -> Found | None:
    """What a model's reply says; None when it found nothing."""
    text = written.strip()
    if not text or text.upper().startswith(NOT_FOUND):
        return None
    mark = _MARK.search(text)
    return Found(text[: mark.start()] if mark else text, int(mark[1]) if mark else None)
