"""Rules of fraud that people change: in force at once here, and in another process once it has looked."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.fraud.served import ServedFraud
from core.audit import Audit
from core.database import Database
from core.errors import Conflict, NotFound
from core.registry import Registry
from core.settings import FraudSettings
from core.types import Principal, Role
from tabular.fraud.costs import Band
from tabular.fraud.events import Transaction
from tabular.fraud.live import LiveFraud
from tabular.fraud.rulebook import FraudList, Rulebook
from tabular.fraud.rules import Rules

TENANT = "harbor"
ADA = Principal("ada", TENANT, Role.STAFF)
BASE = Rules(blocked_cards=frozenset({"C0"}), trusted_cards=frozenset({"C9"}), most_cents=5_000)


async def test_a_blocked_card_is_refused_from_the_next_payment_on(database: Database, tmp_path: Path) -> None:
    served = ServedFraud(database, Registry.of(database, tmp_path), FraudSettings(), TENANT)
    live = LiveFraud(database, served.scorer)
    moment = int(datetime.now(UTC).timestamp() * 1000)

    async def band(name: str, tenant: str = TENANT) -> Band:
        return (await live.score(tenant, Transaction(name, moment, "C1", "P1", 900))).decision.band

    assert await band("A1") is Band.ALLOW
    await served.rulebook.put(ADA, FraudList.BLOCKED_CARDS, "C1", "stolen")
    assert await band("A2") is Band.BLOCK
    assert await band("B1", "neighbour") is Band.ALLOW
    await served.rulebook.remove(ADA, FraudList.BLOCKED_CARDS, "C1")
    assert await band("A3") is Band.ALLOW
    await served.rulebook.limit(ADA, 899, None)
    assert await band("A4") is Band.REVIEW


async def test_another_process_takes_up_what_changed(database: Database) -> None:
    ours, theirs = Rulebook(database, BASE), Rulebook(database, BASE)
    await ours.put(ADA, FraudList.BLOCKED_CARDS, "C9", "stolen after all")
    await ours.put(ADA, FraudList.BLOCKED_TERMINALS, "P3", "skimmer")
    limits = await ours.limit(ADA, None, 3)
    assert (limits.most_cents, limits.most_uses_an_hour, limits.by) == (None, 3, "key:ada")
    assert theirs.rules(TENANT) == BASE
    await theirs.refresh()
    assert theirs.rules(TENANT) == ours.rules(TENANT)
    assert theirs.rules(TENANT) == Rules(
        blocked_cards=frozenset({"C0", "C9"}), blocked_terminals=frozenset({"P3"}), most_uses_an_hour=3
    )
    # The settings' own are still there when people take theirs back.
    await theirs.remove(ADA, FraudList.BLOCKED_CARDS, "C9")
    assert theirs.rules(TENANT).trusted_cards == {"C9"}
    with pytest.raises(NotFound):
        await theirs.remove(ADA, FraudList.BLOCKED_CARDS, "C0")
    assert ours.rules("neighbour") == BASE


async def test_what_is_on_a_list_already_is_in_force_where_it_was_put_again(database: Database) -> None:
    ours, theirs = Rulebook(database, BASE), Rulebook(database, BASE)
    await ours.put(ADA, FraudList.BLOCKED_CARDS, "C1", "stolen")
    listed, new = await theirs.put(ADA, FraudList.BLOCKED_CARDS, "C1", "stolen, I am told")
    assert (listed.reason, new) == ("stolen", False)
    assert "C1" in theirs.rules(TENANT).blocked_cards


async def test_no_card_is_on_both_lists_whoever_is_first(database: Database) -> None:
    books = [Rulebook(database, Rules()) for _ in range(2)]
    lists = (FraudList.BLOCKED_CARDS, FraudList.TRUSTED_CARDS)
    found = await asyncio.gather(
        *(book.put(ADA, which, "C1", "because") for book, which in zip(books, lists, strict=True)),
        return_exceptions=True,
    )
    assert sorted(isinstance(each, Conflict) for each in found) == [False, True]
    again = await asyncio.gather(*(book.put(ADA, FraudList.BLOCKED_TERMINALS, "P1", "because") for book in books))
    assert sorted(new for _, new in again) == [False, True]
    entries = await Audit(database).verify(TENANT)
    assert entries.entries == 2
