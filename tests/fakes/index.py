"""A `VectorIndex` in a dictionary that scores everything it holds: slow, exact, and simple enough to believe."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from core.ports import Candidate, HybridQuery, IndexedPassage, PointId, VectorIndex
from core.types import Audience, Passage, Scope
from retrieval.bm25 import passage_terms, query_terms
from retrieval.index.layout import Layout


class FakeIndex:
    """Every document as (audience, passages by point). `replacements` counts the calls of `replace`."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._documents: dict[tuple[str, str], tuple[Audience, dict[PointId, IndexedPassage]]] = {}
        self.replacements = 0

    async def replace(
        self, tenant: str, document_id: str, audience: Audience, passages: Sequence[IndexedPassage]
    ) -> None:
        """See `VectorIndex.replace`."""
        self._layout.check_passages(document_id, passages)
        self.replacements += 1
        points: dict[PointId, IndexedPassage] = {f"{self.replacements}/{at}": each for at, each in enumerate(passages)}
        self._documents[tenant, document_id] = (audience, points)

    async def remove(self, tenant: str, document_id: str) -> None:
        """See `VectorIndex.remove`."""
        self._documents.pop((tenant, document_id), None)

    async def search(self, query: HybridQuery) -> list[Candidate]:
        """See `VectorIndex.search`."""
        self._layout.check_query(query)
        lexical = {point: score for point, score in self._lexical(query) if score > 0}
        best = dict(sorted(lexical.items(), key=lambda each: -each[1])[: query.limit])
        cosines = {
            point: {name: float(vector @ query.vector) for name, vector in item.vectors.items()}
            for point, item in self._visible(query.scope)
        }
        union = set(best)
        for name in self._layout.names:
            union.update(sorted(cosines, key=lambda point: -cosines[point][name])[: query.limit])
        return [Candidate(point, cosines[point], best.get(point, 0.0)) for point in union]

    async def passages(self, scope: Scope, points: Sequence[PointId]) -> dict[PointId, Passage]:
        """See `VectorIndex.passages`."""
        return {point: item.passage for point, item in self._visible(scope) if point in points}

    async def count(self, scope: Scope) -> int:
        """See `PassageStore.count`."""
        return sum(1 for _ in self._visible(scope))

    async def count_document(self, tenant: str, document_id: str) -> int:
        """See `PassageStore.count_document`."""
        return len(self._documents.get((tenant, document_id), (Audience.PUBLIC, {}))[1])

    async def export(self, scope: Scope, document_id: str) -> list[IndexedPassage]:
        """See `PassageStore.export`."""
        audience, passages = self._documents.get((scope.tenant, document_id), (Audience.PUBLIC, {}))
        return [*passages.values()] if audience in scope.audiences else []

    async def close(self) -> None:
        """See `PassageStore.close`."""

    def _visible(self, scope: Scope) -> Iterator[tuple[PointId, IndexedPassage]]:
        for (tenant, _), (audience, passages) in self._documents.items():
            if tenant == scope.tenant and audience in scope.audiences:
                yield from passages.items()

    def _lexical(self, query: HybridQuery) -> Iterator[tuple[PointId, float]]:
        # As in the engine, how rare a term is counts over the whole index.
        everything = [_terms(item) for _, passages in self._documents.values() for item in passages.values()]
        frequency = Counter(term for terms in everything for term in terms)
        wanted = query_terms(query.text)[0]
        rarity = {
            term: math.log(1 + (len(everything) - frequency[term] + 0.5) / (frequency[term] + 0.5)) for term in wanted
        }
        for point, item in self._visible(query.scope):
            terms = _terms(item)
            yield point, float(np.float32(sum(rarity[term] * terms.get(term, 0.0) for term in wanted)))


def _terms(item: IndexedPassage) -> dict[int, float]:
    return dict(zip(*passage_terms(item.passage.title, item.passage.headings, item.passage.text), strict=True))


async def found(index: VectorIndex, query: HybridQuery) -> list[tuple[Passage, Candidate]]:
    """What a search finds, with the passages that its candidates stand for."""
    candidates = await index.search(query)
    passages = await index.passages(query.scope, [each.point for each in candidates])
    return [(passages[each.point], each) for each in candidates if each.point in passages]
