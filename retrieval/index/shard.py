"""One Qdrant Edge shard: the engine itself, synchronous, and open in one process only.

The binding keeps Python's global lock during every call (optimising 10,000 points stops all threads for
20 seconds), so nothing but `retrieval.index.host`, a process of its own, opens a shard.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import qdrant_edge as qe

from retrieval.bm25 import passage_terms, query_terms
from retrieval.index.layout import BM25, DOCUMENT, PASSAGE, REVISION, SCOPE, TENANT, from_payload

# Malkov & Yashunin (2016): more links and wider searches find more of the true neighbours and cost time.
_M, _EF_CONSTRUCT, _EF_SEARCH = 16, 100, 80
# Below this many KiB of vectors (6,600 points of 384) reading them all is faster than walking the graph.
_FULL_SCAN_KIB = 10_000

Json = dict[str, Any]


class Shard:
    """Writes, searches and maintains the points of one folder. `names` and `size` are those of the layout."""

    def __init__(self, folder: Path, names: Sequence[str], size: int) -> None:
        self._names = tuple(names)
        exists = (folder / "edge_config.json").exists()
        self._shard = qe.EdgeShard.load(str(folder)) if exists else _create(folder, names, size)

    def write(self, points: list[Json]) -> None:
        """Add points (`id`, `vectors`, `payload`); they are visible only if their payload says so.

        Raises `ValueError` when there is a point with one of these ids.
        """
        if self._shard.retrieve([each["id"] for each in points], with_payload=False, with_vector=False):
            raise ValueError("a new point has the id of one that is there")
        self._update(qe.UpdateOperation.upsert_points([_point(each) for each in points]))

    def publish(self, tenant: str, document: str, revision: str, scope: str) -> None:
        """Drop the document's other revisions, then make this one visible with a single logged operation."""
        others = _document(tenant, document, must_not=[_equals(REVISION, revision)])
        self._update(qe.UpdateOperation.delete_points_by_filter(others))
        ours = _document(tenant, document, _equals(REVISION, revision))
        self._update(qe.UpdateOperation.set_payload_by_filter(ours, {SCOPE: scope}))

    def remove(self, tenant: str, document: str) -> None:
        """Drop every point of the document."""
        self._update(qe.UpdateOperation.delete_points_by_filter(_document(tenant, document)))

    def search(self, vector: list[float], text: str, scopes: list[str], limit: int) -> list[Json]:
        """The union of the halves' best points: `id`, and `scores` by half. Dense scores are there for every point."""
        halves = {name: qe.Query.Nearest(vector, using=name) for name in self._names}
        indices, values = query_terms(text)
        if indices:
            halves[BM25] = qe.Query.Nearest(qe.SparseVector(indices=indices, values=values), using=BM25)
        found = self._halves(halves, limit, _visible(scopes))
        union = {point for scores in found.values() for point in scores}
        for name in self._names:
            if missing := union - found[name].keys():
                # A filter that names few points makes the engine score just those, so this adds little.
                among = _visible(scopes, qe.HasIdCondition(missing))
                found[name] |= self._halves({name: halves[name]}, len(missing), among)[name]
        return [{"id": point, "scores": _scores_of(point, found)} for point in union]

    def read(self, points: list[int | str | UUID], scopes: list[str]) -> list[Json]:
        """The `id` and `payload` of those of the points that are there, and visible."""
        records = self._shard.retrieve(points, with_payload=[SCOPE, DOCUMENT, PASSAGE], with_vector=False)
        seen = [(each.id, each.payload or {}) for each in records]
        return [{"id": point, "payload": payload} for point, payload in seen if payload.get(SCOPE) in scopes]

    def count(self, scopes: list[str] | None = None, tenant: str = "", document: str = "") -> int:
        """Visible points within the scopes, or all points of a document, published or not."""
        chosen = _document(tenant, document) if scopes is None else _visible(scopes)
        return self._shard.count(qe.CountRequest(exact=True, filter=chosen))

    def export(self, tenant: str, document: str) -> list[Json]:
        """The document's points, whole: what `write` takes."""
        points, offset = [], None
        while True:
            records, offset = self._shard.scroll(
                qe.ScrollRequest(offset, 256, _document(tenant, document), with_payload=True, with_vector=True)
            )
            for each in records:
                vectors = {name: each.vector[name] for name in self._names}  # type: ignore[index,call-overload]
                points.append({"id": each.id, "vectors": vectors, "payload": each.payload})
            if offset is None:
                return points

    def flush(self) -> None:
        """Write everything through to the disk, so that opening the shard need not replay its log."""
        self._shard.flush()

    def optimise(self) -> None:
        """Build the graphs and merge the segments. Minutes for 100,000 points, in which nothing else runs."""
        self._shard.optimize()

    def info(self) -> Json:
        """Number of points, and of dense and sparse vectors that are in an index."""
        known = self._shard.info()
        return {"points": known.points_count, "indexed": known.indexed_vectors_count}

    def close(self) -> None:
        """Flush, and let go of the folder."""
        self._shard.close()

    def _update(self, operation: qe.UpdateOperation) -> None:
        self._shard.update(operation)

    def _halves(self, halves: dict[str, qe.Query], limit: int, visible: qe.Filter) -> dict[str, dict[Any, float]]:
        if not halves or limit == 0:
            return {}
        params = qe.SearchParams(hnsw_ef=_EF_SEARCH)
        requests = [
            qe.QueryRequest(limit, query=query, filter=visible, params=params, with_payload=False)
            for query in halves.values()
        ]
        results = self._shard.query_batch(qe.QueryBatchRequest(requests))
        return {half: {point.id: point.score for point in points} for half, points in zip(halves, results, strict=True)}


def _create(folder: Path, names: Sequence[str], size: int) -> qe.EdgeShard:
    folder.mkdir(parents=True, exist_ok=True)
    config = qe.EdgeConfig(
        vectors={name: qe.EdgeVectorParams(size, qe.Distance.Cosine) for name in names},
        sparse_vectors={BM25: qe.EdgeSparseVectorParams(modifier=qe.Modifier.Idf)},
        hnsw_config=qe.HnswIndexConfig(_M, _EF_CONSTRUCT, _FULL_SCAN_KIB),
        payload_memory=qe.Memory.Cached,
    )
    shard = qe.EdgeShard.create(str(folder), config)
    # Only the scope narrows searches, so only the scope gets links of its own in the graph.
    for field, tenant in ((SCOPE, True), (DOCUMENT, False)):
        params = qe.KeywordIndexParams(is_tenant=tenant, enable_hnsw=tenant)
        shard.update(qe.UpdateOperation.create_field_index(field, params))
    shard.flush()
    return shard


def _scores_of(point: Any, scores: dict[str, dict[Any, float]]) -> dict[str, float]:
    return {half: known[point] for half, known in scores.items() if point in known}


def _point(each: Json) -> qe.Point:
    payload = each["payload"]
    passage = from_payload(payload)
    indices, values = passage_terms(passage.title, passage.headings, passage.text)
    vectors = {**each["vectors"], BM25: qe.SparseVector(indices=indices, values=values)}
    return qe.Point(each["id"], vectors, payload)


def _equals(field: str, value: str) -> qe.FieldCondition:
    return qe.FieldCondition(field, match=qe.MatchValue(value))


def _document(tenant: str, document: str, *more: Any, must_not: list[Any] | None = None) -> qe.Filter:
    return qe.Filter(must=[_equals(DOCUMENT, document), _equals(TENANT, tenant), *more], must_not=must_not)


def _visible(scopes: list[str], *more: Any) -> qe.Filter:
    """The one place where what a caller may see becomes a filter."""
    return qe.Filter(must=[qe.FieldCondition(SCOPE, match=qe.MatchAny(scopes)), *more])
