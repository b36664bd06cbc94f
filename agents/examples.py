"""Labelled messages: JSON lines with `text` and any of `route`, `action`, `category`, `priority`, `sentiment`.

The same shape serves the examples in the repository and the corrections that people make (feedback). `route` may be
`oos`: a message that nobody here can do anything about; so may `action`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from agents.actions import ACTIONS, NONE
from agents.classifier import OUT_OF_SCOPE
from agents.router import Specialist
from core.errors import InvalidInput
from core.tickets import TicketCategory, TicketPriority

LABELS: dict[str, frozenset[str]] = {
    "route": frozenset({*Specialist, OUT_OF_SCOPE}),
    "action": frozenset({*ACTIONS, OUT_OF_SCOPE}),
    "category": frozenset(TicketCategory),
    "priority": frozenset(TicketPriority),
    "sentiment": frozenset({"negative", "neutral", "positive"}),
}
"""What each head may be taught."""


@dataclass(frozen=True, slots=True)
class Example:
    """A message and what is known about it: head → label."""

    text: str
    labels: dict[str, str]


def read_examples(path: Path) -> list[Example]:
    """Read a file of examples; further fields are left alone.

    Raises `InvalidInput` naming the file and line that cannot be used.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InvalidInput(f"cannot read the examples {path}: {error.strerror}", param="examples") from error
    return [_example(f"{path}, line {number}", line) for number, line in enumerate(lines, start=1) if line.strip()]


def merged(examples: Iterable[Example]) -> list[Example]:
    """One example a text; where the same text was labelled twice, the later label counts."""
    by_text: dict[str, dict[str, str]] = {}
    for example in examples:
        by_text.setdefault(example.text, {}).update(example.labels)
    return [Example(text, labels) for text, labels in by_text.items()]


def with_actions(examples: Iterable[Example]) -> list[Example]:
    """The examples, those labelled with a route that leaves no doubt about the action with that label too.

    What the documents answer takes no tool, what is out of scope none either, and who wants a person wants one.
    """
    told = {Specialist.KNOWLEDGE: NONE, Specialist.PERSON: "escalate_to_human", OUT_OF_SCOPE: OUT_OF_SCOPE}
    return [
        Example(each.text, {"action": told[each.labels["route"]], **each.labels})
        if each.labels.get("route") in told
        else each
        for each in examples
    ]


def of_head(examples: Sequence[Example], head: str) -> tuple[list[str], list[str]]:
    """Texts and labels of the examples that say something about the head."""
    rows = [(example.text, example.labels[head]) for example in examples if head in example.labels]
    return [text for text, _ in rows], [label for _, label in rows]


def _example(where: str, line: bytes) -> Example:
    try:
        row: Any = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"{where}: not JSON: {error}", param="examples") from error
    if not isinstance(row, dict) or not isinstance(row.get("text"), str) or not row["text"].strip():
        raise InvalidInput(f"{where}: no text", param="examples")
    labels = {head: row[head] for head in LABELS if row.get(head) is not None}
    for head, label in labels.items():
        if label not in LABELS[head]:
            raise InvalidInput(f"{where}: {label!r} is no {head}: {', '.join(sorted(LABELS[head]))}", param="examples")
    return Example(row["text"], labels)
