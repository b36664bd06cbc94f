"""Are tickets judged as a person would, and is a repeated one recognised?

On the held-out half of the demo's tickets and on held-out messages of the project, with the weights that ship. Other
messages: a JSONL file or a folder with `test.jsonl`, of the shape that `agents.examples` reads.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from agents.calibration import calibration_error
from agents.examples import read_examples
from agents.triage import HEADS, Duplicate, Filed, Judged, Triage, Triaged
from app.demo.labelled import halves, labelled_tickets
from app.teaching import open_embeddings
from core.settings import Settings
from core.tickets import TicketPriority
from evals.intents import HELD_OUT
from evals.suite import Options, Pooled, Scorer, Suite, refuse_foreign, sample

_URGENCY = tuple(TicketPriority)


@dataclass(frozen=True, slots=True)
class Case:
    """A message, its labels by head, and the other tickets that were open; `repeats` is the one it repeats, if any.

    `filed` is empty where duplicates are not judged.
    """

    id: str
    text: str
    labels: Mapping[str, str]
    filed: tuple[Filed, ...] = ()
    repeats: str | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the triage says."""

    triaged: Triaged
    duplicates: Sequence[Duplicate]


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Case, Judgement]]:
    """The suite on the messages that `options` names, or on the project's own."""
    refuse_foreign("triage", options)
    cases = _given(options) if options.data else _own()
    embeddings = await asyncio.to_thread(open_embeddings, Settings())
    try:
        yield Suite(
            name="triage",
            cases=sample(cases, options),
            task=partial(judge, Triage.shipped(embeddings)),
            scorers=SCORERS,
            details=_details,
            facts={"data": options.data.name if options.data else "the demo's held-out half and held-out messages"},
            pooled=POOLED,
        )
    finally:
        embeddings.close()


async def judge(triage: Triage, case: Case) -> Judgement:
    """Everything that the triage has to say."""
    return Judgement(await triage.classify(case.text), await triage.duplicates(case.text, case.filed))


def _given(options: Options) -> list[Case]:
    path = options.data
    assert path is not None, "called with data only"  # noqa: S101
    examples = read_examples(path / "test.jsonl" if path.is_dir() else path)
    return [Case(f"{number}", each.text, each.labels) for number, each in enumerate(examples, start=1)]


def _own() -> list[Case]:
    tickets = labelled_tickets()
    held_out = {ticket.place for ticket in halves()[1]}
    demo = []
    for ticket in tickets:
        # A ticket looks back at the others, but for those that repeat it: they came later.
        filed = tuple(
            Filed(f"{other.place}", other.text)
            for other in tickets
            if other.place != ticket.place and other.repeats != ticket.place
        )
        # Duplicates were learned from no ticket, so all can tell about them.
        labels = {"category": ticket.category, "priority": ticket.priority} if ticket.place in held_out else {}
        repeats = None if ticket.repeats is None else f"{ticket.repeats}"
        demo.append(Case(f"demo/{ticket.place}", ticket.text, labels, filed, repeats))
    messages = [each for each in read_examples(HELD_OUT) if "category" in each.labels]
    return [*demo, *(Case(f"held-out/{number}", each.text, each.labels) for number, each in enumerate(messages))]


def right(head: str, case: Case, out: Judgement) -> float | None:
    """1 for the label that a person gave."""
    return float(_of(out, head).value == case.labels[head]) if head in case.labels else None


def right_of_demo(head: str, case: Case, out: Judgement) -> float | None:
    """The same, on the demo's tickets."""
    return right(head, case, out) if case.filed else None


def sure(head: str, case: Case, out: Judgement) -> float | None:
    """1 where the triage is sure."""
    return float(_of(out, head).sure) if head in case.labels else None


def right_when_sure(head: str, case: Case, out: Judgement) -> float | None:
    """`right`, where the triage is sure."""
    return right(head, case, out) if _of(out, head).sure else None


def near(case: Case, out: Judgement) -> float | None:
    """1 for a priority at most one step off."""
    if "priority" not in case.labels:
        return None
    steps = _URGENCY.index(TicketPriority(out.triaged.priority.value)) - _URGENCY.index(
        TicketPriority(case.labels["priority"])
    )
    return float(abs(steps) <= 1)


def found(case: Case, out: Judgement) -> float | None:
    """1 for a repeated ticket whose original is among the suggestions."""
    return None if case.repeats is None else float(case.repeats in [each.ticket_id for each in out.duplicates])


def false_alarm(case: Case, out: Judgement) -> float | None:
    """1 for a new matter that is taken for an old one, any of the others."""
    return float(bool(out.duplicates)) if case.filed and case.repeats is None else None


def ece(head: str, rows: Sequence[tuple[Case, Judgement]]) -> float | None:
    """Expected calibration error of the head's confidences."""
    judged = [(_of(out, head), case.labels[head]) for case, out in rows if head in case.labels]
    if not judged:
        return None
    return calibration_error([each.confidence for each, _ in judged], [each.value == label for each, label in judged])


def _of(out: Judgement, head: str) -> Judged:
    judged: Judged = getattr(out.triaged, head)
    return judged


_JUDGES: tuple[tuple[str, Callable[[str, Case, Judgement], float | None]], ...] = (
    ("accuracy", right),
    ("demo_accuracy", right_of_demo),
    ("sure", sure),
    ("accuracy_when_sure", right_when_sure),
)
SCORERS: tuple[Scorer[Case, Judgement], ...] = (
    *(Scorer(f"{head}_{name}", partial(judge, head)) for head in HEADS for name, judge in _JUDGES),
    Scorer("priority_within_one", near),
    Scorer("duplicates_found", found),
    Scorer("false_duplicates", false_alarm, lower_is_better=True),
)
POOLED: tuple[Pooled[Case, Judgement], ...] = tuple(Pooled(f"{head}_ece", partial(ece, head)) for head in HEADS)


def _details(case: Case, out: Judgement) -> Mapping[str, str]:
    judged = {head: f"{_of(out, head).value} ({_of(out, head).confidence:.2f})" for head in HEADS}
    return {"text": case.text, "labels": ", ".join(case.labels.values()), **judged}
