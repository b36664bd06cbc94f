"""What a thread remembers of a matter that the agents act on, and what a turn comes to. All of it is plain JSON.

The messages of a thread say what was said; these say what was meant, so that "order the first one" has a first one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypedDict, cast


class Call(TypedDict):
    """A tool call as it was chosen. `step` and `index` make it one of a kind in its thread, however often it is run.

    `subject` is what the conversation is about: `customer_id`, `order_id`, `ticket_id`, where they are known.
    """

    step: int
    index: int
    tool: str
    arguments: dict[str, Any]
    subject: dict[str, str]


class Asked(TypedDict):
    """A question that is open: `wanted` is the argument of `tool` that it asks for, `text` what the person had said.

    `candidates` are the values that were named.
    """

    tool: str
    wanted: str
    text: str
    candidates: list[str]


class Matter(TypedDict, total=False):
    """What was last spoken of; `latest` says whether that is an `order_id` or a `po_id`.

    `reorders` are the suggestions as numbered for the person, `asked` is the question and `offer` the matter of the
    ticket that wait for an answer, and `news` what was decided while nobody listened.
    """

    order_id: str
    po_id: str
    sku: str
    latest: str
    reorders: list[dict[str, Any]]
    asked: Asked | None
    offer: str | None
    news: list[str]


def learn(matter: Matter, learnt: Matter) -> Matter:
    """What is remembered when this is learnt."""
    latest = next((name for name in ("po_id", "order_id") if learnt.get(name)), matter.get("latest", ""))
    return cast("Matter", {**matter, **learnt, "latest": latest})


class Pending(TypedDict):
    """A call that waits for people: its approval's id, why it needs one, on which thread, and who proposed it."""

    approval: str
    thread: str
    reason: str
    call: Call
    key_id: str
    role: str
    customer_id: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A call that shall be made, what the conversation is about, and what in the records speaks for it."""

    tool: str
    arguments: Mapping[str, Any]
    subject: Mapping[str, str] = field(default_factory=dict)
    reasons: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Say:
    """Words instead of a call. `matter` is what is to be remembered with them."""

    text: str
    matter: Matter = field(default_factory=lambda: Matter())


Choice = Sequence[Wanted] | Say
"""What a specialist makes of a message: calls, or words."""
