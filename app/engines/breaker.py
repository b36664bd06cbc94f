"""A circuit breaker: an engine that keeps failing is left alone for a while.

Closed, it lets everything through and counts failures in a row. Open, it refuses at once. After `seconds` it is
half open: one trial goes through, and decides. (M. Nygard, "Release It!", Pragmatic Bookshelf.)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum

from core.errors import EngineRejected, EngineTimeout, EngineUnavailable

FAILURES = (EngineUnavailable, EngineTimeout)


class State(StrEnum):
    """What the breaker does with the next attempt."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class CircuitBreaker:
    """Guards one engine, within one event loop. `clock` is a monotonic time in seconds."""

    def __init__(self, failures: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = failures
        self._seconds = seconds
        self._clock = clock
        self._failed = 0
        self._opened: float | None = None
        self._trying = False

    @property
    def state(self) -> State:
        """The state now."""
        if self._opened is None:
            return State.CLOSED
        return State.OPEN if self._clock() - self._opened < self._seconds else State.HALF_OPEN

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Guard one attempt. Raises `EngineUnavailable`, without making it, when the circuit is open.

        `EngineUnavailable` and `EngineTimeout` count as failures. An answer, or `EngineRejected`, shows that the
        engine lives. Anything else, such as a cancellation, shows nothing.
        """
        state = self.state
        if state is State.OPEN or (state is State.HALF_OPEN and self._trying):
            raise EngineUnavailable("the circuit breaker is open: the engine failed too often just now")
        self._trying = state is State.HALF_OPEN
        try:
            yield
        except FAILURES:
            self.fail()
            raise
        except EngineRejected:
            self._close()
            raise
        else:
            self._close()
        finally:
            self._trying = False

    def fail(self) -> None:
        """Count a failure that happened outside an attempt, such as a stream that broke off."""
        self._failed += 1
        if self._opened is not None or self._failed >= self._limit:
            self._opened = self._clock()

    def _close(self) -> None:
        self._failed, self._opened = 0, None
