"""Who asks for recommendations, and how they are told."""

from __future__ import annotations

import pytest

from agents.conversation import Matter, Say
from agents.hands import ToolHands
from agents.said import Said
from agents.shopping import TOOL, Shopping, asks_for_goods
from agents.tools.tool import Caller
from tests.fakes.acting import CLIENT, STAFF, Office

CUSTOMER = frozenset({TOOL, "list_orders"})
BUYER = CUSTOMER | {"suggest_reorders"}

ASKED = [
    "What else might I like?",
    "can you recommend something?",
    "Suggest some products for me, please",
    "Any recommendations for me?",
    "What should I buy next?",
    "What do you recommend for us?",
]
NOT_ASKED = [
    "Which tent do you recommend for winter?",
    "Give me your recommendations for restocking.",
    "Can you suggest something against blisters?",
    "Show me the items in order ORD-10421",
    "Don't recommend me anything for us",
    "What would I like to know about returns?",
]


@pytest.mark.parametrize("text", ASKED)
def test_who_wants_recommendations(text: str) -> None:
    assert asks_for_goods(text, CUSTOMER)
    assert not asks_for_goods(text, frozenset({"list_orders"}))
    # "What should I buy next?" is another question where somebody buys for the company.
    assert not asks_for_goods(text, BUYER)


@pytest.mark.parametrize("text", NOT_ASKED)
def test_who_wants_something_else(text: str) -> None:
    assert not asks_for_goods(text, CUSTOMER)


def test_a_buyer_names_the_customer() -> None:
    assert asks_for_goods("What might CUS-00210 like?", BUYER)


async def test_recommendations_are_told_with_their_reasons(office: Office) -> None:
    shopping = Shopping(ToolHands(office.toolbox, office.acting))
    asked = Said(Caller(CLIENT), "Recommend 2 products for me", Matter(), [])
    told = await shopping.choose(asked)
    assert isinstance(told, Say)
    # What the customer has not bought, nobody else has bought either.
    assert told.text == "I have nothing to recommend just now that you do not have already."
    for order in [each for each in office.company.orders.values() if each.customer_id == CLIENT.customer_id]:
        del office.company.orders[order.id]
    told = await shopping.choose(asked)
    assert isinstance(told, Say)
    assert told.text.splitlines() == [
        "This might be something for you:",
        "1. SKU-0001 Camp kettle, 24.00 EUR. Another customer bought this.",
    ]


async def test_staff_say_for_whom(office: Office) -> None:
    shopping = Shopping(ToolHands(office.toolbox, office.acting))
    nobody = await shopping.choose(Said(Caller(STAFF), "Any recommendations?", Matter(), []))
    assert isinstance(nobody, Say) and nobody.text.startswith("For whom?")
    named = await shopping.choose(Said(Caller(STAFF), "What might CUS-00900 like?", Matter(), []))
    assert isinstance(named, Say) and named.text.startswith("This might be something for CUS-00900:\n1. SKU-0001")
