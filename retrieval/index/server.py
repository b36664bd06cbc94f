"""Passages in a collection of a Qdrant server or cluster, for more than one process or more than one machine.

The points are those of `retrieval.index.edge`, BM25 included. Several processes may use one collection: a
document is whole or absent as long as one process at a time replaces it, and a second one is noticed.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from qdrant_client import AsyncQdrantClient, models
from qdrant_client.http.exceptions import UnexpectedResponse

from core.errors import Conflict
from core.ports import Candidate, HybridQuery, IndexedPassage, PointId
from core.types import Audience, Passage, Scope
from retrieval.bm25 import passage_terms, query_terms
from retrieval.index.layout import (
    BM25,
    DOCUMENT,
    PASSAGE,
    REVISION,
    SCOPE,
    TENANT,
    Layout,
    from_payload,
    point_id,
    scope_of,
    scopes_of,
    to_payload,
)

_CHUNK = 256
_EF_SEARCH = 80
_CONFLICT = 409


class ServerIndex:
    """`VectorIndex` on one collection. Make one with `open`; the client is the caller's until `close`."""

    def __init__(self, client: AsyncQdrantClient, collection: str, layout: Layout) -> None:
        self._client = client
        self._collection = collection
        self._layout = layout

    @classmethod
    async def open(cls, client: AsyncQdrantClient, collection: str, layout: Layout) -> ServerIndex:
        """Use `collection`, made when absent, also when several processes start at once."""
        if not await client.collection_exists(collection):
            await _create(client, collection, layout)
        return cls(client, collection, layout)

    async def replace(
        self, tenant: str, document_id: str, audience: Audience, passages: Sequence[IndexedPassage]
    ) -> None:
        """See `VectorIndex.replace`. Raises `Conflict` when another process replaced the document meanwhile."""
        self._layout.check_passages(document_id, passages)
        revision = uuid.uuid4().hex
        points = [_point(tenant, item, revision) for item in passages]
        for first in range(0, len(points), _CHUNK):
            await self._client.upsert(self._collection, points[first : first + _CHUNK], wait=True)
        ours = _document(tenant, document_id, _equals(REVISION, revision))
        if (await self._client.count(self._collection, ours, exact=True)).count != len(points):
            raise Conflict(f"document {document_id} was replaced twice at the same time", param="document_id")
        others = _document(tenant, document_id, must_not=[_equals(REVISION, revision)])
        await self._client.batch_update_points(
            self._collection,
            [
                models.DeleteOperation(delete=models.FilterSelector(filter=others)),
                models.SetPayloadOperation(
                    set_payload=models.SetPayload(payload={SCOPE: scope_of(tenant, audience)}, filter=ours)
                ),
            ],
            wait=True,
        )

    async def remove(self, tenant: str, document_id: str) -> None:
        """See `VectorIndex.remove`."""
        everything = models.FilterSelector(filter=_document(tenant, document_id))
        await self._client.delete(self._collection, everything, wait=True)

    async def search(self, query: HybridQuery) -> list[Candidate]:
        """See `VectorIndex.search`."""
        self._layout.check_query(query)
        if not query.scope.audiences:
            return []
        halves: dict[str, Any] = dict.fromkeys(self._layout.names, query.vector.tolist())
        indices, values = query_terms(query.text)
        if indices:
            halves[BM25] = models.SparseVector(indices=indices, values=values)
        found = await self._halves(halves, query.limit, _visible(query.scope))
        union = {point for scores in found.values() for point in scores}
        partial = {name: halves[name] for name in self._layout.names if len(found[name]) < len(union)}
        among = _visible(query.scope, models.HasIdCondition(has_id=list(union)))
        for name, scores in (await self._halves(partial, len(union), among)).items():
            found[name] |= scores
        # A point that was dropped between the two requests lacks a score, and is left out.
        return [
            Candidate(
                point=point,
                cosines={name: found[name][point] for name in self._layout.names},
                bm25=found.get(BM25, {}).get(point, 0.0),
            )
            for point in union
            if all(point in found[name] for name in self._layout.names)
        ]

    async def passages(self, scope: Scope, points: Sequence[PointId]) -> dict[PointId, Passage]:
        """See `VectorIndex.passages`."""
        if not points or not scope.audiences:
            return {}
        records = await self._client.retrieve(self._collection, list(points), with_payload=[SCOPE, DOCUMENT, PASSAGE])
        visible = scopes_of(scope)
        return {
            str(each.id): from_payload(each.payload)
            for each in records
            if each.payload is not None and each.payload.get(SCOPE) in visible
        }

    async def count(self, scope: Scope) -> int:
        """See `PassageStore.count`."""
        if not scope.audiences:
            return 0
        return (await self._client.count(self._collection, _visible(scope), exact=True)).count

    async def count_document(self, tenant: str, document_id: str) -> int:
        """See `PassageStore.count_document`."""
        return (await self._client.count(self._collection, _document(tenant, document_id), exact=True)).count

    async def export(self, scope: Scope, document_id: str) -> list[IndexedPassage]:
        """See `PassageStore.export`."""
        if not scope.audiences:
            return []
        exported, offset = list[IndexedPassage](), None
        wanted = _visible(scope, _equals(DOCUMENT, document_id))
        while True:
            records, offset = await self._client.scroll(
                self._collection, wanted, limit=_CHUNK, offset=offset, with_payload=True, with_vectors=True
            )
            for each in records:
                vectors: Any = each.vector
                named = {name: np.asarray(vectors[name], np.float32) for name in self._layout.names}
                exported.append(IndexedPassage(from_payload(each.payload or {}), named))
            if offset is None:
                return sorted(exported, key=lambda each: each.passage.position)

    async def close(self) -> None:
        """Close the connection."""
        await self._client.close()

    async def _halves(
        self, halves: dict[str, Any], limit: int, visible: models.Filter
    ) -> dict[str, dict[PointId, float]]:
        """The best points of each half, by their scores."""
        if not halves or limit == 0:
            return {}
        requests = [
            models.QueryRequest(
                query=models.NearestQuery(nearest=vector),
                using=half,
                filter=visible,
                limit=limit,
                params=None if half == BM25 else models.SearchParams(hnsw_ef=_EF_SEARCH),
                with_payload=False,
            )
            for half, vector in halves.items()
        ]
        responses = await self._client.query_batch_points(self._collection, requests)
        return {
            half: {str(point.id): point.score for point in response.points}
            for half, response in zip(halves, responses, strict=True)
        }


async def _create(client: AsyncQdrantClient, collection: str, layout: Layout) -> None:
    try:
        await client.create_collection(
            collection,
            vectors_config={
                name: models.VectorParams(size=layout.size, distance=models.Distance.COSINE) for name in layout.names
            },
            sparse_vectors_config={BM25: models.SparseVectorParams(modifier=models.Modifier.IDF)},
        )
    except UnexpectedResponse as error:
        if error.status_code != _CONFLICT:
            raise
    for field, tenant in ((SCOPE, True), (DOCUMENT, False)):
        schema = models.KeywordIndexParams(type=models.KeywordIndexType.KEYWORD, is_tenant=tenant)
        await client.create_payload_index(collection, field, schema, wait=True)


def _point(tenant: str, item: IndexedPassage, revision: str) -> models.PointStruct:
    passage = item.passage
    indices, values = passage_terms(passage.title, passage.headings, passage.text)
    vectors: dict[str, Any] = {name: vector.tolist() for name, vector in item.vectors.items()}
    vectors[BM25] = models.SparseVector(indices=indices, values=values)
    return models.PointStruct(
        id=str(point_id(tenant, passage, revision)), vector=vectors, payload=to_payload(tenant, passage, revision)
    )


def _equals(field: str, value: str) -> models.FieldCondition:
    return models.FieldCondition(key=field, match=models.MatchValue(value=value))


def _document(
    tenant: str, document: str, *more: models.Condition, must_not: Iterable[models.Condition] = ()
) -> models.Filter:
    must = [_equals(DOCUMENT, document), _equals(TENANT, tenant), *more]
    return models.Filter(must=must, must_not=list(must_not) or None)


def _visible(scope: Scope, *more: models.Condition) -> models.Filter:
    """The one place where what a caller may see becomes a filter."""
    condition = models.FieldCondition(key=SCOPE, match=models.MatchAny(any=scopes_of(scope)))
    return models.Filter(must=[condition, *more])
