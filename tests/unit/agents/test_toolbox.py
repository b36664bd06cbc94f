"""The tools as LangChain's: who gets which, what they are called with, and how a run waits for people."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any, TypedDict

import pytest
from langchain_core.runnables import RunnableConfig
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command

from agents.decisions import Decision, DecisionKind
from agents.demand import METHOD
from agents.tools.tool import Caller, Subject
from agents.tools.toolbox import placed
from core.errors import Forbidden, InvalidInput, NotFound
from core.orders import OrderLine
from core.types import Principal
from tests.fakes.acting import ADMIN, CLIENT, NEIGHBOUR, STAFF, STRANGER, VISITOR, Office

PERSONAL = {
    "list_orders",
    "lookup_order",
    "cancel_order",
    "change_delivery_address",
    "issue_refund",
    "recommend_products",
}
ANYBODY = {"search_help_center", "create_ticket", "escalate_to_human"}
BUYING = {
    "search_catalog",
    "check_stock",
    "forecast_demand",
    "suggest_reorders",
    "create_purchase_order",
    "track_purchase_order",
    "confirm_delivery",
}
CALL = {"order_id": "ORD-10423", "amount": "60.00", "reason": "charged twice"}


class State(TypedDict, total=False):
    said: str


def _tool(office: Office, principal: Principal, name: str, subject: Subject | None = None) -> Any:
    return {tool.name: tool for tool in office.toolbox.tools(Caller(principal, subject), "t1")}[name]


async def _read(office: Office, principal: Principal, name: str, **arguments: Any) -> Any:
    return json.loads(await _tool(office, principal, name).ainvoke(arguments))


@pytest.mark.parametrize(
    ("principal", "names"),
    [
        (VISITOR, ANYBODY),
        (CLIENT, ANYBODY | PERSONAL),
        (STAFF, ANYBODY | PERSONAL | BUYING | {"update_ticket"}),
        (ADMIN, ANYBODY | PERSONAL | BUYING | {"update_ticket"}),
    ],
)
def test_who_is_offered_what(office: Office, principal: Principal, names: set[str]) -> None:
    assert {tool.name for tool in office.toolbox.tools(Caller(principal), "t1")} == names


def test_a_model_is_told_names_and_arguments(office: Office) -> None:
    told = convert_to_openai_tool(_tool(office, CLIENT, "issue_refund"))["function"]
    assert (told["name"], told["parameters"]["required"]) == ("issue_refund", ["order_id", "amount", "reason"])
    assert told["parameters"]["properties"]["amount"]["type"] == "number"
    orders = convert_to_openai_tool(_tool(office, CLIENT, "list_orders"))["function"]
    assert orders["parameters"]["properties"]["customer_id"]["enum"] == [CLIENT.customer_id]
    assert "enum" not in str(convert_to_openai_tool(_tool(office, STAFF, "list_orders")))


async def test_reading(office: Office) -> None:
    orders = await _read(office, CLIENT, "list_orders", customer_id=CLIENT.customer_id)
    assert {order["customer_id"] for order in orders} == {CLIENT.customer_id}
    assert (await _read(office, CLIENT, "lookup_order", order_id="ORD-10421"))["total"] == "40.00"
    found = await _read(office, STAFF, "search_catalog", query="kettle")
    assert [product["sku"] for product in found] == ["SKU-0001", "SKU-0003"]
    help_ = await _read(office, VISITOR, "search_help_center", query="returns")
    assert help_["passages"][0]["document_id"] == "doc-1"


async def test_buying_is_read_with_its_numbers(office: Office) -> None:
    await office.call(STAFF, "create_purchase_order", sku="SKU-0001", quantity=12)
    stock = await _read(office, STAFF, "check_stock", sku="SKU-0001")
    assert (stock["product"]["on_order"], stock["purchase_orders"][0]["outstanding"]) == (12, 12)
    tracked = await _read(office, STAFF, "track_purchase_order", po_id="PO-00001")
    assert (tracked["purchase_order"]["status"], tracked["total"]) == ("placed", "114.00")


async def test_reorders_come_with_their_arithmetic(office: Office) -> None:
    company = office.company
    weeks = 60
    for sku, daily in (("SKU-0001", 3), ("SKU-0002", 1)):
        series = company.sales["SKU-0001"]
        company.sales[sku] = replace(series, sku=sku, units=(daily,) * 7 * weeks, promoted=(False,) * 7 * weeks)
    forecast = await _read(office, STAFF, "forecast_demand", sku="SKU-0001", weeks=2)
    assert [round(pieces) for pieces in forecast["weeks"]] == [21, 21]
    assert (forecast["known_until"], forecast["method"]) == (forecast["sales_until"], METHOD)
    told = await _read(office, STAFF, "suggest_reorders", limit=1)
    assert (told["products_looked_at"], told["products_without_forecast"], told["due"]) == (2, 1, 2)
    (most_urgent,) = told["suggestions"]
    assert most_urgent["sku"] == "SKU-0002"
    assert most_urgent["quantity"] % most_urgent["pack_size"] == 0
    assert most_urgent["method"] == METHOD
    assert most_urgent["unchanged"]["short_share"] > most_urgent["ordered"]["short_share"]
    assert Decimal(most_urgent["total"]) == Decimal(most_urgent["unit_cost"]) * most_urgent["quantity"]


async def test_recommendations_are_what_similar_people_bought(office: Office) -> None:
    orders = office.company.orders
    blanket, kettle, hook = (OrderLine(f"SKU-000{number}", 1, Decimal("5.00")) for number in (2, 1, 3))
    template = orders["ORD-10421"]
    orders.clear()
    bought = {"CUS-00001": (kettle,), "CUS-00002": (kettle, hook, blanket), "CUS-00003": (blanket,)}
    for customer, lines in bought.items():
        orders[customer] = replace(template, id=customer, customer_id=customer, lines=lines)
    # The hook is not in stock; the kettle is bought already.
    assert await _read(office, CLIENT, "recommend_products", customer_id="CUS-00001") == [
        {
            "sku": "SKU-0002",
            "name": "Wool blanket",
            "price": "60.00",
            "score": 0.5774,
            "reason": "Customers who bought Camp kettle buy this as well.",
            "because_of": ["SKU-0001"],
        }
    ]
    newcomer = await _read(office, STAFF, "recommend_products", customer_id="CUS-00009", limit=1)
    assert (newcomer[0]["sku"], newcomer[0]["because_of"]) == ("SKU-0001", [])


@pytest.mark.parametrize(
    ("principal", "name", "arguments"),
    [
        (CLIENT, "recommend_products", {"customer_id": NEIGHBOUR.customer_id}),
        (CLIENT, "list_orders", {"customer_id": NEIGHBOUR.customer_id}),
        (CLIENT, "lookup_order", {"order_id": "ORD-10422"}),
        (STAFF, "lookup_order", {"order_id": "ORD-1"}),
        (STAFF, "check_stock", {"sku": "SKU-9"}),
        (STAFF, "forecast_demand", {"sku": "SKU-9", "weeks": 1}),
        (STAFF, "track_purchase_order", {"po_id": "PO-9"}),
    ],
)
async def test_what_is_not_there_is_not_found(
    office: Office, principal: Principal, name: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(NotFound):
        await _tool(office, principal, name).ainvoke(arguments)


async def test_another_tenant_reads_its_own(office: Office) -> None:
    office.companies["rival"].orders.clear()
    assert await _read(office, STRANGER, "list_orders", customer_id=CLIENT.customer_id) == []
    with pytest.raises(NotFound):
        await _read(office, STRANGER, "lookup_order", order_id="ORD-10421")


async def test_reading_by_name_asks_the_policy(office: Office) -> None:
    with pytest.raises(Forbidden):
        await office.toolbox.read(Caller(CLIENT), "search_catalog", {"query": "kettle"})
    with pytest.raises(NotFound):
        await office.toolbox.read(Caller(VISITOR), "lookup_order", {"order_id": "ORD-10421"})
    with pytest.raises(InvalidInput):
        await office.toolbox.read(Caller(ADMIN), "cancel_order", {"order_id": "ORD-10421", "reason": "x"})
    with pytest.raises(InvalidInput, match="query"):
        await office.toolbox.read(Caller(ADMIN), "search_catalog", {"words": "kettle"})


async def test_a_call_without_a_place_is_refused(office: Office) -> None:
    with pytest.raises(InvalidInput, match="which call"):
        await _tool(office, CLIENT, "cancel_order").ainvoke({"order_id": "ORD-10421", "reason": "x"})


@pytest.mark.parametrize(
    ("decision", "told", "refunded"),
    [
        (Decision(DecisionKind.APPROVE), {"refunded": "80.00"}, "80.00"),
        (Decision(DecisionKind.REJECT, text="no"), {"declined": "rejected", "answer": "no"}, "20.00"),
        (Decision(DecisionKind.RESPOND, text="ask"), {"declined": "responded", "answer": "ask"}, "20.00"),
    ],
)
async def test_a_run_waits_for_people(office: Office, decision: Decision, told: dict[str, str], refunded: str) -> None:
    orders = office.company.orders
    orders["ORD-10423"] = replace(orders["ORD-10423"], charged=Decimal("140.00"))
    refund = _tool(office, CLIENT, "issue_refund")

    async def act(state: State, config: RunnableConfig) -> State:
        return {"said": await refund.ainvoke(CALL, placed(config, 1, 0))}

    graph = StateGraph(State)
    graph.add_node("act", act)
    graph.add_edge(START, "act")
    graph.add_edge("act", END)
    run = graph.compile(checkpointer=InMemorySaver())
    config: RunnableConfig = {"configurable": {"thread_id": "t1"}}
    paused = await run.ainvoke({}, config)
    asked = paused["__interrupt__"][0].value
    assert (asked["tool"], asked["arguments"], asked["by"]) == ("issue_refund", CALL, "staff")
    # Whatever a resume claims, nobody has decided yet.
    still = await run.ainvoke(Command(resume={"decision": "approve"}), config)
    assert still["__interrupt__"][0].value == asked
    assert orders["ORD-10423"].refunded == Decimal("20.00")
    await office.acting.decide(STAFF, asked["approval"], decision)
    ended = await run.ainvoke(Command(resume="go on"), config)
    said = json.loads(ended["said"])
    assert {name: said[name] for name in told} == told
    assert office.company.orders["ORD-10423"].refunded == Decimal(refunded)
