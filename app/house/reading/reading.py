"""Rows of reading: passages, a question, and the words of the passages that answer it, or nothing."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from app.house.reading.articles import Excerpt
from app.house.reading.grammar import domains
from app.house.reading.paragraph import Paragraph, Question

_UNANSWERED = 0.47
_ARTICLES = 0.04
_QUESTIONS = (6, 10)
_TRIES = 12
_LETTERS = 5


@dataclass(frozen=True)
class ReadingRow:
    """A question on passages; the answer is a part of one of them word for word, None where they do not give it."""

    passages: tuple[str, ...]
    question: str
    answer: str | None


def rows(seed: int, count: int) -> Iterator[ReadingRow]:
    """Give rows, six to ten after each other on the same passages; the same ones for the same seed.

    Args:
        seed: Where chance starts.
        count: How many rows to give.
    """
    return islice(_rows(random.Random(seed)), count)  # noqa: S311 - chance for rows, no secret


def _rows(draw: random.Random) -> Iterator[ReadingRow]:
    while True:
        paragraphs = _paragraphs(draw)
        passages = tuple(paragraph.text for paragraph in paragraphs)
        for question in _questions(paragraphs, draw):
            yield ReadingRow(passages, _typed(question.text, draw), question.answer)


def _paragraphs(draw: random.Random) -> Sequence[Paragraph | Excerpt]:
    if draw.random() < _ARTICLES:
        return [Excerpt(draw)]
    first = draw.choice(domains())
    others = draw.choices((0, 1, 2), (75, 15, 10))[0]
    alike = [first if draw.random() < 0.6 else draw.choice(domains()) for _ in range(others)]
    paragraphs = [Paragraph(domain, draw, alone=not alike) for domain in (first, *alike)]
    draw.shuffle(paragraphs)
    return paragraphs


def _questions(paragraphs: Sequence[Paragraph | Excerpt], draw: random.Random) -> Iterator[Question]:
    """Draw questions, none twice; whatever the text of another passage happens to answer is no question without one."""
    asked: set[str] = set()
    facts: set[str] = set()
    for _ in range(draw.randint(*_QUESTIONS)):
        answerable = draw.random() >= _UNANSWERED
        for _ in range(_TRIES):
            paragraph = draw.choice(paragraphs)
            question = paragraph.answered() if answerable else paragraph.unanswered()
            if question and question.text not in asked and question.fact not in facts:
                asked.add(question.text)
                facts.add(question.fact)
                yield question
                break


def _typed(text: str, draw: random.Random) -> str:
    """Write a question as people type: now and then in small letters, without its mark, or with two letters swapped."""
    chance = draw.random()
    if chance < 0.04:
        return text.lower()
    if chance < 0.07:
        return text.removesuffix("?")
    if chance < 0.10:
        words = text.split()
        long = [at for at, word in enumerate(words) if len(word) > _LETTERS and word.isalpha() and word.islower()]
        if long:
            at, letter = draw.choice(long), draw.randint(1, _LETTERS - 2)
            word = words[at]
            words[at] = word[:letter] + word[letter + 1] + word[letter] + word[letter + 2 :]
        return " ".join(words)
    return text
