"""The model registry: versions that never change, and promotion that must be earned.

A version's files are kept before its row is written, so that whoever sees the row finds the files; a process that dies
in between leaves files that nobody refers to, and registering again uses them. What is decided about versions goes
into the promotion ledger by the transaction that changes where the model stands.

A challenger is promoted when no gating metric is worse than the champion's (`core/gates.py`) and it was not rolled
back. There is no way round that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from core.admitting import check_candidate, check_plan, check_why
from core.audit import Verification
from core.canonical import JSON
from core.database import Database, now
from core.errors import Conflict, NotFound, PromotionRefused
from core.gates import Finding, judge
from core.mirror import Mirror, NullMirror
from core.promotions import PromotionLedger
from core.registry_tables import ModelRow, VersionRow, version_row, write_metrics
from core.shelf import Shelf
from core.versions import Alias, Artefact, Candidate, Decision, Plan, Standing, Version, fingerprint


class Registry:
    """The models of an installation: their rows in the database, their files in the workspace.

    `mirror` is shown every change.
    """

    def __init__(self, database: Database, shelf: Shelf, mirror: Mirror | None = None) -> None:
        self._database = database
        self._shelf = shelf
        self._mirror = mirror or NullMirror()
        self._ledger = PromotionLedger(database)

    @classmethod
    def of(cls, database: Database, workspace: Path, mirror: Mirror | None = None) -> Registry:
        """The registry of a workspace."""
        return cls(database, Shelf(workspace / "models"), mirror)

    async def register(self, candidate: Candidate, by: str) -> Version:
        """Keep the candidate as the model's next version.

        The same bytes and lineage again are the same version, with the metrics and the card that it has had from the
        beginning. Raises `InvalidInput` for what is wrong with the candidate, and `Conflict` when the model is of
        another kind.
        """
        check_candidate(candidate)
        files = await asyncio.to_thread(self._shelf.keep, candidate.files)
        made = await self._add(candidate, files, by)
        await self.show(made.model)
        return made

    async def models(self) -> list[Standing]:
        """Where every model stands, by name."""
        async with self._database.session() as session:
            rows = await session.scalars(select(ModelRow).order_by(ModelRow.name))
            return [row.standing() for row in rows]

    async def standing(self, model: str) -> Standing:
        """Where the model stands. Raises `NotFound`."""
        async with self._database.session() as session:
            row = await session.get(ModelRow, model)
        if row is None:
            raise _unknown(model)
        return row.standing()

    async def versions(self, model: str) -> list[Version]:
        """The model's versions, the latest first. Raises `NotFound` when there is no such model."""
        query = select(VersionRow).where(VersionRow.model == model).order_by(VersionRow.number.desc())
        async with self._database.session() as session:
            found = [row.version() for row in await session.scalars(query)]
        if not found:
            raise _unknown(model)
        return found

    async def version(self, model: str, number: int) -> Version:
        """One version. Raises `NotFound`."""
        async with self._database.session() as session:
            return await _version(session, model, number)

    async def files(self, version: Version) -> dict[str, Path]:
        """The version's files by name, verified. Raises `NotFound` and `CorruptArtefact`, as `Shelf.path` does."""
        return {each.name: await asyncio.to_thread(self._shelf.path, each) for each in version.files}

    async def challenge(self, model: str, number: int, plan: Plan, by: str, why: str) -> Standing:
        """Try the version on live traffic, in place of an earlier challenger.

        Raises `NotFound`, `CorruptArtefact`, `InvalidInput` for a plan by which nothing could be compared, and
        `Conflict` for the champion.
        """
        check_plan(plan)
        check_why(why)
        await self.files(await self.version(model, number))
        async with self._database.session() as session:
            row = await _locked(session, model)
            if row.champions and row.champions[-1] == number:
                raise Conflict(f"{model} {number} is the champion already", param="version")
            before, row.challenger = row.challenger, number
            row.mode, row.percent, row.since = plan.mode.value, plan.percent, now()
            row.barred = [each for each in row.barred if each != number]
            tried: dict[str, JSON] = {"plan": {"mode": plan.mode.value, "percent": plan.percent}}
            await self._ledger.record(
                session, by, "challenge", model, Alias.CHALLENGER, before, number, why, more=tried
            )
        return await self.show(model)

    async def promote(self, model: str, number: int, by: str, why: str, *, against: int | None = None) -> list[Finding]:
        """Make the version the champion, and return what the gate found.

        With `against`, the champion must still be that version (0: none). Raises `PromotionRefused`, with the findings
        in words and in the ledger, `Conflict` when it is the champion already or another one than `against` is,
        `NotFound`, and `CorruptArtefact`.
        """
        check_why(why)
        await self.files(await self.version(model, number))
        try:
            found = await self._promote(model, number, by, why, against)
        except PromotionRefused as refused:
            # By itself, since the transaction of the promotion is undone.
            async with self._database.session() as session:
                await self._ledger.record(
                    session, by, "refuse", model, Alias.CHAMPION, None, number, why, refused.findings
                )
            raise
        await self.show(model)
        return found

    async def rollback(
        self,
        model: str,
        alias: Alias,
        by: str,
        why: str,
        *,
        number: int | None = None,
        findings: Sequence[Finding] = (),
    ) -> Standing:
        """Take the version out of its part: the challenger's trial ends, or the champion before it is back in force.

        Behind the first champion comes none: the base model answers. With `number`, it must still be that version.
        It is not promoted again before it has been tried again. Raises `NotFound`, and `Conflict` when nobody has
        the part, or another version.
        """
        check_why(why)
        async with self._database.session() as session:
            row = await _locked(session, model)
            standing = row.standing()
            held = standing.champion if alias is Alias.CHAMPION else standing.challenger
            if held is None or number not in (None, held):
                told = f"the {alias.value} is version {held}" if held else f"there is no {alias.value}"
                raise Conflict(f"{model}: {told}, so there is nothing to roll back", param="alias")
            after = None
            if alias is Alias.CHAMPION:
                row.champions = row.champions[:-1]
                after = row.champions[-1] if row.champions else None
            else:
                _untry(row)
            row.since = now()
            row.barred = sorted({*row.barred, held})
            await self._ledger.record(session, by, "rollback", model, alias, held, after, why, findings)
        return await self.show(model)

    async def history(self, model: str) -> list[Decision]:
        """Everything that was decided about the model, oldest first. Raises `NotFound`."""
        await self.standing(model)
        return await self._ledger.of(model)

    async def verify(self) -> Verification:
        """Check the promotion ledger from its beginning to its end."""
        return await self._ledger.verify()

    async def show(self, model: str) -> Standing:
        """Show the mirror where the model stands now, and return that. Raises `NotFound`."""
        standing = await self.standing(model)
        await self._mirror.show(standing, await self.versions(model))
        return standing

    async def _add(self, candidate: Candidate, files: tuple[Artefact, ...], by: str) -> Version:
        mark = fingerprint(candidate.kind, files, candidate.lineage)
        async with self._database.session() as session:
            await self._begin(session, candidate)
            row = await _locked(session, candidate.model)
            if row.kind != candidate.kind.value:
                told = f"{row.name} is of kind {row.kind}, not {candidate.kind.value}: give the new one another name"
                raise Conflict(told, param="kind")
            known = select(VersionRow).where(VersionRow.model == row.name, VersionRow.fingerprint == mark)
            if (seen := await session.scalar(known)) is not None:
                return seen.version()
            row.versions += 1
            made = version_row(candidate, row.versions, files, mark, by, now())
            session.add(made)
            metrics: Any = write_metrics(candidate.metrics)
            held: dict[str, JSON] = {"fingerprint": mark, "files": [asdict(each) for each in files], "metrics": metrics}
            await self._ledger.record(session, by, "register", row.name, after=row.versions, more=held)
            return made.version()

    async def _promote(self, model: str, number: int, by: str, why: str, against: int | None) -> list[Finding]:
        async with self._database.session() as session:
            row = await _locked(session, model)
            champion = row.champions[-1] if row.champions else None
            if against is not None and against != (champion or 0):
                told = "no champion" if champion is None else f"champion {champion}"
                raise Conflict(f"{model} has {told} by now, not {against or 'none'}", param="champion")
            found = await _judged(session, row, number)
            row.champions = [*row.champions, number]
            if row.challenger == number:
                _untry(row)
            row.since = now()
            await self._ledger.record(session, by, "promote", model, Alias.CHAMPION, champion, number, why, found)
            return found

    async def _begin(self, session: AsyncSession, candidate: Candidate) -> None:
        """Make the model's row, if this is its first version. Writing first takes the lock on SQLite."""
        insert = postgresql.insert if self._database.engine.dialect.name == "postgresql" else sqlite.insert
        row: dict[str, Any] = {
            "name": candidate.model,
            "kind": candidate.kind.value,
            "versions": 0,
            "champions": [],
            "percent": 0,
            "since": now(),
            "barred": [],
            "changes": 0,
        }
        await session.execute(insert(ModelRow).values(row).on_conflict_do_nothing())


async def _locked(session: AsyncSession, model: str) -> ModelRow:
    """The model's row, which is this transaction's until it ends."""
    ours = update(ModelRow).where(ModelRow.name == model).values(changes=ModelRow.changes + 1)
    row: ModelRow | None = await session.scalar(ours.returning(ModelRow))
    if row is None:
        raise _unknown(model)
    return row


def _untry(row: ModelRow) -> None:
    row.challenger = row.mode = None
    row.percent = 0


async def _version(session: AsyncSession, model: str, number: int) -> Version:
    row = await session.get(VersionRow, (model, number))
    if row is None:
        raise NotFound(f"There is no version {number} of a model {model!r}.", param="version")
    return row.version()


async def _judged(session: AsyncSession, row: ModelRow, number: int) -> list[Finding]:
    """What the gate finds. Raises `PromotionRefused` when it stands in the way."""
    challenger = await _version(session, row.name, number)
    champion = await _version(session, row.name, row.champions[-1]) if row.champions else None
    if champion is not None and champion.number == number:
        raise Conflict(f"{row.name} {number} is the champion already", param="version")
    found = judge(challenger.metrics, champion.metrics if champion else None)
    if number in row.barred:
        told = f"version {number} was rolled back, and has not been tried again since"
        found.insert(0, Finding("", True, told))
    if any(each.refuses for each in found):
        raise PromotionRefused(f"{row.name} {number}", found)
    return found


def _unknown(model: str) -> NotFound:
    return NotFound(f"There is no registered model {model!r}.", param="model", code="model_not_found")
