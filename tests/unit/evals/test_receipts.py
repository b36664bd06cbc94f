from pathlib import Path

import orjson
import pytest

from core.errors import InvalidInput
from core.media import Reading
from evals.receipts import Receipt, drawn_receipts, normal, read_receipts
from evals.suites.receipts import Extracted, character_error, f1, macro, macro_f1, right, word_recall
from tests.unit.multimodal.readings import reading

KEY = {"company": "Alder Ltd", "date": "05/03/2026", "address": "1 Mill Street, Westbury", "total": "$8.20"}
CASE = Receipt("one", b"", KEY, ("Alder Ltd", "Total 8.20"))


def out(read: Reading | None = None, **fields: str) -> Extracted:
    return Extracted(read or reading("Alder Ltd", "Total 8.20"), fields)


def test_the_same_day_amount_and_name_in_another_form_are_the_same() -> None:
    found = out(company="ALDER  LTD", date="2026-03-05", total="8.20", address="1 mill street,westbury")
    assert macro(CASE, found) == 1.0


@pytest.mark.parametrize(
    ("field", "value"),
    [("company", "Alder Lt"), ("date", "2026-05-03"), ("total", "8.21"), ("address", "1 Mill Street Westbury")],
)
def test_another_value_is_wrong(field: str, value: str) -> None:
    assert right(field, CASE, Extracted(reading(), {field: value})) == 0.0


def test_a_key_without_a_value_says_nothing() -> None:
    assert right("date", Receipt("two", b"", {**KEY, "date": ""}), out(date="2026-03-05")) is None


def test_f1_holds_a_missing_value_against_recall_only() -> None:
    rows = [(CASE, out(total="8.20")), (CASE, out()), (CASE, out(total="9.00"))]
    assert f1("total", rows) == pytest.approx(2 / 5)
    assert macro_f1(rows) == pytest.approx(0.1)


def test_letters_are_compared_without_case_and_spaces() -> None:
    assert character_error(CASE, out(reading("ALDER LTD", "Total8.20"))) == 0.0
    assert character_error(CASE, out(reading("ALDER LTD", "Total 8.21"))) == pytest.approx(1 / 17)
    assert character_error(CASE, out(Reading((), 9, 9))) == 1.0


def test_words_count_whatever_their_order() -> None:
    assert word_recall(CASE, out(reading("Total 8.20", "Alder"))) == pytest.approx(4 / 5)


def test_what_is_compared() -> None:
    assert normal("total", "RM 30.90") == normal("total", "30.90")
    assert normal("date", "05 MAR 2026") == normal("date", "2026-03-05")
    assert normal("company", "A b") != normal("company", "A-b")


def test_drawn_receipts_are_the_seeds() -> None:
    assert drawn_receipts(2, 7) == drawn_receipts(2, 7) != drawn_receipts(2, 8)


def test_a_folder_is_read_with_its_keys_and_its_text(tmp_path: Path) -> None:
    for folder in ("img", "key", "box"):
        (tmp_path / folder).mkdir()
    (tmp_path / "img" / "001.png").write_bytes(b"pixels")
    (tmp_path / "key" / "001.json").write_bytes(orjson.dumps(KEY))
    (tmp_path / "box" / "001.csv").write_text("1,2,3,4,5,6,7,8,Mill Street, Westbury\n")
    assert read_receipts(tmp_path) == [Receipt("001", b"pixels", KEY, ("Mill Street, Westbury",))]


def test_a_folder_of_another_layout_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as refusal:
        read_receipts(tmp_path)
    assert refusal.value.param == "data"
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "001.png").write_bytes(b"pixels")
    with pytest.raises(InvalidInput, match=r"key/001\.json"):
        read_receipts(tmp_path)
