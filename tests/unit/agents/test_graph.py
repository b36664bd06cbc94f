"""The assistant acts: on the customer's own records, through the policy, once, and says what came of it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig

from agents.actions import Wish
from agents.conversation import Call
from agents.decisions import Decision, DecisionKind
from agents.graph import AssistantContext
from agents.hands import Outcome, ToolHands
from agents.tools.tool import Caller
from core.database import now
from core.orders import OrderStatus
from core.purchasing import SalesHistory
from core.types import Interrupted, Scope, ToolCalled
from tests.fakes.acting import CLIENT, COLLEAGUE, NEIGHBOUR, STAFF, VISITOR, Office
from tests.fakes.assistant import Conversation, make_graph

SHIPPED = "ORD-10423"
TWICE = "I was charged twice"
APPROVE = Decision(DecisionKind.APPROVE)
WISHES: dict[str, str | Wish] = {
    TWICE: "issue_refund",
    "any news?": "news",
    "cancel my order": "cancel_order",
    "where is my order": "lookup_order",
    "cancel it": "cancel_order",
    "send it elsewhere": "change_delivery_address",
    "what should I reorder?": "suggest_reorders",
    "order the first one": "create_purchase_order",
    "it arrived": "confirm_delivery",
    "where are the goods?": "track_purchase_order",
    "buy 7 blankets": "create_purchase_order",
    "open a ticket": "create_ticket",
    "a person please": "escalate_to_human",
    "cancel or redirect": Wish("cancel_order", 0.5, clear=False, second="change_delivery_address", rival=True),
}


@pytest.fixture
def customer(office: Office) -> Conversation:
    return Conversation(office, CLIENT, WISHES)


@pytest.fixture
def buyer(office: Office) -> Conversation:
    sold = SalesHistory("SKU-0001", (now() - timedelta(days=400)).date(), (3,) * 400, (False,) * 400)
    office.company.sales["SKU-0001"] = sold
    return Conversation(office, STAFF, WISHES)


def charge_twice(office: Office, order_id: str = SHIPPED, charged: str = "140.00") -> None:
    orders = office.company.orders
    orders[order_id] = replace(orders[order_id], charged=Decimal(charged))


def status(office: Office, order_id: str) -> str:
    return office.company.orders[order_id].status.value


async def test_a_double_charge_waits_for_consent_and_is_paid_back_once(office: Office, customer: Conversation) -> None:
    charge_twice(office)
    asked = await customer.says(TWICE)
    assert f"refund of 80.00 EUR for {SHIPPED}" in asked.text and len(asked.approvals) == 1
    assert "(charged 140.00 EUR for a total of 40.00 EUR)" in asked.text
    assert [event.approval for event in customer.events if isinstance(event, Interrupted)] == list(asked.approvals)
    assert office.company.orders[SHIPPED].refunded == Decimal("20.00")

    decided = await office.acting.decide(COLLEAGUE, asked.approvals[0], APPROVE)
    told = await customer.hears(decided)
    assert told.text.startswith(f"80.00 EUR for {SHIPPED} are on their way back to you")
    assert (await customer.says("any news?")).text == told.text
    assert office.company.orders[SHIPPED].refunded == Decimal("100.00")
    assert "paid back already" in (await customer.says(TWICE)).text


async def test_a_decision_that_nobody_resumed_is_told_when_the_customer_asks(
    office: Office, customer: Conversation
) -> None:
    charge_twice(office)
    asked = await customer.says(TWICE)
    assert "Still waiting" in (await customer.says("any news?")).text
    await office.acting.decide(
        COLLEAGUE, asked.approvals[0], Decision(DecisionKind.REJECT, text="seen no second charge.")
    )
    told = await customer.says("any news?")
    assert "was turned down: seen no second charge." in told.text and told.approvals == ()
    assert office.company.orders[SHIPPED].refunded == Decimal("20.00")


async def test_an_edited_call_is_told_as_it_was_performed(office: Office, customer: Conversation) -> None:
    charge_twice(office)
    asked = await customer.says(TWICE)
    edit = Decision(DecisionKind.EDIT, {"order_id": SHIPPED, "amount": "60.00", "reason": "the fee stays"})
    told = await customer.hears(await office.acting.decide(COLLEAGUE, asked.approvals[0], edit))
    assert told.text.startswith("It was approved with changes. 60.00 EUR")


async def test_the_thread_answers_questions_while_it_waits(office: Office, customer: Conversation) -> None:
    charge_twice(office)
    asked = await customer.says(TWICE)
    assert (await customer.says("How long may I return a tent?")).citations
    told = await customer.hears(await office.acting.decide(COLLEAGUE, asked.approvals[0], APPROVE))
    assert "80.00 EUR" in told.text


async def test_a_small_double_charge_is_paid_back_at_once(office: Office, customer: Conversation) -> None:
    charge_twice(office, charged="65.00")
    told = await customer.says(TWICE)
    assert told.text.startswith(f"5.00 EUR for {SHIPPED}") and told.approvals == ()


async def test_a_customers_word_alone_moves_no_money(office: Office, customer: Conversation) -> None:
    told = await customer.says(TWICE)
    assert "none was charged more than its total" in told.text and "ticket" in told.text
    opened = await customer.says("yes please")
    assert "I have opened ticket" in opened.text
    assert office.company.tickets[max(office.company.tickets)].message == TWICE


async def test_two_orders_that_could_be_meant_are_asked_about_once(office: Office, customer: Conversation) -> None:
    asked = await customer.says("cancel my order")
    assert "ORD-10421" in asked.text and "ORD-10427" in asked.text
    assert status(office, "ORD-10421") == "placed"
    assert (await customer.says("ORD-10421")).text.startswith("ORD-10421 is cancelled")
    assert status(office, "ORD-10421") == "cancelled"
    assert status(office, "ORD-10427") == "placed"


async def test_asked_in_vain_it_offers_a_person(customer: Conversation) -> None:
    await customer.says("cancel my order")
    assert "Would you like me to open a ticket" in (await customer.says("hmm dunno")).text


async def test_no_to_a_question_leaves_everything_as_it_is(office: Office, customer: Conversation) -> None:
    await customer.says("cancel my order")
    assert (await customer.says("no, leave it")).text == "All right, I leave it at that."
    assert status(office, "ORD-10421") == "placed"


async def test_what_was_spoken_of_is_it(office: Office, customer: Conversation) -> None:
    orders = office.company.orders
    orders["ORD-10427"] = replace(orders["ORD-10427"], status=OrderStatus.DELIVERED)
    orders[SHIPPED] = replace(orders[SHIPPED], status=OrderStatus.DELIVERED)
    assert "ORD-10421" in (await customer.says("where is my order")).text
    assert "whole new address" in (await customer.says("send it elsewhere")).text
    assert (await customer.says("Mill Road 4, Cork")).text == "ORD-10421 now goes to: Mill Road 4, Cork."
    assert (await customer.says("cancel it")).text.startswith("Shall I cancel ORD-10421 of")
    assert (await customer.says("yes")).text.startswith("ORD-10421 is cancelled")


async def test_an_order_is_not_cancelled_for_a_question(office: Office) -> None:
    customer = Conversation(office, CLIENT, {"Why would you cancel ORD-10421?": "cancel_order"})
    assert (await customer.says("Why would you cancel ORD-10421?")).text.startswith("Shall I cancel ORD-10421 of")
    assert (await customer.says("no!")).text == "All right, I leave it at that."
    assert status(office, "ORD-10421") == "placed"


async def test_too_late_is_said_plainly(office: Office) -> None:
    neighbour = Conversation(office, NEIGHBOUR, WISHES)
    told = await neighbour.says("cancel my order")
    assert "ORD-10422 is packing. Only an order that is placed and not yet packed can be cancelled." in told.text


async def test_somebody_elses_order_does_not_exist(office: Office) -> None:
    neighbour = Conversation(office, NEIGHBOUR, {"cancel ORD-10421": "cancel_order"})
    assert "I find no order ORD-10421" in (await neighbour.says("cancel ORD-10421")).text
    assert status(office, "ORD-10421") == "placed"


async def test_a_visitor_has_no_orders_to_act_on(office: Office) -> None:
    visitor = Conversation(office, VISITOR, WISHES)
    assert (await visitor.says("cancel my order")).declined
    assert not any(isinstance(event, ToolCalled) for event in visitor.events)


async def test_what_the_documents_do_not_answer_is_offered_a_ticket(office: Office, customer: Conversation) -> None:
    assert (await customer.says("Who painted the ceiling?")).declined
    assert "I have opened ticket" in (await customer.says("Yes, please.")).text
    ticket = office.company.tickets[max(office.company.tickets)]
    assert (ticket.subject, ticket.customer_id) == ("Who painted the ceiling?", CLIENT.customer_id)


async def test_an_offer_holds_for_the_next_message_only(office: Office, customer: Conversation) -> None:
    before = len(office.company.tickets)
    await customer.says("Who painted the ceiling?")
    await customer.says("How long may I return a tent?")
    await customer.says("yes")
    assert len(office.company.tickets) == before


async def test_a_person_gets_the_whole_story(office: Office, customer: Conversation) -> None:
    await customer.says("where is my order")
    assert "billing team" in (await customer.says("a person please")).text
    assert office.company.tickets[max(office.company.tickets)].message == "where is my order\na person please"


async def test_unsure_between_two_tools_it_asks(customer: Conversation) -> None:
    told = await customer.says("cancel or redirect")
    assert told.text == "Do you want me to cancel an order, or to change where an order goes?"


async def test_from_advice_to_goods_on_the_shelf(office: Office, buyer: Conversation) -> None:
    advice = await buyer.says("what should I reorder?")
    assert "1. SKU-0001 Camp kettle: order 120 from SUP-01 for 1140.00 EUR." in advice.text
    assert "In stock 12 + on order 0 = 12" in advice.text and "Reorder point: 48." in advice.text
    asked = await buyer.says("order the first one")
    assert asked.text.startswith("The purchase of 120 × SKU-0001 (total is 1140.00, above the limit of 500.00) needs")
    assert not office.company.purchase_orders

    told = await buyer.hears(await office.acting.decide(COLLEAGUE, asked.approvals[0], APPROVE))
    assert "PO-00001 is placed with SUP-01: 120 × SKU-0001" in told.text
    assert "has not arrived yet" in (await buyer.says("where are the goods?")).text
    came = await buyer.says("it arrived")
    assert "120 pieces of PO-00001 are booked in. The order is complete." in came.text
    assert "132 in stock now" in came.text and office.company.products["SKU-0001"].stock == 132
    assert "nothing left to book in" in (await buyer.says("it arrived")).text


async def test_a_refusal_of_the_supplier_is_told_with_what_works(office: Office, buyer: Conversation) -> None:
    told = await buyer.says("buy 7 blankets")
    assert told.text.startswith("The purchase of 7 × SKU-0002 was not possible.")
    assert "the nearest quantity of SKU-0002 that works is 8, not 7" in told.text
    assert not office.company.purchase_orders


async def test_a_client_gets_nothing_of_procurement(office: Office, customer: Conversation) -> None:
    assert (await customer.says("what should I reorder?")).declined


class Killed(Exception):
    """The process is gone."""


class Dying(ToolHands):
    """Dies after the call, before anybody hears of it, the first time."""

    died = False

    async def perform(self, caller: Caller, thread: str, call: Call) -> Outcome:
        outcome = await super().perform(caller, thread, call)
        if not self.died:
            self.died = True
            raise Killed
        return outcome


async def test_a_run_that_died_after_its_effect_is_taken_up_and_acts_no_second_time(office: Office) -> None:
    charge_twice(office, charged="65.00")
    graph, _ = make_graph(Dying(office.toolbox, office.acting), WISHES)
    config: RunnableConfig = {"configurable": {"thread_id": "t1"}}
    context = AssistantContext(Scope(CLIENT.tenant, ()), "t1", CLIENT)
    with pytest.raises(Killed):
        await graph.ainvoke({"incoming": [HumanMessage(TWICE)]}, config, context=context, durability="sync")
    assert office.company.orders[SHIPPED].refunded == Decimal("25.00")
    done = await graph.ainvoke(None, config, context=context, durability="sync")
    assert done["messages"][-1].text.startswith(f"5.00 EUR for {SHIPPED}")
    assert office.company.orders[SHIPPED].refunded == Decimal("25.00")
