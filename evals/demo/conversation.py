"""Plays a task: a person who says what the task has them say, and answers what they are asked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from evals.demo.tasks import Asked, Decides, Known, Says, Task

# What a question asks for, the first that fits. A person hears no tool's name, only words like these.
_ASKS: Mapping[Asked, str] = {
    "ticket": r"\b(open|create|raise) (a|you a|one) ?(support )?ticket|person (can|to|should) look|colleague\b",
    "choice": r"^(do you want|shall i)\b.*, or (to )?\w+",
    "address": r"\baddress\b",
    "quantity": r"\bhow (many|much)\b|\bquantity\b",
    "order": r"\bwhich (order|one|of them)\b|\border (number|id)\b",
    "product": r"\bwhich (product|one|of)\b",
    "confirm": r"\bshall i\b|\bdo you (really )?want\b|\bare you sure|\bconfirm\b",
    "about": r"\bwhat (is it|is this|happened|is the)\b",
}
# An amount has a full stop too, and no space after it.
_BETWEEN = re.compile(r"(?<=[.!?])\s+|\n")


class Speaker(Protocol):
    """Whoever a task's person talks through; `evals.demo.office.Person` is one."""

    async def says(self, text: str) -> str:
        """Say it, and return the answer."""

    async def waiting(self) -> list[str]:
        """The approvals that wait."""

    async def decides(self, approval: str, decision: Decides, known: Known) -> str:
        """Decide, and return what came of it."""


@dataclass(slots=True)
class Played:
    """A conversation: its lines as (who, text), and what the person knows at its end."""

    known: Known
    lines: list[tuple[str, str]] = field(default_factory=list)

    @property
    def turns(self) -> int:
        """How often the person said something."""
        return sum(who == "person" for who, _ in self.lines)

    @property
    def said(self) -> str:
        """Everything that the assistant said."""
        return "\n".join(text for who, text in self.lines if who == "assistant")


async def play(task: Task, known: Known, person: Speaker, colleague: Speaker) -> Played:
    """Play the task's steps. A person who was never told what they need for the next one gives up."""
    played, answers = Played(known), dict(task.answers)
    for step in task.steps:
        if isinstance(step, Decides):
            await _decide(step, person, colleague, played)
            continue
        try:
            answer = await _say(step.say, person, played)
        except KeyError as unknown:
            played.lines.append(("note", f"the person was never told {unknown}, and gives up"))
            break
        while (reply := _reply(answer, answers)) is not None:
            played.known = played.known.learning(_picked_up(step, answer))
            answer = await _say(reply, person, played)
        played.known = played.known.learning(_picked_up(step, answer))
    return played


async def _say(text: str, person: Speaker, played: Played) -> str:
    filled = played.known.fill(text)
    played.lines.append(("person", filled))
    answer = await person.says(filled)
    played.lines.append(("assistant", answer))
    return answer


async def _decide(step: Decides, person: Speaker, colleague: Speaker, played: Played) -> None:
    waiting = await colleague.waiting()
    if not waiting:
        played.lines.append(("note", f"nothing waits, and the staff were to {step.decide}"))
    for approval in waiting:
        came = await (colleague if step.by == "colleague" else person).decides(approval, step, played.known)
        played.lines.append(("note", f"{step.by} decides ({step.decide}): {came}"))


def _reply(answer: str, answers: dict[Asked, str]) -> str | None:
    """What the person has to say to the questions in the answer; each is answered once."""
    for sentence in reversed(_BETWEEN.split(answer)):
        if not sentence.rstrip().endswith("?"):
            continue
        for asked, pattern in _ASKS.items():
            if asked in answers and re.search(pattern, sentence, re.IGNORECASE):
                return answers.pop(asked)
    return None


def _picked_up(step: Says, answer: str) -> Mapping[str, str]:
    found = ((name, re.search(pattern, answer)) for name, pattern in step.capture.items())
    return {name: match[1] for name, match in found if match}


def unsaid(played: Played, told: Sequence[str], not_told: Sequence[str]) -> list[str]:
    """What was to be said and was not, and what was said and was not to be."""
    said = " ".join(played.said.split()).casefold()
    fill = played.known.fill_known
    lacking = [each for each in told if not any(part.casefold() in said for part in fill(each).split("|"))]
    leaked = [each for each in not_told if fill(each).casefold() in said]
    return [f"not said: {fill(each)}" for each in lacking] + [f"said: {fill(each)}" for each in leaked]
