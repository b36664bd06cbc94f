import pytest

from agents.masking import masked


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Write to ann.nolan+shop@mail.example.org, please.", "Write to [email], please."),
        ("Charged on 4111 1111 1111 1111 twice", "Charged on [card] twice"),
        ("5500-0055-5555-5559 and 378282246310005", "[card] and [card]"),
        ("Call +353 91 123 456 or 091 123456.", "Call [phone] or [phone]."),
        ("(091) 123 456, 0851234567, 0049 30 1234567, 555-123-4567", "[phone], [phone], [phone], [phone]"),
    ],
)
def test_what_says_who_somebody_is_goes(text: str, left: str) -> None:
    assert masked(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "ORD-10421, SKU-0137, PO-00012, TCK-00031, CUS-00210, SUP-07",
        "4111 1111 1111 1112 has no check digit of a card",
        "parcel HP83001942 of 2026-03-02, 03/02/2026 and 03.02.2026 at 09:30",
        "€1.200,50 or 84.90, between 10 000 and 20 000 pieces",
        "reference 1234567890",
        "ping me @ann on the app",
    ],
)
def test_what_a_message_is_about_stays(text: str) -> None:
    assert masked(text) == text
