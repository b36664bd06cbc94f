from decimal import Decimal

import pytest

from multimodal.inspection.evidence import Photo, TypedNote, statements
from multimodal.inspection.measures import identifiers, measurements
from multimodal.inspection.numbers import value
from tests.fakes.field_senses import reading


def said(text: str) -> list[tuple[str, str]]:
    return [(str(each.value), each.unit) for each in measurements(statements(TypedNote(1, text)))]


def shown(*lines: str, confidence: float = 0.9) -> list[tuple[str, str]]:
    photo = Photo(1, reading(*lines, confidence=confidence))
    return [(str(each.value), each.unit) for each in measurements(statements(photo))]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("four point two", "4.2"),
        ("twenty-five", "25"),
        ("minus three", "-3"),
        ("one hundred and ten", "110"),
        ("two thousand three hundred", "2300"),
        ("zero point oh five", "0.05"),
        ("4,2", "4.2"),
        ("1,200", "1200"),
        ("\u22125.5", "-5.5"),
        ("two three", None),
        ("twenty twelve", None),
        ("hundred hundred", None),
    ],
)
def test_a_number_is_read_as_people_say_it(text: str, number: str | None) -> None:
    assert value(text) == (None if number is None else Decimal(number))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The gauge reads four point two bar.", [("4.2", "bar")]),
        ("It is minus five degrees Celsius outside.", [("-5", "°C")]),
        ("230 volts, 12.5A and 50 Hz.", [("230", "V"), ("12.5", "A"), ("50", "Hz")]),
        ("About thirty percent of 7 mm.", [("30", "%"), ("7", "mm")]),
        ("Someone barred the door, 4 bars.", [("4", "bar")]),
        ("We were five in the barn, and 3 mice.", []),
        ("I saw twenty three bar stools.", [("23", "bar")]),
    ],
)
def test_values_and_units_in_speech(text: str, found: list[tuple[str, str]]) -> None:
    assert said(text) == found


def test_values_on_a_display_also_where_the_unit_is_a_line_of_its_own() -> None:
    assert shown("4.2bar", "23,5 °C") == [("4.2", "bar"), ("23.5", "°C")]
    assert shown("4.2", "bar") == [("4.2", "bar")]
    assert shown("4.2", "PUMP") == []


def test_nothing_is_taken_from_a_line_that_was_hardly_read() -> None:
    assert shown("4.2 bar", confidence=0.3) == []


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (["S/N: ab-1234"], [("serial number", "AB-1234")]),
        (["Serial No.", "X99812"], [("serial number", "X99812")]),
        (["Model HX200", "Made in Ghent"], [("model", "HX200")]),
        (["PUMP P-101"], [("tag", "P-101")]),
        (["Serial number plate"], []),
    ],
)
def test_what_plates_say(lines: list[str], found: list[tuple[str, str]]) -> None:
    made = identifiers(statements(Photo(1, reading(*lines))))
    assert [(each.kind, each.value) for each in made] == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The serial number is A B one two three four.", [("serial number", "AB1234")]),
        ("Serial number 4 5 1 2, and a valve.", [("serial number", "4512")]),
        ("Serial number AB1234 on the plate.", [("serial number", "AB1234")]),
        ("The serial number cannot be read.", []),
        ("Look at P-101.", [("tag", "P-101")]),
    ],
)
def test_numbers_that_are_spelled_aloud(text: str, found: list[tuple[str, str]]) -> None:
    made = identifiers(statements(TypedNote(1, text)))
    assert [(each.kind, each.value) for each in made] == found
