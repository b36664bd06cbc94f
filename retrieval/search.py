"""Hybrid search: one vector and one bag of words a query, two halves, one order."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InvalidInput
from core.ports import Candidate, HybridQuery
from core.types import Findings, Hit, Passage, Scope
from retrieval.answerability import answerability, coverage
from retrieval.bm25 import passage_terms, query_terms
from retrieval.encode import TEXT, embed_query
from retrieval.fusion import CANDIDATES, fuse, order
from retrieval.migrate import Generation, Reading

if TYPE_CHECKING:
    from core.types import Vector

# Query vectors kept, of 1.5 KB each: people repeat themselves, and a turn searches for what it verifies.
_REMEMBERED = 1_024


class HybridSearch:
    """`PassageSearch` on the active generation. A search sees one whole generation, also while a move switches."""

    def __init__(self, generations: Reading) -> None:
        self._generations = generations
        self._vectors: OrderedDict[tuple[str, str], Vector] = OrderedDict()

    async def search(self, query: str, scope: Scope, limit: int = 10) -> Findings:
        """See `PassageSearch.search`. Raises `InvalidInput` when `limit` is below 1, too."""
        text = query.strip()
        if not text:
            raise InvalidInput("the query is empty", param="query")
        if limit < 1:
            raise InvalidInput(f"limit must be at least 1, not {limit}", param="limit")
        async with self._generations.reading() as generation:
            vector = await self._embed(generation, text)
            asked = HybridQuery(text, vector, scope, max(CANDIDATES, limit))
            candidates = await generation.index.search(asked)
        return _findings(text, candidates, limit)

    async def _embed(self, generation: Generation, text: str) -> Vector:
        key = (generation.id, text)
        vector = self._vectors.get(key)
        if vector is None:
            vector = await embed_query(generation.embeddings, text)
            self._vectors[key] = vector
            if len(self._vectors) > _REMEMBERED:
                self._vectors.popitem(last=False)
        else:
            self._vectors.move_to_end(key)
        return vector


def _findings(query: str, candidates: Sequence[Candidate], limit: int) -> Findings:
    if not candidates:
        return Findings((), 0.0)
    terms = frozenset(query_terms(query)[0])
    cosines = np.array([each.cosines[TEXT] for each in candidates], dtype=np.float64)
    bm25 = np.array([each.bm25 for each in candidates], dtype=np.float64)
    scores = fuse(cosines, bm25, len(terms))
    ranked = order(scores, [_identity(each.passage) for each in candidates])
    best = ranked[0]
    passage = candidates[best].passage
    covered = coverage(terms, frozenset(passage_terms(passage.title, passage.headings, passage.text)[0]))
    hits = tuple(Hit(candidates[at].passage, float(scores[at])) for at in ranked[:limit])
    return Findings(hits, answerability(float(scores[best]), float(cosines[best]), covered))


def _identity(passage: Passage) -> str:
    return f"{passage.document_id}\0{passage.position:09}"
