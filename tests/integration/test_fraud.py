"""Fraud decisions on both databases: each transaction once, on features that a replay of the log gives again."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.fraud.history import Appended, append_history
from core.audit import Audit
from core.database import Database
from core.errors import Conflict, InvalidInput, NotFound
from core.types import Principal, Role
from tabular.eventlog import PAGE, EventLog
from tabular.features import Floats, replay
from tabular.fraud.costs import Band
from tabular.fraud.decisions import Decisions, Outcome
from tabular.fraud.events import DAY, FraudEvent, Transaction
from tabular.fraud.features import HORIZON, LATEST, FraudFeatures, FraudState
from tabular.fraud.live import LiveFraud
from tabular.fraud.records import KINDS, fraud_event, history
from tabular.fraud.rules import Rules
from tabular.fraud.scoring import Scorer
from tests.integration.planned import asked, on_sqlite, plans
from tests.unit.tabular.fraud.making import BEGIN, made

TENANT = "harbor"
STAFF = Principal("key_s", TENANT, Role.STAFF)
STRANGER = Principal("key_x", "rival", Role.ADMIN)
FEATURES = FraudFeatures()
RULES = Scorer(None, Rules(most_cents=50_000))


class Clock:
    """The time, as the test sets it."""

    def __init__(self, milliseconds: int) -> None:
        self.milliseconds = milliseconds

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.milliseconds / 1000, UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock(BEGIN + 100 * DAY)


@pytest.fixture
def live(database: Database, clock: Clock) -> LiveFraud:
    return LiveFraud(database, lambda _: RULES, clock=clock)


def use(name: str, clock: Clock, cents: int = 1_000, *, ago: int = 0) -> Transaction:
    return Transaction(name, clock.milliseconds - ago, "C1", "P1", cents)


async def replayed(database: Database) -> dict[str, bytes]:
    """The features of every transaction of the log, by a replay from its beginning."""
    entries = [each async for each in EventLog(database).read(TENANT, KINDS)]
    assert [each.number for each in entries] == list(range(1, len(entries) + 1))
    events = (fraud_event(each.event) for each in entries)
    found = replay(FEATURES, events, lambda each: isinstance(each, Transaction))
    return {event.id: vector.tobytes() for event, vector in found}


async def load_history(database: Database, count: int) -> list[tuple[Transaction, bool]]:
    transactions = made(count, days=100)
    log = EventLog(database)
    events = [each for each in history(transactions) if each.known_at < BEGIN + 99 * DAY]
    async with database.session() as session:
        await log.append(session, TENANT, await log.lock(session, TENANT), events)
    return [each for each in transactions if each[0].at >= BEGIN + 99 * DAY]


async def test_live_features_are_those_of_a_replay_to_the_last_bit(
    database: Database, live: LiveFraud, clock: Clock
) -> None:
    day = await load_history(database, 6_000)
    assert len(day) > 40
    other = LiveFraud(database, lambda _: RULES, clock=clock)
    served: dict[str, Floats] = {}
    for number, (transaction, fraud) in enumerate(day):
        clock.milliseconds = transaction.at
        # Two processes take turns, one of which starts in the middle of the day.
        one = other if number > 20 and number % 3 == 0 else live
        served[transaction.id] = (await one.score(TENANT, transaction)).decision.vector
        if fraud:
            await live.report(STAFF, transaction.id, Outcome.FRAUD)
    again = await replayed(database)
    assert {name: vector.tobytes() for name, vector in served.items()} == {name: again[name] for name in served}
    # And they are what is kept.
    for name, vector in served.items():
        kept = await Decisions(database).get(TENANT, name)
        assert kept.decision.vector.tobytes() == vector.tobytes()


async def test_a_transaction_is_decided_about_once(database: Database, live: LiveFraud, clock: Clock) -> None:
    first = await live.score(TENANT, use("T1", clock, 60_000))
    assert (first.decision.band, first.decision.rules) == (Band.REVIEW, ("large_amount",))
    clock.milliseconds += 5_000
    again = await live.score(TENANT, use("T1", clock, 60_000, ago=5_000))
    assert (again.number, again.decided_at) == (first.number, first.decided_at)
    assert again.decision.reasons == first.decision.reasons
    assert await EventLog(database).length(TENANT) == 1
    with pytest.raises(Conflict, match="another transaction"):
        await live.score(TENANT, use("T1", clock, 70_000, ago=5_000))


async def test_many_at_once_from_two_processes(database: Database, live: LiveFraud, clock: Clock) -> None:
    other = LiveFraud(database, lambda _: RULES, clock=clock)
    wanted = [use(f"T{number % 40}", clock, ago=number % 40) for number in range(160)]
    both = (live, other)
    answers = await asyncio.gather(*(both[at % 2].score(TENANT, each) for at, each in enumerate(wanted)))
    numbers = {each.transaction.id: each.number for each in answers}
    assert sorted(numbers.values()) == list(range(1, 41))
    assert all(numbers[each.transaction.id] == each.number for each in answers)
    again = await replayed(database)
    assert all(again[each.transaction.id] == each.decision.vector.tobytes() for each in answers)


async def test_several_are_decided_about_together_or_not_at_all(
    database: Database, live: LiveFraud, clock: Clock
) -> None:
    await live.score(TENANT, use("T1", clock))
    with pytest.raises(Conflict, match="T1"):
        await live.score_all(TENANT, [use("T2", clock), use("T1", clock, 9)])
    with pytest.raises(Conflict, match="T3"):
        await live.score_all(TENANT, [use("T3", clock), use("T3", clock, 9)])
    assert await EventLog(database).length(TENANT) == 1
    both = await live.score_all(TENANT, [use("T2", clock), use("T1", clock), use("T2", clock)])
    assert [each.number for each in both] == [2, 1, 2]
    uses = dict(zip(FEATURES.names, both[0].decision.vector, strict=True))["card_uses_1h"]
    assert uses == 2


async def test_who_waits_beside_a_wrong_one_is_answered(live: LiveFraud, clock: Clock) -> None:
    await live.score(TENANT, use("T1", clock))
    answers = await asyncio.gather(
        *(live.score(TENANT, each) for each in (use("T2", clock), use("T1", clock, 5), use("T3", clock))),
        return_exceptions=True,
    )
    assert [type(each).__name__ for each in answers] == ["Recorded", "Conflict", "Recorded"]


class Broken(FraudFeatures):
    """Fails for one card, after others of the same transaction of the database were taken in."""

    def vector(self, state: FraudState, event: object) -> Floats:
        if event.card == "broken":  # type: ignore[attr-defined]
            raise RuntimeError("nobody expected this")
        return super().vector(state, event)  # type: ignore[arg-type]


async def test_after_an_unexpected_fault_nothing_is_half_done(database: Database, clock: Clock) -> None:
    live = LiveFraud(database, lambda _: Scorer(None, definition=Broken()), clock=clock)
    bad = Transaction("T2", clock.milliseconds, "broken", "P1", 100)
    answers = await asyncio.gather(
        live.score(TENANT, use("T1", clock)), live.score(TENANT, bad), return_exceptions=True
    )
    assert [str(each) for each in answers] == ["nobody expected this"] * 2
    assert await EventLog(database).length(TENANT) == 0
    found = await live.score(TENANT, use("T1", clock))
    assert found.number == 1
    assert (await replayed(database))["T1"] == found.decision.vector.tobytes()


async def test_times_that_cannot_be(live: LiveFraud, clock: Clock) -> None:
    with pytest.raises(InvalidInput, match="not happened yet"):
        await live.score(TENANT, use("T1", clock, ago=-400_000))
    with pytest.raises(InvalidInput, match="15 days"):
        await live.score(TENANT, use("T1", clock, ago=16 * DAY))


async def test_history_was_never_decided_about(database: Database, live: LiveFraud) -> None:
    day = await load_history(database, 400)
    assert day
    (old, _) = made(400, days=100)[-len(day) - 1]
    with pytest.raises(Conflict, match="history"):
        await live.score(TENANT, old)


async def test_an_outcome_becomes_a_label_and_can_be_taken_back(
    database: Database, live: LiveFraud, clock: Clock
) -> None:
    await live.score(TENANT, use("T1", clock))
    told = await live.report(STAFF, "T1", Outcome.FRAUD)
    assert (told.outcome, told.outcome_by, told.outcome_at) == (Outcome.FRAUD, "key:key_s", clock())
    assert (await live.report(STAFF, "T1", Outcome.FRAUD)).outcome_at == told.outcome_at
    clock.milliseconds += 8 * DAY
    risky = await live.score(TENANT, use("T2", clock))
    assert dict(zip(FEATURES.names, risky.decision.vector, strict=True))["terminal_risk_7d"] == 1
    await live.report(STAFF, "T1", Outcome.GENUINE)
    calm = await live.score(TENANT, use("T3", clock))
    assert dict(zip(FEATURES.names, calm.decision.vector, strict=True))["terminal_risk_7d"] == 0
    labels = [each.event async for each in EventLog(database).read(TENANT, ["fraud_label"])]
    assert [each.body["change"] for each in labels] == [1, -1]
    entries = await Audit(database).entries(TENANT, of="transaction/T1")
    assert [each.entry.payload["outcome"] for each in entries] == ["fraud", "genuine"]
    with pytest.raises(NotFound):
        await live.report(STAFF, "T9", Outcome.FRAUD)
    with pytest.raises(NotFound):
        await live.report(STRANGER, "T1", Outcome.FRAUD)


async def test_a_fraud_that_was_reported_does_not_count_again_by_an_import(
    database: Database, live: LiveFraud, clock: Clock
) -> None:
    decided, old = use("T1", clock), use("T0", clock, ago=DAY)
    await live.score(TENANT, decided)
    await live.report(STAFF, "T1", Outcome.FRAUD)
    done = await append_history(database, TENANT, [(old, True), (decided, True)], lambda _: None)
    assert done == Appended(transactions=1, known=1, frauds_left=1)
    clock.milliseconds += 9 * DAY
    risky = await live.score(TENANT, use("T2", clock))
    assert dict(zip(FEATURES.names, risky.decision.vector, strict=True))["terminal_risk_7d"] == 1
    await live.report(STAFF, "T1", Outcome.GENUINE)
    calmer = await live.score(TENANT, use("T3", clock))
    assert dict(zip(FEATURES.names, calmer.decision.vector, strict=True))["card_frauds"] == 1


async def test_the_queue_is_what_people_have_to_look_at(database: Database, live: LiveFraud, clock: Clock) -> None:
    for number in range(6):
        await live.score(TENANT, use(f"T{number}", clock, 60_000 if number % 2 else 1_000))
    await live.report(STAFF, "T3", Outcome.GENUINE)
    decisions = Decisions(database)
    queue = await decisions.list(TENANT, band=Band.REVIEW, undecided=True)
    assert [each.transaction.id for each in queue] == ["T5", "T1"]
    page = await decisions.list(TENANT, limit=2, before=queue[0].number)
    assert [each.transaction.id for each in page] == ["T4", "T3"]
    assert await decisions.list("rival") == []
    with pytest.raises(NotFound):
        await decisions.get("rival", "T1")


async def test_many_of_one_caller_are_not_decided_about_with_those_of_another(database: Database, clock: Clock) -> None:
    def ticking() -> datetime:
        clock.milliseconds += 1
        return clock()

    live = LiveFraud(database, lambda _: RULES, clock=ticking)
    # The first of them is at work, and the others wait.
    first, *groups = [[use(f"{group}-{number}", clock) for number in range(60)] for group in "ABC"]
    alone = asyncio.create_task(live.score_all(TENANT, first))
    await asyncio.sleep(0)
    singles = [use(f"D{number}", clock) for number in range(4)]
    found = await asyncio.gather(alone, *(live.score_all(TENANT, each) for each in (*groups, singles)))
    moments = [{each.decided_at for each in group} for group in found]
    assert [len(each) for each in moments] == [1, 1, 1, 1]
    assert moments[2] == moments[3]
    assert len(moments[0] | moments[1] | moments[2]) == 3


class Counting(FraudFeatures):
    """Counts how often others had their turn between two questions to it."""

    def __init__(self) -> None:
        self.turns = 0
        self.seen: set[int] = set()

    def vector(self, state: FraudState, event: FraudEvent) -> Floats:
        self.seen.add(self.turns)
        return super().vector(state, event)


async def test_others_have_their_turn_while_many_are_decided_about(database: Database, clock: Clock) -> None:
    counting = Counting()

    async def others() -> None:
        while True:
            counting.turns += 1
            await asyncio.sleep(0)

    live = LiveFraud(database, lambda _: Scorer(None, definition=counting), clock=clock)
    busy = asyncio.create_task(others())
    found = await live.score_all(TENANT, [use(f"T{number}", clock) for number in range(100)])
    busy.cancel()
    assert [each.number for each in found] == list(range(1, 101))
    assert len(counting.seen) >= 6


async def test_a_long_import_is_read_before_anybody_waits_for_the_lock(database: Database, clock: Clock) -> None:
    live = LiveFraud(database, lambda _: RULES, clock=clock)
    await live.score(TENANT, use("T1", clock))
    old = [(use(f"H{number}", clock, ago=number + 1), False) for number in range(11 * PAGE)]
    await append_history(database, TENANT, old[::-1], lambda _: None)
    with asked(database, "SELECT events", "UPDATE event_counters", "INSERT INTO events") as statements:
        found = await live.score(TENANT, use("T2", clock))
    assert dict(zip(FEATURES.names, found.decision.vector, strict=True))["card_uses_1d"] == 11 * PAGE + 2
    said = [each.statement.split()[0] for each in statements]
    # The lock is tried, let go, and taken again when everything is known.
    assert said[0] == "UPDATE"
    assert said.count("SELECT") > 10
    assert said[-2:] == ["UPDATE", "INSERT"]


async def test_the_latest_decisions_are_found_without_sorting_all(tmp_path: Path, clock: Clock) -> None:
    async with on_sqlite(tmp_path) as database:
        live = LiveFraud(database, lambda _: RULES, clock=clock)
        for number in range(6):
            await live.score(TENANT, use(f"T{number}", clock, 60_000 if number % 2 else 1_000))
        with asked(database) as questions:
            page = await Decisions(database).list(TENANT, limit=3)
        assert [each.number for each in page] == [6, 5, 4]
        assert {*await plans(database, questions)} == {
            "SEARCH fraud_decisions USING INDEX ix_fraud_decisions_band (tenant=? AND band=?)"
        }


async def test_what_waits_for_people_is_found_without_looking_at_what_they_have_seen(
    tmp_path: Path, clock: Clock
) -> None:
    async with on_sqlite(tmp_path) as database:
        live = LiveFraud(database, lambda _: RULES, clock=clock)
        for number in range(6):
            await live.score(TENANT, use(f"T{number}", clock, 60_000 if number else 1_000))
            if number % 2:
                await live.report(STAFF, f"T{number}", Outcome.GENUINE)
        with asked(database) as questions:
            page = await Decisions(database).list(TENANT, band=Band.REVIEW, undecided=True, limit=3)
        assert [each.transaction.id for each in page] == ["T4", "T2"]
        assert await plans(database, questions) == [
            "SEARCH fraud_decisions USING INDEX ix_fraud_decisions_queue (tenant=? AND band=?)"
        ]
        passed = await Decisions(database).list(TENANT, band=Band.ALLOW, undecided=True)
        assert [each.transaction.id for each in passed] == ["T0"]
        assert len(await Decisions(database).list(TENANT, undecided=True)) == 3


async def test_a_decision_of_a_closing_process_is_waited_for(live: LiveFraud, clock: Clock) -> None:
    waiting = asyncio.create_task(live.score(TENANT, use("T1", clock)))
    await asyncio.sleep(0)
    await live.close()
    assert (await asyncio.wait_for(waiting, 1)).number == 1


class Watched(FraudFeatures):
    """Shows the states that it begins."""

    def __init__(self) -> None:
        self.states: list[FraudState] = []

    def start(self) -> FraudState:
        self.states.append(super().start())
        return self.states[-1]


async def test_a_process_that_goes_on_forgets_what_nobody_asks_for(database: Database, clock: Clock) -> None:
    watched = Watched()
    live = LiveFraud(database, lambda _: Scorer(None, definition=watched), clock=clock)
    served: dict[str, bytes] = {}
    for number in range(60):
        clock.milliseconds += 3 * DAY
        at = clock.milliseconds - (LATEST if number % 4 == 0 else 0)
        one = Transaction(f"T{number}", at, f"C{number % 45}", f"P{number % 11}", 100 + number)
        served[one.id] = (await live.score(TENANT, one)).decision.vector.tobytes()
        if number % 6 == 0:
            await live.report(STAFF, one.id, Outcome.FRAUD)
    assert served == await replayed(database)
    (state,) = watched.states
    assert len(state.cards) < 30
    assert len(state.terminals) == 11


async def test_what_a_clock_that_was_ahead_told_is_known_after_a_start(database: Database, clock: Clock) -> None:
    began = clock.milliseconds
    before = LiveFraud(database, lambda _: RULES, clock=clock)
    await before.score(TENANT, use("T1", clock, ago=-240_000))
    clock.milliseconds = began + HORIZON + 120_000
    started = LiveFraud(database, lambda _: RULES, clock=clock)
    found = await started.score(TENANT, use("T2", clock, ago=LATEST))
    assert (await replayed(database))["T2"] == found.decision.vector.tobytes()
