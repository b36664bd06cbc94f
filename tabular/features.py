"""The one way in which features come to be: a state that is folded over the log, and questions to it.

What is served and what is trained on come out of the same two functions, over the same events in the same order, so
they are equal to the last bit. Events come in the order in which they became *known* (their number in the log); what
they count for is when they *happened*. An event that arrives late therefore changes what is said from then on, and
nothing that was said before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Event = TypeVar("Event")
State = TypeVar("State")
EventIn = TypeVar("EventIn", contravariant=True)


class Features(Protocol, Generic[State, EventIn]):
    """A definition of features: changing any of them takes another `version`, which models are bound to."""

    @property
    def version(self) -> str:
        """Names this definition; a model refuses features of another one."""

    @property
    def names(self) -> tuple[str, ...]:
        """What each place of the vector means."""

    def start(self) -> State:
        """The state before the first event."""

    def update(self, state: State, event: EventIn) -> None:
        """Take in an event. The state after it depends on the one before and the event, and on nothing else."""

    def vector(self, state: State, event: EventIn) -> Floats:
        """The features of an event that the state has not taken in yet, (len(names),); the state stays as it is."""


def replay(
    features: Features[State, Event],
    events: Iterable[Event],
    wanted: Callable[[Event], bool],
    state: State | None = None,
) -> Iterator[tuple[Event, Floats]]:
    """Go through the log, and give each wanted event with its features as they were when it arrived.

    `state` goes on from an earlier replay, and is changed.
    """
    state = features.start() if state is None else state
    for event in events:
        if wanted(event):
            yield event, features.vector(state, event)
        features.update(state, event)
