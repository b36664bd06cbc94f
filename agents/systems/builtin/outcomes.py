"""Acts that happen once: each writes its outcome in the transaction of its change."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from pydantic import TypeAdapter
from pydantic_core import to_jsonable_python
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from agents.systems.rules.words import check_action, check_key
from agents.systems.tables import OutcomeRecord, SequenceRecord
from core.database import Database, now
from core.errors import KeyReused

Result = TypeVar("Result")


class Outcomes(Generic[Result]):
    """The outcomes of one system's acts, by key; `kind` is the type of what they return."""

    def __init__(self, database: Database, system: str, kind: type[Result]) -> None:
        self._database = database
        self._system = system
        self._json: TypeAdapter[Result] = TypeAdapter(kind)

    async def once(
        self, tenant: str, key: str, action: Any, change: Callable[[AsyncSession], Awaitable[Result]]
    ) -> Result:
        """Return what `change` returns, or what it returned when the key was used first.

        The key is written before anything else: on PostgreSQL a second act with it waits there for the first to
        end, and on SQLite it is what takes the lock for writing, so that nothing read afterwards is stale.
        """
        check_key(key)
        check_action(action)
        mark = fingerprint(action)
        row = {"tenant": tenant, "system": self._system, "key": key, "fingerprint": mark, "at": now()}
        claim = _insert(self._database)(OutcomeRecord).values(row).on_conflict_do_nothing()
        async with self._database.session() as session:
            if await session.scalar(claim.returning(OutcomeRecord.key)) is None:
                found = await session.get_one(OutcomeRecord, (tenant, self._system, key))
                if found.fingerprint != mark:
                    raise KeyReused("this key was used for another action", param="key")
                return self._json.validate_python(found.result)
            result = await change(session)
            stored = self._json.dump_python(result, mode="json")
            at = (OutcomeRecord.tenant == tenant, OutcomeRecord.system == self._system, OutcomeRecord.key == key)
            await session.execute(update(OutcomeRecord).where(*at).values(result=stored))
        return result

    async def find(self, tenant: str, key: str) -> Result | None:
        """What the act with this key returned, if there was one."""
        check_key(key)
        async with self._database.session() as session:
            found = await session.get(OutcomeRecord, (tenant, self._system, key))
        return None if found is None else self._json.validate_python(found.result)


def fingerprint(action: Any) -> str:
    """SHA-256 of an action's name and fields: equal for equal actions, in every process."""
    content = json.dumps([type(action).__name__, to_jsonable_python(action)], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()


async def next_id(
    database: Database, session: AsyncSession, tenant: str, prefix: str, ids: InstrumentedAttribute[str]
) -> str:
    """The next id with this prefix, such as `TCK-00032`; others wait for its number until the transaction ends.

    The first continues after the highest number in `ids`, the column where records that came by import have theirs.
    """
    ours = (SequenceRecord.tenant == tenant, SequenceRecord.prefix == prefix)
    step = update(SequenceRecord).where(*ours).values(last=SequenceRecord.last + 1).returning(SequenceRecord.last)
    number = await session.scalar(step)
    if number is None:
        known = await session.scalars(select(ids).where(ids.class_.tenant == tenant))
        numbers = [int(found[1]) for name in known if (found := re.fullmatch(rf"{prefix}-([0-9]+)", name))]
        begin = _insert(database)(SequenceRecord).values(tenant=tenant, prefix=prefix, last=max(numbers, default=0) + 1)
        # Whoever came first in the meantime has begun at the same number.
        follow = begin.on_conflict_do_update(
            index_elements=["tenant", "prefix"], set_={"last": SequenceRecord.last + 1}
        )
        number = await session.scalar(follow.returning(SequenceRecord.last))
    return f"{prefix}-{number:05}"


def _insert(database: Database) -> Any:
    """The `INSERT` that knows `ON CONFLICT`, which both databases have and SQLAlchemy's general one has not."""
    return postgresql.insert if database.engine.dialect.name == "postgresql" else sqlite.insert
