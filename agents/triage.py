"""What a ticket is about, how soon it must be seen, how its writer feels, and which open ticket says the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from langchain_core.embeddings import Embeddings

from agents.classifier import Classifier, Decision, Floats, Weights
from agents.router import FOLDER
from core.tickets import TicketCategory, TicketPriority

HEADS = ("category", "priority", "sentiment")
"""What is classified; the names of the heads' fields in the examples and of their files."""

ALIKE = 0.62
"""Least cosine of two tickets that may be about the same matter.

Between the pairs of `agents/routing/duplicates.jsonl` and the other examples: it finds 16 of 20 repeats, and for two
of them another's ticket as well. On the demo's tickets it finds 6 of 7, and takes 8 of the 1,763 other pairs for one.
"""


@dataclass(frozen=True, slots=True)
class Judged:
    """One judgement with the calibrated probability that it is right.

    `sure` says that such answers are right 95 times in 100; where it is False a person had better look.
    """

    value: str
    confidence: float
    sure: bool


@dataclass(frozen=True, slots=True)
class Triaged:
    """The judgements on one message. `sentiment` is `negative`, `neutral` or `positive`."""

    category: Judged
    priority: Judged
    sentiment: Judged


@dataclass(frozen=True, slots=True)
class Filed:
    """A ticket that is still open, as its customer wrote it: the subject, a line break, the message."""

    ticket_id: str
    text: str


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An open ticket that may be about the same matter, and the cosine of the two texts."""

    ticket_id: str
    cosine: float


class Triage:
    """Judges messages. Safe to share between requests."""

    def __init__(self, embeddings: Embeddings, heads: Mapping[str, Classifier]) -> None:
        """`heads` has one classifier for each of `HEADS`.

        Raises `ValueError` when one gives what a ticket cannot hold.
        """
        self._embeddings = embeddings
        self._heads = {name: heads[name] for name in HEADS}
        for label in heads["category"].labels:
            TicketCategory(label)
        for label in heads["priority"].labels:
            TicketPriority(label)

    @classmethod
    def shipped(cls, embeddings: Embeddings) -> Triage:
        """With the weights in the repository. Raises `CorruptArtefact` as `Weights.load`."""
        return cls(embeddings, {name: Classifier(Weights.load(FOLDER / f"{name}.npz")) for name in HEADS})

    async def classify(self, text: str) -> Triaged:
        """Judge a message: the subject, where there is one, a line break, the text."""
        vector = await self._embeddings.aembed_query(text)
        return Triaged(**{name: _judged(head, head.decide(text, vector)) for name, head in self._heads.items()})

    async def duplicates(self, text: str, filed: Sequence[Filed], *, limit: int = 3) -> list[Duplicate]:
        """The filed tickets that may be about the same matter as `text`, the most alike first, ties by id.

        Alike is not the same: two customers may have the same trouble. Whoever wants one customer's duplicates hands
        in that customer's tickets.
        """
        if not filed:
            return []
        vectors = _unit(await self._embeddings.aembed_documents([text, *(ticket.text for ticket in filed)]))
        found = [
            Duplicate(ticket.ticket_id, cosine)
            for ticket, cosine in zip(filed, (vectors[1:] @ vectors[0]).tolist(), strict=True)
            if cosine >= ALIKE
        ]
        return sorted(found, key=lambda duplicate: (-duplicate.cosine, duplicate.ticket_id))[:limit]


def _judged(head: Classifier, decision: Decision) -> Judged:
    return Judged(decision.label, decision.probability, decision.probability >= head.sure)


def _unit(rows: Sequence[Sequence[float]]) -> Floats:
    vectors = np.asarray(rows, np.float32)
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit
