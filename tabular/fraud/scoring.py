"""A decision about one transaction: features, model, rules, cost, reasons."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tabular.features import Floats
from tabular.fraud.costs import Band, Costs
from tabular.fraud.events import Transaction
from tabular.fraud.features import FraudFeatures, FraudState
from tabular.fraud.reasons import Reason, reasons
from tabular.fraud.rules import Rules, Ruling, ruled


class Judge(Protocol):
    """What judges a vector of features."""

    @property
    def sha256(self) -> str:
        """Names the judge in decisions."""

    def odds(self, vector: Floats) -> tuple[float, Floats]:
        """The probability of fraud, and each feature's share of the log odds, (features,)."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one side of a trial would do. `probability` and `model` are None where no model is there."""

    band: Band
    probability: float | None
    model: str | None


@dataclass(frozen=True, slots=True)
class Trial:
    """A challenger, which is asked about every transaction, and decides about those of the cards that it `meets`.

    Where it fails, the model in force decides as ever, and `failed` is told.
    """

    judge: Judge
    meets: Callable[[str], bool]
    failed: Callable[[Exception], None]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done about a transaction, and everything it rests on.

    `probability` is None where no model is there and the rules decided alone. `rules` names those that spoke. During a
    trial `other` is what the side says that did not decide.
    """

    transaction: str
    band: Band
    probability: float | None
    reasons: tuple[Reason, ...]
    rules: tuple[str, ...]
    vector: Floats
    features: str
    model: str | None
    other: Opinion | None = None


@dataclass(frozen=True, slots=True)
class Scorer:
    """Decides. Pure: the same state and transaction get the same decision; the state stays as it is."""

    judge: Judge | None
    rules: Rules = field(default_factory=Rules)
    costs: Costs = field(default_factory=Costs)
    definition: FraudFeatures = field(default_factory=FraudFeatures)
    trial: Trial | None = None

    def decide(self, state: FraudState, transaction: Transaction) -> Decision:
        """Decide about a transaction that the state has not taken in yet."""
        names = self.definition.names
        vector = self.definition.vector(state, transaction)
        rulings = self.rules.apply(transaction, dict(zip(names, vector.tolist(), strict=True)))
        ours, shares = self._opinion(self.judge, vector, transaction, rulings)
        other: Opinion | None = None
        if self.trial is not None:
            try:
                other, others = self._opinion(self.trial.judge, vector, transaction, rulings)
            except Exception as problem:
                # Whatever is wrong with a challenger, no payment waits for it: the model in force decides.
                self.trial.failed(problem)
            else:
                if self.trial.meets(transaction.card):
                    ours, shares, other = other, others, ours
        why = [Reason(each.rule, None, 0.0, each.text) for each in rulings]
        if shares is not None:
            why += reasons(names, vector, shares)
        return Decision(
            transaction.id,
            ours.band,
            ours.probability,
            tuple(why),
            tuple(each.rule for each in rulings),
            vector,
            self.definition.version,
            ours.model,
            other,
        )

    def _opinion(
        self, judge: Judge | None, vector: Floats, transaction: Transaction, rulings: Sequence[Ruling]
    ) -> tuple[Opinion, Floats | None]:
        """What is to be done by a model and the rules, and each feature's share of the log odds."""
        if judge is None:
            return Opinion(ruled(Band.ALLOW, rulings), None, None), None
        probability, shares = judge.odds(vector)
        band = self.costs.band(probability, transaction.cents)
        return Opinion(ruled(band, rulings), probability, judge.sha256), shares
