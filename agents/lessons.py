"""What feedback teaches: labelled examples for the heads, and better answers than those that were given.

* Only corrections by staff are labels. A thumb, up or down, says nothing about what would have been right.
* Where corrections contradict each other, the one by the higher role counts, and among equals the latest; each
  contradiction is told.
* A text that evaluation holds out is never learned from, and neither is one that says nothing without its thread
  ("yes, please").
* What leaves here is masked (`agents.masking`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agents import slots
from agents.examples import LABELS, Example, with_actions
from agents.masking import masked
from core.types import Role

_RANKS = {role.value: rank for rank, role in enumerate(Role)}
_SPACE = re.compile(r"\s+")
# "Yes, please do" answers a question; what is longer says something of its own.
_A_FEW_WORDS = 3


@dataclass(frozen=True, slots=True)
class Contradiction:
    """One text, one head, several labels: `labels` from the first to the one that counts."""

    text: str
    head: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BetterAnswer:
    """What should have been said to `prompt`, and what was said instead, where that is known.

    `task` is `answer` (a turn) or `reply` (to a ticket).
    """

    task: str
    prompt: str
    chosen: str
    rejected: str | None


@dataclass(frozen=True, slots=True)
class NextStep:
    """What should be done about a ticket: a call of a tool, or nothing (None)."""

    text: str
    call: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True)
class Lessons:
    """What was learned from feedback, and what was not: ratings alone, held-out texts, texts that need their thread."""

    examples: Sequence[Example] = ()
    answers: Sequence[BetterAnswer] = ()
    steps: Sequence[NextStep] = ()
    contradictions: Sequence[Contradiction] = ()
    no_correction: int = 0
    held_out: int = 0
    needs_thread: int = 0


@dataclass(slots=True)
class _Gathered:
    labels: dict[tuple[str, str], list[str]] = field(default_factory=dict)
    answers: dict[tuple[str, str], BetterAnswer] = field(default_factory=dict)
    steps: dict[str, NextStep] = field(default_factory=dict)


def lessons(feedback: Iterable[Mapping[str, Any]], is_held_out: Callable[[str], bool]) -> Lessons:
    """Learn from feedback as `GET /api/feedback` gives it, in any order."""
    gathered, no_correction, held_out, needs_thread = _Gathered(), 0, 0, 0
    # What counts more comes later, and replaces what came before.
    for each in sorted(feedback, key=lambda each: (_RANKS[each["role"]], each["updated_at"], each["id"])):
        text = each["snapshot"]["text"].strip()
        if each["correction"] is None or each["role"] == Role.CLIENT:
            no_correction += 1
        elif is_held_out(text):
            held_out += 1
        elif not text or (each["kind"] in LABELS and _needs_thread(text)):
            needs_thread += 1
        else:
            _take(gathered, masked(text), each)
    return Lessons(
        _examples(gathered.labels),
        tuple(gathered.answers.values()),
        tuple(gathered.steps.values()),
        tuple(
            Contradiction(text, head, tuple(labels))
            for (text, head), labels in gathered.labels.items()
            if len(labels) > 1
        ),
        no_correction,
        held_out,
        needs_thread,
    )


def same_text(text: str) -> str:
    """The text without what two copies of it may differ in: case, and how its words are spaced."""
    return _SPACE.sub(" ", text.casefold()).strip()


def _needs_thread(text: str) -> bool:
    return slots.agrees(text) is not None and len(text.split()) <= _A_FEW_WORDS


def _take(gathered: _Gathered, text: str, each: Mapping[str, Any]) -> None:
    kind, correction = each["kind"], each["correction"]
    if kind in LABELS:
        labels = gathered.labels.setdefault((text, kind), [])
        label = correction[kind]
        if label in labels:
            labels.remove(label)
        labels.append(label)
    elif kind == "answer":
        gathered.answers["answer", text] = _better("answer", text, correction["answer"], each["snapshot"]["answer"])
    elif kind == "reply":
        gathered.answers["reply", text] = _better("reply", text, correction["reply"], correction["suggested"])
    else:
        gathered.steps[text] = NextStep(text, _masked(correction["next_action"]))


def _better(task: str, prompt: str, chosen: str, rejected: str | None) -> BetterAnswer:
    # What was sent as it was suggested is a good answer, and no better one.
    other = None if not rejected or same_text(rejected) == same_text(chosen) else masked(rejected)
    return BetterAnswer(task, prompt, masked(chosen), other)


def _examples(labels: Mapping[tuple[str, str], Sequence[str]]) -> list[Example]:
    by_text: dict[str, dict[str, str]] = {}
    for (text, head), given in labels.items():
        by_text.setdefault(text, {})[head] = given[-1]
    return with_actions(Example(text, heads) for text, heads in by_text.items())


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {name: _masked(each) for name, each in value.items()}
    return [_masked(each) for each in value] if isinstance(value, list) else value
