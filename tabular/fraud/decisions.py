"""What was decided about transactions, with the features it rests on, and what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

import numpy as np
import sqlalchemy as sa
from sqlalchemy import BigInteger, Index, LargeBinary, String, Table, insert, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, Database, UtcDateTime
from core.errors import NotFound
from tabular.features import Floats
from tabular.fraud.costs import Band
from tabular.fraud.events import Transaction
from tabular.fraud.reasons import Reason
from tabular.fraud.scoring import Decision, Opinion


class Outcome(StrEnum):
    """What a transaction turned out to be."""

    FRAUD = "fraud"
    GENUINE = "genuine"


_WAITING = sa.text("outcome IS NULL AND band <> 'allow'")
"""What people may have to look at. Of those that passed hardly any outcome is ever told: they are not in the index."""


class DecisionRow(Base):
    """A decision. Only its outcome is ever written again. The columns `other_…` are of transactions during a trial."""

    __tablename__ = "fraud_decisions"
    __table_args__ = (
        Index("ix_fraud_decisions_band", "tenant", "band", "number"),
        Index("ix_fraud_decisions_at", "tenant", "at"),
        Index(
            "ix_fraud_decisions_trial",
            "decided_at",
            sqlite_where=sa.text("other_band IS NOT NULL"),
            postgresql_where=sa.text("other_band IS NOT NULL"),
        ),
        Index(
            "ix_fraud_decisions_queue",
            "tenant",
            "band",
            "number",
            sqlite_where=_WAITING,
            postgresql_where=_WAITING,
        ),
    )

    tenant: Mapped[str] = mapped_column(String(64), primary_key=True)
    transaction: Mapped[str] = mapped_column(String(128), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[int] = mapped_column(BigInteger)
    card: Mapped[str] = mapped_column(String(128))
    terminal: Mapped[str] = mapped_column(String(128))
    cents: Mapped[int] = mapped_column(BigInteger)
    band: Mapped[str] = mapped_column(String(16))
    probability: Mapped[float | None]
    reasons: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON)
    rules: Mapped[list[str]] = mapped_column(sa.JSON)
    vector: Mapped[bytes] = mapped_column(LargeBinary)
    features: Mapped[str] = mapped_column(String(32))
    model: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[datetime] = mapped_column(UtcDateTime)
    outcome: Mapped[str | None] = mapped_column(String(16))
    outcome_by: Mapped[str | None] = mapped_column(String(128))
    outcome_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    other_band: Mapped[str | None] = mapped_column(String(16))
    other_probability: Mapped[float | None]
    other_model: Mapped[str | None] = mapped_column(String(64))


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision as it stands: the transaction, what was decided, and what became of it."""

    transaction: Transaction
    decision: Decision
    number: int
    decided_at: datetime
    outcome: Outcome | None = None
    outcome_by: str | None = None
    outcome_at: datetime | None = None


_RECORD = insert(cast("Table", DecisionRow.__table__))


async def record(session: AsyncSession, tenant: str, decided: Sequence[Recorded]) -> None:
    """Write new decisions, in the caller's transaction."""
    if decided:
        await session.execute(_RECORD, [_columns(tenant, each) for each in decided])


async def recorded(session: AsyncSession, tenant: str, ids: Sequence[str]) -> dict[str, Recorded]:
    """Those of the transactions that were decided about."""
    wanted = select(DecisionRow).where(DecisionRow.tenant == tenant, DecisionRow.transaction.in_(ids))
    return {row.transaction: _recorded(row) for row in (await session.scalars(wanted)).all()}


async def decided_about(session: AsyncSession, tenant: str, ids: Sequence[str]) -> set[str]:
    """Which of the transactions were."""
    wanted = select(DecisionRow.transaction).where(DecisionRow.tenant == tenant, DecisionRow.transaction.in_(ids))
    return set(await session.scalars(wanted))


class Decisions:
    """Reads what was decided."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, tenant: str, transaction: str) -> Recorded:
        """One decision. Raises `NotFound`."""
        async with self._database.session() as session:
            found = await recorded(session, tenant, [transaction])
        if transaction not in found:
            raise NotFound(f"no decision about the transaction {transaction}", param="transaction_id")
        return found[transaction]

    async def list(
        self,
        tenant: str,
        *,
        band: Band | None = None,
        undecided: bool = False,
        limit: int = 20,
        before: int | None = None,
    ) -> list[Recorded]:
        """The latest first; `undecided` leaves those whose outcome is not known, `before` is a decision's number."""
        wanted = select(DecisionRow).where(DecisionRow.tenant == tenant)
        if undecided:
            wanted = wanted.where(DecisionRow.outcome.is_(None))
        if before is not None:
            wanted = wanted.where(DecisionRow.number < before)
        latest = wanted.order_by(DecisionRow.number.desc()).limit(limit)
        found: list[DecisionRow] = []
        async with self._database.session() as session:
            # The index has each band in order: all of them at once would be sorted from the first decision on.
            for each in Band if band is None else (band,):
                queue = latest.where(DecisionRow.band == each.value)
                if undecided and each is not Band.ALLOW:
                    # In letters, or no planner knows that the index on what waits is enough.
                    queue = queue.where(DecisionRow.band != sa.literal_column("'allow'"))
                found += await session.scalars(queue)
        found.sort(key=lambda row: row.number, reverse=True)
        return [_recorded(row) for row in found[:limit]]


def _columns(tenant: str, recorded: Recorded) -> dict[str, Any]:
    transaction, decision = recorded.transaction, recorded.decision
    return {
        "tenant": tenant,
        "transaction": transaction.id,
        "number": recorded.number,
        "at": transaction.at,
        "card": transaction.card,
        "terminal": transaction.terminal,
        "cents": transaction.cents,
        "band": decision.band.value,
        "probability": decision.probability,
        "reasons": [_told(each) for each in decision.reasons],
        "rules": list(decision.rules),
        "vector": decision.vector.astype("<f8").tobytes(),
        "features": decision.features,
        "model": decision.model,
        "decided_at": recorded.decided_at,
        "outcome": None,
        "outcome_by": None,
        "outcome_at": None,
        "other_band": None if decision.other is None else decision.other.band.value,
        "other_probability": None if decision.other is None else decision.other.probability,
        "other_model": None if decision.other is None else decision.other.model,
    }


def _told(reason: Reason) -> dict[str, Any]:
    # `dataclasses.asdict` copies deeply, which takes longer than the rest of the row.
    return {"feature": reason.feature, "value": reason.value, "weight": reason.weight, "text": reason.text}


def _recorded(row: DecisionRow) -> Recorded:
    vector: Floats = np.frombuffer(row.vector, dtype="<f8").astype(np.float64)
    reasons = tuple(Reason(**each) for each in row.reasons)
    decision = Decision(
        row.transaction,
        Band(row.band),
        row.probability,
        reasons,
        tuple(row.rules),
        vector,
        row.features,
        row.model,
        None if row.other_band is None else Opinion(Band(row.other_band), row.other_probability, row.other_model),
    )
    return Recorded(
        Transaction(row.transaction, row.at, row.card, row.terminal, row.cents),
        decision,
        row.number,
        row.decided_at,
        None if row.outcome is None else Outcome(row.outcome),
        row.outcome_by,
        row.outcome_at,
    )
