"""Hybrid search over 1,000, 10,000 and 100,000 passages, against qdrant-client's local mode on the same points."""

from __future__ import annotations

import asyncio
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
from qdrant_client import QdrantClient, models

from core.ports import HybridQuery
from core.types import Audience
from evals.bench.figure import Figure
from evals.bench.passages import TENANT, Corpus
from retrieval.bm25 import passage_terms, query_terms
from retrieval.fusion import CANDIDATES
from retrieval.index.edge import EdgeIndex
from retrieval.index.layout import Layout

SIZES = (1_000, 10_000, 100_000)
ROUNDS = 3
QUERIES = 200
# Local mode reads every point for every query: a few queries tell, and more would take minutes.
LOCAL_QUERIES = {1_000: 30, 10_000: 10, 100_000: 3}
LIMIT = 10
GOAL_MS = 6.0


def measure() -> list[Figure]:
    """Per size: p50 and p99 of ours; the reference by its p50."""
    return [figure for count in SIZES for figure in _at(count)]


def _at(count: int) -> list[Figure]:
    layout = Layout()
    corpus = Corpus(count, layout.names, layout.size)
    with tempfile.TemporaryDirectory() as folder:
        ours = asyncio.run(_edge(Path(folder), layout, corpus))
    local = _local(corpus)
    p50, p99 = ([float(np.percentile(times, q)) for times in ours] for q in (50, 99))
    goal = (f"≤ {GOAL_MS:.0f} ms", float(np.median(p99)) <= GOAL_MS) if count == max(SIZES) else ("", None)
    against = "qdrant-client, local mode"
    return [
        Figure(f"{count:,} passages, p50", "ms", p50, [float(np.median(times)) for times in local], against),
        Figure(f"{count:,} passages, p99", "ms", p99, (), "", *goal),
    ]


async def _edge(folder: Path, layout: Layout, corpus: Corpus) -> list[list[float]]:
    # Optimised once, by us, when all is written: what a gateway that has been up for a while has.
    index = await EdgeIndex.open(folder, layout, optimise_after=10 * corpus.count)
    try:
        for passages in corpus.documents():
            document = passages[0].passage.document_id
            await index.replace(TENANT, document, Audience.PUBLIC, passages)
        await index.optimise()
        queries = corpus.queries(QUERIES, CANDIDATES)
        await _timed(index, queries)
        return [await _timed(index, queries) for _ in range(ROUNDS)]
    finally:
        await index.close()


async def _timed(index: EdgeIndex, queries: list[HybridQuery]) -> list[float]:
    times = []
    for query in queries:
        begun = time.perf_counter()
        candidates = await index.search(query)
        found = await index.passages(query.scope, [each.point for each in candidates[:LIMIT]])
        times.append((time.perf_counter() - begun) * 1000)
        assert len(found) == LIMIT, "a query about an indexed topic finds enough"
    return times


def _local(corpus: Corpus) -> list[list[float]]:
    with warnings.catch_warnings():
        # Local mode warns above 20,000 points that it is no server, which is what this measures.
        warnings.simplefilter("ignore", UserWarning)
        client = QdrantClient(":memory:")
        _fill(client, corpus)
        queries = corpus.queries(LOCAL_QUERIES[corpus.count], CANDIDATES)
        return [[_ask(client, corpus.names, query) for query in queries] for _ in range(ROUNDS)]


def _fill(client: QdrantClient, corpus: Corpus) -> None:
    client.create_collection(
        "passages",
        {name: models.VectorParams(size=corpus.size, distance=models.Distance.COSINE) for name in corpus.names},
        sparse_vectors_config={"bm25": models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )
    number = 0
    for passages in corpus.documents():
        points = []
        for item in passages:
            indices, values = passage_terms(item.passage.title, item.passage.headings, item.passage.text)
            vectors = {name: vector.tolist() for name, vector in item.vectors.items()}
            sparse = models.SparseVector(indices=indices, values=values)
            payload = {"scope": f"{TENANT}/public", "text": item.passage.text}
            points.append(models.PointStruct(id=number, vector={**vectors, "bm25": sparse}, payload=payload))
            number += 1
        client.upsert("passages", points)


def _ask(client: QdrantClient, names: tuple[str, ...], query: HybridQuery) -> float:
    """Milliseconds of one search: the same halves under the same filter, fused by rank."""
    scope = models.FieldCondition(key="scope", match=models.MatchValue(value=f"{TENANT}/public"))
    visible = models.Filter(must=[scope])
    indices, values = query_terms(query.text)
    halves = [(name, query.vector.tolist()) for name in names]
    halves += [("bm25", models.SparseVector(indices=indices, values=values))]
    begun = time.perf_counter()
    client.query_points(
        "passages",
        prefetch=[models.Prefetch(query=half, using=name, filter=visible, limit=query.limit) for name, half in halves],
        query=models.FusionQuery(fusion=models.Fusion.RRF),
        limit=LIMIT,
    )
    return (time.perf_counter() - begun) * 1000
