"""Where the evidence does not agree with itself: each a question for a person, with both sides quoted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from multimodal.inspection.cues import Cue
from multimodal.inspection.linking import place
from multimodal.inspection.report import Citation, Identifier, Measurement, Origin, PhotoLink, Question

_DEGREES = frozenset({"°", "°C", "°F"})


@dataclass(frozen=True, slots=True)
class Claim:
    """A word for a defect, affirmed or denied, where it stands, and what it is about."""

    cue: Cue
    citation: Citation
    asset: str | None
    photos: tuple[PhotoLink, ...]


def by_value(
    said: Sequence[tuple[Measurement, tuple[PhotoLink, ...]]], shown: Sequence[Measurement]
) -> Iterator[Question]:
    """A value that was said, and the photo it is about shows others of that unit, none of them equal."""
    asked = set()
    for measured, links in said:
        for link in links:
            # Who says the same again and again is asked about once.
            key = (measured.evidence.origin, measured.evidence.number, measured.value, measured.unit, link.number)
            if key in asked:
                continue
            asked.add(key)
            others = [each for each in shown if each.evidence.number == link.number and _same_unit(each, measured)]
            if others and not any(_agree(each.value, measured.value) for each in others):
                yield _question(measured.quote, measured.evidence, others[0].quote, others[0].evidence)


def by_identifier(
    said: Sequence[tuple[Identifier, tuple[PhotoLink, ...]]], shown: Sequence[Identifier]
) -> Iterator[Question]:
    """A number that was said, where the photo it is about shows another of that kind."""
    for named, links in said:
        for link in links:
            others = [each for each in shown if each.evidence.number == link.number and each.kind == named.kind]
            if others and not any(_plain(each.value) == _plain(named.value) for each in others):
                yield _question(
                    f"{named.kind} {named.value}",
                    named.evidence,
                    f"{others[0].kind} {others[0].value}",
                    others[0].evidence,
                )


def by_claim(claims: Sequence[Claim]) -> Iterator[Question]:
    """A defect that one place denies and another affirms, about the same thing as far as can be told."""
    # Here, too, once is enough.
    first: dict[tuple[object, ...], Claim] = {}
    for each in claims:
        where = each.citation
        first.setdefault((where.origin, where.number, each.cue.stem, each.cue.denied, each.asset, each.photos), each)
    for denied in [each for each in first.values() if each.cue.denied]:
        for affirmed in first.values():
            if affirmed.cue.denied or denied.cue.stem != affirmed.cue.stem:
                continue
            if denied.citation != affirmed.citation and _about_the_same(denied, affirmed):
                yield Question(
                    f"{_capital(place(denied.citation))} says there is no {denied.cue.stem}: “{denied.citation.quote}” "
                    f"But {place(affirmed.citation)} says: “{affirmed.citation.quote}” Which is right?",
                    (denied.citation, affirmed.citation),
                )


def _about_the_same(one: Claim, other: Claim) -> bool:
    if one.asset and other.asset:
        return one.asset.lower() == other.asset.lower()
    shown = next((each for each in (one, other) if each.citation.origin in (Origin.PHOTO, Origin.DESCRIPTION)), None)
    if shown is not None:
        said = other if shown is one else one
        return any(link.number == shown.citation.number for link in said.photos)
    return one.asset == other.asset and {each.number for each in one.photos} == {each.number for each in other.photos}


def _question(said: str, here: Citation, shown: str, there: Citation) -> Question:
    return Question(
        f"{_capital(place(here))} says “{said}”, but {place(there)} shows “{shown}”. Which is right?", (here, there)
    )


def _same_unit(one: Measurement, other: Measurement) -> bool:
    return one.unit == other.unit or ("°" in (one.unit, other.unit) and {one.unit, other.unit} <= _DEGREES)


def _agree(one: Decimal, other: Decimal) -> bool:
    """Whether they are equal once the finer one is rounded as the other is: 4.2 agrees with 4.18."""
    digits = min(_decimals(one), _decimals(other))
    return round(one, digits) == round(other, digits)


def _decimals(number: Decimal) -> int:
    exponent = number.as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _plain(code: str) -> str:
    return "".join(each for each in code.upper() if each.isalnum())


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
