"""Hybrid search: one vector and one bag of words a query, two halves, one order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from core.errors import InvalidInput
from core.ports import HybridQuery, VectorIndex
from core.types import Findings, Hit, Scope
from retrieval.answerability import answerability, coverage
from retrieval.bm25 import passage_terms, query_terms
from retrieval.encode import TEXT, embed_query
from retrieval.fusion import CANDIDATES, fuse, winners
from retrieval.migrate import Reading

# How often a search looks again because a document that it had found was replaced before it was read.
_LOOKS = 3


class HybridSearch:
    """`PassageSearch` on the active generation. A search sees one whole generation, also while a move switches."""

    def __init__(self, generations: Reading) -> None:
        self._generations = generations

    async def search(self, query: str, scope: Scope, limit: int = 10) -> Findings:
        """See `PassageSearch.search`. Raises `InvalidInput` when `limit` is below 1, too."""
        text = query.strip()
        if not text:
            raise InvalidInput("the query is empty", param="query")
        if limit < 1:
            raise InvalidInput(f"limit must be at least 1, not {limit}", param="limit")
        async with self._generations.reading() as generation:
            vector = await embed_query(generation.embeddings, text)
            asked = HybridQuery(text, vector, scope, max(CANDIDATES, limit))
            for _ in range(_LOOKS):
                found = await _look(generation.index, asked, limit)
                if found.whole:
                    break
        return found.findings


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look into the index gave; not whole where a passage was gone before it was read."""

    findings: Findings
    whole: bool


async def _look(index: VectorIndex, query: HybridQuery, limit: int) -> _Look:
    candidates = await index.search(query)
    if not candidates:
        return _Look(Findings((), 0.0), whole=True)
    terms = frozenset(query_terms(query.text)[0])
    cosines = np.array([each.cosines[TEXT] for each in candidates], dtype=np.float64)
    bm25 = np.array([each.bm25 for each in candidates], dtype=np.float64)
    scores = fuse(cosines, bm25, len(terms))
    winning = winners(scores, limit)
    points = [candidates[at].point for at in winning]
    passages = await index.passages(query.scope, points)
    there = [(at, passages[point]) for at, point in zip(winning, points, strict=True) if point in passages]
    whole = len(there) == len(winning)
    if not there:
        return _Look(Findings((), 0.0), whole)
    ranked = sorted(there, key=lambda each: (-scores[each[0]], each[1].document_id, each[1].position))
    best, passage = ranked[0]
    covered = coverage(terms, frozenset(passage_terms(passage.title, passage.headings, passage.text)[0]))
    hits = tuple(Hit(passage, float(scores[at])) for at, passage in ranked[:limit])
    return _Look(Findings(hits, answerability(float(scores[best]), float(cosines[best]), covered)), whole)
