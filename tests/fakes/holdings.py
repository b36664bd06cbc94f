"""What the gateway searches and keeps, in memory: documents, one passage that is always found, vectors by hash."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import numpy as np

from core.errors import InvalidInput, NotFound, UnreadableDocument
from core.types import Audience, Beside, Findings, Hit, Passage, Scope
from retrieval.documents import Document
from retrieval.migrate import Generation
from retrieval.tables import DocumentStatus
from tests.fakes.index import FakeIndex

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from core.types import Vector

EMBEDDING_MODEL = "hash-4"


class OneSearch:
    """Finds one passage, whatever is asked."""

    async def search(self, query: str, scope: Scope, limit: int = 10, beside: Beside | None = None) -> Findings:
        passage = Passage("doc-1", "Returns", ("Tents",), "You can return a tent within 30 days.", 0, 37, 0)
        return Findings((Hit(passage, 0.75),), 0.9)


class HashEmbeddings:
    """Unit vectors of four dimensions, from a hash of the text."""

    dimensions = 4
    fingerprint = "hash"

    async def aembed_query(self, text: str) -> list[float]:
        row: list[float] = (await self.aembed([text]))[0].tolist()
        return row

    async def aembed(self, texts: Sequence[str]) -> Vector:
        rows = [np.frombuffer(hashlib.sha256(text.encode()).digest()[:4], np.uint8) for text in texts]
        vectors = np.array(rows, np.float32) + 1
        return cast("Vector", vectors / np.linalg.norm(vectors, axis=1, keepdims=True))

    def count_tokens(self, texts: Sequence[str]) -> int:
        return sum(len(text.split()) for text in texts)


@dataclass
class MemoryDocuments:
    """Documents in a dictionary, ready as soon as they are added."""

    rows: dict[tuple[str, str], Document] = field(default_factory=dict)
    added: int = 0

    async def add(
        self,
        tenant: str,
        filename: str,
        content: bytes,
        *,
        source: str | None = None,
        audience: Audience = Audience.PUBLIC,
        declared_type: str | None = None,
    ) -> Document:
        if not filename:
            raise InvalidInput("no filename", param="filename")
        if b"\0" in content:
            raise UnreadableDocument("this is no text", param="file")
        self.added += 1
        digest = hashlib.sha256((source or filename).encode()).hexdigest()
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        document = Document(
            id="doc_" + digest[:20],
            source=source or filename,
            filename=filename,
            title=filename,
            media_type=declared_type,
            audience=audience,
            sha256=digest,
            bytes=len(content),
            characters=len(content),
            passages=1,
            status=DocumentStatus.READY,
            error=None,
            revision=1,
            created_at=moment,
            updated_at=moment,
            done=1,
            total=1,
        )
        self.rows[tenant, document.id] = document
        return document

    async def get(self, tenant: str, document_id: str) -> Document:
        if (tenant, document_id) not in self.rows:
            raise NotFound(f"no document {document_id}", param="document_id")
        return self.rows[tenant, document_id]

    async def list(self, tenant: str, limit: int = 100, after: str | None = None) -> list[Document]:
        mine = sorted((row for (owner, _), row in self.rows.items() if owner == tenant), key=lambda row: row.id)
        return [row for row in mine if after is None or row.id > after][:limit]

    async def reindex(self, tenant: str, document_id: str) -> Document:
        row = await self.get(tenant, document_id)
        self.rows[tenant, document_id] = replace(row, status=DocumentStatus.QUEUED, done=0, total=4)
        return self.rows[tenant, document_id]

    async def delete(self, tenant: str, document_id: str) -> None:
        await self.get(tenant, document_id)
        del self.rows[tenant, document_id]


@dataclass
class OneGeneration:
    """The only index there ever is."""

    embeddings: HashEmbeddings
    index: FakeIndex

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Generation]:
        yield Generation("hash", cast("Embeddings", self.embeddings), self.index)
