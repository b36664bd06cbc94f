"""Brings what waited on the device to the server, over a network that may break at any byte.

An intent is the same one however often it is sent, so that whatever got lost, the request or its answer, is mended by
sending again. The device forgets nothing before it has heard an end.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from core.errors import GatewayUnreachable
from core.intents import MOST, Intent, Records, Settlement
from edge.outbox import Outbox

Given = TypeVar("Given")


class Wire(Protocol):
    """The server, as far away as it is. Both raise `GatewayUnreachable` when no whole answer came."""

    def settle(self, intents: Sequence[Intent]) -> list[Settlement]:
        """What became of the intents."""

    def records(self) -> Records:
        """The records to take along."""


@dataclass(frozen=True, slots=True)
class Synced:
    """What one synchronisation brought: news, in order. So many intents are `left` to be sent again."""

    news: tuple[Settlement, ...]
    left: int


def synchronise(
    outbox: Outbox,
    wire: Wire,
    *,
    patience: int = 5,
    pause: Callable[[float], None] = time.sleep,
) -> Synced:
    """Send what waits, hear what became of it, and fetch the records anew.

    Each request is tried `patience` times, a little later each time. Raises `GatewayUnreachable` after that: what was
    heard until then is kept, and the next call goes on from there.
    """
    news = list[Settlement]()
    waiting = outbox.unsettled()
    before = {each.intent.id: each.settlement for each in outbox.all()}
    for first in range(0, len(waiting), MOST):
        batch = waiting[first : first + MOST]
        settled = _insist(lambda batch=batch: wire.settle(batch), patience, pause)  # type: ignore[misc]
        known = {each.id for each in batch}
        heard = [each for each in settled if each.id in known]
        outbox.settle(heard)
        news += [each for each in heard if each != before.get(each.id)]
    outbox.keep(_insist(wire.records, patience, pause))
    return Synced(tuple(news), len(outbox.unsettled()))


def _insist(ask: Callable[[], Given], patience: int, pause: Callable[[float], None]) -> Given:
    for number in range(1, patience + 1):
        try:
            return ask()
        except GatewayUnreachable:
            if number == patience:
                raise
            pause(min(0.2 * 2**number, 5.0))
    raise AssertionError("patience is at least 1")
