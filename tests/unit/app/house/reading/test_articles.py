"""Questions on the help articles: the section named answers them word for word, and nothing else of an excerpt does."""

from random import Random

import pytest

from app.house.reading.articles import ArticleAsk, Excerpt, article_asks, sections
from app.house.reading.grammar import holds


@pytest.mark.parametrize("ask", article_asks(), ids=lambda ask: f"{ask.article}: {ask.answer}")
def test_the_section_answers_and_no_wording_gives_the_answer_away(ask: ArticleAsk) -> None:
    assert holds(sections(ask.article)[ask.section], ask.answer)
    assert len(ask.wordings) >= 3
    assert not any(holds(wording.casefold(), ask.answer.casefold()) for wording in ask.wordings)


def test_sections_are_prose() -> None:
    for ask in article_asks():
        for prose in sections(ask.article).values():
            assert "|" not in prose
            assert "**" not in prose


def test_an_excerpt_answers_from_itself_alone() -> None:
    draw = Random(3)
    answered = declined = 0
    for _ in range(200):
        excerpt = Excerpt(draw)
        known = excerpt.answered()
        if known is not None:
            assert known.answer is not None
            assert holds(excerpt.text, known.answer)
            answered += 1
        unknown = excerpt.unanswered()
        assert unknown is not None
        assert unknown.answer is None
        ask = next(one for one in article_asks() if unknown.text in one.wordings)
        assert not holds(excerpt.text, ask.answer)
        declined += 1
    assert answered > 180
    assert declined == 200
