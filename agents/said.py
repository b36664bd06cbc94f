"""A message as a specialist gets it, and the one question that goes back when something is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from agents import slots
from agents.conversation import Asked, Matter, Say
from agents.tools.tool import Caller

OFFER = "Would you like me to open a ticket, so that a person can look into it?"


@dataclass(frozen=True, slots=True)
class Said:
    """A message to a specialist: whose, what it says, what the thread remembers, and the question it answers.

    `history` are the person's own messages, the latest last.
    """

    caller: Caller
    text: str
    matter: Matter
    history: Sequence[str]
    answers: Asked | None = None

    @property
    def customer(self) -> str | None:
        """Whom the conversation is about: the client's own, or the one that the staff name."""
        named = slots.ids(self.text, "CUS")
        return self.caller.subject.customer_id or (named[0] if named else None)


def question(
    said: Said, tool: str, wanted: str, ask: str, candidates: Sequence[str] = (), known: Matter | None = None
) -> Say:
    """Ask for the argument `wanted` of the tool; asked in vain before, offer a person instead.

    `candidates` are the values that the question names, `known` is to be remembered meanwhile.
    """
    before = said.answers
    text = before["text"] if before is not None else said.text
    if before is not None and before["tool"] == tool and before["wanted"] == wanted:
        return Say(f"I am afraid I did not get that. {OFFER}", Matter(offer=text))
    asked = Asked(tool=tool, wanted=wanted, text=text, candidates=list(candidates))
    return Say(ask, cast("Matter", {**(known or {}), "asked": asked}))
