from core.media import Field, Reading
from multimodal.fields.receipts import find_receipt
from tests.unit.multimodal.readings import reading

SHOP = (
    "LANTERN HARDWARE LTD (482913-K)",
    "22 Wharf Road,",
    "Eastport 70114",
    "Tel: 555 0199 21",
    "TAX INVOICE",
    "Invoice No: LH-20418",
    "Date: 07/04/2026 11:32",
    "Nails|4.00",
    "Hammer|16.00",
    "Subtotal|20.00",
    "GST 6%|1.20",
    "TOTAL|21.20",
    "Cash|30.00",
    "Change|8.80",
)


def fields(what: Reading) -> dict[str, Field]:
    return {field.name: field for field in find_receipt(what)}


def test_every_field_is_found_with_its_line() -> None:
    read = reading(*SHOP)
    found = fields(read)
    assert {name: field.value for name, field in found.items()} == {
        "merchant": "LANTERN HARDWARE LTD",
        "address": "22 Wharf Road, Eastport 70114",
        "date": "2026-04-07",
        "total": "21.20",
        "tax": "1.20",
        "invoice_number": "LH-20418",
    }
    assert read.lines[found["total"].line].text == "21.20"
    assert all(0 < field.confidence <= 1 for field in found.values())


def test_cash_less_change_decides_between_totals() -> None:
    found = fields(reading("SHOP LTD", "Total|54.90", "Total|50.00", "Cash|60.00", "Change|10.00"))
    assert found["total"].value == "50.00"


def test_arithmetic_that_agrees_makes_the_total_surer() -> None:
    alone = fields(reading("SHOP LTD", "Total|50.00"))["total"]
    checked = fields(reading("SHOP LTD", "Net|47.00", "GST|3.00", "Total|50.00", "Cash|60.00", "Change|10.00"))["total"]
    assert checked.value == alone.value and checked.confidence > alone.confidence


def test_the_rounded_total_is_what_is_paid() -> None:
    found = fields(reading("SHOP LTD", "Total|30.91", "Rounding adjustment|0.01", "Total rounded|30.90"))
    assert found["total"].value == "30.90"


def test_subtotals_quantities_and_taxes_are_no_total() -> None:
    found = fields(reading("SHOP LTD", "Subtotal|90.00", "Total qty|3.00", "Total GST|5.40", "Total due|95.40"))
    assert found["total"].value == "95.40"


def test_an_amount_below_its_label_is_found() -> None:
    assert fields(reading("SHOP LTD", "TOTAL", "12.30"))["total"].value == "12.30"


def test_without_a_label_the_largest_amount_is_doubtful() -> None:
    found = fields(reading("SHOP LTD", "Soap|2.00", "|7.00"))
    assert found["total"].value == "7.00" and found["total"].confidence < 0.4


def test_a_date_of_delivery_gives_way_to_the_date() -> None:
    assert fields(reading("SHOP LTD", "Due: 01/05/2026", "Date: 01/04/2026"))["date"].value == "2026-04-01"


def test_an_impossible_date_is_left_out() -> None:
    assert "date" not in fields(reading("SHOP LTD", "Date: 31/02/2026"))


def test_a_firm_in_two_lines_is_one_name() -> None:
    assert fields(reading("BRIGHT RIVER", "SDN BHD", "No 4, Jalan Besar"))["merchant"].value == "BRIGHT RIVER SDN BHD"


def test_a_picture_without_text_has_no_fields() -> None:
    assert find_receipt(Reading((), 10, 10)) == []
