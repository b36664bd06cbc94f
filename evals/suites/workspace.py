"""A workspace of a suite's own: the production path from a document's bytes to an answer, on an empty folder."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from langchain_core.embeddings import Embeddings
from rich.console import Console
from rich.progress import track

from app.assistant import Assistant
from app.wiring import Wayside, open_wayside
from app.workspace import TENANT
from core.ports import PassageSearch, VectorIndex
from core.settings import Settings
from core.types import Audience, Principal, Role
from evals.beir import Folder
from retrieval.tables import DocumentStatus

CALLER = Principal("evals", TENANT, Role.CLIENT)
_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Indexed:
    """The parts, with a folder's documents indexed; `names` maps our document id → the folder's."""

    search: PassageSearch
    index: VectorIndex
    embeddings: Embeddings
    assistant: Assistant
    names: Mapping[str, str]
    facts: Mapping[str, str]


@asynccontextmanager
async def indexed(folder: Folder) -> AsyncIterator[Indexed]:
    """Open the parts on a temporary workspace and index the folder. Engines and models are as the settings say.

    Raises `RuntimeError` naming a document that could not be indexed.
    """
    with tempfile.TemporaryDirectory(prefix="wayside-eval-") as path:
        # Stores outside the workspace hold somebody's real documents: a suite never writes there.
        settings = Settings(workspace=Path(path), demo=False, database_url=None, qdrant_url=None, redis_url=None)
        async with open_wayside(settings) as wayside:
            names = await _index(wayside, folder)
            active = wayside.generations.active
            yield Indexed(
                wayside.search, active.index, active.embeddings, wayside.assistant, names, _facts(settings, folder)
            )


async def _index(wayside: Wayside, folder: Folder) -> dict[str, str]:
    documents, console, names = wayside.documents, Console(stderr=True), {}
    for given in track(folder.documents, "reading", console=console):
        source = f"{folder.name}/{given.id}"
        row = await documents.add(TENANT, given.filename, given.content, source=source, audience=Audience.PUBLIC)
        names[row.id] = given.id
    for document_id in track(names, "indexing", console=console):
        while (row := await documents.get(TENANT, document_id)).status is not DocumentStatus.READY:
            if row.status is DocumentStatus.FAILED:
                raise RuntimeError(f"document {names[document_id]} could not be indexed: {row.error}")
            await asyncio.sleep(_POLL_SECONDS)
    return names


def _facts(settings: Settings, folder: Folder) -> dict[str, str]:
    engine = settings.engine
    return {
        "data": folder.name,
        "documents": f"{len(folder.documents):,}",
        "embeddings": settings.embedding_model,
        "engine": f"{engine.model} at {engine.url}" if engine.url else settings.embedded.model,
    }
