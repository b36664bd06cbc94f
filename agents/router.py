"""Which specialist takes a turn: learned from examples (`agents/routing/`), with a way out when it is unsure.

Unsure once, it asks one question; unsure again, or with somebody who is upset, it hands the turn to a person. What
belongs to nobody here is declined.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from langchain_core.embeddings import Embeddings

from agents.classifier import Classifier, Weights

FOLDER = Path(__file__).with_name("routing")
"""Where the examples and the trained weights lie."""

# What was recognised in an image or in speech counts from here on; below, it is as often wrong as right.
_LEGIBLE = 0.5
# As many characters of an observation as of a message: a receipt says what it is about in its first lines.
_OBSERVED = 500


class Specialist(StrEnum):
    """Who can take a turn; the values are the labels of the examples."""

    KNOWLEDGE = "knowledge"
    SUPPORT = "support"
    PROCUREMENT = "procurement"
    PERSON = "person"


class Step(StrEnum):
    """What happens next."""

    GO = "go"
    """The specialist takes the turn."""
    ASK = "ask"
    """The route's question goes to the user first."""
    HAND_OVER = "hand_over"
    """A person takes the turn."""
    DECLINE = "decline"
    """It is nothing that anybody here does."""


class Sense(StrEnum):
    """Where an observation comes from."""

    TRANSCRIPT = "transcript"
    OCR = "ocr"
    TONE = "tone"


@dataclass(frozen=True, slots=True)
class Observation:
    """What was made out in the turn's media: its words, or for a tone its name (`calm`, `upset`).

    `confidence` is in [0, 1]. The words are as untrusted as the user's own.
    """

    sense: Sense
    text: str
    confidence: float = 1.0


UPSET = "upset"
"""The tone in which nobody should be asked back by a machine."""


@dataclass(frozen=True, slots=True)
class Route:
    """Who takes the turn, and how sure that is.

    `confidence` is the calibrated probability that `specialist` is right, 0.0 where nobody is. `question` is what to
    ask, set for `Step.ASK` only.
    """

    specialist: Specialist
    confidence: float
    step: Step
    question: str = ""


_OFFERS = {
    Specialist.KNOWLEDGE: "look that up for you in the help centre",
    Specialist.SUPPORT: "do something about an order, a payment, your account or a ticket of yours",
    Specialist.PROCUREMENT: "check our stock or buy from a supplier",
    Specialist.PERSON: "pass you on to a person",
}


class Router:
    """Routes turns. Safe to share between requests."""

    def __init__(self, embeddings: Embeddings, classifier: Classifier) -> None:
        """Raises `ValueError` when the classifier knows a label that is no specialist."""
        self._embeddings = embeddings
        self._classifier = classifier
        for label in classifier.labels:
            Specialist(label)

    @classmethod
    def shipped(cls, embeddings: Embeddings, own: Path | None = None) -> Router:
        """The router of the weights in the repository, or in the folder `own`. Raises as `weights_of`."""
        return cls(embeddings, Classifier(weights_of("route", own)))

    async def route(
        self,
        text: str,
        observations: Sequence[Observation] = (),
        *,
        allowed: Collection[Specialist] = tuple(Specialist),
        asked: bool = False,
    ) -> Route:
        """Route a turn by its text and what was made out in its media.

        `allowed` are the specialists that the caller may reach: another one's turn goes to the best of them, with
        the little confidence that it has. `asked` says that this turn answers a question of the router, which then
        asks no second one; the text is best handed in with the one that the question was about.
        """
        if not allowed:
            raise ValueError("a turn must be allowed to somebody")
        said = _said(text, observations)
        if not said:
            # Nothing to go by, such as a picture without words: ask what it is for.
            return _unsure(sorted(allowed), 0.0, asked=asked, upset=_upset(observations))
        decision = self._classifier.decide(said, await self._embeddings.aembed_query(said))
        if not decision.in_scope:
            return Route(Specialist.PERSON, 0.0, Step.DECLINE)
        ranked = sorted(
            (Specialist(label) for label in decision.probabilities if label in allowed),
            key=lambda specialist: -decision.probabilities[specialist],
        )
        confidence = decision.probabilities[ranked[0]]
        if confidence >= self._classifier.sure:
            step = Step.HAND_OVER if ranked[0] is Specialist.PERSON else Step.GO
            return Route(ranked[0], confidence, step)
        return _unsure(ranked, confidence, asked=asked, upset=_upset(observations))


def _unsure(ranked: Sequence[Specialist], confidence: float, *, asked: bool, upset: bool) -> Route:
    if asked or upset or len(ranked) < 2:
        return Route(Specialist.PERSON, confidence, Step.HAND_OVER)
    first, second = ranked[:2]
    return Route(first, confidence, Step.ASK, f"Shall I {_OFFERS[first]}, or {_OFFERS[second]}?")


def _said(text: str, observations: Sequence[Observation]) -> str:
    """The turn's words: the user's own first, then what was heard and read."""
    heard = (
        observation.text.strip()[:_OBSERVED]
        for observation in observations
        if observation.sense is not Sense.TONE and observation.confidence >= _LEGIBLE
    )
    return "\n".join(part for part in (text.strip(), *heard) if part)


def _upset(observations: Sequence[Observation]) -> bool:
    return any(
        observation.sense is Sense.TONE and observation.text == UPSET and observation.confidence >= _LEGIBLE
        for observation in observations
    )


def weights_of(head: str, own: Path | None = None) -> Weights:
    """A head's weights: those in the folder `own` where it has any, else the repository's.

    Raises `CorruptArtefact` as `Weights.load`.
    """
    path = FOLDER / f"{head}.npz" if own is None else own / f"{head}.npz"
    return Weights.load(path if path.exists() else FOLDER / f"{head}.npz")
