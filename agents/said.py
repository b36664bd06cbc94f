"""A message as a specialist gets it, and the one question that goes back when something is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from agents import attached, slots
from agents.conversation import Asked, Matter, Say
from agents.tools.tool import Caller
from core.media import Observed
from core.types import Attachment

# What is asked for where an argument is not missing, but the word to go ahead.
CONFIRMATION = "confirmation"
_NAMED = 5
OFFER = "Would you like me to open a ticket, so that a person can look into it?"


@dataclass(frozen=True, slots=True)
class Said:
    """A message to a specialist: whose, what it says, what the thread remembers, and the question it answers.

    `history` are the person's own messages, the latest last. `reported` says that the words are a customer's although
    the caller is of the staff, as those of a ticket are. `files` came with this message, and `recent` with the last
    few; `held` are all that the thread remembers. `observed` was made out in the media of the last few messages.
    """

    caller: Caller
    text: str
    matter: Matter
    history: Sequence[str]
    answers: Asked | None = None
    reported: bool = False
    files: Sequence[Attachment] = ()
    recent: Sequence[Attachment] = ()
    held: Sequence[Attachment] = ()
    observed: Sequence[Observed] = ()

    def in_files(self, kind: str, *, earlier: bool = False) -> list[str]:
        """The ids of that kind in what came with the message; `earlier`: in what came before, where it is meant."""
        if not earlier:
            return attached.ids(self.files, kind)
        meant = slots.points_back(self.text) or attached.names(self.text, self.held)
        return attached.ids(self.held[::-1], kind) if meant else []

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


def which(said: Said, tool: str, wanted: str, found: Sequence[str]) -> Say:
    """Ask which of the ids that stand in a file is meant."""
    more = "" if len(found) <= _NAMED else " and others"
    ask = f"{attached.listed(said.files or said.held)} names {', '.join(found[:_NAMED])}{more}. Which one do you mean?"
    return question(said, tool, wanted, ask, found[:_NAMED])


def confirming(said: Said, tool: str, arguments: Mapping[str, Any], proposal: str) -> Say | None:
    """Ask before something is done to a thing that only a file names; None where the person knows what it is done to.

    A file may be anybody's. That it is meant is the person's to say.
    """
    for wanted, kind in slots.KINDS.items():
        named = arguments.get(wanted)
        if named is None or named not in attached.ids(said.held, kind):
            continue
        known: set[str | None] = {found for text in said.history for found in slots.ids(text, kind)}
        known |= {said.matter.get("order_id"), said.matter.get("po_id"), said.matter.get("sku")}
        if (before := said.answers) is not None:
            chosen = slots.places(said.text, len(before["candidates"]))
            known |= set(before["candidates"]) if chosen or before["wanted"] == CONFIRMATION else set()
        if named not in known:
            ask = f"{attached.listed(said.files or said.held)} names {named}. Shall I go ahead with {proposal}?"
            return question(said, tool, CONFIRMATION, ask, [named])
    return None
