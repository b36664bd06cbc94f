from __future__ import annotations

import pytest

from agents.composition import Composition, extracts, judge
from agents.extract import rank
from agents.grounding import Evidence
from core.types import Hit, Verdict
from tests.fakes.search import passage

DELIVERY = passage(
    "Standard delivery costs 4.90 EUR. Express delivery arrives the next working day. "
    "We deliver to these countries:\n- Norway\n- Sweden\n- Finland\nOrders are packed by hand.",
    document="delivery",
    title="Delivery",
)
RETURNS = passage("Returns are free within 30 days.")


def evidence() -> list[Evidence]:
    return [Evidence(Hit(DELIVERY, 1.0)), Evidence(Hit(RETURNS, 0.4))]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("How much is standard delivery?", "Standard delivery costs 4.90 EUR."),
        ("When does an express parcel arrive?", "Express delivery arrives the next working day."),
        ("Are returns free?", "Returns are free within 30 days."),
    ],
)
def test_the_sentence_that_answers_comes_first(question: str, answer: str) -> None:
    found = evidence()
    assert extracts(rank(question, found), found)[0][0] == answer


def test_a_lead_in_brings_its_list() -> None:
    found = evidence()
    texts = [text for text, _ in extracts(rank("Which countries do you deliver to?", found), found)]
    assert texts == ["We deliver to these countries:\n- Norway\n- Sweden\n- Finland"]


def test_a_list_is_one_thing_said() -> None:
    steps = passage("- Tap Forgot password.\n- Enter your address.\n\nThe link is valid for a day.", title="Password")
    found = [Evidence(Hit(steps, 1.0))]
    assert [found[0].text(n) for n in range(2)] == [
        "- Tap Forgot password.\n- Enter your address.",
        "The link is valid for a day.",
    ]


def test_what_a_model_leaves_unfinished_is_no_answer() -> None:
    found = evidence()
    ranked = rank("Which countries do you deliver to?", found)
    assert judge("Norway and Sweden", "Which countries do you deliver to?", ranked, found, 0.0) is None


def test_an_extract_is_a_verbatim_quote_of_its_document() -> None:
    found = evidence()
    composition = Composition(found)
    for sentence, support in extracts(rank("How much is standard delivery?", found), found):
        composition.add(sentence, support)
    citation = composition.citations[0]
    assert composition.text.startswith("Standard delivery costs 4.90 EUR. [1]")
    assert citation.verdict is Verdict.VERBATIM
    assert DELIVERY.text[citation.start : citation.end] == citation.quote


def test_a_true_sentence_beside_the_question_is_not_taken() -> None:
    found = evidence()
    ranked = rank("How much is standard delivery?", found)
    question = "How much is standard delivery?"
    assert judge("Standard delivery costs 4.90 EUR.", question, ranked, found, 0.8) is not None
    assert judge("Orders are packed by hand.", question, ranked, found, 0.8) is None
    assert judge("Standard delivery costs 9.90 EUR.", question, ranked, found, 0.8) is None


def test_no_passages_give_no_extract() -> None:
    assert rank("anything", []) == []
    assert extracts([], []) == []


def test_headings_and_questions_introduce_and_do_not_answer() -> None:
    faq = passage("Can I return boots?\nYes, unworn ones within 30 days.\n\nTents\nBring them to a store.", title="FAQ")
    found = [Evidence(Hit(faq, 1.0))]
    assert extracts(rank("Can I return boots?", found), found)[0][0] == "Yes, unworn ones within 30 days."
    assert extracts(rank("What about tents?", found), found)[0][0] == "Bring them to a store."


def test_the_passage_about_the_thing_that_was_named_is_preferred() -> None:
    gold = passage("The annual fee of this card is 95 EUR.", document="gold", title="The Gold Card")
    blue = passage("There is a fee of 20 EUR.", document="blue", title="The Blue Card")
    found = [Evidence(Hit(gold, 1.0)), Evidence(Hit(blue, 0.9))]
    assert extracts(rank("What is the annual fee of the Blue Card?", found), found)[0][0] == "There is a fee of 20 EUR."


def test_a_title_that_qualifies_the_name_is_about_another_thing() -> None:
    business = passage("The annual fee of this card is 200 EUR.", document="business", title="Business Gold Card: fees")
    gold = passage("The annual fee of this card is 95 EUR.", document="gold", title="Gold Card: what it costs")
    found = [Evidence(Hit(business, 0.82)), Evidence(Hit(gold, 0.76))]
    assert extracts(rank("What is the annual fee of the Gold Card?", found), found)[0][0].endswith("95 EUR.")
    assert extracts(rank("What is the annual fee of the Business Gold Card?", found), found)[0][0].endswith("200 EUR.")


def test_a_question_that_a_model_repeats_is_no_answer() -> None:
    faq = passage("How much is standard delivery to Norway? It costs 4.90 EUR.")
    found = [Evidence(Hit(faq, 1.0))]
    ranked = rank("How much is standard delivery to Norway?", found)
    assert judge("How much is standard delivery to Norway?", "delivery to Norway", ranked, found, 0.0) is None
