"""What lies beside a student's .tflite file: how to read its output. Written by training, read by the device.

The model takes one vector of `core.hashing` (1, buckets) in float32 and gives the logits of all heads in one row
(1, K): the heads in the card's order, the labels of each in the head's order, and after them, where `strange`, the
logit of being out of scope. Probabilities of a head are the softmax of its labels' logits over `temperature`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import CorruptArtefact

Floats = NDArray[np.float32]


class Head(BaseModel):
    """One question that the student answers.

    `sure` is the probability from which 95 of 100 answers were right on texts that were held out; 1.0 for never.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    labels: tuple[str, ...] = Field(min_length=2)
    strange: bool
    temperature: float = Field(default=1.0, gt=0)
    sure: float = Field(default=1.0, ge=0, le=1)

    @property
    def columns(self) -> int:
        """How many logits are the head's."""
        return len(self.labels) + self.strange


class StudentCard(BaseModel):
    """The card. `sha256` is that of the .tflite file.

    A text is in scope when its familiarity is `line` or more: the sum, over the heads that are `strange`, of the
    greatest logit of a label less that of being out of scope.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    buckets: int = Field(ge=2)
    heads: tuple[Head, ...] = Field(min_length=1)
    line: float | None = None
    sha256: str = Field(default="", pattern=r"^([0-9a-f]{64})?$")

    @property
    def columns(self) -> int:
        """How many logits the model gives."""
        return sum(head.columns for head in self.heads)

    def split(self, logits: Floats) -> dict[str, Floats]:
        """The columns of each head, of logits (n, K)."""
        parts, start = {}, 0
        for head in self.heads:
            parts[head.name] = logits[:, start : start + head.columns]
            start += head.columns
        return parts

    def familiarity(self, logits: Floats) -> Floats:
        """How familiar texts are (n,), of logits (n, K). All zero where no head is `strange`."""
        parts = self.split(logits)
        total = np.zeros(len(logits), np.float32)
        for head in self.heads:
            if head.strange:
                total += parts[head.name][:, :-1].max(axis=1) - parts[head.name][:, -1]
        return total

    def probabilities(self, logits: Floats) -> dict[str, Floats]:
        """The calibrated probabilities of each head's labels, of logits (n, K)."""
        parts = self.split(logits)
        return {
            head.name: softmax(parts[head.name][:, : len(head.labels)] / np.float32(head.temperature))
            for head in self.heads
        }

    @classmethod
    def read(cls, path: Path) -> StudentCard:
        """Read a card. Raises `CorruptArtefact` for any other file, and for none."""
        try:
            return cls.model_validate_json(path.read_bytes())
        except OSError as problem:
            raise CorruptArtefact(f"{path}: no card of a student can be read: {problem.strerror}") from problem
        except ValidationError as problem:
            first = problem.errors(include_url=False)[0]
            where = ".".join(map(str, first["loc"])) or "the file"
            raise CorruptArtefact(f"{path} is no card of a student: {where}: {first['msg']}") from problem

    def write(self, path: Path) -> None:
        """Write the card, readable and with equal bytes for equal cards."""
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")


def softmax(logits: Floats) -> Floats:
    """Shares of rows (n, k) that sum to one."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares
