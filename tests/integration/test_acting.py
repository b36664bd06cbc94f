"""Approvals and effects on both databases: people at once, processes that die, time that runs out."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agents.acting import Declined, Done, Waiting
from agents.decisions import Approval, ApprovalStatus, Decision, DecisionKind, EffectStatus
from agents.systems.builtin.orders import BuiltinOrders
from core.database import Database, now
from core.errors import Conflict, NotFound, WaysideError
from core.orders import OrderFilter
from tests.contract.systems import store
from tests.fakes.acting import (
    ADMIN,
    CLIENT,
    COLLEAGUE,
    ENGINEER,
    NEIGHBOUR,
    OTHER,
    STAFF,
    STRANGER,
    TENANT,
    Office,
)
from tests.fakes.company import make_company
from tests.integration.deciding import LEASE

SHIPPED = "ORD-10423"
CALL: dict[str, Any] = {"order_id": SHIPPED, "amount": "60.00", "reason": "charged twice"}
APPROVE = Decision(DecisionKind.APPROVE)
REJECT = Decision(DecisionKind.REJECT, text="no")


@pytest.fixture
async def office(database: Database) -> AsyncIterator[Office]:
    """An order with 140.00 charged and 20.00 refunded, in either tenant."""
    company = make_company()
    company.orders[SHIPPED] = replace(company.orders[SHIPPED], charged=Decimal("140.00"))
    for tenant in (TENANT, OTHER):
        await store(database, tenant, company)
    yield _office(database)


def _office(database: Database, policy: Path | None = None) -> Office:
    office = Office(database, policy)
    office.assemble(BuiltinOrders(database), LEASE)
    return office


async def _proposed(office: Office) -> Approval:
    outcome = await office.call(CLIENT, "issue_refund", step=1, **CALL)
    assert isinstance(outcome, Waiting)
    return outcome.approval


async def _refunded(office: Office, tenant: str = TENANT) -> Decimal:
    (order,) = await BuiltinOrders(office.database).orders(tenant, OrderFilter(order_id=SHIPPED))
    return order.refunded


async def _holds(office: Office) -> Counter[str]:
    """How often each action is in the audit log, whose chain holds."""
    assert (await office.audit.verify(TENANT)).broken is None
    return Counter(action for _, action, _ in await office.audited())


async def test_the_limit_decides_whether_a_person_is_asked(office: Office) -> None:
    below = await office.call(CLIENT, "issue_refund", **{**CALL, "amount": "30.00"})
    assert isinstance(below, Done)
    assert isinstance(await office.call(CLIENT, "issue_refund", **{**CALL, "amount": "0.01"}), Waiting)
    assert await _refunded(office) == Decimal("50.00")


async def test_many_who_consent_at_once_make_one_effect(office: Office) -> None:
    approval = await _proposed(office)
    others = [Database(office.database.dsn) for _ in range(2)]
    offices = [office, *map(_office, others)]
    people = [STAFF, COLLEAGUE, ENGINEER, ADMIN] * 3
    decided = await asyncio.gather(
        *(offices[each % 3].acting.decide(person, approval.id, APPROVE) for each, person in enumerate(people)),
        *(offices[each % 3].call(CLIENT, "issue_refund", step=1, **CALL) for each in range(4)),
    )
    for database in others:
        await database.close()
    final = await office.approvals.get(TENANT, approval.id)
    assert final.effect is EffectStatus.DONE
    assert all(each == final for each in decided[: len(people)])
    # Who resumed too early still waits; nobody got anything else.
    resumed = decided[len(people) :]
    assert all(
        isinstance(each, Waiting) or (isinstance(each, Done) and each.result == final.outcome) for each in resumed
    )
    assert await _refunded(office) == Decimal("80.00")
    assert await _holds(office) == {"approval.propose": 1, "approval.approve": 1, "effect.done": 1}


async def test_yes_and_no_at_once_are_one_of_the_two(office: Office) -> None:
    approval = await _proposed(office)
    said = [(STAFF, APPROVE), (COLLEAGUE, REJECT)] * 4
    answers = await asyncio.gather(
        *(office.acting.decide(who, approval.id, what) for who, what in said), return_exceptions=True
    )
    final = await office.approvals.get(TENANT, approval.id)
    won = APPROVE if final.status is ApprovalStatus.APPROVED else REJECT
    for (_, what), answer in zip(said, answers, strict=True):
        assert answer == final if what == won else isinstance(answer, Conflict)
    assert await _refunded(office) == Decimal("80.00" if won == APPROVE else "20.00")
    assert (await _holds(office)).total() == (3 if won == APPROVE else 2)


async def test_one_call_at_once_from_everywhere_is_one_proposal(office: Office) -> None:
    outcomes = await asyncio.gather(*(office.call(CLIENT, "issue_refund", step=1, **CALL) for _ in range(10)))
    assert len({outcome.approval.id for outcome in outcomes if isinstance(outcome, Waiting)}) == 1
    assert await _holds(office) == {"approval.propose": 1}


@pytest.mark.parametrize("heir", ["decide", "resume", "finish"])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_process_killed_after_consent_loses_nothing(office: Office, moment: str, heir: str) -> None:
    approval = await _proposed(office)
    command = (sys.executable, "-m", "tests.integration.deciding", office.database.dsn, approval.id, moment)
    killed = await asyncio.create_subprocess_exec(*command)
    assert await killed.wait() == -signal.SIGKILL
    assert (await office.approvals.get(TENANT, approval.id)).effect is None
    assert await _refunded(office) == Decimal("20.00" if moment == "before" else "80.00")
    if heir == "decide":
        assert (await office.acting.decide(COLLEAGUE, approval.id, APPROVE)).effect is EffectStatus.DONE
    elif heir == "resume":
        assert isinstance(await office.call(CLIENT, "issue_refund", step=1, **CALL), Done)
    else:
        assert await office.acting.finish(now()) == []
    assert await _refunded(office) == Decimal("80.00")
    assert (await office.approvals.get(TENANT, approval.id)).effect is EffectStatus.DONE
    assert await office.acting.finish(now() + timedelta(hours=1)) == []
    assert await _holds(office) == {"approval.propose": 1, "approval.approve": 1, "effect.done": 1}


async def test_two_people_are_counted_when_they_come_at_once(office: Office, tmp_path: Path) -> None:
    two = _office(office.database, _policy(tmp_path, "quorum = 2"))
    approval = await _proposed(two)
    await two.acting.decide(STAFF, approval.id, APPROVE)
    assert (await two.acting.decide(STAFF, approval.id, APPROVE)).status is ApprovalStatus.PENDING
    assert await _refunded(two) == Decimal("20.00")
    await asyncio.gather(*(two.acting.decide(who, approval.id, APPROVE) for who in (COLLEAGUE, ENGINEER, STAFF)))
    assert await _refunded(two) == Decimal("80.00")
    final = await two.approvals.get(TENANT, approval.id)
    assert len(final.votes) == 2


async def test_an_edit_counts_only_those_who_agree_to_it(office: Office, tmp_path: Path) -> None:
    two = _office(office.database, _policy(tmp_path, "quorum = 2"))
    approval = await _proposed(two)
    edit = Decision(DecisionKind.EDIT, {**CALL, "amount": "45.00"})
    await two.acting.decide(STAFF, approval.id, APPROVE)
    assert (await two.acting.decide(COLLEAGUE, approval.id, edit)).status is ApprovalStatus.PENDING
    assert (await two.acting.decide(ENGINEER, approval.id, edit)).status is ApprovalStatus.APPROVED
    assert await _refunded(two) == Decimal("65.00")


async def test_what_nobody_decides_in_time_is_rejected(office: Office, tmp_path: Path) -> None:
    brief = _office(office.database, _policy(tmp_path, "hours = 0.0001"))
    approval = await _proposed(brief)
    await asyncio.sleep(0.5)
    with pytest.raises(Conflict, match="expired"):
        await brief.acting.decide(STAFF, approval.id, APPROVE)
    outcome = await brief.call(CLIENT, "issue_refund", step=1, **CALL)
    assert isinstance(outcome, Declined)
    assert (outcome.approval.status, outcome.approval.answer()) == (ApprovalStatus.EXPIRED, "expired")
    assert await _refunded(brief) == Decimal("20.00")
    assert await _holds(brief) == {"approval.propose": 1, "approval.expire": 1}


async def test_nobody_crosses(office: Office) -> None:
    approval = await _proposed(office)
    attempts = [
        office.call(NEIGHBOUR, "issue_refund", **CALL),
        office.call(NEIGHBOUR, "cancel_order", order_id="ORD-10421", reason="x"),
        office.call(NEIGHBOUR, "change_delivery_address", order_id="ORD-10421", address="x"),
        office.acting.decide(STRANGER, approval.id, APPROVE),
        office.approvals.get(OTHER, approval.id),
    ]
    refused = await asyncio.gather(*attempts, return_exceptions=True)
    assert [type(each) for each in refused] == [NotFound] * len(attempts)
    # The same call of another tenant's admin is a call in that tenant.
    theirs = await office.call(STRANGER, "issue_refund", thread="t1", step=1, **CALL)
    assert isinstance(theirs, Waiting)
    assert theirs.approval.id != approval.id
    assert (await _refunded(office), await _refunded(office, OTHER)) == (Decimal("20.00"), Decimal("20.00"))


async def test_a_refusal_is_written_down_once(office: Office) -> None:
    # A shipped order cannot be cancelled, whoever asks.
    for _ in range(2):
        with pytest.raises(WaysideError, match="shipped"):
            await office.call(CLIENT, "cancel_order", step=1, order_id=SHIPPED, reason="late")
    assert await _holds(office) == {"effect.refused": 1}


def _policy(folder: Path, words: str) -> Path:
    """The default policy, but that refunds above the limit follow these words."""
    text = Path("agents/policy.toml").read_text(encoding="utf-8")
    head, tail = text.split('of = "refunded"')
    name = words.partition(" ")[0]
    kept = [line for line in tail.split("[tools", 1)[0].splitlines() if not line.startswith(name)]
    rest = "[tools" + tail.split("[tools", 1)[1]
    path = folder / "policy.toml"
    path.write_text(head + 'of = "refunded"\n' + "\n".join([*kept, words]) + "\n\n" + rest, encoding="utf-8")
    return path
