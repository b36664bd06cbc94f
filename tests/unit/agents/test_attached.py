import pytest
from langchain_core.messages import AIMessage, HumanMessage

from agents import attached
from core.types import Findings, Hit
from tests.fakes.attaching import attachment
from tests.fakes.search import passage

INVOICE = attachment("Order number: ORD-10421.\n\nThe total is 40.00 EUR.", "invoice-7.pdf")
LETTER = attachment("Dear Ann, ord 10421 and ORD-10423 are late. See TCK-00031.", "letter.docx")


def test_packed_and_unpacked_it_is_the_same() -> None:
    assert attached.unpack(attached.pack(INVOICE)) == INVOICE
    assert [each.text for each in INVOICE.passages] == ["Order number: ORD-10421.", "The total is 40.00 EUR."]


def test_a_message_keeps_names_and_gives_up_texts() -> None:
    sent = HumanMessage("What is this?", id="m", additional_kwargs={"attachments": [attached.pack(INVOICE)]})
    bare, came = attached.received([AIMessage("Hello"), sent])
    assert bare[1].additional_kwargs == {"attachments": [{"id": INVOICE.id, "name": "invoice-7.pdf"}]}
    assert (bare[1].id, came) == ("m", [attached.pack(INVOICE)])
    assert sent.additional_kwargs["attachments"] == [attached.pack(INVOICE)], "the client's own is left alone"


def test_the_latest_are_kept_each_once_as_far_as_there_is_room() -> None:
    small, other = attached.pack(INVOICE), attached.pack(LETTER)
    assert attached.keep([small, other], [small]) == [other, small]
    large = attached.pack(attachment("x" * attached.KEPT_CHARACTERS, "large.txt"))
    assert attached.keep([small], [large]) == [large]
    assert attached.keep([large], [small]) == [small]
    many = [attached.pack(attachment(f"text {n}", f"{n}.txt")) for n in range(attached.KEPT + 3)]
    assert attached.keep([], many) == many[3:]


def test_only_what_came_with_the_last_messages_is_theirs() -> None:
    held = [attached.pack(INVOICE), attached.pack(LETTER)]
    first, _ = attached.received([HumanMessage("a", additional_kwargs={"attachments": [held[0]]})])
    messages = [*first, AIMessage("b"), HumanMessage("c")]
    assert attached.of_messages(messages, held) == []
    assert attached.of_messages(messages, held, 2) == [INVOICE]
    assert attached.of_messages(first, []) == []


@pytest.mark.parametrize("text", ["", "What does this say?", "Can you summarise the invoice?", "what is in this file"])
def test_whoever_asks_for_nothing_in_particular_wants_the_whole(text: str) -> None:
    assert attached.asks_for_whole(text, [INVOICE])
    assert not attached.asks_for_whole(text, [])


@pytest.mark.parametrize("text", ["What is the total?", "Where is it?", "Refund this", "Is 40 right?", "who is this"])
def test_whoever_asks_for_something_does_not(text: str) -> None:
    assert not attached.asks_for_whole(text, [INVOICE])


def test_a_question_points_at_a_file_by_its_name_or_as_it() -> None:
    assert attached.points_at("What is on the invoice?", [], [INVOICE])
    assert attached.points_at("When is it due?", [INVOICE], [INVOICE])
    assert not attached.points_at("When is it due?", [], [INVOICE])
    assert not attached.points_at("What is on the invoice?", [], [])
    assert attached.beside([INVOICE], pointed=True).prior > attached.beside([INVOICE], pointed=False).prior > 0


def test_a_file_that_is_pointed_at_and_leads_is_quoted_alone() -> None:
    own, shop = Hit(INVOICE.passages[0], 0.9), Hit(passage("We refund at once."), 0.8)
    leading = Findings((own, shop), 0.9)
    assert attached.quotable(leading, pointed=True) == Findings((own,), 0.9)
    assert attached.quotable(leading, pointed=False) == leading
    behind = Findings((shop, own), 0.9)
    assert attached.quotable(behind, pointed=True) == behind


def test_ids_are_found_and_what_is_passed_on_is_bounded() -> None:
    assert attached.ids([INVOICE, LETTER], "ORD") == ["ORD-10421", "ORD-10423"]
    assert attached.ids([LETTER], "TCK") == ["TCK-00031"] and attached.ids([LETTER], "") == []
    assert attached.note([INVOICE]) == (
        "Attached: invoice-7.pdf, which begins: “Order number: ORD-10421. The total is 40.00 EUR.”"
    )
    assert len(attached.note([attachment("word " * 1000)])) < 400
    assert attached.titled("What?", [INVOICE, LETTER]) == "What? [invoice-7.pdf and letter.docx]"
    assert attached.titled("", [INVOICE]) == "[invoice-7.pdf]" and attached.titled("What?", []) == "What?"
