"""What the procurement agent buys and books in, and what it does not."""

import pytest

from tests.fakes.acting import STAFF, Office
from tests.fakes.assistant import Conversation

BUY = "order 8 of SKU-0002"


@pytest.fixture
def buyer(office: Office) -> Conversation:
    booked = (
        "PO-00001 has not arrived yet",
        "Has PO-00001 come in?",
        "nothing of PO-00001 is here",
        "PO-00001 is here, nothing is missing",
        "4 pieces of the blankets came in",
        "I mean PO-00001",
    )
    bought = (BUY, "Do not order SKU-0002", "I have not placed an order for SKU-0002 yet, order 8")
    wishes = dict.fromkeys(booked, "confirm_delivery") | dict.fromkeys(bought, "create_purchase_order")
    return Conversation(office, STAFF, dict(wishes))


async def test_nothing_is_bought_that_shall_not_be(office: Office, buyer: Conversation) -> None:
    assert (await buyer.says("Do not order SKU-0002")).text == "All right, I order nothing."
    assert not office.company.purchase_orders
    await buyer.says("I have not placed an order for SKU-0002 yet, order 8")
    assert len(office.company.purchase_orders) == 1


@pytest.mark.parametrize(
    "text", ["PO-00001 has not arrived yet", "Has PO-00001 come in?", "nothing of PO-00001 is here"]
)
async def test_goods_that_are_not_here_are_not_booked_in(office: Office, buyer: Conversation, text: str) -> None:
    await buyer.says(BUY)
    assert "has not arrived yet" in (await buyer.says(text)).text
    assert office.company.products["SKU-0002"].stock == 3


async def test_goods_that_are_here_are_booked_in(office: Office, buyer: Conversation) -> None:
    await buyer.says(BUY)
    assert "8 pieces of PO-00001 are booked in" in (await buyer.says("PO-00001 is here, nothing is missing")).text
    assert office.company.products["SKU-0002"].stock == 11


async def test_the_number_of_pieces_outlives_the_question_which_order(office: Office, buyer: Conversation) -> None:
    await buyer.says(BUY)
    fresh = Conversation(office, STAFF, {"4 pieces of the blankets came in": "confirm_delivery"})
    assert (await fresh.says("4 pieces of the blankets came in")).text.startswith("Which purchase order?")
    assert "4 pieces of PO-00001 are booked in" in (await fresh.says("PO-00001")).text
    assert office.company.products["SKU-0002"].stock == 7
