"""Which cards would people have looked into, and were they the right ones?

By the protocol of the Fraud Detection Handbook: train on seven days, wait seven for what they were to become known,
test on the seven after that, each day with the cards left out that were known by then. Every transaction since the
first one goes through the event log, and every feature comes out of its replay. A case is a day of the test.

`--data` is a folder (or a file) of transactions: `.npz` with `time_seconds` since `START`, `customer_id`,
`terminal_id`, `amount_cents` and `fraud`, ordered by time. Without it, the demo company's own card transactions, of
which there are few: more days of training and of testing, and one card a day.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from rich.console import Console
from rich.progress import Progress

from app.demo.card_uses import card_uses
from app.demo.company import TODAY, generate
from core.database import Database
from core.errors import InvalidInput, MissingExtra
from evals.suite import Options, Pooled, Scorer, Suite, refuse_foreign
from tabular.eventlog import EventLog
from tabular.features import Floats, replay
from tabular.fraud.events import FraudEvent, Transaction
from tabular.fraud.features import FraudFeatures, FraudState
from tabular.fraud.records import KINDS, fraud_event, history

if TYPE_CHECKING:
    from tabular.fraud.measures import Day

START = datetime(2018, 4, 1, tzinfo=UTC)
PUBLISHED = date(2018, 7, 25)
"""The first day of training of the published figures."""

COLUMNS = ("transaction_id", "time_seconds", "customer_id", "terminal_id", "amount_cents", "fraud")
_DEMO_TRAIN, _DEMO_TEST = 365, 120
_TENANT = "suite"
_CHUNK = 20_000


@dataclass(frozen=True, slots=True)
class Case:
    """A day of the test."""

    id: str


@dataclass(frozen=True, slots=True)
class Result:
    """A day's transactions as they were judged; `found` is the share of fraud among the cards looked into."""

    day: Day
    found: float


@dataclass(frozen=True, slots=True)
class Protocol:
    """When what begins, and how many cards a day people look into."""

    start: date
    train: int
    test: int
    cards: int


@asynccontextmanager
async def open_suite(options: Options) -> AsyncIterator[Suite[Case, Result]]:
    """The suite on the transactions that `options` names. Raises `MissingExtra`, and `InvalidInput` for bad files."""
    refuse_foreign("fraud", options)
    if options.limit is not None:
        raise InvalidInput("the suite fraud is read whole: a day is a case", param="limit")
    for package in ("lightgbm", "sklearn"):
        if find_spec(package) is None:
            raise MissingExtra(package, "tabular")
    from tabular.fraud.examples import Split, examples, split
    from tabular.fraud.measures import Day, auc, average_precision, card_precision
    from tabular.fraud.model import train

    rows, protocol = _read(options)
    definition = FraudFeatures()
    first = datetime(*protocol.start.timetuple()[:3], tzinfo=UTC)
    dates = Split(int(first.timestamp() * 1000), protocol.train, test=protocol.test)
    with tempfile.TemporaryDirectory() as folder:
        replayed = [pair async for pair in _replayed(Path(folder), rows, dates.start, dates.end)]
    everything = examples(replayed, {transaction.id: fraud for transaction, fraud in rows})
    training, tests = split(everything, dates)
    model = train(training, definition.version, definition.names, seed=options.seed)
    days = [Day(day.cards.tolist(), model.probabilities(day.vectors).tolist(), day.fraud.tolist()) for day in tests]
    found = card_precision(days, protocol.cards)
    results = {
        f"day {number}": Result(day, share)
        for number, (day, share) in enumerate(zip(days, found, strict=True), start=1)
    }

    async def task(case: Case) -> Result:
        return results[case.id]

    def over(pairs: Sequence[tuple[Case, Result]]) -> list[Day]:
        return [each.day for _, each in pairs]

    yield Suite(
        name="fraud",
        cases=[Case(name) for name in results],
        task=task,
        scorers=[Scorer(f"card precision@{protocol.cards}", lambda _, out: out.found)],
        pooled=[
            Pooled("auc", lambda pairs: auc(over(pairs))),
            Pooled("average precision", lambda pairs: average_precision(over(pairs))),
            Pooled("calibration error", lambda pairs: _calibration(over(pairs))),
        ],
        details=_details,
        facts={
            "data": f"{len(rows):,} transactions, {sum(fraud for _, fraud in rows):,} of them fraud",
            "training": f"{protocol.train} days from {protocol.start}: {len(training):,}",
            "of which fraud": f"{training.fraud.sum():,}",
            "test": f"{protocol.test} days after a week's delay: {sum(map(len, tests)):,}",
            "features": f"{definition.version}, {len(definition.names)}",
            "model": model.sha256[:12],
        },
    )


async def _replayed(
    folder: Path, rows: Sequence[tuple[Transaction, bool]], start: int, end: int
) -> AsyncIterator[tuple[Transaction, Floats]]:
    """Write everything to an event log, read it from there, and give the features of what lies in [start, end)."""
    definition = FraudFeatures()
    state = definition.start()
    database = Database(f"sqlite+aiosqlite:///{folder / 'log.db'}")
    try:
        await database.migrate()
        log = EventLog(database)
        with Progress(console=Console(stderr=True), transient=True) as progress:
            writing = progress.add_task("writing the log", total=len(rows))
            events = history(rows)
            while chunk := list(islice(events, _CHUNK)):
                async with database.session() as session:
                    await log.append(session, _TENANT, await log.lock(session, _TENANT), chunk)
                progress.advance(writing, len(chunk))
            reading = progress.add_task("replaying it", total=await log.length(_TENANT))
            page: list[FraudEvent] = []
            async for entry in log.read(_TENANT, KINDS):
                page.append(fraud_event(entry.event))
                progress.advance(reading)
                if len(page) == _CHUNK:
                    for pair in _pairs(definition, page, state, start, end):
                        yield pair
                    page.clear()
            for pair in _pairs(definition, page, state, start, end):
                yield pair
    finally:
        await database.close()


def _pairs(
    definition: FraudFeatures, events: Sequence[FraudEvent], state: FraudState, start: int, end: int
) -> Iterator[tuple[Transaction, Floats]]:
    def wanted(event: FraudEvent) -> bool:
        return isinstance(event, Transaction) and start <= event.at < end

    for event, vector in replay(definition, events, wanted, state):
        if isinstance(event, Transaction):
            yield event, vector


def _read(options: Options) -> tuple[list[tuple[Transaction, bool]], Protocol]:
    if options.data is None:
        return _demo(), Protocol(
            options.train_start or TODAY - timedelta(_DEMO_TRAIN + 7 + _DEMO_TEST), _DEMO_TRAIN, _DEMO_TEST, 1
        )
    return handbook_rows(options.data), Protocol(options.train_start or PUBLISHED, 7, 7, 100)


def _demo() -> list[tuple[Transaction, bool]]:
    return list(card_uses(generate().transactions))


def handbook_rows(data: Path) -> list[tuple[Transaction, bool]]:
    """The transactions of a file .npz, or of the one in a folder. Raises `InvalidInput` for what cannot be read."""
    files = [data] if data.is_file() else sorted(data.glob("*.npz"))
    if len(files) != 1:
        raise InvalidInput(f"{data} holds {len(files)} files .npz, and one is read", param="data")
    [path] = files
    try:
        with np.load(path, allow_pickle=False) as stored:
            columns = [stored[name].tolist() for name in COLUMNS]
    except (OSError, ValueError, KeyError) as problem:
        raise InvalidInput(f"{path} cannot be read: {problem}", param="data") from problem
    origin = int(START.timestamp() * 1000)
    return [
        (Transaction(str(name), origin + second * 1000, f"c{card}", f"t{terminal}", cents), bool(fraud))
        for name, second, card, terminal, cents, fraud in zip(*columns, strict=True)
    ]


def _details(case: Case, out: Result) -> Mapping[str, str]:
    return {
        "transactions": f"{len(out.day.scores):,}",
        "frauds": f"{sum(out.day.fraud):,}",
        "of the cards looked into, defrauded": f"{out.found:.0%}",
    }


def _calibration(days: Sequence[Day]) -> float:
    """Expected calibration error over ten bins of equal width."""
    scores = np.concatenate([np.asarray(day.scores) for day in days])
    fraud = np.concatenate([np.asarray(day.fraud, dtype=np.float64) for day in days])
    bins = np.minimum((scores * 10).astype(np.int64), 9)
    return float(sum(abs((scores - fraud)[bins == each].sum()) for each in range(10)) / len(scores))
