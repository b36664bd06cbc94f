"""Passages beside the index: those of documents that a person attached to a conversation, weighed on the index's scale.

Their cosines are computed here. Their BM25 needs to know how rare each word of the query is, which only the engine
knows: its scores tell it, since a passage's score is the sum over the query's terms of rarity times weight, and the
weights are known (`retrieval.bm25`). So the candidates' scores are as many equations as there are candidates, for
the few rarities that made them. A term of none of them is as rare as a term that no passage has, or, where the lexical
half gave all it was asked for, too common to have brought any passage among them.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from langchain_core.embeddings import Embeddings

from core.types import Passage
from retrieval.bm25 import passage_terms
from retrieval.encode import unit_vectors
from retrieval.migrate import Generation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Rows = NDArray[np.float32]
    Scores = NDArray[np.float64]

# Rows of 1.5 kB each.
REMEMBERED = 4096
# A term that no passage has is rare also where there are hardly any passages.
_FEWEST = 100


class Attached:
    """Vectors of attached documents, remembered for the turns that follow. Safe to share between requests."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._vectors: OrderedDict[tuple[str, str, str], Rows] = OrderedDict()

    async def vectors(self, generation: Generation, tenant: str, passages: Sequence[Passage]) -> Rows:
        """The unit vectors of the passages, one row each, in their order.

        A document's id stands for its content, and its passages stand together.
        """
        rows = []
        for document_id, of_one in groupby(passages, lambda passage: passage.document_id):
            key, wanted = (generation.id, tenant, document_id), list(of_one)
            known = self._vectors.get(key)
            if known is None or len(known) != len(wanted):
                known = self._vectors[key] = await _embedded(generation.embeddings, wanted)
            rows.append(known)
            self._vectors.move_to_end(key)
        while len(self._vectors) > 1 and sum(map(len, self._vectors.values())) > self._remembered:
            self._vectors.popitem(last=False)
        return np.concatenate(rows)


async def _embedded(embeddings: Embeddings, passages: Sequence[Passage]) -> Rows:
    # The title is a file's name, which says nothing of what it holds; a title that it has stands among the headings.
    texts = ["\n".join((*passage.headings, passage.text)) for passage in passages]
    return np.stack(unit_vectors(await embeddings.aembed_documents(texts)))


def lexical(
    terms: Sequence[int], found: Sequence[tuple[Passage, float]], attached: Sequence[Passage], *, of: int, asked: int
) -> Scores:
    """BM25 of the attached passages for the query's `terms`, as the index would have scored them.

    `found` are the index's candidates with their scores, of which the lexical half gave at most `asked`; `of` is how
    many passages the index has.
    """
    if not terms:
        return np.zeros(len(attached))
    scored = [(passage, score) for passage, score in found if score > 0.0]
    scores = np.array([score for _, score in scored], dtype=np.float64)
    weights = _weights(terms, [passage for passage, _ in scored])
    # The rarity that a term would have by the engine's formula if no passage had it.
    unknown = math.log(1.0 + 2.0 * (max(of, _FEWEST) + 0.5))
    if len(scored) >= asked:
        unknown = min(unknown, float(scores.min()))
    rarities = np.full(len(terms), unknown)
    met = weights.any(axis=0)
    if met.any():
        solved, *_ = np.linalg.lstsq(weights[:, met], scores, rcond=None)
        rarities[met] = np.clip(solved, 0.0, None)
    brought: Scores = _weights(terms, attached) @ rarities
    return brought


def _weights(terms: Sequence[int], passages: Sequence[Passage]) -> Scores:
    """The passages' weights of the terms (p, t)."""
    rows: list[Mapping[int, float]] = [
        dict(zip(*passage_terms(each.title, each.headings, each.text), strict=True)) for each in passages
    ]
    return np.array([[row.get(term, 0.0) for term in terms] for row in rows]).reshape(len(rows), len(terms))
