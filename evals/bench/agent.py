"""The assistant's whole path over 10,000 passages: retrieve, write (the null engine), verify, cite, checkpoint.

The demo's articles are indexed as ever and asked about; made-up passages fill the index up around them.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import numpy as np

from app.wiring import open_wayside
from core.settings import Settings
from core.types import Audience
from evals.beir import read_demo
from evals.bench.figure import Figure
from evals.bench.gateway import echo
from evals.bench.load import post, sequential
from evals.bench.passages import SCOPE, TENANT, Corpus
from evals.bench.process import Gateway, gateway
from retrieval.index.edge import EdgeIndex
from retrieval.index.layout import Layout

PASSAGES = 10_000
ROUNDS = 5
QUESTIONS = 40
GOAL_MS = 20.0


def measure() -> list[Figure]:
    """p50 and p99 of an answer over HTTP, and p50 of the search in it, in turns with a bare FastAPI."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_fill(Path(folder)))
        with echo() as bare, gateway(Path(folder), WAYSIDE_NULL_ENGINE="true", WAYSIDE_DEMO="true") as ours:
            questions = _answered(ours)
            times: dict[str, list[list[float]]] = {"answer": [], "search": [], "bare": []}
            for turn in range(ROUNDS):
                asked = [_afresh(each, 2 * turn) for each in questions]
                searched = [post("/api/search", {"query": _afresh(each, 2 * turn + 1)}, ours.key) for each in questions]
                times["answer"].append(sequential(ours.port, [_chat("wayside", each, ours.key) for each in asked]))
                times["search"].append(sequential(ours.port, searched))
                times["bare"].append(sequential(bare, [_chat("echo", each) for each in asked]))
    p50, p99 = ({side: np.percentile(times[side], q, axis=1).tolist() for side in times} for q in (50, 99))
    against, met = "bare FastAPI echo", float(np.median(p50["answer"])) <= GOAL_MS
    return [
        Figure("cited answer, p50", "ms", p50["answer"], p50["bare"], against, f"≤ {GOAL_MS:.0f} ms", met),
        Figure("cited answer, p99", "ms", p99["answer"], p99["bare"], against),
        Figure("search alone, p50", "ms", p50["search"], p50["bare"], against),
    ]


async def _fill(folder: Path) -> None:
    # Stores outside the workspace are somebody's: the filling goes nowhere but into the folder.
    settings = Settings(
        workspace=folder, demo=True, null_engine=True, database_url=None, qdrant_url=None, redis_url=None
    )
    async with open_wayside(settings) as wayside:
        await wayside.ingestion.wait_idle()
        generation = wayside.generations.active.id
    # Optimised here and once, so that the gateway has nothing to tend while it is measured.
    layout = Layout()
    index = await EdgeIndex.open(folder / "index" / generation, layout, optimise_after=10 * PASSAGES)
    try:
        missing = PASSAGES - await index.count(SCOPE)
        for passages in Corpus(missing, layout.names, layout.size).documents():
            await index.replace(TENANT, passages[0].passage.document_id, Audience.PUBLIC, passages)
        await index.optimise()
    finally:
        await index.close()


def _answered(server: Gateway) -> list[str]:
    """Questions that get a cited answer: declining is the shorter path, and would flatter."""
    found = []
    with server.client() as client:
        for question in read_demo().questions:
            (text,) = question.turns
            body = {"model": "wayside", "messages": [{"role": "user", "content": text}]}
            answer = client.post("/v1/chat/completions", json=body).raise_for_status().json()
            if answer["choices"][0]["message"].get("annotations"):
                found.append(text)
            if len(found) == QUESTIONS:
                return found
    raise RuntimeError(f"only {len(found)} of the demo's questions got a cited answer")


def _afresh(question: str, number: int) -> str:
    """The same question with one letter's case turned: the same to the models, but not to a memory of queries."""
    place = [index for index, letter in enumerate(question) if letter.isalpha()][number]
    return question[:place] + question[place].swapcase() + question[place + 1 :]


def _chat(model: str, question: str, key: str = "") -> bytes:
    return post("/v1/chat/completions", {"model": model, "messages": [{"role": "user", "content": question}]}, key)
