"""Fraud decisions in service: each transaction is written to the log and decided about once, in one transaction.

The features come from a state that this process folds over the log, and that is brought up to the log's end under the
log's lock before anything is decided: what was decided is what a replay of the log gives, whoever else appends.
Transactions that wait for the lock together are decided about together, in the order in which they came.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import accumulate, islice, takewhile

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from core.audit import Audit, Entry
from core.database import Database, now
from core.errors import Conflict, InvalidInput, NotFound
from core.types import Principal
from tabular.eventlog import PAGE, EventLog
from tabular.events import Entry as Logged
from tabular.fraud.decisions import DecisionRow, Outcome, Recorded, record, recorded
from tabular.fraud.events import DAY, Label, Transaction
from tabular.fraud.features import HORIZON, LATEST, FraudState
from tabular.fraud.records import KINDS, TRANSACTION, fraud_event, label_event, transaction_event
from tabular.fraud.scoring import Scorer

EARLIEST = 300_000
"""Milliseconds that a sender's clock may be ahead."""

TOGETHER = 64
"""How many transactions are decided about in one transaction of the database, unless one caller has more of them."""

_FOLDED_AT_ONCE = 500

_FAR_BEHIND = 10 * PAGE
"""Entries that nobody is kept waiting for: more than an import appends at once, or a state would never catch up."""

_AT_A_STRETCH = 16
"""Decisions between which others on the event loop have their turn."""

_KNOWN_FOR = HORIZON + DAY
"""How far back a state knows everything: beyond what is asked for, since a sender's clock may have been ahead when
something became known, and time goes by while a transaction waits."""


class _Known(Exception):
    """The log has one of the transactions already."""


class _Behind(Exception):
    """There is too much in the log that the state does not know: it is to be read without the lock."""


@dataclass(slots=True)
class _Folded:
    """A state, and the number of the last entry in it."""

    state: FraudState
    number: int = 0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What one caller wants decided, all or nothing."""

    transactions: tuple[Transaction, ...]
    answer: asyncio.Future[list[Recorded]]


@dataclass(slots=True)
class _Desk:
    """What waits for one tenant, and who works on it."""

    waiting: list[_Wanted] = field(default_factory=list)
    worker: asyncio.Task[None] | None = None

    def take(self) -> list[_Wanted]:
        """Who comes next: as many callers as want `TOGETHER` transactions, and at least one."""
        wanted = accumulate(len(each.transactions) for each in self.waiting)
        count = max(1, sum(1 for _ in takewhile(lambda total: total <= TOGETHER, wanted)))
        batch, self.waiting = self.waiting[:count], self.waiting[count:]
        return batch


class LiveFraud:
    """Scores transactions, and takes reports of what they turned out to be."""

    def __init__(
        self, database: Database, scorer: Callable[[str], Scorer], *, clock: Callable[[], datetime] = now
    ) -> None:
        """`scorer` gives the one in force for a tenant, and is asked each time."""
        self._database = database
        self._log = EventLog(database)
        self._scorer = scorer
        self._clock = clock
        self._folded: dict[str, _Folded] = {}
        self._desks: dict[str, _Desk] = {}

    async def score(self, tenant: str, transaction: Transaction) -> Recorded:
        """Decide about a transaction; one that was decided about before gets the same decision.

        Raises `InvalidInput` for a time that is ahead of ours or more than `LATEST` behind, `Conflict` when another
        transaction has the id, or when the log has the transaction as history, without a decision.
        """
        (decided,) = await self.score_all(tenant, [transaction])
        return decided

    async def score_all(self, tenant: str, transactions: Sequence[Transaction]) -> list[Recorded]:
        """Decide about several in their order; when one is refused nothing is kept of any. Raises as `score`."""
        for each in transactions:
            self._check(each)
        desk = self._desks.setdefault(tenant, _Desk())
        wanted = _Wanted(tuple(transactions), asyncio.get_running_loop().create_future())
        desk.waiting.append(wanted)
        if desk.worker is None:
            desk.worker = asyncio.create_task(self._work(tenant, desk))
        return await wanted.answer

    async def report(self, by: Principal, transaction: str, outcome: Outcome) -> Recorded:
        """Take in what a transaction turned out to be; the latest report stands, and an equal one changes nothing.

        Raises `NotFound` for a transaction that was not decided about.
        """
        tenant = by.tenant
        async with self._database.session() as session:
            last = await self._log.lock(session, tenant)
            known = (await recorded(session, tenant, [transaction])).get(transaction)
            if known is None:
                raise NotFound(f"no decision about the transaction {transaction}", param="transaction_id")
            if known.outcome is outcome:
                return known
            moment = self._clock()
            change = int(outcome is Outcome.FRAUD) - int(known.outcome is Outcome.FRAUD)
            use = known.transaction
            label = Label(f"{use.id}/{last + 1}", use.at, use.card, use.terminal, change)
            await self._log.append(session, tenant, last, [label_event(label, use.id, _milliseconds(moment))])
            where = DecisionRow.tenant == tenant, DecisionRow.transaction == transaction
            told = update(DecisionRow).where(*where)
            await session.execute(told.values(outcome=outcome.value, outcome_by=by.owner, outcome_at=moment))
            before = known.outcome.value if known.outcome else None
            payload = {"outcome": outcome.value, "before": before}
            entry = Entry(by.key_id, "fraud.report", f"transaction/{use.id}", payload)
            after = (await recorded(session, tenant, [transaction]))[transaction]
            await Audit(self._database).append(tenant, entry, session=session)
        return after

    async def close(self) -> None:
        """Wait until what was begun is done."""
        workers = [desk.worker for desk in self._desks.values() if desk.worker is not None]
        await asyncio.gather(*workers)

    def _check(self, transaction: Transaction) -> None:
        moment = _milliseconds(self._clock())
        if transaction.at > moment + EARLIEST:
            raise InvalidInput(f"the transaction {transaction.id} has not happened yet: look at its clock", param="at")
        if transaction.at < moment - LATEST:
            days = LATEST // DAY
            told = f"the transaction {transaction.id} is more than {days} days old: add it to the history instead"
            raise InvalidInput(told, param="at")

    async def _work(self, tenant: str, desk: _Desk) -> None:
        while desk.waiting:
            batch = desk.take()
            try:
                answers = await self._decide(tenant, [each.transactions for each in batch])
            except Exception as problem:
                # Whoever waits is told, and what was folded in and not committed has to go.
                self._folded.pop(tenant, None)
                answers = [problem] * len(batch)
            for wanted, answer in zip(batch, answers, strict=True):
                if wanted.answer.done():
                    continue
                if isinstance(answer, Exception):
                    wanted.answer.set_exception(answer)
                else:
                    wanted.answer.set_result(answer)
            if (folded := self._folded.get(tenant)) is not None:
                folded.state.forget(_milliseconds(self._clock()) - _KNOWN_FOR)
        desk.worker = None

    async def _decide(self, tenant: str, batch: Sequence[Sequence[Transaction]]) -> list[list[Recorded] | Exception]:
        """Decide about each group, or say what is wrong with it; the groups are kept in one transaction.

        Nearly always all are new, which the log's own uniqueness tells without a question.
        """
        if tenant not in self._folded:
            await self._load(tenant)
        while True:
            try:
                return await self._decide_known(tenant, batch)
            except _Behind:
                await self._load(tenant)

    async def _decide_known(
        self, tenant: str, batch: Sequence[Sequence[Transaction]]
    ) -> list[list[Recorded] | Exception]:
        every = [each for group in batch for each in group]
        if len({each.id for each in every}) == len(every):
            try:
                fresh = iter(await self._decide_new(tenant, every))
                return [list(islice(fresh, len(group))) for group in batch]
            except _Known:
                pass
        return await self._decide_some(tenant, batch)

    async def _decide_new(self, tenant: str, transactions: Sequence[Transaction]) -> list[Recorded]:
        """Decide about transactions that are all new. Raises `_Known`, and has done nothing, when one is not."""
        moment = self._clock()
        events = [transaction_event(each, _milliseconds(moment)) for each in transactions]
        async with self._database.session() as session:
            last = await self._log.lock(session, tenant, len(events))
            folded = await self._catch_up(session, tenant, last)
            try:
                await self._log.append(session, tenant, last, events, len(events))
            except IntegrityError as problem:
                raise _Known from problem
            fresh = []
            for place, each in enumerate(transactions, start=1):
                fresh.append(self._fold_decided(tenant, folded, each, moment))
                if place % _AT_A_STRETCH == 0:
                    await asyncio.sleep(0)
            await record(session, tenant, fresh)
        return fresh

    async def _decide_some(
        self, tenant: str, batch: Sequence[Sequence[Transaction]]
    ) -> list[list[Recorded] | Exception]:
        """Decide about those that are new; the others get what was decided, or are refused."""
        moment = self._clock()
        async with self._database.session() as session:
            last = await self._log.lock(session, tenant)
            folded = await self._catch_up(session, tenant, last)
            ids = list({each.id for group in batch for each in group})
            logged = await self._log.known(session, tenant, TRANSACTION, ids)
            known = await recorded(session, tenant, list(logged)) if logged else {}
            historic = logged.keys() - known.keys()
            fresh: list[Recorded] = []
            answers: list[list[Recorded] | Exception] = []
            for group in batch:
                if (wrong := _wrong(group, known, historic)) is not None:
                    answers.append(wrong)
                    continue
                for transaction in group:
                    if transaction.id not in known:
                        known[transaction.id] = self._fold_decided(tenant, folded, transaction, moment)
                        fresh.append(known[transaction.id])
                answers.append([known[each.id] for each in group])
            events = [transaction_event(each.transaction, _milliseconds(moment)) for each in fresh]
            await self._log.append(session, tenant, last, events)
            await record(session, tenant, fresh)
        return answers

    def _fold_decided(self, tenant: str, folded: _Folded, transaction: Transaction, moment: datetime) -> Recorded:
        scorer = self._scorer(tenant)
        decision = scorer.decide(folded.state, transaction)
        scorer.definition.update(folded.state, transaction)
        folded.number += 1
        return Recorded(transaction, decision, folded.number, moment)

    async def _load(self, tenant: str) -> None:
        """Fold what is in the log already, before anybody is kept waiting by the lock."""
        folded, since = self._folded.get(tenant), None
        if folded is None:
            folded = _Folded(self._scorer(tenant).definition.start())
            since = _milliseconds(self._clock()) - _KNOWN_FOR
        before = await self._log.length(tenant)
        page: list[Logged] = []
        async for entry in self._log.read(tenant, KINDS, after=folded.number, known_from=since):
            page.append(entry)
            if len(page) == _FOLDED_AT_ONCE:
                self._fold(tenant, folded, page)
                page.clear()
                await asyncio.sleep(0)
        self._fold(tenant, folded, page)
        folded.number = max(folded.number, before)
        self._folded[tenant] = folded

    async def _catch_up(self, session: AsyncSession, tenant: str, last: int) -> _Folded:
        folded = self._folded[tenant]
        if last - folded.number > _FAR_BEHIND:
            raise _Behind
        while folded.number < last:
            page = await self._log.page(session, tenant, KINDS, after=folded.number)
            self._fold(tenant, folded, page)
            if len(page) < PAGE:
                folded.number = last
        return folded

    def _fold(self, tenant: str, folded: _Folded, entries: Sequence[Logged]) -> None:
        definition = self._scorer(tenant).definition
        for entry in entries:
            definition.update(folded.state, fraud_event(entry.event))
            folded.number = entry.number


def _wrong(group: Sequence[Transaction], known: Mapping[str, Recorded], historic: Collection[str]) -> Exception | None:
    """Why the group cannot be decided about."""
    of = {name: each.transaction for name, each in known.items()}
    for transaction in group:
        if transaction.id in historic:
            told = f"the transaction {transaction.id} is in the log as history: it was never decided about"
            return Conflict(told, param="id")
        if of.setdefault(transaction.id, transaction) != transaction:
            return Conflict(f"another transaction has the id {transaction.id}", param="id")
    return None


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
