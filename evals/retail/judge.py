"""Judges calls by the state they lead to, whatever way they took there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from core.errors import WaysideError
from evals.retail.desk import Call, Desk
from evals.retail.state import Database, State
from evals.retail.tasks import Scenario

# An agent: works on a desk of its own, with which it may look things up and try, and returns the calls it stands by.
# It never sees what is expected. The judge makes the calls again, on untouched records.
Agent = Callable[[Scenario, Desk], Awaitable[Sequence[Call]]]


@dataclass(frozen=True, slots=True)
class Replay:
    """Where calls led: the final state's hash, which calls were refused and why, and which changed anything."""

    digest: str
    refused: dict[int, str]
    changing: tuple[int, ...]


def replay(database: Database, calls: Sequence[Call]) -> Replay:
    """Make the calls in order on untouched records. A refused call changes nothing, and the next one is made."""
    state = State(database)
    desk, refused, changing = Desk(state), {}, []
    before = state.digest()
    for index, call in enumerate(calls):
        try:
            desk.call(call)
        except WaysideError as refusal:
            refused[index] = refusal.message
        if (now := state.digest()) != before:
            changing.append(index)
        before = now
    return Replay(before, refused, tuple(changing))


def score(database: Database, expected: Sequence[Call], calls: Sequence[Call]) -> float:
    """1 when the calls lead to the state that the expected ones lead to, else 0."""
    return float(replay(database, calls).digest == replay(database, expected).digest)


async def ask(agent: Agent, database: Database, scenario: Scenario) -> Sequence[Call]:
    """The agent's calls, made up on a desk of its own."""
    return await agent(scenario, Desk(State(database)))
