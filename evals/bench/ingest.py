"""Ingestion, from a document's bytes to its passages being found, against sentence-transformers on torch.

The reference only embeds the passages; ours also reads, splits, embeds the titles and writes the index.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from app.wiring import open_wayside
from core.modelstore import ModelStore
from core.settings import Settings
from evals.beir import Document, read_demo
from evals.bench.figure import Figure, Skipped
from evals.bench.passages import TENANT
from retrieval.encode import passage_texts
from retrieval.passages import split
from retrieval.readers import read

ROUNDS = 5
GOAL = 1.2
_TORCH = Path(__file__).with_name("torch_embed.py")


def measure(python: str = sys.executable) -> list[Figure]:
    """Passages a second, in turns; `python` is the one that has torch."""
    missing = subprocess.run([python, "-c", "import sentence_transformers"], capture_output=True, check=False)  # noqa: S603
    if missing.returncode:
        raise Skipped("sentence-transformers is not installed: pip install -c constraints.txt -e '.[bench]'")
    documents = read_demo().documents
    texts = asyncio.run(_texts(documents))
    with _torch(python) as reference:
        reference(texts[:32])
        ours, theirs = [], []
        for _ in range(ROUNDS):
            ours.append(len(texts) / asyncio.run(_ingest(documents)))
            theirs.append(len(texts) / reference(texts))
    against, met = "sentence-transformers, embedding only", median(ours) >= GOAL * median(theirs)
    return [Figure("ingestion", "passages/s", ours, theirs, against, f"ratio ≥ {GOAL}", met)]


async def _texts(documents: Sequence[Document]) -> list[str]:
    """What is embedded of every passage: the reference gets the whole text, and is spared the titles."""
    read_ones = [(each.id, await read(each.content, each.filename)) for each in documents]
    return [passage_texts(passage)[1] for name, text in read_ones for passage in split(name, text)]


async def _ingest(documents: Sequence[Document]) -> float:
    """Seconds until all documents can be found, in a workspace that is new but open."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            workspace=Path(folder), demo=False, null_engine=True, database_url=None, qdrant_url=None, redis_url=None
        )
        async with open_wayside(settings) as wayside:
            await wayside.embeddings.aembed_query("warm up")
            begun = time.perf_counter()
            for each in documents:
                await wayside.documents.add(TENANT, each.filename, each.content, source=each.id)
            await wayside.ingestion.wait_idle()
            return time.perf_counter() - begun


@contextmanager
def _torch(python: str) -> Iterator[Callable[[list[str]], float]]:
    """The reference: a function from texts to the seconds that embedding them took."""
    folder = ModelStore().path(Settings().embedding_model)
    with subprocess.Popen(  # noqa: S603
        [python, str(_TORCH), str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None and process.stdout is not None, "both are pipes"
        given, told = process.stdin, process.stdout

        def embed(texts: list[str]) -> float:
            given.write(json.dumps(texts) + "\n")
            given.flush()
            return float(told.readline())

        yield embed
