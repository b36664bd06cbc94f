"""Every tool that acts, for every role, under and over its limit; and what becomes of a call that needs consent."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from agents.acting import Call, Declined, Done, Waiting
from agents.decisions import Approval, ApprovalStatus, Decision, DecisionKind, EffectStatus
from agents.policy import DEFAULT
from agents.tools.tool import Caller, Subject
from core.errors import Conflict, Forbidden, InvalidInput, NotFound, SystemUnavailable
from core.orders import Order, OrderAction
from core.tickets import TicketStatus
from core.types import Principal, Role
from tests.fakes.acting import (
    ADMIN,
    CLIENT,
    COLLEAGUE,
    ENGINEER,
    NEIGHBOUR,
    OTHER,
    STAFF,
    STRANGER,
    VISITOR,
    Office,
)
from tests.fakes.systems import FakeOrders

APPROVE = Decision(DecisionKind.APPROVE)
REJECT = Decision(DecisionKind.REJECT, text="not ours")
MINE, THEIRS = "ORD-10421", "ORD-10422"
SHIPPED = "ORD-10423"
TICKET: dict[str, Any] = {
    "subject": "Late",
    "category": "delivery",
    "priority": "normal",
    "summary": "It has not come.",
}
BELOW: dict[str, Any] = {"order_id": SHIPPED, "amount": "20.00", "reason": "torn"}
# The order has 20.00 refunded of 140.00 charged: forty more make sixty.
ABOVE: dict[str, Any] = {**BELOW, "amount": "40.00"}
EVERYBODY = (VISITOR, CLIENT, STAFF, ENGINEER, ADMIN)

# Per tool: arguments that a policy lets pass, arguments that it does not, and the roles that may use it.
CALLS: dict[str, tuple[dict[str, Any], dict[str, Any] | None, set[Principal]]] = {
    "create_ticket": (TICKET, None, set(EVERYBODY)),
    "update_ticket": ({"ticket_id": "TCK-00029", "note": "called"}, None, {STAFF, ENGINEER, ADMIN}),
    "cancel_order": ({"order_id": MINE, "reason": "changed my mind"}, None, set(EVERYBODY) - {VISITOR}),
    "change_delivery_address": ({"order_id": MINE, "address": "1 New Road"}, None, set(EVERYBODY) - {VISITOR}),
    "issue_refund": (BELOW, ABOVE, set(EVERYBODY) - {VISITOR}),
    "escalate_to_human": ({"team": "billing", "reason": "wants a person"}, None, set(EVERYBODY)),
    "create_purchase_order": (
        {"sku": "SKU-0001", "quantity": 12},
        {"sku": "SKU-0001", "quantity": 56},
        {STAFF, ENGINEER, ADMIN},
    ),
    "confirm_delivery": ({"po_id": "PO-00001", "received_quantity": 4}, None, {STAFF, ENGINEER, ADMIN}),
}


@pytest.fixture(autouse=True)
def _dear(office: Office) -> None:
    _a_dear_order(office)


def _a_dear_order(office: Office) -> None:
    orders = office.company.orders
    orders[SHIPPED] = replace(orders[SHIPPED], charged=Decimal("140.00"))


async def _waiting(office: Office, principal: Principal = CLIENT, **arguments: Any) -> Approval:
    outcome = await office.call(principal, "issue_refund", **{**ABOVE, **arguments})
    assert isinstance(outcome, Waiting)
    return outcome.approval


def _refunded(office: Office) -> Decimal:
    return office.company.orders[SHIPPED].refunded


def test_every_acting_tool_is_tried_here(office: Office) -> None:
    tools = office.toolbox.tools(Caller(ADMIN), "t1")
    assert {tool.name for tool in tools if (tool.metadata or {})["acts"]} == CALLS.keys()


@pytest.mark.parametrize("principal", EVERYBODY, ids=lambda principal: str(principal.key_id))
@pytest.mark.parametrize("tool", CALLS)
async def test_a_role_may_do_what_the_policy_says(office: Office, tool: str, principal: Principal) -> None:
    below, above, allowed = CALLS[tool]
    await office.call(STAFF, "create_purchase_order", sku="SKU-0001", quantity=12)
    if principal not in allowed:
        for arguments in filter(None, (below, above)):
            with pytest.raises((Forbidden, NotFound)):
                await office.call(principal, tool, **arguments)
        assert [
            entry for entry in await office.audited() if entry[0] == principal.key_id and principal is not STAFF
        ] == []
        return
    assert isinstance(await office.call(principal, tool, **below), Done)
    if above is not None:
        outcome = await office.call(principal, tool, **above)
        assert isinstance(outcome, Waiting)
        assert outcome.approval.proposed_by == principal.key_id


@pytest.mark.parametrize(("amount", "waits"), [("30.00", False), ("30.01", True)])
async def test_all_refunds_of_an_order_count(office: Office, amount: str, waits: bool) -> None:
    outcome = await office.call(CLIENT, "issue_refund", order_id=SHIPPED, amount=amount, reason="torn")
    assert isinstance(outcome, Waiting) is waits


async def test_a_large_refund_cannot_be_had_in_small_pieces(office: Office) -> None:
    pieces = [office.call(CLIENT, "issue_refund", order_id=SHIPPED, amount="10.00", reason="torn") for _ in range(9)]
    outcomes = await asyncio.gather(*pieces)
    assert sum(isinstance(outcome, Done) for outcome in outcomes) == 3
    assert _refunded(office) == Decimal("50.00")


async def test_the_same_call_takes_effect_once(office: Office) -> None:
    first = await office.call(CLIENT, "issue_refund", step=1, **BELOW)
    # Twenty more would be above the limit by now, but this is no other call.
    again = await office.call(CLIENT, "issue_refund", step=1, **{**BELOW, "amount": 20})
    assert (first, _refunded(office)) == (again, Decimal("40.00"))


async def test_another_caller_s_thread_of_the_same_name_is_another_thread(office: Office) -> None:
    mine = await office.call(CLIENT, "create_ticket", step=1, **TICKET)
    theirs = await office.call(NEIGHBOUR, "create_ticket", step=1, **TICKET)
    assert isinstance(mine, Done)
    assert isinstance(theirs, Done)
    assert mine.result != theirs.result


async def test_consent_makes_it_happen_once(office: Office) -> None:
    approval = await _waiting(office, step=1)
    assert _refunded(office) == Decimal("20.00")
    decided = await office.acting.decide(STAFF, approval.id, APPROVE)
    assert (decided.status, decided.effect) == (ApprovalStatus.APPROVED, EffectStatus.DONE)
    again = await office.acting.decide(COLLEAGUE, approval.id, APPROVE)
    resumed = await office.call(CLIENT, "issue_refund", step=1, **ABOVE)
    assert (again, resumed) == (decided, Done(decided.outcome, decided))
    assert _refunded(office) == Decimal("60.00")
    assert await office.audited() == [
        (CLIENT.key_id, "approval.propose", f"approval/{approval.id}"),
        (STAFF.key_id, "approval.approve", f"approval/{approval.id}"),
        (CLIENT.key_id, "effect.done", f"order/{SHIPPED}"),
    ]


async def test_another_decision_is_refused(office: Office) -> None:
    approval = await _waiting(office, step=1)
    await office.acting.decide(STAFF, approval.id, REJECT)
    with pytest.raises(Conflict, match="rejected already"):
        await office.acting.decide(COLLEAGUE, approval.id, APPROVE)
    outcome = await office.call(CLIENT, "issue_refund", step=1, **ABOVE)
    assert isinstance(outcome, Declined)
    assert (outcome.approval.answer(), _refunded(office)) == ("not ours", Decimal("20.00"))


async def test_an_edit_is_what_happens_and_the_proposal_stays(office: Office) -> None:
    approval = await _waiting(office, step=1)
    edit = Decision(DecisionKind.EDIT, {**ABOVE, "amount": "35.5"})
    decided = await office.acting.decide(STAFF, approval.id, edit)
    assert decided.approved == {**ABOVE, "amount": "35.50"}
    assert decided.arguments == ABOVE
    assert await office.acting.decide(STAFF, approval.id, edit) == decided
    assert isinstance(await office.call(CLIENT, "issue_refund", step=1, **ABOVE), Done)
    assert _refunded(office) == Decimal("55.50")


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"amount": "-1"}, InvalidInput),
        ({"amount": "400.00"}, Conflict),
        ({"order_id": THEIRS}, NotFound),
        ({"extra": "x"}, InvalidInput),
    ],
)
async def test_an_edit_is_checked_like_a_call(office: Office, changed: dict[str, Any], error: type[Exception]) -> None:
    approval = await _waiting(office)
    with pytest.raises(error):
        await office.acting.decide(STAFF, approval.id, Decision(DecisionKind.EDIT, {**ABOVE, **changed}))
    assert (await office.approvals.get(approval.tenant, approval.id)).status is ApprovalStatus.PENDING


async def test_a_client_never_decides_and_nobody_on_their_own(office: Office) -> None:
    approval = await _waiting(office, STAFF)
    for principal, why in ((CLIENT, "role staff"), (STAFF, "somebody else")):
        for decision in (APPROVE, REJECT, Decision(DecisionKind.EDIT, ABOVE)):
            with pytest.raises(Forbidden, match=why):
                await office.acting.decide(principal, approval.id, decision)
    assert _refunded(office) == Decimal("20.00")


async def test_an_assignee_decides_alone(office: Office, tmp_path: Path) -> None:
    text = DEFAULT.read_text(encoding="utf-8")
    path = tmp_path / "policy.toml"
    path.write_text(text.replace('by = "staff"', f'by = "staff"\nassignee = "{COLLEAGUE.key_id}"', 1), encoding="utf-8")
    office = Office(office.database, path)
    _a_dear_order(office)
    approval = await _waiting(office)
    for principal in (STAFF, ADMIN):
        with pytest.raises(Forbidden, match="alone"):
            await office.acting.decide(principal, approval.id, APPROVE)
    assert (await office.acting.decide(COLLEAGUE, approval.id, APPROVE)).effect is EffectStatus.DONE


async def test_an_edit_is_for_who_may_decide_on_it(office: Office, tmp_path: Path) -> None:
    tier = '[[tools.issue_refund.limit]]\nof = "amount"\nabove = "70.00"\nby = "admin"\n\n[tools.escalate_to_human]'
    text = DEFAULT.read_text(encoding="utf-8")
    path = tmp_path / "policy.toml"
    path.write_text(text.replace("[tools.escalate_to_human]", tier), encoding="utf-8")
    office = Office(office.database, path)
    _a_dear_order(office)
    approval = await _waiting(office)
    larger = Decision(DecisionKind.EDIT, {**ABOVE, "amount": "80.00"})
    with pytest.raises(Forbidden, match="decided by admin"):
        await office.acting.decide(STAFF, approval.id, larger)
    assert (await office.acting.decide(ADMIN, approval.id, larger)).effect is EffectStatus.DONE
    assert _refunded(office) == Decimal("100.00")


async def test_an_approval_of_another_tenant_does_not_exist(office: Office) -> None:
    approval = await _waiting(office)
    with pytest.raises(NotFound):
        await office.acting.decide(STRANGER, approval.id, APPROVE)
    assert await office.approvals.list(OTHER) == []
    with pytest.raises(NotFound):
        await office.approvals.get(approval.tenant, approval.id, owner=Caller(NEIGHBOUR).owner)


async def test_a_refusal_after_consent_is_the_end_of_it(office: Office) -> None:
    approval = await _waiting(office, step=1)
    orders = office.company.orders
    orders[SHIPPED] = replace(orders[SHIPPED], refunded=Decimal("139.00"))
    decided = await office.acting.decide(STAFF, approval.id, APPROVE)
    assert decided.effect is EffectStatus.REFUSED
    with pytest.raises(Conflict, match="left to refund"):
        await office.call(CLIENT, "issue_refund", step=1, **ABOVE)
    assert (await office.audited())[-1] == (CLIENT.key_id, "effect.refused", f"order/{SHIPPED}")


class ClosedOrders(FakeOrders):
    """Takes no orders at first: `closed` requests are turned away."""

    closed = 1

    async def act(self, tenant: str, key: str, action: OrderAction) -> Order:
        if self.closed:
            self.closed -= 1
            raise SystemUnavailable("closed")
        return await super().act(tenant, key, action)


async def test_what_cannot_be_done_now_is_finished_later(office: Office) -> None:
    office.assemble(ClosedOrders(office.companies))
    approval = await _waiting(office)
    decided = await office.acting.decide(STAFF, approval.id, APPROVE)
    assert (decided.status, decided.effect) == (ApprovalStatus.APPROVED, None)
    assert decided.decided is not None
    assert await office.acting.finish(decided.decided) == []
    assert _refunded(office) == Decimal("20.00")
    assert await office.acting.finish(decided.decided.replace(year=2999)) == []
    assert _refunded(office) == Decimal("60.00")


CROSSINGS: dict[str, dict[str, Any]] = {
    "cancel_order": {"order_id": THEIRS, "reason": "x"},
    "change_delivery_address": {"order_id": THEIRS, "address": "x"},
    "issue_refund": {"order_id": THEIRS, "amount": "1.00", "reason": "x"},
}


@pytest.mark.parametrize("tool", CROSSINGS)
@pytest.mark.parametrize("subject", [None, Subject(NEIGHBOUR.customer_id), Subject(order_id=THEIRS)])
async def test_another_customer_s_order_does_not_exist(office: Office, tool: str, subject: Subject | None) -> None:
    before = dict(office.company.orders)
    for principal in (CLIENT, VISITOR):
        with pytest.raises(NotFound):
            await office.call(principal, tool, about=subject, **CROSSINGS[tool])
    assert (office.company.orders, await office.audited()) == (before, [])


@pytest.mark.parametrize("tool", ["create_ticket", "escalate_to_human"])
async def test_another_customer_s_ticket_or_order_is_not_touched(office: Office, tool: str) -> None:
    before = dict(office.company.tickets)
    subject = Subject(order_id=THEIRS) if tool == "create_ticket" else Subject(ticket_id="TCK-00030")
    for principal in (CLIENT, VISITOR):
        with pytest.raises(NotFound):
            await office.call(principal, tool, about=subject, **CALLS[tool][0])
    assert office.company.tickets == before


async def test_a_ticket_is_the_client_s_own(office: Office) -> None:
    for principal, customer in ((CLIENT, CLIENT.customer_id), (VISITOR, None)):
        outcome = await office.call(principal, "create_ticket", **TICKET)
        assert isinstance(outcome, Done)
        assert isinstance(outcome.result, dict)
        assert office.company.tickets[outcome.result["id"]].customer_id == customer


def test_a_client_acts_for_nobody_else() -> None:
    for subject in (Subject(NEIGHBOUR.customer_id), Subject(NEIGHBOUR.customer_id, "ORD-1", "TCK-1")):
        for principal in (CLIENT, VISITOR):
            with pytest.raises(NotFound):
                Caller(principal, subject)
    assert Caller(CLIENT).subject == Subject(CLIENT.customer_id)


async def test_staff_are_held_to_the_customer_at_hand(office: Office) -> None:
    with pytest.raises(NotFound):
        await office.call(STAFF, "cancel_order", about=Subject(CLIENT.customer_id), order_id=THEIRS, reason="x")


async def test_another_tenant_s_things_do_not_exist(office: Office) -> None:
    office.companies[OTHER].orders.clear()
    office.companies[OTHER].tickets.clear()
    with pytest.raises(NotFound):
        await office.call(STRANGER, "cancel_order", order_id=MINE, reason="x")
    with pytest.raises(NotFound):
        await office.call(STRANGER, "update_ticket", ticket_id="TCK-00029", status="closed")
    assert office.company.tickets["TCK-00029"].status is TicketStatus.OPEN


@pytest.mark.parametrize(
    ("tool", "arguments", "error"),
    [
        ("issue_refund", {**BELOW, "amount": "1000.00"}, Conflict),
        ("create_purchase_order", {"sku": "SKU-0001", "quantity": 55}, InvalidInput),
        ("create_purchase_order", {"sku": "SKU-0404", "quantity": 56}, NotFound),
        ("update_ticket", {"ticket_id": "TCK-00029"}, InvalidInput),
        ("issue_refund", {**BELOW, "amount": "1.005"}, InvalidInput),
        ("issue_refund", {**BELOW, "customer_id": CLIENT.customer_id}, InvalidInput),
        ("lookup_order", {"order_id": MINE}, NotFound),
        ("drop_tables", {}, NotFound),
    ],
)
async def test_what_cannot_be_done_bothers_nobody(
    office: Office, tool: str, arguments: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await office.call(ADMIN, tool, **arguments)
    assert await office.audited() == []


async def test_a_call_at_another_place_is_another_call(office: Office) -> None:
    caller = Caller(CLIENT)
    call = Call("t1", 1, 0, "create_ticket", TICKET)
    results = [
        await office.acting.perform(caller, each) for each in (call, replace(call, index=1), replace(call, step=2))
    ]
    assert len({str(result) for result in results}) == 3


def test_every_role_is_tried() -> None:
    assert {principal.role for principal in EVERYBODY} == set(Role)
