"""What a ticket is about, how soon it must be seen, how its writer feels, and which open ticket says the same."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from langchain_core.embeddings import Embeddings

from agents.classifier import Classifier, Decision, Floats
from agents.observed import is_tense
from agents.router import weights_of
from agents.weighing import PICTURE, Witness, hastened, pooled
from core.media import NOTHING, Observed
from core.tickets import TicketCategory, TicketPriority

HEADS = ("category", "priority", "sentiment")
"""What is classified; the names of the heads' fields in the examples and of their files."""

ALIKE = 0.62
"""Least cosine of two tickets that may be about the same matter.

Between the pairs of `agents/routing/duplicates.jsonl` and the other examples: it finds 16 of 20 repeats, and for two
of them another's ticket as well. On the demo's tickets it finds 6 of 7, and takes 8 of the 1,763 other pairs for one.
"""

REMEMBERED = 4096
"""How many tickets' vectors are kept, 1.5 kB each."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One judgement with the calibrated probability that it is right.

    `sure` says that such answers are right 95 times in 100; where it is False a person had better look. `because`
    names what, besides the words, made it what it is: then the probability is pooled, not calibrated, and never sure.
    """

    value: str
    confidence: float
    sure: bool
    because: str = ""


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
    customer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Duplicate:
    """An open ticket that may be about the same matter, and the cosine of the two texts.

    `same_customer` says that it is by whom the other one is by: such a one is a repetition rather than a like trouble.
    """

    ticket_id: str
    cosine: float
    same_customer: bool = False


class Triage:
    """Judges messages. Safe to share between requests."""

    def __init__(self, embeddings: Embeddings, heads: Mapping[str, Classifier]) -> None:
        """`heads` has one classifier for each of `HEADS`.

        Raises `ValueError` when one gives what a ticket cannot hold.
        """
        self._embeddings = embeddings
        # By the text's hash: equal texts have equal vectors, and an edited ticket has another one.
        self._vectors: OrderedDict[bytes, Floats] = OrderedDict()
        self._heads = {name: heads[name] for name in HEADS}
        for label in heads["category"].labels:
            TicketCategory(label)
        for label in heads["priority"].labels:
            TicketPriority(label)

    @classmethod
    def shipped(cls, embeddings: Embeddings, own: Path | None = None) -> Triage:
        """With the weights in the repository, or in the folder `own`. Raises as `weights_of`."""
        return cls(embeddings, {name: Classifier(weights_of(name, own)) for name in HEADS})

    async def classify(self, text: str, observed: Observed = NOTHING) -> Triaged:
        """Judge a message: the subject, where there is one, a line break, the text.

        What its pictures show is weighed along with the words for what it is about, and a voice that sounds tense makes
        it more urgent (`agents.weighing`).
        """
        vector = await self._embeddings.aembed_query(text)
        decided = {name: head.decide(text, vector) for name, head in self._heads.items()}
        judged = {name: _judged(self._heads[name], decision) for name, decision in decided.items()}
        pictures = [each for each in observed.seen if each.text]
        tense = is_tense(observed)
        if not pictures and not tense:
            return Triaged(**judged)
        if pictures:
            category = self._heads["category"]
            shown = [category.decide(each.text, await self._embeddings.aembed_query(each.text)) for each in pictures]
            witnesses = [
                Witness(each.name, decision.probabilities, PICTURE * each.confidence)
                for each, decision in zip(pictures, shown, strict=True)
                # What is nothing that anybody writes about here, such as a photo of a street sign, says nothing.
                if decision.in_scope
            ]
            weighed = pooled(decided["category"].probabilities, witnesses)
            why = "; ".join(f"{witness.name} shows so" for witness in witnesses)
            judged["category"] = _weighed(judged["category"], weighed, why)
        if tense and observed.tone is not None:
            sure = observed.tone.confidence
            weighed = hastened(decided["priority"].probabilities, [each.value for each in TicketPriority], sure)
            judged["priority"] = _weighed(judged["priority"], weighed, f"the voice sounds tense ({sure:.0%})")
        return Triaged(**judged)

    async def duplicates(
        self, text: str, filed: Sequence[Filed], *, customer_id: str | None = None, limit: int = 3
    ) -> list[Duplicate]:
        """The filed tickets that may be about the same matter as `text`: those of this customer first.

        Among them the most alike come first, ties by id. Alike is not the same: two customers may have the same
        trouble. The vectors of the tickets met last are remembered.
        """
        if not filed:
            return []
        vectors = await self._embedded([text, *(ticket.text for ticket in filed)])
        found = [
            Duplicate(ticket.ticket_id, cosine, customer_id is not None and ticket.customer_id == customer_id)
            for ticket, cosine in zip(filed, (vectors[1:] @ vectors[0]).tolist(), strict=True)
            if cosine >= ALIKE
        ]
        return sorted(found, key=lambda each: (not each.same_customer, -each.cosine, each.ticket_id))[:limit]

    async def _embedded(self, texts: Sequence[str]) -> Floats:
        """Unit vectors, (n, d), embedding only what is not remembered."""
        keys = [hashlib.sha256(text.encode()).digest() for text in texts]
        # Taken out before anything is waited for: another call may push them out meanwhile.
        found = {key: self._vectors[key] for key in keys if key in self._vectors}
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if new:
            found.update(zip(new, _unit(await self._embeddings.aembed_documents(list(new.values()))), strict=True))
        for key, vector in found.items():
            self._vectors[key] = vector
            self._vectors.move_to_end(key)
        while len(self._vectors) > REMEMBERED:
            self._vectors.popitem(last=False)
        return np.stack([found[key] for key in keys])


def _weighed(alone: Judged, weighed: Mapping[str, float], why: str) -> Judged:
    """The judgement with the evidence weighed in."""
    value = max(weighed, key=lambda label: weighed[label])
    if value != alone.value:
        return Judged(value, weighed[value], False, why)
    return replace(alone, confidence=weighed[value], sure=alone.sure and weighed[value] >= alone.confidence)


def _judged(head: Classifier, decision: Decision) -> Judged:
    return Judged(decision.label, decision.probability, decision.probability >= head.sure)


def _unit(rows: Sequence[Sequence[float]]) -> Floats:
    vectors = np.asarray(rows, np.float32)
    unit: Floats = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return unit
