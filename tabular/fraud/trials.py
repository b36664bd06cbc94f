"""How a challenger's decisions about transactions compare with the champion's on the same ones, and when it has to go.

Both sides are asked about every transaction of a trial, whichever of them decides, so that nothing but their opinions
differs. What a band cost is known when it was reported what the transaction was, or `DELAY` after the decision without
a report, when it counts as genuine, as it does in training. A review finds the share of the frauds that `Costs.found`
says.

A challenger has to go when it stops far more transactions than the champion, which shows within hours: when the lower
end of its share's interval lies above `MORE` times the upper end of the champion's (Wilson's, 99 %). And when it is
dearer, which shows when outcomes are known: when the mean difference in cost lies above zero by `SURE` standard
errors. It is looked at again and again, which one look's level would not stand: docs/decisions/0034 has the rates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy import func, select

from core.database import Database
from core.gates import wilson
from tabular.fraud.costs import Band, Costs
from tabular.fraud.decisions import DecisionRow, Outcome
from tabular.fraud.features import DELAY

MORE = 1.5
SURE = 3.3
LEAST_SEEN = 200
"""Transactions before anything is said of how many are stopped."""

LEAST_APART = 30
"""Transactions with a known cost about which the sides differ, before anything is said of cost."""

_Z = 2.576
_SHOWN = 1.96


@dataclass(slots=True)
class Bands:
    """How many transactions one side lets pass, wants looked at, and refuses."""

    allow: int = 0
    review: int = 0
    block: int = 0

    @property
    def stopped(self) -> int:
        """Those that do not simply pass."""
        return self.review + self.block

    def add(self, band: Band, count: int) -> None:
        """Count so many more."""
        setattr(self, band.value, getattr(self, band.value) + count)


@dataclass(slots=True)
class Compared:
    """Both sides of a trial on the same transactions.

    `alike` got the same band from both. `known` have a known cost, `frauds` of them were fraud, and the sides differ
    about `apart` of them. Costs are sums in cents over the known; `squares` is the sum of squared differences.
    """

    champion: Bands = field(default_factory=Bands)
    challenger: Bands = field(default_factory=Bands)
    seen: int = 0
    alike: int = 0
    known: int = 0
    frauds: int = 0
    apart: int = 0
    champion_cost: float = 0.0
    challenger_cost: float = 0.0
    squares: float = 0.0

    def dearer(self, z: float = _SHOWN) -> tuple[float, float, float] | None:
        """By how many cents a transaction the challenger is dearer, with `z` standard errors to both sides.

        None before the cost of two transactions is known.
        """
        if self.known < 2:
            return None
        mean = (self.challenger_cost - self.champion_cost) / self.known
        variance = max(0.0, self.squares - self.known * mean**2) / (self.known - 1)
        reach = z * math.sqrt(variance / self.known)
        return mean, mean - reach, mean + reach

    def verdict(self) -> list[tuple[str, str]]:
        """Why the challenger has to go: each reason as a word and a sentence. Empty while it may stay."""
        found = []
        new, old = self.challenger.stopped, self.champion.stopped
        if self.seen >= LEAST_SEEN and wilson(new, self.seen, _Z)[0] > MORE * wilson(old, self.seen, _Z)[1]:
            found.append(("stopped", f"it stops {new} of {self.seen} payments, the champion {old}"))
        dearer = self.dearer(SURE)
        if self.apart >= LEAST_APART and dearer is not None and dearer[1] > 0:
            told = f"it costs {dearer[0] / 100:.2f} more a payment than the champion, over {self.known}"
            found.append(("cost", told))
        return found


async def compare(database: Database, challenger: str, since: datetime, now: datetime, costs: Costs) -> Compared:
    """Compare the sides of the trial of a model, named by its SHA-256, on what was decided about since it began."""
    own = DecisionRow.model == challenger
    # Nobody can report a payment that came late before it was decided about, however old it is.
    waited = now - timedelta(milliseconds=DELAY)
    known = sa.or_(DecisionRow.outcome.is_not(None), DecisionRow.decided_at < waited)
    fraud = func.coalesce(DecisionRow.outcome == Outcome.FRAUD.value, False)
    where = (
        DecisionRow.other_band.is_not(None),
        DecisionRow.decided_at >= since,
        sa.or_(own, DecisionRow.other_model == challenger),
    )
    # Amounts count only where the sides differ: one row each there, and one for many elsewhere.
    cents = sa.case((DecisionRow.band == DecisionRow.other_band, 0), else_=DecisionRow.cents)
    query = (
        select(
            own.label("own"),
            known.label("known"),
            fraud.label("fraud"),
            cents.label("differing"),
            DecisionRow.band,
            DecisionRow.other_band,
            func.count(),
            func.sum(DecisionRow.cents),
        )
        .where(*where)
        .group_by("own", "known", "fraud", "differing", DecisionRow.band, DecisionRow.other_band)
    )
    found = Compared()
    async with database.session() as session:
        for theirs, is_known, is_fraud, _, band, other, count, total in await session.execute(query):
            mine, yours = (Band(band), Band(other)) if theirs else (Band(other), Band(band))
            found.seen += count
            found.challenger.add(mine, count)
            found.champion.add(yours, count)
            found.alike += count if mine is yours else 0
            if not is_known:
                continue
            found.known += count
            found.frauds += count if is_fraud else 0
            # Of equal amounts the mean is each; where both say the same, costs are linear in the amount.
            amount = float(total) / count
            new = costs.incurred(mine, amount, fraud=is_fraud)
            old = costs.incurred(yours, amount, fraud=is_fraud)
            found.challenger_cost += count * new
            found.champion_cost += count * old
            if mine is not yours:
                found.apart += count
                found.squares += count * (new - old) ** 2
    return found
