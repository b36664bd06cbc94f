"""What engineers do with federations: declare, start, stop, look, and take the model out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

import numpy as np
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.federated.budget import cost_of, noise_of
from app.federated.rounds import forget_draws, open_round
from app.federated.tables import DeviceRow, FederationRow, RoundRow, State, found, locked, public_rows
from core.audit import Audit, Entry
from core.canonical import JSON
from core.database import Database, now
from core.errors import Conflict
from core.types import Principal
from tabular.federated.aggregate import latter
from tabular.federated.model import FederatedModel, packed, weights_of
from tabular.federated.plan import Plan
from tabular.federated.task import Task


@dataclass(frozen=True, slots=True)
class Declared:
    """What a federation is to be. `evaluation` are rows that anybody may have: models are measured on them."""

    name: str
    about: str
    task: Task
    plan: Plan
    evaluation: Sequence[Mapping[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Federation:
    """Where a federation stands. `spent` is the epsilon of all rounds that were opened, of `plan.epsilon`."""

    name: str
    about: str
    task: Task
    plan: Plan
    noise: float
    state: State
    round: int
    spent: float
    enrolled: int
    evaluated: int
    created_by: str
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    ended_why: str | None


@dataclass(frozen=True, slots=True)
class Round:
    """A round as it was held. `accuracy` is the model's on the public rows, where there are any."""

    number: int
    epsilon: float
    opened_at: datetime
    closes_at: datetime
    closed_at: datetime | None
    drawn: int
    answered: int | None
    accuracy: float | None


class Federations:
    """The federations of every tenant."""

    def __init__(self, database: Database, *, taken: Collection[str] = (), clock: Callable[[], datetime] = now) -> None:
        """`taken` are names that a federation may not have: its model is registered under its name."""
        self._database = database
        self._taken = frozenset(taken)
        self._audit = Audit(database)
        self._clock = clock

    async def create(self, by: Principal, declared: Declared) -> Federation:
        """Declare a federation; devices can enrol from now on.

        Raises `InvalidInput` for a budget that no round fits into and for public rows that are not of the task,
        `Conflict` for a name that is taken, `MissingExtra` without the accountant.
        """
        if declared.name in self._taken:
            raise Conflict(f"{declared.name} is the name of another model: give the federation its own", param="name")
        await asyncio.to_thread(declared.task.rows, declared.evaluation)
        noise = await noise_of(declared.plan)
        row = FederationRow(
            tenant=by.tenant,
            name=declared.name,
            about=declared.about,
            task=declared.task.model_dump(mode="json"),
            plan=declared.plan.model_dump(mode="json"),
            noise=noise,
            evaluation=[dict(each) for each in declared.evaluation] or None,
            evaluated=len(declared.evaluation),
            state=State.CREATED.value,
            round=0,
            spent=0.0,
            weights=packed([0.0] * declared.task.dimension),
            locked=0,
            created_by=by.key_id,
            created_at=self._clock(),
        )
        said: dict[str, JSON] = {"plan": declared.plan.model_dump(mode="json"), "noise": noise}
        try:
            async with self._database.session() as session:
                session.add(row)
                await session.flush()
                await self._record(session, by, "create", declared.name, said)
        except IntegrityError as problem:
            raise Conflict(f"there is a federation {declared.name} already", param="name") from problem
        return await self.get(by.tenant, declared.name)

    async def get(self, tenant: str, name: str) -> Federation:
        """One federation. Raises `NotFound`."""
        async with self._database.session() as session:
            return _federation(await found(session, tenant, name), await _enrolled(session, tenant, name))

    async def list(self, tenant: str) -> list[Federation]:
        """The tenant's federations, the latest first."""
        wanted = sa.select(FederationRow).where(FederationRow.tenant == tenant)
        async with self._database.session() as session:
            rows = (await session.scalars(wanted.order_by(FederationRow.created_at.desc(), FederationRow.name))).all()
            return [_federation(row, await _enrolled(session, tenant, row.name)) for row in rows]

    async def rounds(self, tenant: str, name: str) -> Sequence[Round]:
        """The federation's rounds in their order. Raises `NotFound`."""
        async with self._database.session() as session:
            await found(session, tenant, name)
            columns = (getattr(RoundRow, each.name) for each in fields(Round))
            wanted = sa.select(*columns).where(RoundRow.tenant == tenant, RoundRow.federation == name)
            rows = (await session.execute(wanted.order_by(RoundRow.number))).all()
        return [Round(*row) for row in rows]

    async def start(self, by: Principal, name: str) -> Federation:
        """Open the first round; started again, it is running already.

        Raises `NotFound`, `MissingExtra`, and `Conflict` for one that has ended, or that fewer devices have joined than
        its plan counts on: they would drown in noise that was measured for more.
        """
        async with self._database.session() as session:
            row = await found(session, by.tenant, name)
            _, plan = row.terms
        cost = await cost_of(plan, row.noise, 1)
        if cost is None:
            raise Conflict("the budget does not allow a single round", param="name")
        async with self._database.session() as session:
            row = await locked(session, by.tenant, name)
            if row.state == State.CREATED.value:
                enrolled = await _enrolled(session, by.tenant, name)
                if enrolled < plan.population:
                    raise Conflict(f"{enrolled} of {plan.population} devices have enrolled", param="plan.population")
                row.state, row.started_at = State.RUNNING.value, self._clock()
                await open_round(session, row, cost, row.started_at)
                await self._record(session, by, "start", name, {"enrolled": enrolled})
            elif row.state != State.RUNNING.value:
                raise Conflict(f"the federation {name} has ended", param="name")
        return await self.get(by.tenant, name)

    async def stop(self, by: Principal, name: str) -> Federation:
        """End the federation before its time: the open round's updates are forgotten, what it cost stays spent.

        One that has ended stays as it is. Raises `NotFound`.
        """
        async with self._database.session() as session:
            row = await locked(session, by.tenant, name)
            if row.state in (State.CREATED.value, State.RUNNING.value):
                await forget_draws(session, row)
                row.state, row.ended_at = State.STOPPED.value, self._clock()
                row.ended_why = "somebody stopped it"
                await self._record(session, by, "stop", name, {"round": row.round, "spent": row.spent})
        return await self.get(by.tenant, name)

    async def model(self, tenant: str, name: str) -> FederatedModel:
        """The model that came out. Raises `NotFound`, and `Conflict` while rounds are held, or when none was."""
        async with self._database.session() as session:
            row = await found(session, tenant, name)
            if row.state not in (State.DONE.value, State.STOPPED.value):
                raise Conflict(f"the federation {name} has not ended: its model is not published yet", param="name")
            ours = RoundRow.tenant == tenant, RoundRow.federation == name, RoundRow.weights.is_not(None)
            held = int(await session.scalar(sa.select(sa.func.count()).select_from(RoundRow).where(*ours)) or 0)
            wanted = sa.select(RoundRow.weights).where(*ours, RoundRow.number > latter(held))
            models = [weights_of(each) for each in await session.scalars(wanted) if each is not None]
        if not models:
            raise Conflict(f"the federation {name} was stopped before a round had ended", param="name")
        task, plan = row.terms
        weights = tuple(np.mean(models, axis=0).tolist())
        return FederatedModel(task=task, weights=weights, rounds=held, epsilon=row.spent, delta=plan.delta)

    async def evaluation(self, tenant: str, name: str) -> Sequence[Mapping[str, str]]:
        """The public rows that its models are measured on. Raises `NotFound`."""
        async with self._database.session() as session:
            return await public_rows(session, await found(session, tenant, name))

    async def _record(
        self, session: AsyncSession, by: Principal, action: str, name: str, said: Mapping[str, JSON]
    ) -> None:
        entry = Entry(by.key_id, f"federation.{action}", f"federation/{name}", said)
        await self._audit.append(by.tenant, entry, session)


async def _enrolled(session: AsyncSession, tenant: str, name: str) -> int:
    ours = DeviceRow.tenant == tenant, DeviceRow.federation == name
    return int(await session.scalar(sa.select(sa.func.count()).select_from(DeviceRow).where(*ours)) or 0)


def _federation(row: FederationRow, enrolled: int) -> Federation:
    task, plan = row.terms
    return Federation(
        row.name,
        row.about,
        task,
        plan,
        row.noise,
        State(row.state),
        row.round,
        row.spent,
        enrolled,
        row.evaluated,
        row.created_by,
        row.created_at,
        row.started_at,
        row.ended_at,
        row.ended_why,
    )
