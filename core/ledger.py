"""The effect ledger: every tool call that changes the world takes effect once, whatever dies in between.

An effect is reserved (a row with an owner and a lease), executed, and finalised (its result, or its refusal, is
written for ever). Who finds it finalised gets that end again. Who finds it reserved by a living owner waits. Who
finds it reserved by a dead one takes it over and reads back at the destination before executing again; so does an
owner whose own request got no answer.

What that promises depends on the destination:

* Idempotent by key: once, always. A request too many gives the first result.
* Not idempotent, but readable: once, provided that three things hold.

  1. `outcome` shows an effect from the moment it has happened.
  2. A request takes effect within `settle` after its sender died or gave up on it, or never. The ledger executes
     again only when a read-back that began later than that found nothing.
  3. No owner freezes for longer than its lease in the instant between the check of the lease and the sending of
     the request, and the clocks of the machines that share the database agree to well within a lease. (An owner that
     is late or cut off from the database notices, and sends nothing.)

* Neither: at most once. `outcome` raises `OutcomeUnknown`, and so does `perform`, until a person has looked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from sqlalchemy.exc import SQLAlchemyError

from core.canonical import JSON
from core.database import Database, now
from core.effects import Destination, Effect, effect_key
from core.errors import InFlight, OutcomeUnknown, SystemUnavailable
from core.reservations import REFUSALS, Claim, Ended, Record, Reservations

__all__ = ["Destination", "Effect", "Ledger", "effect_key"]

LEASE = timedelta(seconds=30)
SETTLE = timedelta(seconds=5)
# Longer than a lease and the settling after it, so that one call outwaits a dead owner.
PATIENCE = timedelta(seconds=45)
# How often one call sends an effect that gets no answer.
EXECUTIONS = 3
NO_ANSWER = (TimeoutError, OSError, OutcomeUnknown)


class Ledger:
    """Carries out effects, once each.

    `lease` is how long a dead owner keeps others waiting, `settle` how long a request may take effect after its
    sender is gone, `patience` how long `perform` waits for another owner.
    """

    def __init__(
        self,
        database: Database,
        *,
        lease: timedelta = LEASE,
        settle: timedelta = SETTLE,
        patience: timedelta = PATIENCE,
    ) -> None:
        self._reservations = Reservations(database, lease)
        self._lease = lease.total_seconds()
        self._settle = settle
        self._patience = patience.total_seconds()

    async def knows(self, effect: Effect) -> bool:
        """Whether the effect has been begun, by anybody: then `perform` brings it to its end, or tells it."""
        return await self._reservations.knows(effect)

    async def perform(self, effect: Effect, destination: Destination, record: Record | None = None) -> JSON:
        """Return the effect's result, after carrying it out if nobody has; the same result for ever.

        `record` is called once an effect, in the transaction that writes its end.

        Raises the destination's refusal, the same one for ever; `InFlight` when another owner is still at it after
        `patience`; `OutcomeUnknown` when the destination gave no answer (a later call goes on from there);
        `KeyReused` when the key stands for another call; `SystemUnavailable` when the destination did not do it and
        may be asked again later, as if nobody had called. Whatever else the destination raises passes through, and
        is taken for no answer.
        """
        clock = asyncio.get_running_loop().time
        until, pauses = clock() + self._patience, _pauses()
        while True:
            asked = clock()
            claim = await self._reservations.claim(effect)
            if isinstance(claim, Claim):
                claim = await self._carry_out(effect, destination, claim, asked + self._lease, record)
            if claim is not None:
                return claim.result()
            if clock() >= until:
                raise InFlight(f"this call of {effect.tool} is still being carried out", code="effect_in_flight")
            await asyncio.sleep(next(pauses))

    async def _carry_out(
        self, effect: Effect, destination: Destination, claim: Claim, until: float, record: Record | None
    ) -> Ended | None:
        """Bring the claimed effect to its end; None when the lease was lost, and with it the right to."""
        end = None
        try:
            async with self._held(claim, until) as lease:
                end = await self._bring_about(effect, destination, claim.doubt, lease)
        except TimeoutError:
            if not lease.expired():
                raise
        except SystemUnavailable:
            # From `execute`, when no earlier request is in doubt any more: nothing has happened, so nothing is to read.
            await self._reservations.withdraw(claim)
            raise
        finally:
            if end is None:
                await self._reservations.release(claim)
        return end if end is not None and await self._reservations.end(claim, end, record) else None

    async def _bring_about(
        self, effect: Effect, destination: Destination, doubt: datetime | None, lease: asyncio.Timeout
    ) -> Ended:
        """Execute; while it is in doubt whether an earlier request took effect, read back first.

        `doubt` is the last moment at which such a request may have been sent, None when there was none.
        """
        unanswered: Exception | None = None
        for _ in range(EXECUTIONS):
            if doubt is not None and (found := await self._read_back(effect, destination, doubt)) is not None:
                return Ended.done(found)
            await _held_still(lease)
            try:
                return Ended.done(await destination.execute(effect))
            except (InFlight, *NO_ANSWER) as problem:
                doubt, unanswered = now(), problem
            except tuple(REFUSALS.values()) as refusal:
                # What refuses a repeated request may be the effect of the first.
                if doubt is not None and (found := await self._read_back(effect, destination, doubt)) is not None:
                    return Ended.done(found)
                return Ended.failed(refusal)
        assert doubt is not None, "without doubt it has returned"  # noqa: S101
        if (found := await self._read_back(effect, destination, doubt)) is not None:
            return Ended.done(found)
        raise OutcomeUnknown(f"{effect.tool} got no answer in {EXECUTIONS} attempts") from unanswered

    async def _read_back(self, effect: Effect, destination: Destination, doubt: datetime) -> JSON:
        """What the effect did, or None when nothing happened and nothing will.

        Raises `OutcomeUnknown` when the destination cannot say.
        """
        settled, pauses = doubt + self._settle, _pauses()
        while True:
            asked, problem = now(), None
            try:
                found = await destination.outcome(effect)
            except (TimeoutError, OSError, SystemUnavailable) as silence:
                found, problem = None, silence
            if found is not None:
                return found
            if asked >= settled:
                break
            await asyncio.sleep(min(next(pauses), max(0.0, (settled - now()).total_seconds())))
        if problem is not None:
            raise OutcomeUnknown(f"whether {effect.tool} took effect cannot be read back") from problem
        return None

    @asynccontextmanager
    async def _held(self, claim: Claim, until: float) -> AsyncIterator[asyncio.Timeout]:
        """Renew the lease while the block runs, and interrupt the block with `TimeoutError` when it runs out."""
        clock = asyncio.get_running_loop().time

        async def renew() -> None:
            while True:
                await asyncio.sleep(self._lease / 3)
                asked = clock()
                try:
                    kept = await self._reservations.renew(claim)
                except (SQLAlchemyError, OSError):
                    continue  # The database may come back before the lease has run out.
                if lease.expired():
                    return
                lease.reschedule(asked + self._lease if kept else clock())

        async with asyncio.timeout_at(until) as lease:
            renewal = asyncio.create_task(renew())
            try:
                yield lease
            finally:
                renewal.cancel()
                await asyncio.wait({renewal})


async def _held_still(lease: asyncio.Timeout) -> None:
    """Return at once while the lease holds. Past it, wait for the interruption, which is due, or for a renewal."""
    clock = asyncio.get_running_loop().time
    while (ends := lease.when()) is not None and ends <= clock():  # noqa: ASYNC110  (a timeout has no event)
        await asyncio.sleep(0)


def _pauses() -> Iterator[float]:
    """Seconds between two looks: soon at first, then twice a second."""
    pause = 0.02
    while True:
        yield pause
        pause = min(2 * pause, 0.5)
