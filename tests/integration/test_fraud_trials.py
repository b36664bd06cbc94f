"""Both sides of a trial of fraud on the same payments, on both databases: who decides, and what each cost."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from core.database import Database
from core.types import Principal, Role
from tabular.features import Floats
from tabular.fraud.costs import Band, Costs
from tabular.fraud.decisions import Decisions, Outcome
from tabular.fraud.events import Transaction
from tabular.fraud.live import LiveFraud
from tabular.fraud.rules import Rules
from tabular.fraud.scoring import Scorer, Trial
from tabular.fraud.trials import compare

TENANT = "harbor"
STAFF = Principal("key_s", TENANT, Role.STAFF)
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Says:
    """A judge that says the same of everything, or of what is at least so dear."""

    sha256: str
    probability: float
    wrong: bool = False

    def odds(self, vector: Floats) -> tuple[float, Floats]:
        if self.wrong:
            raise RuntimeError("broken trees")
        return self.probability, np.zeros(len(vector))


OLD, NEW = Says("o" * 64, 0.0), Says("n" * 64, 0.99)


def never(_card: str) -> bool:
    return False


def use(number: int, *, days_ago: float = 0.0, card: str | None = None, cents: int = 10_000) -> Transaction:
    at = NOW - timedelta(days=days_ago)
    return Transaction(f"T{number}", int(at.timestamp() * 1000), card or f"C{number}", "P1", cents)


def serving(database: Database, trial: Trial | None, champion: Says | None = OLD, moment: datetime = NOW) -> LiveFraud:
    return LiveFraud(database, lambda _: Scorer(champion, trial=trial), clock=lambda: moment)


def telling() -> tuple[list[Exception], Callable[[Exception], None]]:
    told: list[Exception] = []
    return told, told.append


async def test_a_shadow_is_asked_and_nobody_acts_on_it(database: Database) -> None:
    live = serving(database, Trial(NEW, never, telling()[1]))
    said = await live.score(TENANT, use(1))
    assert (said.decision.band, said.decision.model, said.decision.probability) == (Band.ALLOW, OLD.sha256, 0.0)
    kept = (await Decisions(database).get(TENANT, "T1")).decision.other
    assert kept is not None
    assert (kept.band, kept.model, kept.probability) == (Band.BLOCK, NEW.sha256, 0.99)


async def test_a_canary_decides_about_the_cards_that_it_meets_and_the_champion_is_asked_too(database: Database) -> None:
    live = serving(database, Trial(NEW, lambda card: card == "C2", telling()[1]))
    one, two = await live.score_all(TENANT, [use(1), use(2)])
    assert (one.decision.band, two.decision.band) == (Band.ALLOW, Band.BLOCK)
    assert (one.decision.model, two.decision.model) == (OLD.sha256, NEW.sha256)
    assert two.decision.other is not None
    assert (two.decision.other.band, two.decision.other.model) == (Band.ALLOW, OLD.sha256)


async def test_rules_hold_for_both_sides(database: Database) -> None:
    scorer = Scorer(OLD, Rules(trusted_cards=frozenset({"C1"})), trial=Trial(NEW, lambda _: True, telling()[1]))
    live = LiveFraud(database, lambda _: scorer, clock=lambda: NOW)
    decision = (await live.score(TENANT, use(1))).decision
    assert (decision.band, decision.model) == (Band.ALLOW, NEW.sha256)


async def test_where_the_challenger_fails_the_champion_decides(database: Database) -> None:
    told, tell = telling()
    live = serving(database, Trial(replace(NEW, wrong=True), lambda _: True, tell))
    decision = (await live.score(TENANT, use(1))).decision
    assert (decision.band, decision.model, decision.other) == (Band.ALLOW, OLD.sha256, None)
    assert [str(each) for each in told] == ["broken trees"]


async def test_costs_are_of_what_became_of_the_payments(database: Database) -> None:
    costs = Costs()
    since = NOW - timedelta(days=8, hours=1)
    # Without the trial.
    await serving(database, None).score(TENANT, use(0))
    trial = Trial(NEW, lambda card: card == "C3", telling()[1])
    # One of which nothing was heard for a week, two frauds, a genuine one, and one of which nothing is known yet.
    await serving(database, trial, moment=NOW - timedelta(days=8)).score(TENANT, use(4, days_ago=8))
    live = serving(database, trial)
    await live.score_all(TENANT, [use(1), use(2, cents=20_000), use(3, cents=5_000), use(5, cents=700)])
    await live.report(STAFF, "T1", Outcome.FRAUD)
    await live.report(STAFF, "T2", Outcome.FRAUD)
    await live.report(STAFF, "T3", Outcome.GENUINE)
    found = await compare(database, NEW.sha256, since, NOW, costs)
    assert (found.champion.allow, found.champion.stopped) == (5, 0)
    assert (found.challenger.allow, found.challenger.block) == (0, 5)
    assert (found.seen, found.alike, found.known, found.frauds, found.apart) == (5, 0, 4, 2, 4)
    # Missed frauds cost their amount and the chargeback; a genuine payment refused costs the customer's anger.
    assert found.champion_cost == 10_000 + 1_500 + 20_000 + 1_500
    assert found.challenger_cost == 2 * 4_000
    differences = np.array([-11_500, -21_500, 4_000, 4_000])
    dearer = found.dearer()
    assert dearer is not None
    reach = 1.96 * differences.std(ddof=1) / 2
    assert dearer == pytest.approx((differences.mean(), differences.mean() - reach, differences.mean() + reach))


async def test_nothing_is_known_yet_of_a_payment_that_came_late(database: Database) -> None:
    live = serving(database, Trial(NEW, never, telling()[1]))
    await live.score_all(TENANT, [use(number, days_ago=8) for number in range(40)])
    found = await compare(database, NEW.sha256, NOW - timedelta(hours=1), NOW, Costs())
    assert (found.seen, found.known, found.apart) == (40, 0, 0)


async def test_payments_on_which_both_agree_count_with_their_own_amounts(database: Database) -> None:
    live = serving(database, Trial(Says(NEW.sha256, 0.0), never, telling()[1]))
    await live.score_all(TENANT, [use(1, cents=100), use(2, cents=300), use(3)])
    await live.report(STAFF, "T1", Outcome.FRAUD)
    await live.report(STAFF, "T2", Outcome.FRAUD)
    found = await compare(database, NEW.sha256, NOW - timedelta(hours=1), NOW, Costs())
    assert found.champion_cost == found.challenger_cost == 100 + 300 + 2 * 1_500
    assert (found.alike, found.apart, found.dearer()) == (3, 0, (0.0, 0.0, 0.0))


async def test_rules_alone_are_a_champion_too(database: Database) -> None:
    live = serving(database, Trial(NEW, never, telling()[1]), champion=None)
    await live.score(TENANT, use(1))
    found = await compare(database, NEW.sha256, NOW - timedelta(hours=1), NOW, Costs())
    assert (found.champion.allow, found.challenger.block) == (1, 1)
