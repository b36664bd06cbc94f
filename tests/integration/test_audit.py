"""The audit log on both databases: one chain a tenant under concurrency, and every way of tampering found."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from core.audit import ORIGIN, Audit, AuditHead, AuditRow, Broken, Entry, Verification
from core.canonical import canonical
from core.database import Database
from core.errors import Conflict, InvalidInput

REFUND = Entry("key_a1", "approval.approve", "order/ORD-10421", {"amount": "60.00", "reason": "charged twice"})
Tamper = Callable[[Database, str], Awaitable[None]]


async def filled(database: Database, entries: int = 5, tenant: str = "harbor") -> Audit:
    audit = Audit(database)
    for number in range(entries):
        await audit.append(tenant, Entry("key_a1", "ticket.update", f"ticket/TCK-{number % 2}", {"n": number}))
    return audit


async def test_an_entry_comes_back_as_it_was(database: Database) -> None:
    audit = Audit(database)
    recorded = await audit.append("harbor", REFUND)
    assert (recorded.number, recorded.previous, recorded.entry) == (1, ORIGIN, REFUND)
    assert await audit.entries("harbor") == [recorded]
    assert await audit.verify("harbor") == Verification(1, recorded.hash, None)


async def test_anybody_can_check_an_entry_with_a_hash_and_a_json_reader(database: Database) -> None:
    audit = await filled(database)
    async with database.session() as session:
        rows = list(await session.scalars(select(AuditRow).order_by(AuditRow.number)))
    for row, before in zip(rows[1:], rows, strict=False):
        said = json.loads(row.content)
        assert said["previous"] == before.hash == hashlib.sha256(before.content.encode()).hexdigest()
        assert row.content == canonical(said)
    assert (await audit.verify("harbor")).hash == rows[-1].hash


async def test_fifty_writers_make_one_chain(database: Database) -> None:
    databases = [database, Database(database.dsn), Database(database.dsn)]
    writers = (
        Audit(databases[each % 3]).append(f"tenant{each % 2}", Entry("key_a1", "x", "y/1", {"each": each}))
        for each in range(100)
    )
    recorded = await asyncio.gather(*writers)
    for tenant in range(2):
        assert sorted(each.number for each in recorded[tenant::2]) == list(range(1, 51))
        found = await Audit(database).verify(f"tenant{tenant}")
        assert (found.entries, found.broken) == (50, None)
    for other in databases[1:]:
        await other.close()


async def test_verifying_while_others_append_finds_nothing_broken(database: Database) -> None:
    audit = Audit(database)
    writing = asyncio.create_task(filled(database, 60))
    seen = set()
    while not writing.done():
        found = await audit.verify("harbor")
        assert found.broken is None
        seen.add(found.entries)
    await writing
    assert len(seen) > 2


async def test_more_entries_than_are_read_at_once(database: Database) -> None:
    audit = await filled(database, 2)
    async with database.session() as session:
        for number in range(600):
            await audit.append("harbor", Entry("key_a1", "x", "y/1", {"n": number}), session)
    found = await audit.verify("harbor")
    assert (found.entries, found.broken) == (602, None)


async def test_an_entry_is_one_transaction_with_what_it_tells(database: Database) -> None:
    audit = await filled(database, 2)
    with pytest.raises(Conflict):
        async with database.session() as session:
            await audit.append("harbor", REFUND, session)
            raise Conflict("after all not")
    found = await audit.verify("harbor")
    assert (found.entries, found.broken) == (2, None)


async def test_a_payload_that_is_no_json_leaves_no_trace(database: Database) -> None:
    audit = await filled(database, 2)
    with pytest.raises(InvalidInput):
        await audit.append("harbor", Entry("key_a1", "x", "y/1", {"amount": float("nan")}))
    assert (await audit.verify("harbor")).entries == 2


async def test_tenants_and_objects_are_apart(database: Database) -> None:
    audit = await filled(database, 5)
    theirs = await audit.append("rival", REFUND)
    assert await audit.entries("rival") == [theirs]
    assert theirs.previous == ORIGIN
    assert [each.number for each in await audit.entries("harbor", of="ticket/TCK-1")] == [2, 4]
    assert [each.number for each in await audit.entries("harbor", after=2, limit=2)] == [3, 4]
    assert await audit.entries("nobody") == []
    assert await audit.verify("nobody") == Verification(0, ORIGIN, None)


def at(tenant: str, number: int) -> Any:
    return (AuditRow.tenant == tenant) & (AuditRow.number == number)


async def _execute(database: Database, *statements: Any) -> None:
    async with database.session() as session:
        for statement in statements:
            await session.execute(statement, execution_options={"synchronize_session": False})


def _added(number: int, content: str) -> Tamper:
    digest = hashlib.sha256(content.encode()).hexdigest()
    row = {"number": number, "object": "y/1", "content": content, "hash": digest}
    return lambda database, tenant: _execute(
        database, delete(AuditRow).where(at(tenant, number)), insert(AuditRow).values({**row, "tenant": tenant})
    )


def _removed(*numbers: int) -> Tamper:
    return lambda database, tenant: _execute(database, *(delete(AuditRow).where(at(tenant, n)) for n in numbers))


def _changed(number: int, *, rehash: bool = False, **changes: Any) -> Tamper:
    async def tamper(database: Database, tenant: str) -> None:
        async with database.session() as session:
            text = await session.scalar(select(AuditRow.content).where(at(tenant, number)))
            values = {"content": canonical({**json.loads(str(text)), **changes})}
            if rehash:
                values["hash"] = hashlib.sha256(values["content"].encode()).hexdigest()
            await session.execute(update(AuditRow).where(at(tenant, number)).values(values))

    return tamper


def _filed_elsewhere(database: Database, tenant: str) -> Awaitable[None]:
    return _execute(database, update(AuditRow).where(at(tenant, 2)).values(object="z/1"))


def _headless(database: Database, tenant: str) -> Awaitable[None]:
    return _execute(database, delete(AuditHead).where(AuditHead.tenant == tenant))


# What is done to a chain of five entries, which link is then the first broken one, and what is said of it.
TAMPERINGS: dict[str, tuple[Tamper, int, str]] = {
    "payload": (_changed(3, payload={"n": 9}), 3, "hash was made of"),
    "actor-rehashed": (_changed(3, rehash=True, actor="key_b"), 4, "does not follow"),
    "last-rehashed": (_changed(5, rehash=True, actor="key_b"), 5, "not the one"),
    "another-tenants": (_changed(1, rehash=True, tenant="rival"), 1, "another entry"),
    "object-column": (_filed_elsewhere, 2, "another entry"),
    "first-removed": (_removed(1), 1, "missing"),
    "middle-removed": (_removed(3), 3, "missing"),
    "last-removed": (_removed(5), 5, "ended with entry 5"),
    "all-removed": (_removed(1, 2, 3, 4, 5), 1, "ended with entry 5"),
    "one-added": (_added(6, "{}"), 6, "no entry"),
    "no-json": (_added(5, "x"), 5, "no entry"),
    "head-removed": (_headless, 1, "from outside"),
}


async def test_tampering_is_found_where_it_was_done(database: Database) -> None:
    audit = Audit(database)
    for tenant, (tamper, number, reason) in TAMPERINGS.items():
        await filled(database, tenant=tenant)
        assert (await audit.verify(tenant)).broken is None
        await tamper(database, tenant)
        broken = (await audit.verify(tenant)).broken
        assert isinstance(broken, Broken), tenant
        assert (broken.number, reason in broken.reason) == (number, True), (tenant, broken)
    # One tenant's broken chain is not another's.
    await filled(database)
    assert (await audit.verify("harbor")).broken is None


async def test_a_chain_written_anew_does_not_have_the_hash_that_was_noted(database: Database) -> None:
    audit = await filled(database)
    noted = (await audit.verify("harbor")).hash
    await filled(database, 2)
    assert (await audit.verify("harbor", known=noted)).broken is None
    await _execute(database, delete(AuditRow), delete(AuditHead))
    await filled(database, 7)
    assert (await audit.verify("harbor")).broken is None
    assert (await audit.verify("harbor", known=noted)).broken == Broken(1, f"no entry has the known hash {noted}")
