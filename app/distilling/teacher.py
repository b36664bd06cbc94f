"""The teacher: the heads that route turns, name actions and judge priorities, each a distribution over its labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from agents.router import weights_of
from agents.training import logits_of
from core.studentcard import Head, softmax

if TYPE_CHECKING:
    from agents.classifier import Floats, Weights

HEADS = ("route", "action", "priority")
"""What the shipped student is asked: who takes it, what is wanted, how urgent it is."""


@dataclass(frozen=True, slots=True)
class Teacher:
    """The trained heads, by name. They read the embeddings of one model, which are handed in."""

    weights: Mapping[str, Weights]

    @classmethod
    def shipped(cls, own: Path | None = None) -> Teacher:
        """The heads in the repository, or in the folder `own` where it has them. Raises as `weights_of`."""
        return cls({name: weights_of(name, own) for name in HEADS})

    def heads(self) -> tuple[Head, ...]:
        """The heads of a student of this teacher."""
        return tuple(
            Head(name=name, labels=weights.labels, strange=len(weights.bias) > len(weights.labels))
            for name, weights in self.weights.items()
        )

    def logits(self, texts: Sequence[str], vectors: Floats) -> dict[str, Floats]:
        """Each head's logits (n, columns of the head)."""
        return {name: logits_of(weights, texts, vectors) for name, weights in self.weights.items()}

    def thinks(self, texts: Sequence[str], vectors: Floats) -> dict[str, Floats]:
        """Each head's probabilities (n, columns of the head), that of being out of scope included.

        At temperature 1, not the calibrated one: two did worse (`docs/decisions/0023-student.md`).
        """
        return {name: softmax(logits) for name, logits in self.logits(texts, vectors).items()}
