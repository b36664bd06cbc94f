"""What customers do about recommendations: into the event log, each thing once, with the chance it was shown by."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.database import Database, now
from tabular.eventlog import EventLog
from tabular.events import Event
from tabular.recommend.evaluation import Round
from tabular.recommend.records import REACTIONS, Reacted, Reaction, reacted, reaction_event
from tabular.recommend.slates import Slates

MOST = 20_000
"""The latest slates that an evaluation looks at."""


@dataclass(frozen=True, slots=True)
class Told:
    """A reaction as the log has it; `at` is when it was told first, in milliseconds since 1970."""

    item: str
    reaction: Reaction
    at: int


class Reactions:
    """Takes reactions, and gives the rounds that policies are judged by."""

    def __init__(self, database: Database, slates: Slates, *, clock: Callable[[], datetime] = now) -> None:
        self._database = database
        self._log = EventLog(database)
        self._slates = slates
        self._clock = clock

    async def take(
        self, tenant: str, slate_id: str, told: Sequence[tuple[str, Reaction]], customer: str | None = None
    ) -> list[Told]:
        """Append what the log does not have; every reaction as it then has it, in their order.

        With a `customer`, only a slate of theirs is found. Raises `NotFound` for another slate, and for an item that
        it does not have; then nothing is appended.
        """
        slate = await self._slates.get(tenant, slate_id, customer)
        moment = int(self._clock().timestamp() * 1000)
        events: dict[tuple[str, str], Event] = {}
        for item, reaction in told:
            position = slate.position(item)
            place = slate.places[position - 1]
            one = Reacted(slate.id, slate.customer, item, position, place.propensity, reaction)
            event = reaction_event(one, moment)
            events[event.kind, event.id] = event
        async with self._database.session() as session:
            last = await self._log.lock(session, tenant)
            known: dict[tuple[str, str], Event] = {}
            for kind in {kind for kind, _ in events}:
                ids = [each for of, each in events if of == kind]
                there = await self._log.known(session, tenant, kind, ids)
                known |= {(kind, each): event for each, event in there.items()}
            await self._log.append(session, tenant, last, [event for key, event in events.items() if key not in known])
        standing = {**events, **known}
        return [_told(standing[reaction.kind, f"{slate.id}/{item}"]) for item, reaction in told]

    async def rounds(self, tenant: str, reward: Reaction, days: int) -> list[Round]:
        """The places that were filled by chance in the last days, and seen: with 1 where the `reward` came, else 0.

        A customer who clicked, bought or dismissed has seen, whether that was told or not.
        """
        since = self._clock() - timedelta(days=days)
        done: defaultdict[tuple[str, str], set[Reaction]] = defaultdict(set)
        async for entry in self._log.read(tenant, tuple(REACTIONS), known_from=int(since.timestamp() * 1000)):
            one = reacted(entry.event)
            done[one.slate, one.item].add(one.reaction)
        found = []
        async for slate in self._slates.drawn(tenant, since, MOST):
            if slate.slot is None:
                continue
            shown = slate.places[slate.slot.position - 1].item
            if reactions := done.get((slate.id, shown)):
                found.append(Round(slate.customer, slate.slot, shown, float(reward in reactions)))
        return found


def _told(event: Event) -> Told:
    one = reacted(event)
    return Told(one.item, one.reaction, event.at)
