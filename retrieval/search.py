"""Hybrid search: one vector and one bag of words a query, two halves, one order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from core.errors import InvalidInput
from core.ports import HybridQuery, VectorIndex
from core.types import Beside, Findings, Hit, Passage, Scope
from retrieval.answerability import answerability, coverage
from retrieval.beside import Attached, lexical
from retrieval.bm25 import passage_terms, query_terms
from retrieval.encode import TEXT, embed_query
from retrieval.fusion import CANDIDATES, fuse, winners
from retrieval.index import PassageStore
from retrieval.migrate import Reading

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Scores = NDArray[np.float64]

# How often a search looks again because a document that it had found was replaced before it was read.
_LOOKS = 3


class HybridSearch:
    """`PassageSearch` on the active generation. A search sees one whole generation, also while a move switches."""

    def __init__(self, generations: Reading) -> None:
        self._generations = generations
        self._attached = Attached()

    async def search(self, query: str, scope: Scope, limit: int = 10, beside: Beside | None = None) -> Findings:
        """See `PassageSearch.search`. Raises `InvalidInput` when `limit` is below 1, too."""
        text = query.strip()
        if not text:
            raise InvalidInput("the query is empty", param="query")
        if limit < 1:
            raise InvalidInput(f"limit must be at least 1, not {limit}", param="limit")
        async with self._generations.reading() as generation:
            vector = await embed_query(generation.embeddings, text)
            asked = HybridQuery(text, vector, scope, max(CANDIDATES, limit))
            held = None
            if beside is not None and beside.passages:
                rows = await self._attached.vectors(generation, scope.tenant, beside.passages)
                held = _Held(beside, (rows @ vector).astype(np.float64))
            for _ in range(_LOOKS):
                if held is None:
                    found = await _look(generation.index, asked, limit)
                else:
                    found = await _look_beside(generation.index, asked, limit, held)
                if found.whole:
                    break
        return found.findings


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look into the index gave; not whole where a passage was gone before it was read."""

    findings: Findings
    whole: bool


@dataclass(frozen=True, slots=True)
class _Held:
    """Attached passages and their cosines with the query."""

    beside: Beside
    cosines: Scores


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
    return _Look(_findings(there, scores, cosines, terms, limit), len(there) == len(winning))


async def _look_beside(index: PassageStore, query: HybridQuery, limit: int, held: _Held) -> _Look:
    """A look that weighs attached passages along with the index's, of which it has to read every candidate."""
    candidates = await index.search(query)
    read = await index.passages(query.scope, [each.point for each in candidates])
    there = [(each, read[each.point]) for each in candidates if each.point in read]
    attached = held.beside.passages
    terms = query_terms(query.text)[0]
    scored = [(passage, each.bm25) for each, passage in there]
    brought = lexical(terms, scored, attached, of=await index.count(query.scope), asked=query.limit)
    cosines = np.concatenate([np.array([each.cosines[TEXT] for each, _ in there], dtype=np.float64), held.cosines])
    bm25 = np.concatenate([np.array([each.bm25 for each, _ in there], dtype=np.float64), brought])
    scores = fuse(cosines, bm25, len(terms))
    # That they are meant at all is evidence of its own, and joins as such.
    scores[len(there) :] += (1.0 - scores[len(there) :]) * held.beside.prior
    passages = [*(passage for _, passage in there), *attached]
    winning = [(at, passages[at]) for at in winners(scores, limit)]
    return _Look(_findings(winning, scores, cosines, frozenset(terms), limit), len(there) == len(candidates))


def _findings(
    there: Sequence[tuple[int, Passage]], scores: Scores, cosines: Scores, terms: frozenset[int], limit: int
) -> Findings:
    """The passages in their order, each given with its place among the scores."""
    if not there:
        return Findings((), 0.0)
    ranked = sorted(there, key=lambda each: (-scores[each[0]], each[1].document_id, each[1].position))
    best, passage = ranked[0]
    covered = coverage(terms, frozenset(passage_terms(passage.title, passage.headings, passage.text)[0]))
    hits = tuple(Hit(passage, float(scores[at])) for at, passage in ranked[:limit])
    return Findings(hits, answerability(float(scores[best]), float(cosines[best]), covered))
