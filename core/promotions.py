"""The promotion ledger: everything that was decided about models, as a chain of its own in the audit log.

Nothing in it can be changed or removed unnoticed (`core/audit.py`). It is no tenant's: models belong to the
installation as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import Audit, Entry, Recorded, Verification
from core.canonical import JSON
from core.database import Database
from core.gates import Finding
from core.versions import Alias, Decision

CHAIN = "wayside:models"
"""The ledger's chain in the audit log. No tenant is called that."""

ITSELF = "wayside"
"""Who rolls back a challenger when nobody had to."""

_PAGE = 500


class PromotionLedger:
    """Writes and reads the ledger."""

    def __init__(self, database: Database) -> None:
        self._audit = Audit(database)

    async def record(
        self,
        session: AsyncSession,
        by: str,
        action: str,
        model: str,
        alias: Alias | None = None,
        before: int | None = None,
        after: int | None = None,
        why: str = "",
        findings: Sequence[Finding] = (),
        more: Mapping[str, JSON] | None = None,
    ) -> None:
        """Record a decision in this transaction, last: the ledger waits until it ends. `more` is to be proven too."""
        # Whatever else the transaction has to write comes first.
        await session.flush()
        said: list[JSON] = [asdict(each) for each in findings]
        told: dict[str, JSON] = {"alias": alias, "from": before, "to": after, "why": why, "findings": said}
        await self._audit.append(CHAIN, Entry(by, f"model.{action}", _object(model), {**told, **(more or {})}), session)

    async def of(self, model: str) -> list[Decision]:
        """Everything that was decided about the model, oldest first."""
        entries: list[Recorded] = []
        while page := await self._audit.entries(
            CHAIN, of=_object(model), after=entries[-1].number if entries else 0, limit=_PAGE
        ):
            entries += page
        return [_decision(each) for each in entries]

    async def verify(self) -> Verification:
        """Check the ledger from its beginning to its end."""
        return await self._audit.verify(CHAIN)


def _object(model: str) -> str:
    return f"model/{model}"


def _decision(entry: Recorded) -> Decision:
    said: Any = entry.entry.payload
    return Decision(
        number=entry.number,
        at=entry.at,
        by=entry.entry.actor,
        action=entry.entry.action.removeprefix("model."),
        alias=said["alias"],
        before=said["from"],
        after=said["to"],
        why=said["why"],
        findings=tuple(Finding(**each) for each in said["findings"]),
        hash=entry.hash,
    )
