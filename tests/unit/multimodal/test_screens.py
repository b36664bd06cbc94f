from multimodal.fields.screens import find_screen
from tests.unit.multimodal.readings import reading


def facts(*rows: str) -> list[tuple[str, str]]:
    return [(field.name, field.value) for field in find_screen(reading(*rows))]


def test_codes_amounts_and_ids_of_a_failed_payment() -> None:
    assert facts(
        "Payment failed", "Error code ERR_PAY_4021", "Order ORD-10421", "Charged: EUR 184.50", "TCK-00031"
    ) == [
        ("error_code", "ERR_PAY_4021"),
        ("order", "ORD-10421"),
        ("amount", "184.50 EUR"),
        ("ticket", "TCK-00031"),
    ]


def test_letters_taken_for_digits_are_put_right_in_ids() -> None:
    assert facts("ORD-lO42l") == [("order", "ORD-10421")]


def test_other_forms_of_codes() -> None:
    assert facts("HTTP 503", "status: 0x80070005", "CARD_DECLINED") == [
        ("error_code", "503"),
        ("error_code", "0x80070005"),
        ("error_code", "CARD_DECLINED"),
    ]


def test_plain_words_and_bare_numbers_say_nothing() -> None:
    assert facts("Your orders", "Delivered on 12 March", "4.50 kg", "Room 404") == []


def test_each_value_is_told_once_where_it_first_stands() -> None:
    found = find_screen(reading("ORD-10421", "again ORD-10421"))
    assert [(field.value, field.line) for field in found] == [("ORD-10421", 0)]
