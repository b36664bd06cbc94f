"""Paragraphs: every domain fills, tells what it answers, and leaves out what it declines."""

from random import Random

import pytest

from app.house.reading.grammar import Domain, Filling, domains, holds
from app.house.reading.paragraph import Paragraph

_WORDINGS = 3


@pytest.mark.parametrize("domain", domains(), ids=lambda domain: domain.name)
def test_every_way_to_say_a_fact_gives_all_its_answers(domain: Domain) -> None:
    assert len(domain.facts) >= 8
    filling = Filling(domain, Random(5))
    for fact in domain.facts:
        assert len(fact.say) >= 2
        for ask in fact.asks:
            answer = filling.fill(ask.answer)
            assert len(ask.wordings) >= _WORDINGS, ask
            for say in fact.say:
                told = filling.fill(say, It="It", it="it")
                assert holds(told, answer) or holds(told, answer[0].upper() + answer[1:]), (say, answer)
            for wording in ask.wordings:
                question = filling.fill(wording, q="it")
                assert question.endswith("?"), wording
                assert not holds(question.casefold(), answer.casefold()), wording


@pytest.mark.parametrize("domain", domains(), ids=lambda domain: domain.name)
def test_what_is_left_out_cannot_be_read(domain: Domain) -> None:
    draw = Random(6)
    answered = declined = 0
    for _ in range(20):
        paragraph = Paragraph(domain, draw, alone=True)
        assert paragraph.left_out
        for _ in range(8):
            question = paragraph.answered()
            if question is not None:
                assert question.answer is not None
                assert holds(paragraph.text, question.answer)
                answered += 1
            question = paragraph.unanswered()
            if question is not None:
                assert question.answer is None
                declined += 1
    assert answered > 80
    assert declined > 50


def test_the_answers_of_a_fact_left_out_are_not_in_the_text() -> None:
    draw = Random(7)
    asked = hidden = 0
    for domain in domains():
        for _ in range(10):
            paragraph = Paragraph(domain, draw, alone=True)
            fill = paragraph.filling.fill
            answers = [fill(ask.answer) for fact in paragraph.left_out for ask in fact.asks]
            asked += len(answers)
            hidden += sum(not holds(paragraph.text, answer) for answer in answers)
            for _ in range(20):
                question = paragraph.unanswered()
                if question and question.fact.endswith("left out"):
                    index = int(question.fact.split()[1].split(".")[0])
                    assert domain.facts[index] in paragraph.left_out
    assert hidden > 0.97 * asked
