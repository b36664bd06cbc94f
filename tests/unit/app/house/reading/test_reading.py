"""Rows of reading: the same by seed, answered word for word, and declined for good reason."""

from collections import Counter, defaultdict
from itertools import groupby

import pytest

from app.house.reading.grammar import domains, holds
from app.house.reading.reading import ReadingRow, rows

_COUNT = 3000


@pytest.fixture(scope="module")
def drawn() -> list[ReadingRow]:
    return list(rows(7, _COUNT))


def test_a_seed_gives_the_same_rows_and_another_gives_others(drawn: list[ReadingRow]) -> None:
    assert len(drawn) == _COUNT
    assert list(rows(7, 200)) == drawn[:200]
    assert list(rows(8, 200)) != drawn[:200]


def test_every_answer_stands_word_for_word_in_a_passage(drawn: list[ReadingRow]) -> None:
    for row in drawn:
        if row.answer is not None:
            assert any(holds(passage, row.answer) for passage in row.passages), row


def test_nearly_half_of_the_questions_have_no_answer_and_answers_are_short(drawn: list[ReadingRow]) -> None:
    answers = [row.answer for row in drawn if row.answer is not None]
    assert 0.38 < 1 - len(answers) / _COUNT < 0.5
    lengths = sorted(len(answer.split()) for answer in answers)
    assert lengths[len(lengths) // 2] <= 3
    assert lengths[-1] <= 14


def test_several_questions_in_a_row_share_their_passages(drawn: list[ReadingRow]) -> None:
    sets = [list(group) for _, group in groupby(drawn, key=lambda row: row.passages)][:-1]
    assert sum(len(one) for one in sets) / len(sets) > 6
    alone = sum(len(one[0].passages) == 1 for one in sets) / len(sets)
    assert 0.65 < alone < 0.85
    for one in sets:
        assert len({row.question for row in one}) == len(one)


def test_paragraphs_are_as_long_as_those_of_an_encyclopaedia(drawn: list[ReadingRow]) -> None:
    words = [len(passage.split()) for row in drawn for passage in row.passages]
    assert min(words) >= 30
    assert max(words) <= 220
    assert 60 <= sum(words) / len(words) <= 150


def test_hardly_any_row_comes_twice(drawn: list[ReadingRow]) -> None:
    assert len({(row.passages, row.question) for row in drawn}) > 0.99 * _COUNT
    assert len({row.question for row in drawn}) > 0.85 * _COUNT


def test_questions_do_not_repeat_the_sentence_that_answers_them(drawn: list[ReadingRow]) -> None:
    overlaps = []
    for row in drawn:
        if row.answer is None:
            continue
        passage = next(passage for passage in row.passages if holds(passage, row.answer))
        sentence = next((one for one in passage.split(". ") if holds(one, row.answer)), passage)
        asked = {word.strip("?,\"'").casefold() for word in row.question.split()}
        told = {word.strip(".,;\"'").casefold() for word in sentence.split()}
        overlaps.append(len(asked & told) / len(asked))
    assert sum(overlaps) / len(overlaps) < 0.6


def test_the_form_of_a_question_does_not_tell_whether_it_is_answered() -> None:
    forms: dict[tuple[str, ...], Counter[bool]] = defaultdict(Counter)
    for row in rows(11, 12_000):
        start = tuple(row.question.casefold().split()[:2])
        forms[start][row.answer is None] += 1
    common = {start: seen for start, seen in forms.items() if seen.total() >= 60}
    assert len(common) > 30
    for start, seen in common.items():
        assert 0.15 < seen[True] / seen.total() < 0.8, start


def test_there_are_many_domains_and_the_first_passages_use_them_all(drawn: list[ReadingRow]) -> None:
    assert len(domains()) >= 25
    asked = {row.question for row in rows(12, 6000)}
    for domain in domains():
        plain = {
            w for fact in domain.facts for ask in fact.asks for w in ask.wordings if "{" not in w.replace("{q}", "")
        }
        starts = {w.split("{q}")[0].strip() for w in plain}
        assert any(question.startswith(start) for start in starts if len(start) > 12 for question in asked), domain.name
