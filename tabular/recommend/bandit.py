"""A slot whose content is chosen by chance, so that what was not tried can still be judged: propensities are logged.

Every policy turns its candidates into chances, and the choice is drawn from exactly those: the propensity that is
logged is the one that was acted on, which off-policy evaluation (`offpolicy`) rests on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.errors import InvalidInput


class Candidate(Protocol):
    """Something that a slot may show."""

    @property
    def item(self) -> str:
        """What it is."""

    @property
    def score(self) -> float:
        """How good it is taken to be, at least 0."""


class Policy(Protocol):
    """What to show among candidates."""

    def chances(self, candidates: Sequence[Candidate], random: np.random.Generator) -> NDArray[np.float64]:
        """The chance of each candidate, (n,), all above 0, their sum 1."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a slot showed: `propensity` is its chance, `chances` those of all candidates, in their order."""

    item: str
    propensity: float
    chances: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class EpsilonGreedy:
    """The best candidate, but with chance `epsilon` any of them alike."""

    epsilon: float = 0.1

    def __post_init__(self) -> None:
        """Raise `InvalidInput` for an epsilon at which some candidate could never be shown."""
        if not 0 < self.epsilon <= 1:
            raise InvalidInput(f"an epsilon of {self.epsilon} is not in (0, 1]", param="epsilon")

    def chances(self, candidates: Sequence[Candidate], random: np.random.Generator) -> NDArray[np.float64]:
        """The first of equals is the best."""
        shares = np.full(len(candidates), self.epsilon / len(candidates))
        shares[int(np.argmax([each.score for each in candidates]))] += 1 - self.epsilon
        return shares


@dataclass(frozen=True, slots=True)
class Softmax:
    """Chances that grow with the score to the power of one over `temperature`; at 1 they are the scores' own.

    At least `floor`, shared by all candidates, is spent on any of them alike.
    """

    temperature: float = 1.0
    floor: float = 0.05

    def __post_init__(self) -> None:
        """Raise `InvalidInput` for a temperature or a floor at which some candidate could never be shown."""
        if self.temperature <= 0 or not 0 < self.floor <= 1:
            raise InvalidInput("a temperature above 0 and a floor in (0, 1] are needed", param="temperature")

    def chances(self, candidates: Sequence[Candidate], random: np.random.Generator) -> NDArray[np.float64]:
        """From the scores alone."""
        logits = np.log(np.maximum([each.score for each in candidates], 1e-12)) / self.temperature
        powers = np.exp(logits - logits.max())
        chances: NDArray[np.float64] = self.floor / len(candidates) + (1 - self.floor) * powers / powers.sum()
        return chances


@dataclass(frozen=True, slots=True)
class Arm:
    """How often an item was shown and taken, faded or not."""

    taken: float = 0.0
    passed: float = 0.0


@dataclass(frozen=True, slots=True)
class Thompson:
    """Thompson sampling with Beta posteriors (W. Thompson, Biometrika 25, 1933), its chances counted over draws.

    The chance of an arm to have the greatest draw has no closed form: it is counted over `draws` joint draws, each
    arm once more than counted, and the choice is then made from these chances, so that none is 0 and all are known.
    An arm starts from a Beta of `strength` showings at the rate `taken`.
    """

    arms: Mapping[str, Arm] = field(default_factory=dict)
    draws: int = 200
    strength: float = 2.0
    rate: float = 0.1

    def chances(self, candidates: Sequence[Candidate], random: np.random.Generator) -> NDArray[np.float64]:
        """From what was taken before; the scores do not count."""
        arms = [self.arms.get(each.item, Arm()) for each in candidates]
        taken = np.array([each.taken for each in arms]) + self.strength * self.rate
        passed = np.array([each.passed for each in arms]) + self.strength * (1 - self.rate)
        best = random.beta(taken, passed, (self.draws, len(arms))).argmax(axis=1)
        wins = np.bincount(best, minlength=len(arms)) + 1.0
        chances: NDArray[np.float64] = wins / wins.sum()
        return chances

    def told(self, item: str, taken: bool) -> Thompson:
        """The policy that knows of one more showing; this one is left as it is."""
        arm = self.arms.get(item, Arm())
        changed = Arm(arm.taken + taken, arm.passed + (not taken))
        return replace(self, arms={**self.arms, item: changed})


def show(policy: Policy, candidates: Sequence[Candidate], random: np.random.Generator) -> Shown:
    """Draw what the slot shows. Raises `InvalidInput` without candidates."""
    if not candidates:
        raise InvalidInput("a slot without candidates shows nothing", param="candidates")
    chances = policy.chances(candidates, random)
    place = int(random.choice(len(candidates), p=chances))
    by_item = {each.item: float(chance) for each, chance in zip(candidates, chances, strict=True)}
    return Shown(candidates[place].item, float(chances[place]), by_item)
