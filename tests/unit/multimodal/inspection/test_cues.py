import pytest

from multimodal.inspection.cues import asks, defects, severity
from multimodal.inspection.report import Severity


@pytest.mark.parametrize(
    ("text", "affirmed", "denied"),
    [
        ("There is a leak at the valve.", ["leak"], []),
        ("No leak at the main valve.", [], ["leak"]),
        ("There is no visible crack, leak or corrosion.", [], ["crack", "leak", "corrosion"]),
        ("Nothing is leaking.", [], ["leak"]),
        ("The pump isn't leaking.", [], ["leak"]),
        ("No leak, but the gasket is cracked.", ["crack"], ["leak"]),
        ("No leak, the gasket is cracked.", ["crack"], ["leak"]),
        ("The seal is not only worn but cracked.", ["crack"], ["wear"]),
        ("Leaks: none. Rust on the flange.", ["corrosion"], ["leak"]),
        ("A crack was not found.", [], ["crack"]),
        ("The hose is free of cracks.", [], ["crack"]),
        ("The weekly newsletter is fine.", [], []),
        ("The pump leaks and the hose is frayed.", ["leak", "wear"], []),
    ],
)
def test_a_defect_is_affirmed_or_denied(text: str, affirmed: list[str], denied: list[str]) -> None:
    found = defects(text)
    assert [each.stem for each in found if not each.denied] == affirmed
    assert [each.stem for each in found if each.denied] == denied


@pytest.mark.parametrize(
    ("text", "degree", "words"),
    [
        ("The pump leaks.", Severity.MEDIUM, ()),
        ("This is dangerous, urgent even.", Severity.HIGH, ("dangerous", "urgent")),
        ("It is not urgent.", Severity.MEDIUM, ()),
        ("A slight drip.", Severity.LOW, ("slight",)),
        ("Minor rust, but it is unsafe.", Severity.HIGH, ("unsafe",)),
        ("There is no danger, the scratch is cosmetic.", Severity.LOW, ("cosmetic",)),
    ],
)
def test_the_worst_word_that_is_not_denied_says_how_bad_it_is(
    text: str, degree: Severity, words: tuple[str, ...]
) -> None:
    assert severity(text) == (degree, words)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("The gasket should be replaced.", True),
        ("It needs cleaning and needs to be tightened.", True),
        ("Replace the filter.", True),
        ("Please tighten the bolts.", True),
        ("I recommend that we monitor it.", True),
        ("It does not need to be replaced.", False),
        ("The filter was replaced last year.", False),
        ("The order of the valves is right.", False),
    ],
)
def test_what_asks_for_something_to_be_done(text: str, asked: bool) -> None:
    assert asks(text) is asked
