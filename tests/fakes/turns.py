"""Turns in a dictionary, as timelines would remember them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from core.errors import NotFound


@dataclass(frozen=True)
class FakeTurn:
    id: str
    owner: str
    question: str
    answer: str | None
    heading: Mapping[str, str] | None
    declined: bool


@dataclass
class FakeTurns:
    """See `app.feedback.Turns`."""

    rows: dict[tuple[str, str], FakeTurn] = field(default_factory=dict)

    def add(self, tenant: str, turn: FakeTurn) -> None:
        self.rows[tenant, turn.id] = turn

    async def get(self, tenant: str, turn_id: str, owner: str | None = None) -> FakeTurn:
        found = self.rows.get((tenant, turn_id))
        if found is None or owner not in (None, found.owner):
            raise NotFound(f"no turn {turn_id}", param="turn_id")
        return found


def turn(turn_id: str, owner: str = "customer:CUS-00001", question: str = "Where is my tent?") -> FakeTurn:
    heading = {"way": "documents", "tool": "", "second": ""}
    return FakeTurn(turn_id, owner, question, "You can return a tent within 30 days. [1]", heading, False)
