"""Values with units, and serial numbers, in what was said and in what photos show."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from multimodal.inspection.evidence import Statement
from multimodal.inspection.numbers import SPOKEN, WRITTEN, digit, value
from multimodal.inspection.report import Identifier, Measurement

# A line that was read with less confidence is shown, and nothing is taken from it.
SURE = 0.5
# The unit as it is told, how it may be said or written, and whether its letters' case counts (mW is no MW).
_UNITS: tuple[tuple[str, str], ...] = (
    ("mbar", r"(?i:mbar|millibars?)"),
    ("bar", r"(?i:bars?)"),
    ("psi", r"(?i:psi|pounds per square inch)"),
    ("kPa", r"(?i:kpa|kilopascals?)"),
    ("°C", r"(?i:°\s?c|º\s?c|degrees? (?:celsius|centigrade)|degrees? c|celsius)"),
    ("°F", r"(?i:°\s?f|º\s?f|degrees? fahrenheit|fahrenheit)"),
    ("°", r"(?i:°|degrees?)"),
    ("kWh", r"(?i:kwh|kilowatt[ -]hours?)"),
    ("kW", r"(?:kW|KW|kw|(?i:kilowatts?))"),
    ("MW", r"(?:MW|(?i:megawatts?))"),
    ("mV", r"(?:mV|(?i:millivolts?))"),
    ("kV", r"(?:kV|KV|(?i:kilovolts?))"),
    ("mA", r"(?:mA|(?i:milliamps?|milliamperes?))"),
    ("V", r"(?:V|(?i:volts?|v ?ac|v ?dc))"),
    ("A", r"(?:A|(?i:amps?|amperes?))"),
    ("W", r"(?:W|(?i:watts?))"),
    ("Hz", r"(?i:hz|hertz)"),
    ("rpm", r"(?i:rpm|revolutions per minute|revs per minute)"),
    ("l/min", r"(?i:l/min|lpm|lit(?:re|er)s? (?:per|a) minute)"),
    ("m³/h", r"(?i:m3/h|m³/h|cubic met(?:re|er)s? (?:per|an) hour)"),
    ("mm", r"(?i:mm|millimet(?:re|er)s?)"),
    ("cm", r"(?i:cm|centimet(?:re|er)s?)"),
    ("m", r"(?:m|(?i:met(?:re|er)s?))"),
    ("ppm", r"(?i:ppm|parts per million)"),
    ("dB", r"(?i:db(?:\(?a\)?)?|decibels?)"),
    ("kg", r"(?i:kg|kilograms?|kilos?)"),
    ("Ω", r"(?i:Ω|Ω|ohms?)"),
    ("%", r"(?i:%|percent|per cent)"),
)
_UNIT = "|".join(f"(?P<u{number}>{pattern})" for number, (_, pattern) in enumerate(_UNITS))
_NUMBER = rf"(?P<number>(?i:(?<![\w.,-]){SPOKEN})|(?<![\w.,])(?:{WRITTEN}))"
_MEASURE = re.compile(rf"{_NUMBER}[ -]?(?:{_UNIT})(?![\w/])")
_ONLY_NUMBER = re.compile(rf"\s*(?:{WRITTEN})\s*")
_ONLY_UNIT = re.compile(rf"\s*(?:{_UNIT})\s*")
_CODE = r"(?=[A-Za-z0-9/-]*\d)[A-Za-z0-9][A-Za-z0-9/-]{2,30}"
_LABELLED = re.compile(
    r"(?i)\b(?P<kind>s/?n|ser(?:ial)?\.?(?:\s*(?:no|number|nr|#))?|model(?:\s*(?:no|number))?|"
    r"asset(?:\s*(?:no|number|tag|id))|part(?:\s*(?:no|number)))\b\.?\s*(?:is|[:#=])?\s*"
    rf"(?P<code>{_CODE})?"
)
_SPELLED = re.compile(
    r"(?i)\b(?P<kind>serial(?: number)?|model(?: number)?|asset(?: number| tag)|part number)(?: is| reads)?[:,]?\s+"
    r"(?P<code>[\w-]+(?:[ ,-]+[\w-]+)*)"
)
_TAG = re.compile(r"\b[A-Z]{1,4}-\d{2,6}[A-Z]?\b")
_KINDS = {"s": "serial number", "m": "model", "a": "asset", "p": "part number"}


def measurements(statements: Sequence[Statement]) -> list[Measurement]:
    """The values with units in one piece of evidence, in order."""
    found: list[Measurement] = []
    for position, statement in enumerate(statements):
        if statement.confidence < SURE:
            continue
        following = statements[position + 1] if position + 1 < len(statements) else None
        found += _values(statement, statement.text)
        if _parted(statement, following):
            found += _values(statement, f"{statement.text} {following.text}")  # type: ignore[union-attr]
    return found


def identifiers(statements: Sequence[Statement]) -> list[Identifier]:
    """The serial numbers, models and tags in one piece of evidence, in order, each once."""
    found: dict[tuple[str, str], Identifier] = {}
    for position, statement in enumerate(statements):
        if statement.confidence < SURE:
            continue
        following = statements[position + 1].text if position + 1 < len(statements) else ""
        named = list(_labelled(statement, following))
        known = {code for _, code in named}
        tags = [("tag", each.group()) for each in _TAG.finditer(statement.text) if each.group() not in known]
        for kind, code in [*named, *tags]:
            found.setdefault((kind, code), Identifier(kind, code, statement.citation))
    return list(found.values())


def _values(statement: Statement, text: str) -> Iterator[Measurement]:
    for match in _MEASURE.finditer(text):
        number = value(match["number"])
        unit = next(name for position, (name, _) in enumerate(_UNITS) if match[f"u{position}"])
        if number is not None:
            yield Measurement(number, unit, match.group().strip(), statement.citation)


def _parted(statement: Statement, following: Statement | None) -> bool:
    """Whether a display's number and its unit were read as two lines."""
    if statement.said or following is None or following.said:
        return False
    return bool(_ONLY_NUMBER.fullmatch(statement.text) and _ONLY_UNIT.fullmatch(following.text))


def _labelled(statement: Statement, following: str) -> Iterator[tuple[str, str]]:
    for match in _LABELLED.finditer(statement.text):
        kind = _KINDS[match["kind"][0].lower()]
        code = match["code"]
        if code is None and not statement.said and not statement.text[match.end() :].strip():
            # A plate has its labels on one line and what they label on the next.
            code = following if re.fullmatch(_CODE, following) else None
        if code is not None and not statement.said:
            yield kind, code.upper()
    if statement.said:
        for match in _SPELLED.finditer(statement.text):
            if code := _spelled(match["code"]):
                yield _KINDS[match["kind"][0].lower()], code


def _spelled(text: str) -> str:
    """What letters and digits, said one by one or in groups, spell: "A B one two 34" is AB1234; empty for no code."""
    code = ""
    for word in re.split(r"[ ,]+", text):
        said = word.strip("-.").upper()
        one = digit(said)
        if one is None and not (len(said) == 1 and said.isalpha()) and not re.search(r"\d", said):
            if said == "DASH" and code:
                code += "-"
                continue
            break
        code += one or said
    code = code.strip("-")
    return code if len(code) >= 3 and re.search(r"\d", code) else ""
