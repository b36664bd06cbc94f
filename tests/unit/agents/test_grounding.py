from __future__ import annotations

import pytest

from agents.grounding import Evidence, check
from core.types import Hit, Verdict
from tests.fakes.search import passage

TEXT = (
    "You have 30 days to return unworn items. Refunds reach your card within 5 working days. "
    "Gift cards cannot be returned. Parcels to Norway cost 1,250.00 NOK. Maria Lind leads the returns desk."
)


def evidence() -> list[Evidence]:
    return [Evidence(Hit(passage(TEXT), 1.0))]


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("You have 30 days to return unworn items.", Verdict.VERBATIM),
        ("refunds reach your card within 5 working days", Verdict.VERBATIM),
        ("Unworn items: you have 30 days to return those.", Verdict.SUPPORTED),
        ("Refunds reach your card within five working days.", Verdict.VERBATIM),
        ("Parcels to Norway cost 1250 NOK.", Verdict.VERBATIM),
        ("You have 60 days to return unworn items.", Verdict.UNSUPPORTED),
        ("Gift cards can be returned.", Verdict.UNSUPPORTED),
        ("be returned", Verdict.UNSUPPORTED),
        ("Parcels to Sweden cost 1,250.00 NOK.", Verdict.UNSUPPORTED),
        ("Peter Lind leads the returns desk.", Verdict.UNSUPPORTED),
        ("The moon is made of cheese.", Verdict.UNSUPPORTED),
        ("", Verdict.UNSUPPORTED),
    ],
)
def test_the_verdict_follows_numbers_names_and_negations(claim: str, verdict: Verdict) -> None:
    assert check(claim, evidence()).verdict is verdict


def test_the_span_is_the_documents_own_text() -> None:
    shifted = passage(TEXT)
    support = check("Refunds reach your card within 5 working days.", [Evidence(Hit(shifted, 1.0))])
    assert TEXT[support.start : support.end] == "Refunds reach your card within 5 working days"
    assert support.sentences == (1,)


def test_two_sentences_do_not_add_up_to_one_claim() -> None:
    claim = "Return unworn items within 30 days and the refund reaches your card within 5 working days."
    assert check(claim, evidence()).verdict is Verdict.UNSUPPORTED


@pytest.mark.parametrize(
    "claim",
    [
        "You can't send something back to the same card.",
        "You can send harnesses back with the seal unbroken.",
    ],
)
def test_a_claim_that_drops_a_condition_or_turns_it_round_is_unsupported(claim: str) -> None:
    text = "You have 60 days to send something back, without a reason. Send harnesses back only with the seal unbroken."
    assert check(claim, [Evidence(Hit(passage(text), 1.0))]).verdict is Verdict.UNSUPPORTED


def test_a_fact_about_one_thing_does_not_answer_for_another() -> None:
    repair = passage("Within 2 working days of arrival we send an estimate.", title="Tent repair")
    claim = "You can return a tent within 2 working days of arrival."
    found = [Evidence(Hit(repair, 1.0))]
    assert check(claim, found, "How long do I have to return a tent?").verdict is Verdict.UNSUPPORTED


def test_a_heading_counts_as_said() -> None:
    under_heading = Hit(passage("The window is 30 days.", title="Returning tents"), 1.0)
    assert check("The window for returning tents is 30 days.", [Evidence(under_heading)]).verdict is Verdict.SUPPORTED
