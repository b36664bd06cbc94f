"""Settles what devices send: each intent once, by today's records, today's policy and today's people.

::

    received ─ expired? ─ record changed? ─┬─ asked: the person agrees to what it is now, or lets it be
                                           └─ performing ─ Hands.perform ─ applied · merged · waiting · rejected

The row says `performing` before anything is done. Whoever finds it so asks the ledger, which tells the first effect
again, and never weighs a record that the intent itself has changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from agents import telling
from agents.conversation import Call
from agents.hands import Done, Hands, Replied, Waiting
from agents.intents import OFFLINE, Already, Ask, Offline, weigh
from agents.tools.tool import Caller, Subject
from core.database import Base, Database, UtcDateTime, now
from core.errors import Conflict, Forbidden, InvalidInput, NotFound, SystemFault, WaysideError
from core.intents import FINAL, LONGEST, Intent, Records, Settlement, State, version
from core.types import Principal

_RECEIVED, _PERFORMING, _ENDED = "received", "performing", "ended"
_REFUSALS = (NotFound, Conflict, InvalidInput, Forbidden)
_AHEAD = timedelta(minutes=10)
_MONEY = "It moves money, so it waits for your word: as of now, {state}. Shall it be done?"
_CHANGED = "{order} has changed since you asked: {state}. Shall it still be done?"
_UNSEEN = "It is not known what you saw of {order}: {state}. Shall it be done?"


class IntentRow(Base):
    """An intent as it came in. The columns from `state` on change, those before never do."""

    __tablename__ = "intents"

    tenant: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    tool: Mapped[str]
    fingerprint: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(UtcDateTime)
    state: Mapped[str]
    merged: Mapped[bool]
    settlement: Mapped[Any | None] = mapped_column(sa.JSON(none_as_null=True))


class Reconciling:
    """Settles intents for whoever sends them, and gives the records that a device takes along."""

    def __init__(self, database: Database, hands: Hands) -> None:
        self._database = database
        self._hands = hands

    async def settle(self, principal: Principal, intents: Sequence[Intent]) -> list[Settlement]:
        """Settle each, in the order of their ids, which is that in which they were made; answers come in it too."""
        return [await self._one(principal, each) for each in sorted(intents, key=lambda each: each.id.int)]

    async def records(self, principal: Principal) -> Records:
        """The orders of the customer that the key acts for; none for a key that acts for nobody."""
        caller, found = Caller(principal), list[dict[str, Any]]()
        if principal.customer_id is not None:
            asked = {"customer_id": principal.customer_id}
            found = [dict(each) for each in await self._hands.read(caller, "list_orders", asked)]  # type: ignore[union-attr,arg-type]
        return Records(as_of=now(), orders=found, versions={each["id"]: version(each) for each in found})

    async def _one(self, principal: Principal, intent: Intent) -> Settlement:
        rule = OFFLINE.get(intent.tool)
        try:
            if rule is None or intent.tool not in self._hands.tools(principal):
                raise Forbidden(f"{intent.tool} cannot be asked for without a network", code="not_offline")
            caller = Caller(principal, _subject(intent))
            _plausible(intent)
            row = await self._receive(principal, intent)
        except _REFUSALS as refusal:
            return _refused(intent, refusal)
        try:
            return await self._brought(caller, intent, rule, row)
        except _REFUSALS as refusal:
            return await self._end(principal, intent, _refused(intent, refusal))
        except SystemFault:
            text = "Our records cannot be reached at the moment; it is tried again."
            return Settlement(id=intent.id, state=State.LATER, text=text, code="system_unavailable")

    async def _brought(self, caller: Caller, intent: Intent, rule: Offline, row: IntentRow) -> Settlement:
        principal = caller.principal
        if row.state == _RECEIVED:
            asked = await self._weighed(caller, intent, rule)
            if isinstance(asked, Settlement) and asked.state in FINAL:
                return await self._end(principal, intent, asked, before=_RECEIVED)
            if isinstance(asked, bool):
                await self._begin(principal, intent, merged=asked)
            row = await self._find(principal, intent)
            if isinstance(asked, Settlement) and row.state == _RECEIVED:
                return asked
        if row.state == _ENDED:
            return Settlement.model_validate(row.settlement)
        call = Call(step=0, index=0, tool=intent.tool, arguments=intent.arguments, subject=intent.subject)
        outcome = await self._hands.perform(caller, f"intent/{intent.id}", call)
        if isinstance(outcome, Waiting):
            text = telling.undone(call, outcome)
            return Settlement(id=intent.id, state=State.WAITING, text=text, approval=outcome.approval)
        if isinstance(outcome, Done):
            state = State.MERGED if row.merged or outcome.edited else State.APPLIED
            text = telling.effect(intent.tool, outcome.result, outcome.arguments)
            done = Settlement(
                id=intent.id, state=state, text=text, result=outcome.result, arguments=dict(outcome.arguments)
            )
            return await self._end(principal, intent, done)
        code = "answered" if isinstance(outcome, Replied) else "turned_down"
        text = telling.undone(call, outcome)
        return await self._end(principal, intent, Settlement(id=intent.id, state=State.REJECTED, text=text, code=code))

    async def _weighed(self, caller: Caller, intent: Intent, rule: Offline) -> Settlement | bool:
        """What to say in place of doing it; or that it may be done, and whether beside other changes."""
        if now() >= intent.expires:
            text = f"It was asked for until {intent.expires:%d %B %Y, %H:%M} UTC, and that is over."
            return Settlement(id=intent.id, state=State.REJECTED, text=text, code="expired")
        if rule.record is None:
            return False
        order = {"order_id": str(intent.arguments.get(rule.record, ""))}
        record: Any = await self._hands.read(caller, "lookup_order", order)
        weighed = weigh(rule, intent, record)
        state = telling.order_status(telling.order_of(record)).removesuffix(".")
        if isinstance(weighed, Already):
            text = f"Nothing was left to do: {state[:1].lower()}{state[1:]}."
            return Settlement(id=intent.id, state=State.MERGED, text=text, code="already", result=record)
        if not isinstance(weighed, Ask):
            return weighed.merged
        words = {"money": _MONEY, "changed": _CHANGED, "unseen": _UNSEEN}[weighed.code]
        text = words.format(order=record["id"], state=state[:1].lower() + state[1:])
        return Settlement(
            id=intent.id,
            state=State.NEEDS_USER,
            text=text,
            code=weighed.code,
            current=record,
            version=version(record),
        )

    async def _receive(self, principal: Principal, intent: Intent) -> IntentRow:
        """The intent's row, made when it is new. Raises `Conflict` when its id stands for something else."""
        insert = postgresql.insert if self._database.engine.dialect.name == "postgresql" else sqlite.insert
        values = {
            "tenant": principal.tenant,
            "owner": principal.owner,
            "id": str(intent.id),
            "tool": intent.tool,
            "fingerprint": intent.fingerprint,
            "received_at": now(),
            "state": _RECEIVED,
            "merged": False,
        }
        async with self._database.session() as session:
            await session.execute(insert(IntentRow).values(**values).on_conflict_do_nothing())
        row = await self._find(principal, intent)
        if row.fingerprint != intent.fingerprint:
            raise Conflict(f"{intent.id} stands for another call already", param="id", code="id_reused")
        return row

    async def _find(self, principal: Principal, intent: Intent) -> IntentRow:
        async with self._database.session() as session:
            return (await session.scalars(select(IntentRow).where(*_at(principal, intent)))).one()

    async def _begin(self, principal: Principal, intent: Intent, *, merged: bool) -> None:
        """Say that it is being done, unless somebody said so before."""
        values = update(IntentRow).where(*_at(principal, intent), IntentRow.state == _RECEIVED)
        async with self._database.session() as session:
            await session.execute(values.values(state=_PERFORMING, merged=merged))

    async def _end(
        self, principal: Principal, intent: Intent, end: Settlement, before: str | None = None
    ) -> Settlement:
        """Write the end down, unless there is one; returns the one that stands. `before`: only from that state."""
        states = (before,) if before else (_RECEIVED, _PERFORMING)
        values = update(IntentRow).where(*_at(principal, intent), IntentRow.state.in_(states))
        async with self._database.session() as session:
            await session.execute(values.values(state=_ENDED, settlement=end.model_dump(mode="json")))
        row = await self._find(principal, intent)
        if row.state == _ENDED:
            return Settlement.model_validate(row.settlement)
        # Another connection began to perform it meanwhile, which tells how it ends.
        return Settlement(id=intent.id, state=State.LATER, text="It is being done.", code="in_flight")


def _at(principal: Principal, intent: Intent) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        IntentRow.tenant == principal.tenant,
        IntentRow.owner == principal.owner,
        IntentRow.id == str(intent.id),
    )


def _subject(intent: Intent) -> Subject:
    unknown = intent.subject.keys() - {"customer_id", "order_id", "ticket_id"}
    if unknown:
        raise InvalidInput(f"a subject has no {', '.join(sorted(unknown))}", param="subject")
    return Subject(**intent.subject)


def _plausible(intent: Intent) -> None:
    """Raise `InvalidInput` for a clock that is far ahead, and for what would stand longer than it may."""
    if intent.made > now() + _AHEAD:
        raise InvalidInput("it was made in the future: the device's clock is wrong", param="made", code="clock")
    if not intent.made < intent.expires <= intent.made + LONGEST:
        raise InvalidInput(f"it must expire after it was made, and within {LONGEST.days} days", param="expires")


def _refused(intent: Intent, refusal: WaysideError) -> Settlement:
    return Settlement(id=intent.id, state=State.REJECTED, text=telling.refusal(refusal), code=refusal.code)
