"""A decision about one transaction: features, model, rules, cost, reasons."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from tabular.features import Floats
from tabular.fraud.costs import Band, Costs
from tabular.fraud.events import Transaction
from tabular.fraud.features import FraudFeatures, FraudState
from tabular.fraud.reasons import Reason, reasons
from tabular.fraud.rules import Rules, ruled


class Judge(Protocol):
    """What judges a vector of features."""

    @property
    def sha256(self) -> str:
        """Names the judge in decisions."""

    def odds(self, vector: Floats) -> tuple[float, Floats]:
        """The probability of fraud, and each feature's share of the log odds, (features,)."""


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done about a transaction, and everything it rests on.

    `probability` is None where no model is there and the rules decided alone. `rules` names those that spoke.
    """

    transaction: str
    band: Band
    probability: float | None
    reasons: tuple[Reason, ...]
    rules: tuple[str, ...]
    vector: Floats
    features: str
    model: str | None


@dataclass(frozen=True, slots=True)
class Scorer:
    """Decides. Pure: the same state and transaction get the same decision; the state stays as it is."""

    judge: Judge | None
    rules: Rules = field(default_factory=Rules)
    costs: Costs = field(default_factory=Costs)
    definition: FraudFeatures = field(default_factory=FraudFeatures)

    def decide(self, state: FraudState, transaction: Transaction) -> Decision:
        """Decide about a transaction that the state has not taken in yet."""
        names = self.definition.names
        vector = self.definition.vector(state, transaction)
        rulings = self.rules.apply(transaction, dict(zip(names, vector.tolist(), strict=True)))
        why = [Reason(each.rule, None, 0.0, each.text) for each in rulings]
        probability, band = None, Band.ALLOW
        if self.judge is not None:
            probability, shares = self.judge.odds(vector)
            band = self.costs.band(probability, transaction.cents)
            why += reasons(names, vector, shares)
        return Decision(
            transaction.id,
            ruled(band, rulings),
            probability,
            tuple(why),
            tuple(each.rule for each in rulings),
            vector,
            self.definition.version,
            self.judge.sha256 if self.judge else None,
        )
