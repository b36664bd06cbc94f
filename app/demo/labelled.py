"""The demo's tickets as labelled examples, in two halves: one may be learned from, the other is only measured on.

A ticket that repeats another lies in the same half, or the held-out half would not be new.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from string import Formatter

from app.demo.tickets import TEXTS

# What stands in the texts' gaps; who wrote a ticket and about which order is drawn for each workspace.
_FILLED = {"order": "ORD-10421", "tracking": "HP83001942", "product": "Larch 5 cm", "total": "84.90"}


@dataclass(frozen=True, slots=True)
class LabelledTicket:
    """A ticket's text (subject, line break, message) and its labels.

    `repeats` is the place of the ticket, in the list of all, that is about the same matter.
    """

    place: int
    text: str
    category: str
    priority: str
    repeats: int | None


def labelled_tickets() -> list[LabelledTicket]:
    """All of them, in the file's order."""
    rows = [json.loads(line) for line in TEXTS.read_text(encoding="utf-8").splitlines()]
    return [
        LabelledTicket(
            place,
            f"{row['subject']}\n{row['message'].format(**_FILLED)}",
            row["category"],
            row["priority"],
            row["repeats"] - 1 if "repeats" in row else None,
        )
        for place, row in enumerate(rows)
    ]


def halves() -> tuple[list[LabelledTicket], list[LabelledTicket]]:
    """To learn from, and held out: every other matter, so that both have all categories."""
    tickets = labelled_tickets()
    matters = {ticket.place: number for number, ticket in enumerate(t for t in tickets if t.repeats is None)}
    half: tuple[list[LabelledTicket], list[LabelledTicket]] = ([], [])
    for ticket in tickets:
        half[matters[ticket.place if ticket.repeats is None else ticket.repeats] % 2].append(ticket)
    return half


def held_out_ticket() -> Callable[[str], bool]:
    """Make what tells whether a text is a ticket of the held-out half, whatever stands in its gaps."""
    rows = [json.loads(line) for line in TEXTS.read_text(encoding="utf-8").splitlines()]
    held_out = (rows[ticket.place] for ticket in halves()[1])
    pattern = re.compile("|".join(_pattern(f"{row['subject']}\n{row['message']}") for row in held_out), re.IGNORECASE)
    return lambda text: pattern.fullmatch(text.strip()) is not None


def _pattern(template: str) -> str:
    """Any run of spaces for a space, and anything for a gap."""
    parts = []
    for literal, gap, _, _ in Formatter().parse(template):
        parts += [r"\s+".join(map(re.escape, re.split(r"\s+", literal))), ".+?" if gap else ""]
    return "".join(parts)
