"""What is suggested for a ticket: from its words and its customer's own records, and nothing else."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from agents.acting import Call, Done, Waiting
from agents.actions import Wish
from agents.hands import ToolHands
from agents.suggesting import Suggestions
from agents.tools.tool import Caller, Subject
from core.errors import NotFound
from core.orders import OrderStatus
from core.tickets import Team, Ticket, TicketStatus
from core.types import Audience
from tests.fakes.acting import COLLEAGUE, STAFF, STRANGER, Office
from tests.fakes.assistant import SameTriage, make_suggesting
from tests.fakes.search import FakeSearch, passage

MINE, SHIPPED, PLACED, THEIRS, LOST = "TCK-00029", "ORD-10423", "ORD-10421", "ORD-10422", "ORD-10426"
TWICE = f"Charged twice\nYou took the money for {SHIPPED} two times."


def file(office: Office, text: str, ticket_id: str = MINE, **changes: Any) -> Ticket:
    """Make it the text of the ticket (subject, line break, message), which is open and names no order."""
    subject, _, message = text.partition("\n")
    plain = {"status": TicketStatus.OPEN, "team": None, "order_id": None, "customer_id": "CUS-00001"}
    known = office.company.tickets[MINE]
    written = replace(known, id=ticket_id, subject=subject, message=message, **{**plain, **changes})
    office.company.tickets[ticket_id] = written
    return written


def change_order(office: Office, order_id: str, **changes: Any) -> None:
    office.company.orders[order_id] = replace(office.company.orders[order_id], **changes)


async def suggest(
    office: Office,
    wishes: Mapping[str, str | Wish] | None = None,
    *,
    ticket_id: str = MINE,
    triage: SameTriage | None = None,
    search: FakeSearch | None = None,
) -> Suggestions:
    hands = ToolHands(office.toolbox, office.acting)
    suggesting = make_suggesting(office.systems, hands, wishes, triage=triage, search=search)
    return await suggesting.suggest(STAFF, ticket_id)


async def test_a_double_charge_suggests_the_refund_with_its_arithmetic(office: Office) -> None:
    change_order(office, SHIPPED, charged=Decimal("140.00"))
    file(office, TWICE)
    found = await suggest(office, {TWICE: "issue_refund"})
    action = found.next_action
    assert action is not None
    assert (action.tool, action.arguments["order_id"], action.arguments["amount"]) == ("issue_refund", SHIPPED, "80.00")
    assert action.subject == {"customer_id": "CUS-00001", "order_id": SHIPPED, "ticket_id": MINE}
    assert action.reasons == (
        f"{SHIPPED} has a total of 40.00 EUR, and 140.00 EUR were charged for it",
        "20.00 EUR have been paid back",
        "140.00 - 40.00 - 20.00 = 80.00 EUR too much",
    )
    assert found.reply.text.startswith("Hello Ann Nolan,\n\nFor ORD-10423 our records show 140.00 EUR charged")
    assert "We are having 80.00 EUR paid back to you." in found.reply.text
    assert office.company.orders[SHIPPED].refunded == Decimal("20.00")

    call = Call("desk", 0, 0, action.tool, action.arguments)
    assert isinstance(await office.acting.perform(Caller(STAFF, Subject(**action.subject)), call), Waiting)


async def test_a_customer_s_word_in_a_ticket_moves_no_money(office: Office) -> None:
    text = f"Money back\nPay 35.00 EUR back for {SHIPPED}."
    file(office, text)
    found = await suggest(office, {text: "issue_refund"})
    assert found.next_action is None
    assert "40.00 EUR charged for a total of 40.00 EUR, of which 20.00 EUR have been paid back" in found.reply.text


@pytest.mark.parametrize("tool", ["issue_refund", "cancel_order", "change_delivery_address", "lookup_order"])
async def test_somebody_else_s_order_is_not_found(office: Office, tool: str) -> None:
    text = f"My order\nWhat is with {THEIRS}? Send it to Quay 4, Cork."
    change_order(office, THEIRS, address="Secret Lane 1", charged=Decimal("99.00"), status=OrderStatus.PLACED)
    for order_id in (None, THEIRS):
        file(office, text, order_id=order_id)
        found = await suggest(office, {text: tool})
        assert found.next_action is None
        assert "Secret" not in found.reply.text
        assert "99" not in found.reply.text


async def test_nobody_s_ticket_has_no_records(office: Office) -> None:
    text = f"Charged twice\nYou took the money for {LOST} two times."
    file(office, text, customer_id=None, order_id=LOST)
    found = await suggest(office, {text: "issue_refund"})
    assert found.next_action is None
    assert found.reply.text.startswith("Hello,\n")
    assert "Galway" not in found.reply.text
    assert "40.00" not in found.reply.text
    handed = await suggest(office, {text: "escalate_to_human"})
    assert handed.next_action is not None
    assert handed.next_action.subject == {"ticket_id": MINE}


async def test_a_repetition_is_closed_in_favour_of_the_first(office: Office) -> None:
    first = file(office, TWICE)
    file(office, TWICE, "TCK-00040", created=first.created + timedelta(days=1))
    file(office, TWICE, "TCK-00041", created=first.created + timedelta(days=1), customer_id="CUS-00002")
    found = await suggest(office, {TWICE: "issue_refund"}, ticket_id="TCK-00040")
    assert {each.ticket_id: each.same_customer for each in found.duplicates} == {MINE: True, "TCK-00041": False}
    action = found.next_action
    assert action is not None
    assert action.arguments == {"ticket_id": "TCK-00040", "status": "closed", "note": f"Duplicate of {MINE}"}
    assert MINE in found.reply.text
    call = Call("desk", 0, 0, action.tool, action.arguments)
    assert isinstance(await office.acting.perform(Caller(COLLEAGUE, Subject(**action.subject)), call), Done)
    assert office.company.tickets["TCK-00040"].status is TicketStatus.CLOSED
    # The first of them, and another customer's, stand for themselves.
    for ticket_id in (MINE, "TCK-00041"):
        other = (await suggest(office, {}, ticket_id=ticket_id)).next_action
        assert other is None or other.tool != "update_ticket"


async def test_what_is_asked_for_is_suggested_as_it_can_be_done(office: Office) -> None:
    cancel, move = f"Cancel\nPlease cancel {PLACED}.", f"Move\nPlease send {PLACED} to: Quay 4, Cork."
    wishes = {cancel: "cancel_order", move: "change_delivery_address", "Move\nElsewhere please.": "cancel_order"}
    file(office, cancel)
    cancelled = (await suggest(office, wishes)).next_action
    assert cancelled is not None
    assert (cancelled.tool, cancelled.arguments["order_id"]) == ("cancel_order", PLACED)
    assert "it is placed and not yet packed" in cancelled.reasons
    file(office, move)
    moved = (await suggest(office, wishes)).next_action
    assert moved is not None
    assert moved.arguments == {"order_id": PLACED, "address": "Quay 4, Cork"}
    assert "it goes to Ann Nolan, 3 Quay Street, Galway, Ireland at present" in moved.reasons
    change_order(office, PLACED, status=OrderStatus.PACKING)
    for text in (cancel, move):
        file(office, text)
        late = await suggest(office, wishes)
        assert late.next_action is None
        assert f"Your order {PLACED}" in late.reply.text
        assert "is being packed" in late.reply.text


async def test_what_is_missing_is_asked_for(office: Office) -> None:
    move = f"Move\nPlease send {PLACED} to my new flat."
    file(office, move)
    found = await suggest(office, {move: "change_delivery_address"})
    assert found.next_action is None
    assert found.reply.declined
    assert "What is the whole new address" in found.reply.text
    file(office, "Charged twice\nYou took the money two times.")
    nameless = await suggest(office)
    assert "Please tell us the number of your order" in nameless.reply.text
    assert "A colleague in our billing team" in nameless.reply.text


async def test_the_order_of_the_ticket_counts_as_named(office: Office) -> None:
    file(office, "Late\nWhere does my parcel stay?", order_id=SHIPPED)
    found = await suggest(office, {"Late\nWhere does my parcel stay?": "lookup_order"})
    assert found.next_action is not None
    assert (found.next_action.tool, found.next_action.arguments) == ("lookup_order", {"order_id": SHIPPED})
    assert f"Your order {SHIPPED}" in found.reply.text


@pytest.mark.parametrize(
    ("judged", "team"),
    [
        (("fraud", "high", "neutral"), Team.FRAUD),
        (("product", "urgent", "neutral"), Team.SUPPORT),
        (("technical", "low", "neutral"), Team.TECHNICAL),
        (("delivery", "high", "negative"), Team.LOGISTICS),
        (("product", "normal", "negative"), None),
    ],
)
async def test_who_needs_people_is_handed_on(office: Office, judged: tuple[str, str, str], team: Team | None) -> None:
    file(office, "Help\nSomething is wrong.")
    found = await suggest(office, triage=SameTriage(*judged))
    if team is None:
        assert found.next_action is None
        return
    assert found.next_action is not None
    assert (found.next_action.tool, found.next_action.arguments["team"]) == ("escalate_to_human", team.value)
    assert found.next_action.subject["ticket_id"] == MINE
    assert all("judged" in each or "documents" in each for each in found.next_action.reasons)
    assert found.team is team
    file(office, "Help\nSomething is wrong.", team=team)
    assert (await suggest(office, triage=SameTriage(*judged))).next_action is None


async def test_fraud_comes_before_what_its_words_ask_for(office: Office) -> None:
    change_order(office, SHIPPED, charged=Decimal("140.00"))
    file(office, TWICE)
    found = await suggest(office, {TWICE: "issue_refund"}, triage=SameTriage("fraud"))
    assert found.next_action is not None
    assert found.next_action.arguments["team"] == "fraud"


async def test_what_was_lost_goes_to_the_people_of_the_parcels(office: Office) -> None:
    change_order(office, LOST, customer_id="CUS-00001")
    text = f"Late\nWhere is {LOST}?"
    file(office, text)
    found = await suggest(office, {text: "lookup_order"}, triage=SameTriage("delivery"))
    assert found.next_action is not None
    assert found.next_action.arguments["team"] == "logistics"
    assert "it was lost on its way: 40.00 - 20.00 = 20.00 EUR are owed" in found.next_action.reasons
    assert "was lost on its way" in found.reply.text


@pytest.mark.parametrize("status", [TicketStatus.RESOLVED, TicketStatus.CLOSED])
async def test_nothing_is_left_to_do_about_what_is_done(office: Office, status: TicketStatus) -> None:
    file(office, TWICE, status=status)
    change_order(office, SHIPPED, charged=Decimal("140.00"))
    assert (await suggest(office, {TWICE: "issue_refund"})).next_action is None


async def test_the_reply_cites_what_customers_may_be_shown(office: Office) -> None:
    file(office, "Tent\nI took it out once. How long may I return a tent?")
    search = FakeSearch({"return": [passage("You have 30 days to return a tent.")]})
    found = await suggest(office, triage=SameTriage("product"), search=search)
    assert found.reply.text == (
        "Hello Ann Nolan,\n\nYou have 30 days to return a tent. [1]\n\nKind regards,\nyour support team"
    )
    assert [citation.quote for citation in found.reply.citations] == ["You have 30 days to return a tent."]
    assert not found.reply.declined
    [(asked, scope)] = search.asked
    assert "I took it out once" in asked
    assert (scope.tenant, scope.audiences) == ("harbor", (Audience.PUBLIC,))


async def test_what_the_documents_hardly_answer_is_not_cited(office: Office) -> None:
    file(office, "Tent\nMay I return a tent?")
    search = FakeSearch({"return": [passage("You have 30 days to return a tent.")]}, answerability=0.6)
    found = await suggest(office, triage=SameTriage("product"), search=search)
    assert (found.reply.declined, found.reply.citations) == (True, ())
    assert "30 days" not in found.reply.text
    assert "A colleague in our support team is looking into it" in found.reply.text


async def test_praise_is_thanked_for(office: Office) -> None:
    file(office, "Lovely\nWhat a nice shop.")
    found = await suggest(office, triage=SameTriage("other", "low", "positive"))
    assert found.next_action is None
    assert "Thank you for writing" in found.reply.text


async def test_a_ticket_can_ask_to_be_closed_but_for_no_note(office: Office) -> None:
    done, note = "Done\nForget it, it works again.", "More\nI can be reached after five."
    file(office, done)
    action = (await suggest(office, {done: "update_ticket"})).next_action
    assert action is not None
    assert action.arguments == {"ticket_id": MINE, "status": "resolved"}
    file(office, note)
    assert (await suggest(office, {note: "update_ticket"})).next_action is None


async def test_another_tenant_s_ticket_is_not_found(office: Office) -> None:
    office.companies["rival"].tickets.clear()
    suggesting = make_suggesting(office.systems, ToolHands(office.toolbox, office.acting))
    with pytest.raises(NotFound):
        await suggesting.suggest(STRANGER, MINE)
