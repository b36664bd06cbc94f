"""The worker that indexes documents in the background: reads, splits, embeds in batches, and writes the index.

Texts of many documents are embedded together, because a full batch costs less a text than a small one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from core.database import Database, now
from core.errors import WaysideError
from core.types import Audience, Passage
from retrieval.documents import forget
from retrieval.encode import combine, distinct_texts, passage_texts, unit_vectors
from retrieval.jobs import Job, Jobs, changed
from retrieval.migrate import Generation, Generations
from retrieval.passages import split
from retrieval.readers import ReadLimits, read
from retrieval.tables import ContentRow, DocumentRow, DocumentStatus, JobKind, JobStatus

if TYPE_CHECKING:
    from core.types import Vector

# A round takes documents until it has this many passages, so many documents at a time; texts are embedded in
# batches.
_ROUND, _BATCH, _CLAIM = 256, 64, 16
_ATTEMPTS = 3
_POLL = 1.0

_CONTENT_OF = (ContentRow.tenant == DocumentRow.tenant) & (ContentRow.document_id == DocumentRow.id)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """What the worker tells as it goes: `done` of `total` passages of one document."""

    tenant: str
    document_id: str
    done: int
    total: int


@dataclass(slots=True)
class _Work:
    """A claimed job with everything needed to do it. `waiting` are the texts not embedded yet."""

    job: Job
    audience: Audience
    passages: list[Passage]
    targets: Sequence[Generation]
    waiting: set[str] = field(default_factory=set)
    finished: bool = False


class Ingestion:
    """One worker. Make it, `start` it, `stop` it.

    `sole` says that no other process works on this database, so that jobs found running at the start are those
    of a process that was killed. `on_progress` is called after every batch.
    """

    def __init__(
        self,
        database: Database,
        jobs: Jobs,
        generations: Generations,
        *,
        limits: ReadLimits | None = None,
        sole: bool = True,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self._database = database
        self._jobs = jobs
        self._generations = generations
        self._limits = limits
        self._sole = sole
        self._on_progress = on_progress
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Begin to work, with what a killed process has left first."""
        if self._sole:
            await self._jobs.recover(everybody=True)
        self._tasks = [asyncio.create_task(self._work()), asyncio.create_task(self._renew())]

    async def stop(self) -> None:
        """End, and put unfinished jobs back. Raises what the worker died of, if it did."""
        for task in self._tasks:
            task.cancel()
        outcomes = await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._jobs.recover(everybody=False)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome

    async def wait_idle(self) -> None:
        """Return when no job is left and no move is under way. Raises what the worker died of, if it did."""
        while await self._jobs.unfinished() or self._generations.building is not None:
            for task in self._tasks:
                if task.done():
                    task.result()
            await asyncio.sleep(0.02)

    async def _renew(self) -> None:
        while not self._tasks[0].done():
            await asyncio.sleep(self._jobs.lease / 3)
            await self._jobs.renew()

    async def _work(self) -> None:
        while True:
            works = await self._gather()
            if works:
                await self._round(works)
            elif not await self._generations.advance():
                await self._jobs.wait(_POLL)

    async def _gather(self) -> list[_Work]:
        """Claim and prepare the jobs of a round; deletes are done on the way."""
        works: list[_Work] = []
        while sum(len(work.passages) for work in works) < _ROUND:
            jobs = await self._jobs.claim(_CLAIM)
            # Only after the claim: a move that begins later gives the jobs new ids.
            await self._generations.refresh()
            for job in jobs:
                if job.kind is JobKind.DELETE:
                    await self._outcome(job, forget(self._database, self._generations, job))
                else:
                    await self._outcome(job, self._prepare(job, works))
            if len(jobs) < _CLAIM:
                break
        return works

    async def _prepare(self, job: Job, works: list[_Work]) -> None:
        """Read and split the document, and add the work to `works`."""
        query = select(DocumentRow, ContentRow.content).join(ContentRow, _CONTENT_OF)
        async with self._database.session() as session:
            row, content = (await session.execute(query.where(_one(job)))).one()
        text = await read(content, row.filename, row.media_type, limits=self._limits)
        passages = await asyncio.to_thread(split, job.document_id, text)
        targets = self._generations.writable if job.kind is JobKind.INDEX else self._generations.writable[1:]
        works.append(_Work(job, Audience(row.audience), passages, targets))
        if len(passages) > _BATCH:
            await self._report(works[-1], 0)

    async def _round(self, works: Sequence[_Work]) -> None:
        """Index all together; if that fails, one by one, so that each document fails or succeeds for itself."""
        (result,) = await asyncio.gather(self._index(works), return_exceptions=True)
        if isinstance(result, Exception):
            for work in works:
                if not work.finished:
                    await self._outcome(work.job, self._index([work]))
        elif isinstance(result, BaseException):
            raise result

    async def _index(self, works: Sequence[_Work]) -> None:
        """Embed and write the round, generation by generation; each document as soon as its last text is done."""
        generations = {generation.id: generation for work in works for generation in work.targets}
        for generation in generations.values():
            todo = [work for work in works if generation in work.targets]
            for work in todo:
                work.waiting = {text for passage in work.passages for text in passage_texts(passage)}
            texts = distinct_texts(passage for work in todo for passage in work.passages)
            embedded: dict[str, Vector] = {}
            for first in range(0, len(texts), _BATCH):
                batch = texts[first : first + _BATCH]
                vectors = await generation.embeddings.aembed_documents(batch)
                embedded.update(zip(batch, unit_vectors(vectors), strict=True))
                todo = await self._store(generation, todo, embedded)
            await self._store(generation, todo, embedded)
        for work in works:
            if not work.targets:
                await self._finish(work)

    async def _store(self, generation: Generation, works: Sequence[_Work], embedded: dict[str, Vector]) -> list[_Work]:
        """Write the documents that are embedded whole, and return the others."""
        rest = []
        for work in works:
            touched = len(work.waiting)
            work.waiting -= embedded.keys()
            if work.waiting:
                rest.append(work)
                if len(work.waiting) < touched:
                    done = sum(not work.waiting.intersection(passage_texts(each)) for each in work.passages)
                    await self._report(work, done)
                continue
            indexed = [combine(passage, embedded) for passage in work.passages]
            await generation.index.replace(work.job.tenant, work.job.document_id, work.audience, indexed)
            if generation is work.targets[-1]:
                await self._finish(work)
        return rest

    async def _finish(self, work: _Work) -> None:
        job, total = work.job, len(work.passages)
        ready = {"status": DocumentStatus.READY.value, "error": None, "passages": total, "updated_at": now()}
        async with self._database.session() as session:
            await _lock(session, job)
            current = await self._jobs.finish(session, job, JobStatus.DONE, total=total)
            if current and job.kind is JobKind.INDEX:
                await changed(session, update(DocumentRow).where(_one(job)).values(ready))
        work.finished = True
        self._tell(work, total)

    async def _outcome(self, job: Job, doing: Awaitable[None]) -> None:
        """Await the work; what it raises is recorded against its job, and the worker goes on.

        What the document is to blame for is final. Anything else is logged, and tried three times in all.
        """
        (result,) = await asyncio.gather(doing, return_exceptions=True)
        if isinstance(result, WaysideError):
            await self._failed(job, result.message, final=True)
        elif isinstance(result, Exception):
            _log.error("indexing %s failed", job.document_id, exc_info=result)
            await self._failed(job, f"internal error: {type(result).__name__}", final=job.attempts + 1 >= _ATTEMPTS)
        elif isinstance(result, BaseException):
            raise result

    async def _failed(self, job: Job, reason: str, *, final: bool) -> None:
        failed = {"status": DocumentStatus.FAILED.value, "error": reason, "updated_at": now()}
        status = JobStatus.FAILED if final else JobStatus.QUEUED
        async with self._database.session() as session:
            await _lock(session, job)
            current = await self._jobs.finish(session, job, status, attempts=job.attempts + 1)
            if current and final and job.kind is not JobKind.DELETE:
                await changed(session, update(DocumentRow).where(_one(job)).values(failed))

    async def _report(self, work: _Work, done: int) -> None:
        await self._jobs.report(work.job, done, len(work.passages))
        self._tell(work, done)

    def _tell(self, work: _Work, done: int) -> None:
        if self._on_progress is not None:
            self._on_progress(Progress(work.job.tenant, work.job.document_id, done, len(work.passages)))


async def _lock(session: AsyncSession, job: Job) -> None:
    """Take the document's row before the job's, in the order of every other transaction; else two could deadlock."""
    await session.execute(select(DocumentRow.id).where(_one(job)).with_for_update())


def _one(job: Job) -> ColumnElement[bool]:
    return and_(DocumentRow.tenant == job.tenant, DocumentRow.id == job.document_id)
