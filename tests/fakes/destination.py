"""A destination in memory that counts what happened, and loses requests and answers when told to."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable
from enum import Enum, auto

from core.canonical import JSON
from core.effects import Effect


class Fate(Enum):
    """What becomes of a request."""

    ANSWERED = auto()
    ANSWER_LOST = auto()  # it happens, and the sender never hears of it
    REQUEST_LOST = auto()  # it never happens
    LATE = auto()  # it happens after the sender gave up: `late` seconds later, or when the test says `arrive`


class MemoryDestination:
    """Each request meets the next of `fates`, or is raised the error that stands there; later ones are answered.

    When `idempotent`, an effect happens once a key. The first questions meet the errors in `unreadable`.
    """

    def __init__(
        self,
        *fates: Fate | Exception,
        idempotent: bool = False,
        unreadable: Iterable[Exception] = (),
        delay: float = 0.0,
        late: float | None = None,
    ) -> None:
        self._fates = deque(fates)
        self._idempotent = idempotent
        self._unreadable = deque(unreadable)
        self._delay = delay
        self._late = late
        self._results: dict[tuple[str, str], JSON] = {}
        self._arrival = asyncio.Event()
        self._pending: set[asyncio.Task[None]] = set()
        self.happened: Counter[tuple[str, str]] = Counter()
        self.requests = 0
        self.questions = 0

    async def execute(self, effect: Effect) -> JSON:
        self.requests += 1
        fate = self._fates.popleft() if self._fates else Fate.ANSWERED
        if isinstance(fate, Exception):
            raise fate
        await asyncio.sleep(self._delay)
        if fate is Fate.LATE:
            self._pending.add(asyncio.create_task(self._later(effect)))
        elif fate is not Fate.REQUEST_LOST:
            self.happen(effect)
        if fate is not Fate.ANSWERED:
            raise TimeoutError("no answer")
        return self._results[effect.tenant, effect.key]

    async def outcome(self, effect: Effect) -> JSON:
        self.questions += 1
        if self._unreadable:
            raise self._unreadable.popleft()
        await asyncio.sleep(0)
        return self._results.get((effect.tenant, effect.key))

    async def arrive(self) -> None:
        """Let every late request take effect that has not yet."""
        self._arrival.set()
        await asyncio.gather(*self._pending)

    def happen(self, effect: Effect) -> None:
        """Let the effect take place."""
        name = (effect.tenant, effect.key)
        if self._idempotent and name in self._results:
            return
        self.happened[name] += 1
        self._results.setdefault(name, {"number": self.happened.total(), "of": effect.tenant})

    async def _later(self, effect: Effect) -> None:
        await (self._arrival.wait() if self._late is None else asyncio.sleep(self._late))
        self.happen(effect)
