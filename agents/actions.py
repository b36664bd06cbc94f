"""What a person wants done: learned from examples (`agents/routing/actions.jsonl`), the tool's name or none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agents.classifier import Classifier
from agents.router import Specialist, weights_of

if TYPE_CHECKING:
    from pathlib import Path

    from langchain_core.embeddings import Embeddings

NONE = "none"
"""A question, a greeting, a thank-you: words are the answer, no tool."""
NEWS = "news"
"""How does the matter stand that I came with?"""
SUPPORT = (
    "list_orders",
    "lookup_order",
    "create_ticket",
    "update_ticket",
    "cancel_order",
    "change_delivery_address",
    "issue_refund",
    "escalate_to_human",
)
PROCUREMENT = (
    "search_catalog",
    "check_stock",
    "forecast_demand",
    "suggest_reorders",
    "create_purchase_order",
    "track_purchase_order",
    "confirm_delivery",
)
ACTIONS = (*SUPPORT, *PROCUREMENT, NEWS, NONE)

# A machine goes by what has this share of the probability: on the held-out examples 9 of 10 such were right.
_CLEAR = 0.6
# What the caller may not use is not meant; but where most of the probability lay there, nothing else is meant either.
_LEAST = 0.25
# Two tools that have this much together are worth a question.
_BETWEEN = 0.7


@dataclass(frozen=True, slots=True)
class Wish:
    """What a message asks to have done.

    `probability` is that of `action` being right, among the actions that the caller can have done. `clear` says that
    the machine may go by it. Where it may not, but one of two tools is meant (`rival`), a question can tell: `second`
    is the other one.
    """

    action: str
    probability: float
    clear: bool
    second: str = ""
    rival: bool = False

    @property
    def specialist(self) -> Specialist:
        """Who does such things."""
        if self.action in PROCUREMENT:
            return Specialist.PROCUREMENT
        return Specialist.SUPPORT if self.action in SUPPORT else Specialist.KNOWLEDGE


class Actions:
    """Recognises wishes. Safe to share between requests."""

    def __init__(self, embeddings: Embeddings, classifier: Classifier) -> None:
        """Raises `ValueError` when the classifier knows a label that is no action."""
        self._embeddings = embeddings
        self._classifier = classifier
        strange = set(classifier.labels) - set(ACTIONS)
        if strange:
            raise ValueError(f"no actions: {', '.join(sorted(strange))}")

    @classmethod
    def shipped(cls, embeddings: Embeddings, own: Path | None = None) -> Actions:
        """With the weights in the repository, or in the folder `own`. Raises as `weights_of`."""
        return cls(embeddings, Classifier(weights_of("action", own)))

    async def wish(self, text: str, tools: frozenset[str]) -> Wish:
        """What the message asks for, of what the caller may use: `tools`.

        What is familiar to no example, or more likely no tool than any, is `NONE`.
        """
        decision = self._classifier.decide(text, await self._embeddings.aembed_query(text))
        if not decision.in_scope:
            return Wish(NONE, 1.0, clear=True)
        meant = {*tools, NEWS, NONE}
        likely = {label: share for label, share in decision.probabilities.items() if label in meant}
        whole = sum(likely.values())
        ranked = sorted(likely, key=lambda label: (-likely[label], label))
        best, next_best = ranked[:2]
        if likely[best] < _LEAST:
            return Wish(NONE, 1.0, clear=True)
        shares = {label: share / whole for label, share in likely.items()}
        rival = best in tools and next_best in tools and shares[best] + shares[next_best] >= _BETWEEN
        return Wish(best, shares[best], shares[best] >= _CLEAR, next_best, rival)
