"""Who wants to know what they might like: told by words, and answered with the tool's recommendations and reasons.

It is not among the learned actions (`agents.actions`): the student of the devices knows those and no others, and has
no shop. The words are few, and plain questions about goods ("which tent do you recommend for winter?") are not meant:
the documents answer those.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from agents import slots
from agents.conversation import Choice, Say
from agents.hands import Hands
from agents.said import Said

TOOL = "recommend_products"

_SHOWN = 5
_MOST = 20
_WHO = r"(?:I|we|me|us|they|he|she|(?:customer )?CUS[-\s]?\d+)"
_MIGHT = r"(?:might|could|would|should|may|will)"
_GOODS = r"(?:something|anything|a few (?:things|products|items)|some (?:things|products|items|gear)|products|items)"
_END = r"(?: then| please| next)*\W*$"
_WORDS = re.compile(
    "|".join(
        (
            rf"\bwhat (?:else )?{_MIGHT} {_WHO} (?:also )?(?:like(?! to)|enjoy|fancy|be interested in)\b",
            rf"\bwhat else {_MIGHT} {_WHO} (?:want|need|buy|get|try)\b",
            rf"\b(?:recommend|suggest|show)(?: me| us)? {_GOODS}(?: (?:else|new|more|nice))?{_END}",
            rf"\b(?:recommend|suggest|show)(?: me| us)? {_GOODS}(?: (?:else|new|more|nice))? (?:for|to|that) {_WHO}\b",
            rf"\b(?:recommendations|product (?:tips|ideas|suggestions))(?: for {_WHO})?{_END}",
            rf"\bwhat (?:else )?(?:do|would|can|could) you (?:recommend|suggest)(?: (?:for|to) {_WHO}){_END}",
            rf"\bwhat should {_WHO} (?:buy|get) next\b",
        )
    ),
    re.IGNORECASE,
)
_OFFERING = "recommend|suggest|show"


def asks_for_goods(text: str, tools: frozenset[str]) -> bool:
    """Whether the message asks what somebody might like. Who also buys for the company has to name the customer."""
    if TOOL not in tools or not _WORDS.search(text) or slots.forbids(text, _OFFERING):
        return False
    return "suggest_reorders" not in tools or bool(slots.ids(text, "CUS"))


class Shopping:
    """Says what a customer might like."""

    def __init__(self, hands: Hands) -> None:
        self._hands = hands

    async def choose(self, said: Said) -> Choice:
        """The recommendations, or who is to get them. Raises what `Hands.read` raises."""
        if said.customer is None:
            return Say("For whom? Please give me the customer's id, such as CUS-00210.")
        limit = max(1, min(slots.pieces(said.text) or _SHOWN, _MOST))
        told: Any = await self._hands.read(said.caller, TOOL, {"customer_id": said.customer, "limit": limit})
        if not told:
            return Say("I have nothing to recommend just now that you do not have already.")
        lines = [_line(number, each) for number, each in enumerate(told, start=1)]
        whom = "you" if said.caller.subject.customer_id else said.customer
        return Say(f"This might be something for {whom}:\n" + "\n".join(lines))


def _line(number: int, each: Mapping[str, Any]) -> str:
    return f"{number}. {each['sku']} {each['name']}, {each['price']} EUR. {each['reason']}"
