"""The documents of a tenant: adding, listing, re-indexing and deleting them.

Indexing happens in the background (`retrieval.ingest`); a document's status says how far it is.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, delete, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core.database import Database, now
from core.errors import Conflict, InvalidInput, NotFound
from core.types import Audience
from retrieval.jobs import Job, Jobs, changed
from retrieval.migrate import Generations
from retrieval.readers import ReadLimits, ReadText, read
from retrieval.tables import ContentRow, DocumentRow, DocumentStatus, JobKind, JobRow, JobStatus

_SOURCES = uuid.UUID("5f0c7d0b-8f4e-4c1d-9a55-6f7b8f1c2d3e")
_MAX_NAME = 1_000
# How often a delete looks whether the worker that holds the document has let go of it, in seconds.
_POLL = 0.05


@dataclass(frozen=True, slots=True)
class Document:
    """A document as its owner sees it.

    `passages` is how many its last ready revision has; `done` of `total` is how far indexing the next one is.
    """

    id: str
    source: str
    filename: str
    title: str
    media_type: str | None
    audience: Audience
    sha256: str
    bytes: int
    characters: int
    passages: int
    status: DocumentStatus
    error: str | None
    revision: int
    created_at: datetime
    updated_at: datetime
    done: int
    total: int


class Documents:
    """Every method acts within one tenant; another tenant's document is `NotFound`."""

    def __init__(
        self, database: Database, jobs: Jobs, generations: Generations, *, limits: ReadLimits | None = None
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._generations = generations
        self._limits = limits

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
        """Store a document and queue its indexing; with a known `source` (by default the name), update that one.

        The same content and audience again change nothing. Raises `UnsupportedMedia`, `UnreadableDocument` or
        `TooLarge` when it cannot be read, `InvalidInput` for an unusable name, and `Conflict` while the document
        is being deleted or added by somebody else; nothing is stored then.
        """
        source = filename if source is None else source
        for param, value in (("filename", filename), ("source", source)):
            if not value.strip() or "\0" in value or len(value) > _MAX_NAME:
                raise InvalidInput(f"{param} must have 1 to {_MAX_NAME} characters, none of them zero", param=param)
        document_id = identify(tenant, source)
        digest = hashlib.sha256(content).hexdigest()
        known = await self._find(tenant, document_id)
        unfit = (DocumentStatus.FAILED, DocumentStatus.DELETING)
        if known and (known.sha256, known.audience) == (digest, audience) and known.status not in unfit:
            return known
        text = await read(content, filename, declared_type, limits=self._limits)
        try:
            async with self._database.session() as session:
                row = await _upsert(session, tenant, document_id, source)
                row.filename, row.media_type, row.title = filename, declared_type, _title(text, filename)
                row.audience, row.sha256, row.bytes = audience.value, digest, len(content)
                row.characters, row.error, row.updated_at = len(text.text), None, now()
                row.status = DocumentStatus.QUEUED.value
                row.revision += 1
                await session.flush()
                stored = update(ContentRow).where(ContentRow.tenant == tenant, ContentRow.document_id == document_id)
                if row.revision == 1 or not await changed(session, stored.values(content=content)):
                    session.add(ContentRow(tenant=tenant, document_id=document_id, content=content))
                await self._jobs.put(session, tenant, document_id, JobKind.INDEX)
        except IntegrityError as error:
            raise Conflict("this document is being added by another request", param="source") from error
        self._jobs.wake()
        return await self.get(tenant, document_id)

    async def list(self, tenant: str, limit: int = 100, after: str | None = None) -> Sequence[Document]:
        """Up to `limit` documents in the order of their ids, those after the id `after`."""
        if not 1 <= limit <= 1_000:
            raise InvalidInput(f"limit must be between 1 and 1000, not {limit}", param="limit")
        query = _all(tenant).where(DocumentRow.status != DocumentStatus.DELETING.value)
        query = query.order_by(DocumentRow.id).limit(limit)
        if after is not None:
            query = query.where(DocumentRow.id > after)
        async with self._database.session() as session:
            return [_document(row, job) for row, job in await session.execute(query)]

    async def get(self, tenant: str, document_id: str) -> Document:
        """The document. Raises `NotFound`."""
        found = await self._find(tenant, document_id)
        if found is None or found.status is DocumentStatus.DELETING:
            raise NotFound(f"no document {document_id}", param="document_id")
        return found

    async def content(self, tenant: str, document_id: str) -> bytes:
        """The document's bytes as they were uploaded. Raises `NotFound`."""
        await self.get(tenant, document_id)
        async with self._database.session() as session:
            row = await session.get(ContentRow, (tenant, document_id))
        if row is None:
            raise NotFound(f"no document {document_id}", param="document_id")
        return row.content

    async def reindex(self, tenant: str, document_id: str) -> Document:
        """Index the stored content once more. Raises `NotFound`."""
        async with self._database.session() as session:
            row = await _live(session, tenant, document_id)
            row.status, row.error, row.updated_at = DocumentStatus.QUEUED.value, None, now()
            await session.flush()
            await self._jobs.put(session, tenant, document_id, JobKind.INDEX)
        self._jobs.wake()
        return await self.get(tenant, document_id)

    async def delete(self, tenant: str, document_id: str) -> None:
        """Forget the document; on return no search finds it. Raises `NotFound`.

        It is hidden from `get` and `list` at once. Killed in between, the worker completes it after a restart.
        """
        async with self._database.session() as session:
            row = await _live(session, tenant, document_id)
            row.status, row.updated_at = DocumentStatus.DELETING.value, now()
            await session.flush()
            await self._jobs.put(session, tenant, document_id, JobKind.DELETE)
        while await self._find(tenant, document_id) is not None:
            for job in await self._jobs.claim(only=(tenant, document_id)):
                await self._forget(job)
                break
            else:
                await asyncio.sleep(_POLL)

    async def _forget(self, job: Job) -> None:
        try:
            await forget(self._database, self._generations, job)
        except BaseException:
            async with self._database.session() as session:
                await self._jobs.finish(session, job, JobStatus.QUEUED, attempts=job.attempts + 1)
            raise

    async def _find(self, tenant: str, document_id: str) -> Document | None:
        async with self._database.session() as session:
            query = _all(tenant).where(DocumentRow.id == document_id)
            found = (await session.execute(query)).one_or_none()
        return None if found is None else _document(*found)


def identify(tenant: str, source: str) -> str:
    """The id of the document with this source: the same in every workspace, so that results compare."""
    return "doc_" + uuid.uuid5(_SOURCES, f"{tenant}\0{source}").hex[:20]


async def forget(database: Database, generations: Generations, job: Job) -> None:
    """Do a claimed delete: out of every index, proven by a count, then out of the database, its job included."""
    await generations.refresh()
    for generation in generations.writable:
        await generation.index.remove(job.tenant, job.document_id)
        left = await generation.index.count_document(job.tenant, job.document_id)
        if left:
            raise RuntimeError(f"{left} passages of {job.document_id} are left in index {generation.id}")
    async with database.session() as session:
        # Contents and job go with the row.
        await session.execute(
            delete(DocumentRow).where(DocumentRow.tenant == job.tenant, DocumentRow.id == job.document_id)
        )


async def _upsert(session: AsyncSession, tenant: str, document_id: str, source: str) -> DocumentRow:
    row = await session.get(DocumentRow, (tenant, document_id), with_for_update=True)
    if row is None:
        row = DocumentRow(
            tenant=tenant, id=document_id, source=source, passages=0, revision=0, created_at=now(), updated_at=now()
        )
        session.add(row)
    elif row.status == DocumentStatus.DELETING.value:
        raise Conflict("this document is being deleted; add it again afterwards", param="source")
    return row


async def _live(session: AsyncSession, tenant: str, document_id: str) -> DocumentRow:
    row = await session.get(DocumentRow, (tenant, document_id), with_for_update=True)
    if row is None or row.status == DocumentStatus.DELETING.value:
        raise NotFound(f"no document {document_id}", param="document_id")
    return row


def _all(tenant: str) -> Select[DocumentRow, JobRow]:
    return (
        select(DocumentRow, JobRow)
        .outerjoin(JobRow, (JobRow.tenant == DocumentRow.tenant) & (JobRow.document_id == DocumentRow.id))
        .where(DocumentRow.tenant == tenant)
    )


def _title(text: ReadText, filename: str) -> str:
    return text.title or filename


def _document(row: DocumentRow, job: JobRow | None) -> Document:
    status = DocumentStatus(row.status)
    running = job is not None and job.status == JobStatus.RUNNING.value
    if running and status is DocumentStatus.QUEUED:
        status = DocumentStatus.INDEXING
    return Document(
        id=row.id,
        source=row.source,
        filename=row.filename,
        title=row.title,
        media_type=row.media_type,
        audience=Audience(row.audience),
        sha256=row.sha256,
        bytes=row.bytes,
        characters=row.characters,
        passages=row.passages,
        status=status,
        error=row.error,
        revision=row.revision,
        created_at=row.created_at,
        updated_at=row.updated_at,
        done=job.done if job is not None else 0,
        total=job.total if job is not None else 0,
    )
